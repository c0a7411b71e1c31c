"""FILES -> PIECES: each file read for a language model.

A picture or a sound is a piece as it is, for a model that takes it; for any other it is text: what was read, said and
heard in it, and notes of what it shows. A film is key frames and its sound, by their times. What cannot be read, or is
too much, is said: nothing is dropped without a word.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from catalejo import plugins
from catalejo.answerers.shown import Recorded
from catalejo.context.counting import pages_of, shown
from catalejo.errors import CannotRead, CatalejoError
from catalejo.facts import Fact
from catalejo.notes import notes
from catalejo.pages import PageReader
from catalejo.perceivers import RATE_HZ
from catalejo.pieces import (
    FRAME,
    NOTES,
    PICTURE,
    READ,
    SOUND,
    TEXT,
    TRANSCRIPT,
    Given,
    Piece,
    in_stretches,
    media_piece,
    noted,
    source_of,
)
from catalejo.recordings import kind_of
from catalejo.records import Item, Limits
from catalejo.route import FRAMES
from catalejo.senses import AUTO, Missing, Perceiving, Senses, senses
from catalejo.texts import TextPage
from catalejo.transcripts import clock

if TYPE_CHECKING:
    from catalejo.readers import Page

_WHOLE = 1 << 20  # px; pictures are read at their full size
_MOST_SOUND_S = 780.0  # of a recording that is sent as it is: 25 MB
_NOT_ASKED = ("safety",)  # whether a picture is decent is not what questions are about: ``moderate`` says it
_KEPT = 4  # times as many key frames as are wanted are held while a film is read


@dataclass
class Giver:
    """Reads files into pieces.

    Attributes:
        pictures, sound: whether the model takes them as they are.
        language: of the notes: ``en`` or ``es``.
        frames: key frames of a film, at most.
        limits: what readers refuse.
        say: called with a line for people.
    """

    pictures: bool
    sound: bool
    language: str = "en"
    frames: int = FRAMES
    limits: Limits = field(default_factory=Limits)
    say: Callable[[str], None] = lambda line: None
    _left: list[str] = field(default_factory=list, init=False)

    def give(self, path: str) -> Given:
        """All pieces of one file.

        Raises:
            CannotRead, OverLimit, MissingExtra: with the reason.
        """
        path, kind, self._left = shown(path), kind_of(path), []
        self.say(f"{path}: reading")
        if kind == "text":
            title, pieces = self._document(path)
        elif kind == "image":
            title, pieces = self._picture(path)
        else:
            title, pieces = self._recording(path, kind)
        return Given(path, kind, title, tuple(pieces), tuple(dict.fromkeys(self._left)))

    @cached_property
    def _senses(self) -> Senses:
        found = senses((AUTO,))
        return Senses(
            tuple(one for one in found.able if one.name not in _NOT_ASKED),
            tuple(one for one in found.missing if one.name not in _NOT_ASKED),
        )

    # -- documents ------------------------------------------------------------------------

    def _document(self, path: str) -> tuple[str, list[Piece]]:
        pages = pages_of(path, self.limits)
        blank = [page for page in pages if page.needs_ocr and not page.text.strip()]
        scans = self._scans(path, [page.number - 1 for page in blank]) if blank else {}
        pieces = []
        for page in pages:
            if page.text.strip():
                pieces.append(Piece(TEXT, source_of(path, page)))
            pieces += scans.get(page.number - 1, [])
        title = "" if len(pages) < 2 else f"{len(pages):,} {'páginas' if self.language == 'es' else 'pages'}"
        return title, pieces

    def _scans(self, path: str, numbers: list[int]) -> dict[int, list[Piece]]:
        """Pages that are pictures of text: what can be read in them, else the pictures."""
        items = [Item("", number, "scan", 0, 0) for number in numbers]
        read, _ = self._perceived(path, items, hears=False, missing_matters=not self.pictures)
        found: dict[int, list[Piece]] = {page.number - 1: [Piece(READ, source_of(path, page))] for page in read}
        rest = [number for number in numbers if number not in found]
        if self.pictures and rest:
            from catalejo.readers import pdf

            for number in rest[: self.frames]:
                try:
                    found[number] = [media_piece(PICTURE, path, number, pdf.render(path, number, self.limits))]
                except CannotRead as error:
                    self._left.append(f"{path}, page {number + 1}: {error.reason}")
            rest = rest[self.frames :]
        self._left += [f"{path}, page {number + 1}: a picture of text in which nothing was read" for number in rest]
        return found

    # -- pictures -------------------------------------------------------------------------

    def _picture(self, path: str) -> tuple[str, list[Piece]]:
        items: list[Item] = []
        pictures: list[Piece] = []
        title = ""
        for page in self._pages(path):
            items.append(Item("", page.page, "image", page.width_px, page.height_px))
            title = title or f"{page.width_px:,} x {page.height_px:,}{_made(page)}"
            if self.pictures and len(pictures) < self.frames:
                pictures.append(media_piece(PICTURE, path, page.page, page.picture))
        if self.pictures:
            if len(items) > len(pictures):
                self._left.append(f"{path}: pages {len(pictures) + 1:,} to {len(items):,}; more with --frames")
            return title, pictures
        read, facts = self._perceived(path, items, hears=False)
        return title, [piece for item in items for piece in self._seen(path, item, read, facts)]

    def _seen(self, path: str, item: Item | Page, read: Sequence[TextPage], facts: Sequence[Fact]) -> Iterator[Piece]:
        """What was recognised in a picture or a key frame: notes, then the text in it."""
        told = notes([fact for fact in facts if fact.page == item.page], self.language)
        made = [one for one in read if one.number == item.page + 1 and one.text.strip()]
        if told or not made:
            nothing = "nothing was recognised in it" if self.language == "en" else "no se reconoció nada en ella"
            yield Piece(NOTES, noted(path, item.page, told or nothing, item.start_s, item.end_s))
        for one in made:
            yield Piece(READ, source_of(path, one, item.start_s))

    # -- recordings -----------------------------------------------------------------------

    def _recording(self, path: str, kind: str) -> tuple[str, list[Piece]]:
        frames: list[Page] = []
        stretches: list[Item] = []
        shots, step, last_s, title = 0, 1, 0.0, ""
        for page in self._pages(path):
            last_s = max(last_s, page.end_s or 0.0)
            if page.kind == "audio":
                stretches.append(Item("", page.page, "audio", 0, 0, start_s=page.start_s, end_s=page.end_s))
                title = title or _made(page)
                continue
            if shots % step == 0:
                frames.append(page)
                if len(frames) > _KEPT * self.frames:
                    frames, step = frames[::2], 2 * step
            title = title or f", {page.width_px:,} x {page.height_px:,}{_made(page)}"
            shots += 1
        kept = (
            [frames[n * len(frames) // self.frames] for n in range(self.frames)]
            if len(frames) > self.frames
            else frames
        )
        if shots > len(kept):
            times = ", ".join(clock(page.start_s or 0.0) for page in kept)
            self._left.append(
                f"{path}: {shots - len(kept):,} of {shots:,} shots; key frames of those at {times} are given"
            )
        pieces = [piece for page in kept for piece in self._frame(path, page)]
        if stretches:
            pieces += self._heard(path, stretches, last_s)
        elif kind == "video":
            self._left.append(f"{path}: it has no sound")
        pieces.sort(key=lambda piece: piece.source.passage.span.start_s or 0.0)  # stable: a frame before its words
        return f"{clock(last_s)}{title}", pieces

    def _frame(self, path: str, page: Page) -> Iterator[Piece]:
        if self.pictures:
            yield media_piece(FRAME, path, page.page, page.picture, page.start_s, page.end_s)
            return
        read: list[TextPage] = []
        facts: list[Fact] = []
        for sense in self._senses.able:
            if sense.hears or "video" not in sense.kinds:
                continue
            try:
                found = sense.perceiver.look(page.picture, page.page)
            except CatalejoError as error:
                self._left.append(f"{path}, {clock(page.start_s or 0.0)}: {sense.name}: {error}")
                continue
            read += found.pages
            facts += found.facts
        self._missing(path, (one for one in self._senses.missing if not _hears(one)))
        yield from self._seen(path, page, read, facts)

    def _heard(self, path: str, stretches: Sequence[Item], seconds: float) -> list[Piece]:
        if self.sound and seconds <= _MOST_SOUND_S:
            return [media_piece(SOUND, path, stretches[0].page, self._wav(path, seconds), 0.0, seconds)]
        if self.sound:
            self._left.append(f"{path}: {clock(seconds)} of sound are more than can be sent; what is said goes as text")
        said, facts = self._perceived(path, stretches, hears=True)
        pieces = [Piece(TRANSCRIPT, source) for page in said for source in in_stretches(path, page)]
        if told := notes(facts, self.language):
            pieces.append(Piece(NOTES, noted(path, stretches[0].page, told, 0.0, seconds)))
        if not pieces:
            self._left.append(f"{path}: nothing was recognised in its sound")
        return pieces

    def _wav(self, path: str, seconds: float) -> Recorded:
        from catalejo.readers import audio

        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            for block in audio.sound_of(path, self.limits).blocks():
                file.writeframes((np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())
        return Recorded(buffer.getvalue(), seconds)

    # -- what they share --------------------------------------------------------------------

    def _pages(self, path: str) -> Iterator[Page]:
        reader = PageReader(self.limits, _WHOLE)
        with reader.opened(path) as (file, _):
            yield from reader.pages(file, path)

    def _perceived(
        self, path: str, items: Sequence[Item], hears: bool, missing_matters: bool = True
    ) -> tuple[list[TextPage], list[Fact]]:
        """Texts and facts of all who can look, or listen; those who cannot are told."""
        able = [sense for sense in self._senses.able if sense.hears == hears and sense.takes(items)]
        if missing_matters:
            self._missing(path, (one for one in self._senses.missing if _hears(one) == hears))
        pages: list[TextPage] = []
        facts: list[Fact] = []
        for one in Perceiving(self.limits).perceive(path, items, able):
            if one.reason:
                self._left.append(f"{path}: {one.sense.name}: {one.reason}")
            pages += one.found.pages
            facts += one.found.facts
        return pages, facts

    def _missing(self, path: str, some: Iterable[Missing]) -> None:
        did = {True: "listen to", False: "look at"}
        self._left += [f"{path}: {one.name} did not {did[_hears(one)]} it: {one.why}" for one in some]


def _hears(one: Missing) -> bool:
    kinds = plugins.table("perceivers")[one.name].kinds
    return "audio" in kinds or (not kinds and one.name in ("speech", "sounds"))


def _made(page: Page) -> str:
    """When and where, for a title."""
    taken = f", {page.taken.isoformat(' ', 'minutes')}" if page.taken else ""
    known = page.latitude is not None and page.longitude is not None
    return taken + (f", {page.latitude:.4f},{page.longitude:.4f}" if known else "")
