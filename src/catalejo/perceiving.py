"""The second stage of ``add``: perceivers look at what the first has committed, a file at a time.

What was read or heard becomes passages and sentences, beside those of documents; what a recording sounds like
becomes vectors; everything else, facts. All of a file is written before the mark that says so (``factbook``), so
that the next run goes on where this one ended, however it ended.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, islice, pairwise
from typing import Any

import numpy as np

from catalejo import plugins, walk
from catalejo.documents import DocumentFiles
from catalejo.encoders import Encoded
from catalejo.encoders.batching import cores
from catalejo.encoders.sentence import SentenceEncoder
from catalejo.errors import MissingExtra, MissingWeights
from catalejo.factbook import Factbook, Perception
from catalejo.indexing import raised
from catalejo.passage_rows import PassageRow
from catalejo.records import Item, Limits, Skipped
from catalejo.reports import PerceiveReport
from catalejo.senses import STATED, Heard, Missing, Perceiving, Sense, Senses, sound_encoder
from catalejo.shelf import Shelf
from catalejo.space import Key, add_column
from catalejo.store import Store
from catalejo.tables import FileRow
from catalejo.texts import TextPage

_GROUP = 256  # files looked up at once
_COMMIT_FILES, _COMMIT_PASSAGES, _COMMIT_S = 512, 4_096, 15.0

Progress = Callable[[int, int], None]


@dataclass
class _Made:
    """What perceivers made of one file, ready to be saved."""

    path: str
    perceptions: list[Perception] = field(default_factory=list)
    passages: list[PassageRow] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    sounds: list[Encoded] = field(default_factory=list)


def perceive(
    store: Store,
    sentences: SentenceEncoder,
    senses: Senses,
    *,
    limits: Limits,
    retry: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> PerceiveReport:
    """Have perceivers look at all files they have not seen yet. The caller holds the writer's lock.

    Args:
        store: of an existing catalog.
        sentences: makes the vectors of what is read or heard.
        senses: who looks.
        limits: what readers refuse.
        retry: show again what they could not perceive before.
        workers: files in hand at once; one a core if None.
        progress: called after every file, with how many are done, and of how many.

    Returns:
        what was done; with ``stopped`` when a KeyboardInterrupt came, and everything finished is saved.

    Raises:
        CannotWrite: the disk is full or read-only; everything before is saved.
    """
    if not senses.able:
        clean(store, Factbook(store), Shelf(store, sentences.encode_texts))
        return PerceiveReport(missing=tuple(one.why for one in wanted(store, senses.missing)))
    run = _Run(store, sentences, senses, limits, retry)
    return run.run(workers or cores(), progress)


def wanted(store: Store, missing: Sequence[Missing]) -> list[Missing]:
    """Those perceivers that would have something to look at."""
    kinds = {one.name: plugins.table("perceivers")[one.name].kinds for one in missing}
    return [one for one in missing if not kinds[one.name] or store.count(kinds[one.name])]


def clean(store: Store, facts: Factbook, shelf: Shelf) -> bool:
    """Drop what belongs to no file any more, and texts without a mark, as a killed run leaves; whether there were any.

    The caller holds the writer's lock.
    """
    gone = facts.keep(store.hashes()) if facts.exists else 0
    texts = shelf.passages
    if not texts.exists:
        return gone > 0
    left = 0
    for signal in sorted(texts.perceived()):
        if unmarked := texts.by(signal) - facts.done(signal):
            texts.drop(unmarked, signal)
            left += len(unmarked)
    return gone + left > 0


class _Run:
    def __init__(self, store: Store, sentences: SentenceEncoder, senses: Senses, limits: Limits, retry: bool) -> None:
        self._store, self._limits, self._retry = store, limits, retry
        self._senses = (STATED, *senses.able)
        self._card = sentences.card
        self._facts, self._shelf = Factbook(store), Shelf(store, sentences.encode_texts)
        self._stop = threading.Event()
        self._documents = DocumentFiles(limits, sentences.encode_texts)
        self._perceiving = Perceiving(limits, self._stop.is_set)
        self._space = _SoundSpace()
        self._waiting: list[_Made] = []
        self._stale: dict[str, set[str]] = {}
        self._texts_changed = False
        self._committed = time.monotonic()
        self._away: set[str] = set()  # files that are not as they were
        self._gone: set[str] = set()  # perceivers that cannot work after all
        self._report = PerceiveReport(missing=tuple(one.why for one in wanted(store, senses.missing)))

    def run(self, workers: int, progress: Progress | None) -> PerceiveReport:
        started = time.monotonic()
        self._texts_changed = clean(self._store, self._facts, self._shelf)
        plan = self._plan()
        done, stopped = 0, False
        pool = ThreadPoolExecutor(workers, thread_name_prefix="catalejo")
        try:
            for made in self._made(pool, plan, workers):
                done += 1
                if made is not None:
                    self._take(made)
                if progress:
                    progress(done, len(plan))
            self._commit()
        except KeyboardInterrupt:
            stopped = True
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            self._commit()
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
        if not stopped:
            self._tend()
        away = len(self._away)
        waiting = len(plan) - self._report.perceived - away
        seconds = round(time.monotonic() - started, 3)
        return replace(self._report, waiting=waiting, away=away, seconds=seconds, stopped=stopped)

    # -- what to look at --------------------------------------------------------------

    def _plan(self) -> dict[str, int]:
        """hash -> who has not seen that file, a bit each; in the order of the table."""
        plan: dict[str, int] = {}
        failed = self._facts.failed()
        for bit, sense in enumerate(self._senses):
            seen = self._facts.done(sense.name)
            done = self._facts.done(sense.name, sense.version)
            self._stale[sense.name] = seen - done
            for one in failed:
                if one.by == sense.name and (self._retry or raised(one.reason, self._limits)):
                    done.discard(one.hash)
                    self._stale[sense.name].add(one.hash)
            for hash in self._store.hashes_of(sense.items):
                if hash not in done:
                    plan[hash] = plan.get(hash, 0) | 1 << bit
        return plan

    def _files(self, plan: dict[str, int]) -> Iterator[tuple[str, str | None, list[tuple[Item, datetime]]]]:
        """Each file's hash, where it is (None: nowhere, as it was when it was read), and its items."""
        hashes = iter(plan)
        while group := list(islice(hashes, _GROUP)):
            items, places = self._store.items_of(group), self._store.paths(group)
            known = self._store.known([path for paths in places.values() for path in paths])
            for hash in group:
                path = next((path for path in places.get(hash, ()) if as_read(known.get(path))), None)
                yield hash, path, items.get(hash, [])

    def _made(self, pool: ThreadPoolExecutor, plan: dict[str, int], ahead: int) -> Iterator[_Made | None]:
        """What was made of each file, in order, some ahead of whoever asks; None of those that must wait."""
        queue: deque[Future[_Made | None]] = deque()
        for hash, path, items in self._files(plan):
            senses = [sense for bit, sense in enumerate(self._senses) if plan[hash] >> bit & 1]
            queue.append(pool.submit(self._one, hash, path, items, senses))
            while len(queue) > ahead:
                yield queue.popleft().result()
        while queue:
            yield queue.popleft().result()

    # -- one file ---------------------------------------------------------------------

    def _one(
        self, hash: str, path: str | None, dated: list[tuple[Item, datetime]], senses: Sequence[Sense]
    ) -> _Made | None:
        if path is None:
            self._away.add(hash)
        if path is None or self._stop.is_set():
            return None
        items = [item for item, _ in dated]
        made = _Made(path)
        able = [sense for sense in senses if sense.name not in self._gone]
        with suppress(CancelledError):
            for heard in self._perceived(path, items, able):
                self._keep(made, heard, hash, items, dated[0][1])
            return made if made.perceptions else None
        return None

    def _perceived(self, path: str, items: Sequence[Item], senses: Sequence[Sense]) -> list[Heard]:
        """Whoever turns out not to be installed or fetched is asked no more."""
        try:
            return self._perceiving.perceive(path, items, senses)
        except (MissingExtra, MissingWeights):
            heard = []
            for sense in senses:
                try:
                    heard += self._perceiving.perceive(path, items, [sense])
                except (MissingExtra, MissingWeights) as error:
                    if sense.name not in self._gone:
                        self._gone.add(sense.name)
                        self._report = replace(self._report, missing=(*self._report.missing, str(error)))
            return heard

    def _keep(self, made: _Made, heard: Heard, hash: str, items: Sequence[Item], dated: datetime) -> None:
        sense, found = heard.sense, heard.found
        pages = found.pages
        if sense.hears:
            stretches = [item for item in items if item.kind == "audio"]
            pages = tuple(part for page in pages for part in by_stretch(page, stretches))
            if found.frames is not None and (encoder := self._space.encoder):
                for item in stretches:
                    rows = found.frames.between(item.start_s or 0.0, item.end_s or 0.0)
                    made.keys.append((hash, item.page))
                    made.sounds.append(encoder.encode_sound(rows))
        made.passages += self._documents.perceived(pages, hash, dated, sense.name, self._stop.is_set)
        reason = " ".join(heard.reason.split())[:300]
        made.perceptions.append(Perception(hash, sense.name, sense.version, found.facts, reason))

    # -- saving -----------------------------------------------------------------------

    def _take(self, made: _Made) -> None:
        self._waiting.append(made)
        failed = tuple(Skipped(made.path, f"{one.by}: {one.reason}") for one in made.perceptions if one.reason)
        facts = sum(len(one.facts) for one in made.perceptions)
        report = self._report
        self._report = replace(
            report, perceived=report.perceived + 1, facts=report.facts + facts, failed=report.failed + failed
        )
        late = time.monotonic() - self._committed > _COMMIT_S
        passages = sum(len(one.passages) for one in self._waiting)
        if late or passages >= _COMMIT_PASSAGES or len(self._waiting) >= _COMMIT_FILES:
            self._commit()

    def _commit(self) -> None:
        """Save what was made: texts and vectors, then the facts and their marks."""
        made, self._waiting = self._waiting, []
        perceptions = [one for file in made for one in file.perceptions]
        for name, stale in self._stale.items():
            if again := stale & {one.hash for one in perceptions if one.by == name}:
                self._facts.drop(again, name)
                if self._shelf.passages.exists:
                    self._shelf.passages.drop(again, name)
                    self._texts_changed = True
                stale -= again
        if passages := [row for file in made for row in file.passages]:
            self._shelf.passages.create(self._card)
            self._shelf.passages.write(passages)
            self._texts_changed = True
        if keys := [key for file in made for key in file.keys]:
            space = add_column(self._store, self._space.encoder.card)
            sounds = [sound for file in made for sound in file.sounds]
            space.fill(keys, np.stack([one.vector for one in sounds]), [one.labels for one in sounds])
            self._store.refresh()
        self._facts.write(perceptions)
        self._committed = time.monotonic()

    def _tend(self) -> None:
        self._facts.maintain()
        texts = self._shelf.passages
        if texts.exists and (self._texts_changed or not texts.judged):
            texts.maintain()
            self._shelf.learn()
        if self._report.perceived:
            self._store.maintain()


