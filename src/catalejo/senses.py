"""Which perceivers there are, which can work on this machine, and what they find in one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catalejo import files, plugins
from catalejo.errors import BadQuery, CannotRead, CatalejoError, MissingExtra, MissingWeights, UnknownName, brief
from catalejo.facts import Fact, Frames, Perceived
from catalejo.pages import PageReader, item_of
from catalejo.perceivers import Samples, Sound
from catalejo.reading_texts import read_document
from catalejo.records import Item, Limits
from catalejo.stating import about, stated
from catalejo.texts import TextPage

if TYPE_CHECKING:
    from PIL.Image import Image

AUTO, NONE = "auto", "none"
SHOWN = ("image", "video", "scan")  # kinds of items that lookers are shown
HEARD = ("audio", "video")  # kinds of files that listeners hear
_WHOLE = 1 << 20  # px; pictures are read at their full size, for boxes are in its pixels
_SMALL = 64  # px; enough to know what pages there are


@dataclass(frozen=True)
class Sense:
    """A perceiver that can work here.

    Attributes:
        name, version: its own.
        kinds: of the items it takes.
        perceiver: a ``Looker`` or a ``Listener``.
    """

    name: str
    version: str
    kinds: tuple[str, ...]
    perceiver: Any

    @property
    def hears(self) -> bool:
        """Whether it is a ``Listener``, who hears a file whole."""
        return hasattr(self.perceiver, "listen")

    @property
    def sees(self) -> bool:
        """Whether it is a ``Looker``, who is shown every page."""
        return hasattr(self.perceiver, "look")

    @property
    def items(self) -> tuple[str, ...]:
        """The kinds of items whose files it takes: a film without sound is not heard."""
        return ("audio",) if self.hears else self.kinds

    def takes(self, items: Iterable[Item]) -> bool:
        """Whether there is anything for it among the items of one file."""
        return any(item.kind in self.items for item in items)


@dataclass(frozen=True)
class Missing:
    """A perceiver that cannot work here.

    Attributes:
        name: of it.
        why: in words, with what brings it.
        model: the name of the model it lacks, where that can be fetched.
    """

    name: str
    why: str
    model: str = ""


@dataclass(frozen=True)
class Senses:
    """The perceivers that were asked for.

    Attributes:
        able: those that can work here.
        missing: those that cannot.
    """

    able: tuple[Sense, ...] = ()
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True)
class Heard:
    """What one perceiver made of one file.

    Attributes:
        sense: the perceiver.
        found: what it found.
        reason: why it could not look; empty when it could.
    """

    sense: Sense
    found: Perceived = field(default_factory=Perceived)
    reason: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of one file.

    Attributes:
        path: of the file.
        facts: those the file itself states (``by`` is ``file``), then those that were perceived.
        pages: what was read or heard in it as text.
        perceived: names of the perceivers that looked or listened.
        missing: perceivers that would say more, and what brings them.
        failed: perceivers that could not read this file, and why.
        items: pieces of content it has: pages, shots, stretches.
    """

    path: str
    facts: tuple[Fact, ...]
    pages: tuple[TextPage, ...] = ()
    perceived: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    failed: tuple[Missing, ...] = ()
    items: tuple[Item, ...] = ()


