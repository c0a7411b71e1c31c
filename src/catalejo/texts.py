"""The nouns of text: a page, what was said when, where a piece of text stands, and the piece itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the upright original


@dataclass(frozen=True)
class Cue:
    """Where characters [start, end) of a page's text were heard or seen.

    Attributes:
        start_s, end_s: when they were said, in seconds (subtitles, speech).
        box: around where they stand in the picture (OCR).
    """

    start: int
    end: int
    start_s: float | None = None
    end_s: float | None = None
    box: Box | None = None


@dataclass(frozen=True)
class TextPage:
    """One page of a document, as text.

    Attributes:
        text: NFC, lines end in ``\\n``.
        number: of the page, from 1. A format without pages has one, number 1; a slide and a chapter are a page.
        needs_ocr: whether the page shows something and has no text of its own, as a scan.
        title: of the document, the slide or the chapter, where the format has one.
        cues: when it was said, or where in the picture it was seen, in the order of the text; else empty.
    """

    text: str
    number: int
    needs_ocr: bool = False
    title: str = ""
    cues: tuple[Cue, ...] = ()


@dataclass(frozen=True)
class Span:
    """Where a text stands: characters [start, end) of a page's text, in Unicode code points, the page from 1.

    Attributes:
        start_s, end_s: when it was said, in seconds; None for what was written.
        box: around where it was seen in the picture; None for what is text in the file.
    """

    page: int
    start: int
    end: int
    start_s: float | None = None
    end_s: float | None = None
    box: Box | None = None


@dataclass(frozen=True)
class Passage:
    """A piece of a page: ``text == page.text[span.start:span.end]``, always.

    Attributes:
        language: ISO 639-1, empty where it is not known.
    """

    text: str
    span: Span
    language: str = ""

    def said(self, span: Span) -> str:
        """What stands at a place inside it, such as one of its sentences."""
        return self.text[span.start - self.span.start : span.end - self.span.start]


def around(boxes: Iterable[Box]) -> Box | None:
    """The smallest box that holds some; None of none."""
    held = list(boxes)
    if not held:
        return None
    lefts, tops, rights, bottoms = zip(*held, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