class _SoundSpace:
    """The encoder of sounds, if there is one here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened, self._encoder = False, None

    @property
    def encoder(self) -> Any:
        """As ``plugins`` knows it; None where it cannot work."""
        with self._lock:
            if not self._opened:
                self._encoder = sound_encoder()
                self._opened = True
            return self._encoder


def by_stretch(page: TextPage, stretches: Sequence[Item]) -> Iterator[TextPage]:
    """What was said in a recording, cut where its stretches end; each part is a page, numbered as its stretch.

    Args:
        page: the whole of it, with cues that have seconds; without any it belongs to the first stretch.
        stretches: in the order of time; a cue belongs to the last that has begun at its middle.
    """
    if not stretches:
        yield page
        return
    starts = [item.start_s or 0.0 for item in stretches]
    owners = []
    for cue in page.cues:
        middle = ((cue.start_s or 0.0) + (cue.end_s if cue.end_s is not None else cue.start_s or 0.0)) / 2
        owners.append(max(0, int(np.searchsorted(starts, middle, "right")) - 1))
    furthest = [-1, *accumulate(owners, max)]
    firsts = [n for n, owner in enumerate(owners) if owner > furthest[n]]
    cuts = [0, *(page.cues[n].start for n in firsts[1:]), len(page.text)]
    for (start, end), first in zip(pairwise(cuts), firsts or [0], strict=True):
        number = stretches[owners[first] if owners else 0].page + 1
        cues = tuple(
            replace(cue, start=cue.start - start, end=min(cue.end, end) - start)
            for cue in page.cues
            if start <= cue.start < end
        )
        if text := page.text[start:end].rstrip():
            yield TextPage(text, number, cues=cues)


def as_read(row: FileRow | None) -> bool:
    """Whether a file has the size and time it had when it was read."""
    if row is None:
        return False
    found = next(iter(walk.walk([row.path])))
    return found.reason is None and (found.size, found.mtime_ns) == (row.size, row.mtime_ns)
