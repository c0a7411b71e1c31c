"""What a language model is given of files: pieces, in the order of pages and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalejo.answerers import Source
from catalejo.answerers.shown import Recorded
from catalejo.notes import when
from catalejo.texts import Cue, Passage, Span, TextPage

if TYPE_CHECKING:
    from PIL.Image import Image

_STRETCH_S = 30.0  # of a transcript that is one piece

TEXT, TRANSCRIPT, READ, NOTES, PICTURE, FRAME, SOUND = (
    *("text", "transcript", "read", "notes", "picture", "key frame", "sound"),
)


@dataclass(frozen=True, eq=False)
class Piece:
    """One thing that a model is given.

    Attributes:
        what: ``text`` of a document, ``transcript``, text ``read`` in a picture, ``notes``, ``picture``,
            ``key frame`` or ``sound``.
        source: its text and where that stands; of a picture or a sound, where it stands, with an empty text.
        media: the picture or the sound itself.
    """

    what: str
    source: Source
    media: Image | Recorded | None = None


@dataclass(frozen=True, eq=False)
class Given:
    """What is given of one file.

    Attributes:
        path: as it is shown.
        kind: ``text``, ``image``, ``audio`` or ``video``.
        title: what it is, in a few words: ``62 s``, ``1,024 x 768, 2024-05-01``.
        pieces: in order.
        left_out: what is not among them, and why, one line each.
    """

    path: str
    kind: str
    title: str
    pieces: tuple[Piece, ...]
    left_out: tuple[str, ...] = ()


def source_of(path: str, page: TextPage, start_s: float | None = None) -> Source:
    """A page whole; of what was said it knows when."""
    starts = [cue.start_s for cue in page.cues if cue.start_s is not None]
    span = Span(page.number, 0, len(page.text), min(starts, default=start_s))
    return Source(path, Passage(page.text, span), cues=page.cues)


def noted(path: str, page: int, text: str, start_s: float | None, end_s: float | None) -> Source:
    """Notes on a page, shot or stretch; pages from 0."""
    return Source(path, Passage(text, Span(page + 1, 0, len(text), start_s, end_s)))


def media_piece(
    what: str, path: str, page: int, media: Image | Recorded, start_s: float | None = None, end_s: float | None = None
) -> Piece:
    """A picture or a sound; pages from 0."""
    return Piece(what, Source(path, Passage("", Span(page + 1, 0, 0, start_s, end_s))), media)


def in_stretches(path: str, page: TextPage) -> Iterator[Source]:
    """A transcript in pieces of about half a minute, whole utterances each."""
    if not page.cues:
        if page.text.strip():
            yield source_of(path, page)
        return
    group: list[Cue] = []
    for cue in page.cues:
        if group and (cue.end_s or 0.0) - (group[0].start_s or 0.0) > _STRETCH_S:
            yield _stretch(path, page, group)
            group = []
        group.append(cue)
    yield _stretch(path, page, group)


def _stretch(path: str, page: TextPage, cues: Sequence[Cue]) -> Source:
    start, end = cues[0].start, cues[-1].end
    span = Span(page.number, start, end, cues[0].start_s, cues[-1].end_s)
    return Source(path, Passage(page.text[start:end], span), cues=page.cues)


def place(source: Source) -> str:
    """When a piece begins and ends: ``0:07-0:31``; empty for what has no time."""
    span = source.passage.span
    return when(span.start_s, span.end_s).strip()