def asked(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """The perceivers meant: ``("auto",)``, none, or some by name.

    Args:
        names: ``auto``, ``none``, or names with commas between them; None: ``CATALEJO_PERCEIVE``, else ``auto``.

    Raises:
        UnknownName: there is no such perceiver.
        BadQuery: none is named, or ``none`` beside others.
    """
    if names is None:
        names = os.environ.get("CATALEJO_PERCEIVE") or AUTO
    listed = names.split(",") if isinstance(names, str) else list(names)
    named = tuple(dict.fromkeys(name.strip() for name in listed if name.strip()))
    if not named and (isinstance(names, str) or listed):
        raise BadQuery(f"--perceive is {names!r}, which names none; it can be auto, none, or some of {_list()}")
    if named in ((AUTO,), (NONE,), ()):
        return () if named in ((NONE,), ()) else named
    for name in named:
        if name in (AUTO, NONE):
            raise BadQuery(f"--perceive {name} stands alone, or not at all")
        if name not in plugins.table("perceivers"):
            raise UnknownName("perceiver", name, {*plugins.table("perceivers"), AUTO, NONE})
    return named


def _list() -> str:
    return ", ".join(plugins.table("perceivers"))


def senses(names: Sequence[str]) -> Senses:
    """Perceivers, made ready; none loads its model before it is asked.

    Args:
        names: as ``asked`` gives them; with ``auto`` those that cannot work here are left aside.

    Raises:
        MissingExtra, MissingWeights: one that was named cannot work here; the message has the line that brings it.
    """
    able, missing = [], []
    for name in plugins.table("perceivers") if tuple(names) == (AUTO,) else names:
        try:
            perceiver = plugins.load("perceivers", name)()
        except (MissingExtra, MissingWeights) as error:
            if tuple(names) != (AUTO,):
                raise
            missing.append(Missing(name, str(error), getattr(error, "model", "")))
            continue
        kinds = plugins.table("perceivers")[name].kinds or (HEARD if hasattr(perceiver, "listen") else SHOWN[:2])
        able.append(Sense(name, str(perceiver.version), kinds, perceiver))
    return Senses(tuple(able), tuple(missing))


def sound_encoder(name: str | None = None) -> Any:
    """The encoder that puts sounds in a space (one of ``plugins.SOUND_ENCODERS``); None where it cannot work.

    Args:
        name: of its card; None: the first there is.
    """
    for known in plugins.table("sound_encoders"):
        if name in (None, known):
            with suppress(MissingExtra, MissingWeights):
                return plugins.load("sound_encoders", known)()
    return None


STATED = Sense("file", "1", ("video", "audio"), None)  # what recordings and films state of themselves


# -- one file -------------------------------------------------------------------------


@dataclass
class _Gathering:
    """What one perceiver has found so far, page by page."""

    sense: Sense
    facts: list[Fact] = field(default_factory=list)
    pages: list[TextPage] = field(default_factory=list)
    frames: Frames | None = None
    reason: str = ""

    def add(self, found: Perceived) -> None:
        self.facts += found.facts
        self.pages += found.pages
        self.frames = found.frames or self.frames

    @property
    def done(self) -> Heard:
        if self.reason:
            return Heard(self.sense, reason=self.reason)
        return Heard(self.sense, Perceived(tuple(self.facts), tuple(self.pages), self.frames))


class Perceiving:
    """Shows files to perceivers, and has them heard. Safe to use from several threads at once.

    Args:
        limits: what readers refuse.
        stopped: asked between pages and blocks of sound.
    """

    def __init__(self, limits: Limits, stopped: Callable[[], bool] = lambda: False) -> None:
        self._limits, self._stopped = limits, stopped
        self._pages = PageReader(limits, _WHOLE)

    def perceive(self, path: str, items: Sequence[Item], senses: Sequence[Sense]) -> list[Heard]:
        """What perceivers find in one file, each by itself: one that fails takes no other with it.

        Args:
            path: of the file.
            items: all it has.
            senses: whom to ask; those who take nothing of it find nothing.

        Raises:
            MissingExtra, MissingWeights: one of them cannot work here after all.
            CancelledError: ``stopped`` said so.
        """
        gathered = [_Gathering(sense) for sense in senses]
        takers = [one for one in gathered if one.sense.takes(items)]
        if lookers := [one for one in takers if one.sense.sees]:
            self._show(path, items, lookers)
        for one in takers:
            with self._one(one, path):
                if one.sense.hears:
                    one.add(one.sense.perceiver.listen(_Stoppable(self._sound(path), self._check)))
                elif one.sense is STATED:
                    one.add(Perceived(about(path, items, self._limits)))
        return [one.done for one in gathered]

    def _show(self, path: str, items: Sequence[Item], lookers: Sequence[_Gathering]) -> None:
        kinds = {item.page: item.kind for item in items}
        wanted = {page for page, kind in kinds.items() if any(kind in one.sense.kinds for one in lookers)}
        try:
            for page, picture in self._pictures(path, items, wanted):
                self._check()
                for one in lookers:
                    if not one.reason and kinds[page] in one.sense.kinds:
                        with self._one(one, path):
                            one.add(one.sense.perceiver.look(picture, page))
        except CannotRead as error:
            for one in lookers:
                one.reason = one.reason or error.reason

    def _pictures(self, path: str, items: Sequence[Item], wanted: set[int]) -> Iterator[tuple[int, Image]]:
        """Pages that can be seen, at their full size."""
        if any(item.kind == "scan" for item in items):
            from catalejo.readers import pdf

            with files.opened(path, self._limits) as file:  # once: its streams are looked into each time
                yield from pdf.drawn(file, path, self._limits, sorted(wanted))
            return
        with self._pages.opened(path) as (file, _):
            for found in self._pages.pages(file, path):
                if found.page in wanted:
                    yield found.page, found.picture
                if found.page >= max(wanted):
                    return

    def _sound(self, path: str) -> Sound:
        from catalejo.readers import audio

        return audio.sound_of(path, self._limits)

    @contextmanager
    def _one(self, one: _Gathering, path: str) -> Iterator[None]:
        """What goes wrong inside is the reason of this perceiver."""
        try:
            yield
        except (MissingExtra, MissingWeights, CancelledError):
            raise
        except CannotRead as error:
            one.reason = error.reason
        except MemoryError:
            one.reason = "not enough memory"
        except CatalejoError as error:
            one.reason = str(error)
        except Exception as error:  # models raise anything
            one.reason = f"{one.sense.name} failed ({type(error).__name__}: {brief(error)})"

    def _check(self) -> None:
        if self._stopped():
            raise CancelledError


class _Stoppable:
    """A sound that ends with ``CancelledError`` once somebody says so."""

    def __init__(self, sound: Sound, check: Callable[[], None]) -> None:
        self._sound, self._check = sound, check
        self.duration_s = sound.duration_s

    def blocks(self) -> Iterator[Samples]:
        """See ``Sound``."""
        for block in self._sound.blocks():
            self._check()
            yield block


# -- without a catalog ------------------------------------------------------------------


def facts_of(
    path: str, names: str | Sequence[str] | None = None, limits: Limits | None = None, ready: Senses | None = None
) -> Known:
    """What can be known of a file right now: what it states itself, and what perceivers find in it.

    Args:
        path: a picture, a recording, a film or a document.
        names: see ``asked``.
        limits: what to refuse.
        ready: the perceivers of these names, made before: for many files, since each loads its model once.

    Raises:
        CannotRead, OverLimit: with the reason.
        MissingExtra: what reads it, or a perceiver that was named, is not installed.
        MissingWeights: a perceiver that was named was not fetched.
    """
    chosen, limits = ready or senses(asked(names)), limits or Limits()
    items = _items(path, limits)
    able = [sense for sense in (STATED, *chosen.able) if sense.takes(items)]
    heard = Perceiving(limits).perceive(path, items, able)
    return Known(
        path,
        (*stated(items), *(fact for one in heard for fact in one.found.facts)),
        tuple(page for one in heard for page in one.found.pages),
        tuple(one.sense.name for one in heard if not one.reason and one.sense is not STATED),
        tuple(one for one in chosen.missing if wants(one.name, items)),
        tuple(Missing(one.sense.name, one.reason) for one in heard if one.reason),
        tuple(items),
    )


def wants(name: str, items: Iterable[Item]) -> bool:
    """Whether a perceiver that may not be here would have something to look at."""
    kinds = plugins.table("perceivers")[name].kinds
    return not kinds or any(item.kind in kinds for item in items)


def _items(path: str, limits: Limits) -> list[Item]:
    """The items of a file that is in no catalog."""
    suffix = os.path.splitext(path)[1]
    if plugins.document_for(suffix) is not None:
        pages = read_document(path, limits)
        return [Item("", page.number - 1, "scan" if page.needs_ocr else "text", 0, 0) for page in pages]
    reader = PageReader(limits, _SMALL)
    with reader.opened(path) as (file, _):
        return [item_of(page, "") for page in reader.pages(file, path)]
