"""Another encoder's vectors for the items of a catalog: a new column, filled bit by bit.

What is saved is safe; the same call goes on from there. Searches by the other spaces go on meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from catalejo.encoders import Array, Encoder
from catalejo.encoders.opening import check
from catalejo.looking import Look, look
from catalejo.records import Limits, Skipped
from catalejo.reports import EncodeReport
from catalejo.space import Key, Space, add_column
from catalejo.store import Store

_COMMIT_ROWS, _COMMIT_S = 2_048, 15.0  # a commit writes the column of 16,384 items anew, up to 34 MB
_COMMIT_SHARE = 20  # at most one part in so many of the time goes there
_TIDY_S = 600.0  # what a commit replaces stays on the disk for readers until somebody tidies
_LOOKUP = 1_000  # items whose paths are looked up at once

Progress = Callable[[int, int], None]


def encode(
    store: Store,
    encoder: Encoder,
    *,
    limits: Limits,
    anew: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> EncodeReport:
    """Give every item that has none a vector of this encoder. The caller holds the writer's lock.

    Args:
        store: of an existing catalog.
        encoder: makes the vectors.
        limits: what readers refuse.
        anew: throw away the vectors that are there first.
        workers: cores to use; all if None.
        progress: called after every file, with items done, and of how many.

    Returns:
        what was done; with ``stopped`` when a KeyboardInterrupt came, and everything finished is saved.

    Raises:
        CannotWrite: the disk is full or read-only; everything before is saved.
        WrongEncoder: the column holds vectors of another version of the encoder.
        BadModel, DamagedWeights: the encoder does not run; nothing was changed.
    """
    started = time.monotonic()
    if anew or encoder.card.name not in [card.name for card in store.cards()]:
        check(encoder)
    space = add_column(store, encoder.card, anew)
    missing = space.missing()
    before = space.count()
    saver = _Saver(store, space)
    skipped: list[Skipped] = []
    done, stopped = 0, False
    try:
        for keys, found in _found(store, missing, encoder, limits, workers):
            if found and saver.take(keys, found) < len(keys):
                skipped.append(Skipped(found.path, found.reason or "it has changed since it was added"))
            done += len(keys)
            if progress:
                progress(done, len(missing))
        saver.commit()
        if missing:
            store.refresh()
            store.maintain()
    except KeyboardInterrupt:
        stopped = True
        saver.commit()
    return EncodeReport(
        encoder.card.name, saver.taken, before, tuple(skipped), round(time.monotonic() - started, 3), stopped
    )


def _found(
    store: Store, missing: Sequence[Key], encoder: Encoder, limits: Limits, workers: int | None
) -> Iterator[tuple[list[Key], Look | None]]:
    """The items of each content, and a file of it looked at; None where no file has it, as an ``add`` that died leaves.

    Of several files with the same bytes it is the first, unless that is gone or has changed since.
    """
    for start in range(0, len(missing), _LOOKUP):
        items = {h: list(keys) for h, keys in groupby(missing[start : start + _LOOKUP], lambda key: key[0])}
        places = store.paths(items)
        for hash in items.keys() - places.keys():
            yield items[hash], None
        held = {hash: sorted(paths, key=lambda path: not os.path.exists(path)) for hash, paths in places.items()}
        looks = look((paths[0] for paths in held.values()), encoder, limits=limits, workers=workers, whole=True)
        for (hash, paths), found in zip(held.items(), looks, strict=True):
            others = look((p for p in paths[1:] if os.path.exists(p)), encoder, limits=limits, workers=1, whole=True)
            right = found if found.digest == hash else next((o for o in others if o.digest == hash), found)
            yield items[hash], right


class _Saver:
    """Gathers vectors, and saves them every few seconds."""

    def __init__(self, store: Store, space: Space) -> None:
        self._store, self._space = store, space
        self._keys: list[Key] = []
        self._vectors: list[Array] = []
        self._due = time.monotonic() + _COMMIT_S
        self._tidied = time.monotonic()
        self.taken = 0

    def take(self, keys: Sequence[Key], found: Look) -> int:
        """Keep the vectors of these items; how many of them there were."""
        pages = found.pages or {}
        right = [key for key in keys if key[1] in pages and found.digest == key[0]]
        self._keys += right
        self._vectors += [pages[page].vector for _, page in right]
        self.taken += len(right)
        if len(self._keys) >= _COMMIT_ROWS or time.monotonic() > self._due:
            self.commit()
        if time.monotonic() > self._tidied + _TIDY_S:
            self._store.tidy()
            self._tidied = time.monotonic()
        return len(right)

    def commit(self) -> None:
        """Save what was gathered."""
        started = time.monotonic()
        if self._keys:
            self._space.fill(self._keys, np.stack(self._vectors))
        self._keys, self._vectors = [], []
        now = time.monotonic()
        self._due = now + max(_COMMIT_S, _COMMIT_SHARE * (now - started))
