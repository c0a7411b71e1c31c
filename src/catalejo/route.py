"""FILES, MODEL -> WAYS: what each file becomes on its way to a language model, in which shapes, for how many tokens.

A picture or a recording goes as it is to a model that takes it. To any other it goes as text: what was read, said and
heard in it, and what it shows. A film goes as key frames and as its sound. Nothing is recognised here, so what a
recording will say in tokens is an estimate, and says so; ``multimodal`` builds the prompt itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from catalejo.context import bridges, media, prices, resolution, tokens
from catalejo.context.bridges import Stage
from catalejo.context.counting import below, pages_of, shown
from catalejo.context.language_model import LanguageModel
from catalejo.context.media import Size
from catalejo.context.tokens import NOTHING, Count
from catalejo.errors import CannotRead, CatalejoError
from catalejo.recordings import Recording, kind_of, recording
from catalejo.records import Limits
from catalejo.walk import sources

FRAMES = 8  # of a film, at most
FACTS = Count(60, False, 10, 400, "facts of a picture, estimated")  # a few lines, and what is written in it
_MOST_SPOKEN = 300  # tokens a minute of somebody who talks fast


@dataclass(frozen=True)
class Way:
    """One way by which something of a file reaches the model.

    Attributes:
        what: ``text``, ``scans``, ``picture``, ``key frames``, ``sound``, ``speech``, ``sounds`` or ``facts``.
        stages: what it becomes, in order.
        tokens: that the model receives; None where nobody knows, or there is no model.
        usd: what they cost; None where no price is known.
        native: whether the model takes it as it is, and not as text about it.
    """

    what: str
    stages: tuple[Stage, ...]
    tokens: Count | None = None
    usd: Decimal | None = None
    native: bool = False

    def by(self, role: str) -> tuple[Stage, ...]:
        """Its stages of a role: see ``bridges.ROLES``."""
        return tuple(stage for stage in self.stages if stage.role == role)


@dataclass(frozen=True)
class Route:
    """All ways of one file.

    Attributes:
        path: as it was named or found.
        kind: ``text``, ``image``, ``audio`` or ``video``; empty where that could not be told.
        what: its size in words.
        ways: in the order the model gets them.
        search: the vector a catalog finds it by.
        reason: why it has no way; empty if it has.
        note: what one should know.
    """

    path: str
    kind: str
    what: str
    ways: tuple[Way, ...] = ()
    search: Stage | None = None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Routed:
    """All files.

    Attributes:
        model: they go to; None: to nobody, only to the facts.
        routes: one a file, in the order they were named.
        tokens: of everything that is known.
        usd: what that costs; None where no price is known.
        fits: whether it fits; None where the window is unknown.
    """

    model: LanguageModel | None
    routes: tuple[Route, ...]
    tokens: Count
    usd: Decimal | None = None
    fits: bool | None = None


@dataclass(frozen=True)
class Router:
    """Where files go.

    Attributes:
        model: the language model; None: none, what can be known goes to the facts.
        detail: of pictures: see ``media.image``.
        frames: key frames of a film, at most.
        limits: what readers refuse.
    """

    model: LanguageModel | None = None
    detail: str = "high"
    frames: int = FRAMES
    limits: Limits = field(default_factory=Limits)

    def route(self, paths: Iterable[str]) -> Routed:
        """The ways of every file, once: those named in their order, and all below the folders named.

        What cannot be read is told with its reason; nothing is raised for it.
        """
        return self.joined([self.of(path) for path in named(paths)])

    def joined(self, routes: Sequence[Route]) -> Routed:
        """Routes with their prices, which depend on the length of the whole prompt."""
        total = sum((way.tokens for one in routes for way in one.ways if way.tokens), NOTHING)
        if self.model is None:
            return Routed(None, tuple(routes), NOTHING)
        price = prices.price_at(self.model, total.tokens).input / prices.MILLION if self.model.prices else None
        priced = tuple(replace(one, ways=tuple(_priced(way, price) for way in one.ways)) for one in routes)
        usd = None if price is None else total.tokens * price
        return Routed(self.model, priced, total, usd, prices.fits(self.model, total.high))

    def of(self, path: str | CatalejoError) -> Route:
        """The ways of one file, without prices."""
        if isinstance(path, CatalejoError):
            return Route(getattr(path, "path", ""), "", "", reason=_reason(path))
        try:
            return self._of(shown(path))
        except CatalejoError as error:
            return Route(shown(path), "", "", reason=_reason(error))

    def _of(self, path: str) -> Route:
        kind = kind_of(path)
        if kind == "image":
            size = media.size_of(path, self.limits)
            ways = self._picture(size)
            return Route(path, kind, f"{size.width_px:,} x {size.height_px:,}", ways, bridges.searched(kind))
        if kind in ("audio", "video"):
            found = recording(path, self.limits)
            ways = self._sound(found.seconds) if found.sound else ()
            if kind == "video":
                ways = (*self._frames(found), *ways)
            return Route(path, kind, found.what, ways, bridges.searched(kind), note=self._film(found, kind))
        return self._document(path)

    # -- pictures -------------------------------------------------------------------------

    def _picture(self, size: Size) -> tuple[Way, ...]:
        if stages := self._seen(size):
            return (Way("picture", stages, self._count(size), native=True),)
        return (self._facts("facts", "pixels", 1, (size.height_px, size.width_px, 3)),)

    def _frames(self, film: Recording) -> tuple[Way, ...]:
        """As many as the film has shots, which nobody knows before it is decoded: one at least, ``frames`` at most."""
        if film.size is None:
            return ()
        if not (stages := self._seen(film.size)):
            return (self._facts("key frames", "frames", self.frames, (film.size.height_px, film.size.width_px, 3)),)
        one = self._count(film.size)
        guess = min(max(math.ceil(film.seconds / 10), 1), self.frames)
        how = f"{self.frames} key frames at most, {one.how}"
        return (
            Way(
                "key frames",
                stages,
                Count(guess * one.tokens, False, one.low, self.frames * one.high, how),
                native=True,
            ),
        )

    def _seen(self, size: Size) -> tuple[Stage, ...]:
        """The way of a picture as it is sent: no larger than the model looks at."""
        return bridges.picture(resolution.sent(size, self.model, self.detail), self.model, self.detail)

    def _count(self, size: Size) -> Count:
        """Its tokens as it is sent; estimated where no formula of the model is known."""
        sent = resolution.sent(size, self.model, self.detail)
        if self.model and (found := media.image(sent, self.model, self.detail)):
            return found
        guessed = resolution.foreseen(sent, self.model, self.detail)
        how = f"{sent.width_px} x {sent.height_px}, estimated: no formula is known"
        return Count(guessed.tokens, False, guessed.low, guessed.high, how)

    def _facts(self, what: str, name: str, pictures: int, shape: tuple[int, ...]) -> Way:
        stages = [Stage("input", name, shape), Stage("encoder", "conse, rapidocr", (), "labels, colours, text read")]
        return Way(what, (*stages, *self._as_text()), self._told(pictures))

    def _told(self, pictures: int) -> Count | None:
        if self.model is None:
            return None
        return Count(FACTS.tokens * pictures, False, FACTS.low, FACTS.high * pictures, FACTS.how)

    # -- sound ----------------------------------------------------------------------------

    def _sound(self, seconds: float) -> tuple[Way, ...]:
        if self.model and "audio" in self.model.modalities:
            stages = bridges.native_sound(seconds, self.model)
            return (Way("sound", stages, media.audio(seconds, self.model), native=True),)
        spoken = events = None
        if self.model:
            minutes = seconds / 60
            spoken = Count(
                math.ceil(minutes * media.TRANSCRIPT_PER_MINUTE), False, 0, math.ceil(minutes * _MOST_SPOKEN),
                f"a transcript of {media.TRANSCRIPT_PER_MINUTE} tokens a minute, estimated",
            )  # fmt: skip
            events = Count(30, False, 0, 200, "names of sounds, estimated")
        said, heard = bridges.speech(seconds), bridges.sounds(seconds)
        return (Way("speech", (*said, *self._as_text()), spoken), Way("sounds", (*heard, *self._as_text()), events))

    def _film(self, found: Recording, kind: str) -> str:
        if kind == "video" and not found.sound:
            return "it has no sound"
        whole = media.video(found.seconds, self.model) if self.model and kind == "video" else None
        return f"{self.model.name} also takes a film whole, {whole} tokens" if whole and self.model else ""

    # -- documents ------------------------------------------------------------------------

    def _document(self, path: str) -> Route:
        pages = pages_of(path, self.limits)
        text = "\n\n".join(page.text for page in pages if page.text)
        blank = sum(page.needs_ocr and not page.text.strip() for page in pages)
        what = f"{len(text):,} characters" if len(pages) < 2 else f"{len(pages):,} pages, {len(text):,} characters"
        ways = [self._text(text)] if text.strip() or not blank else []
        if blank:
            stages = [Stage("input", "pages without text", (blank,)), Stage("encoder", "rapidocr", (), "text read")]
            told = None
            if self.model:
                told = Count(500 * blank, False, 0, 1_500 * blank, "a page of text, estimated")
            ways.append(Way("scans", (*stages, *self._as_text()), told))
        return Route(path, "text", what, tuple(ways), bridges.searched("text"))

    def _text(self, text: str) -> Way:
        if self.model is None:
            stage = bridges.searched("text")
            return Way("text", (Stage("input", "text", (), f"{len(text):,} characters"), stage, *self._as_text()))
        found = tokens.count(text, self.model)
        stages = (
            Stage("input", "text", (), f"{len(text):,} characters"),
            Stage("encoder", _tokenizer(self.model), (found.tokens,), "tokens"),
            Stage("bridge", "table of tokens", (), "one vector a token"),
            Stage("model", self.model.name, (), "text"),
        )
        return Way("text", stages, found, native=True)

    def _as_text(self) -> Iterator[Stage]:
        if self.model is None:
            yield Stage("model", "facts", (), "no language model")
        else:
            yield Stage("bridge", _tokenizer(self.model), (), "tokens")
            yield Stage("model", self.model.name, (), "text")


def named(paths: Iterable[str]) -> Iterator[str | CatalejoError]:
    """Every file once, in order: those named, and all below the folders named; what is not there as its error."""
    seen: set[str] = set()
    for path in paths:
        try:
            found = sources([path], documents=True)
        except CatalejoError as error:
            yield error
            continue
        for one in found:
            for file in below(one):
                if file not in seen:
                    seen.add(file)
                    yield file


def _tokenizer(model: LanguageModel) -> str:
    return "its own tokenizer" if model.tokenizer in ("", "unknown") else f"the tokenizer {model.tokenizer}"


def _priced(way: Way, price: Decimal | None) -> Way:
    return way if price is None or way.tokens is None else replace(way, usd=way.tokens.tokens * price)


def _reason(error: CatalejoError) -> str:
    return error.reason if isinstance(error, CannotRead) else str(error)
