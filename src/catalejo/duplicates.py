"""The same picture twice: exactly, by hash; nearly, by cosine and then by looking at both thumbnails."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from catalejo.records import Item
from catalejo.reports import DuplicateGroup
from catalejo.space import Space
from catalejo.store import Store

Array = npt.NDArray[np.float32]

# Copies at half the size, saved again as JPEG 60, of 20 pictures: 9 reach a cosine of 0.95, 17 one of 0.9;
# their thumbnails correlate at 0.99 and more, those of two different pictures at 0.58 at most.
COSINE = 0.9
_LIKENESS = 0.95
_SIDE = 32
_BLOCK = 2_048


def exact(store: Store) -> Iterator[DuplicateGroup]:
    """Files with the same bytes, in groups of two or more.

    A file that has gone is no copy, and a link is the file it leads to: whoever deletes all but the first
    of a group must not lose the picture.
    """
    places: dict[str, list[str]] = {}
    for row in store.files("hash IS NOT NULL"):
        places.setdefault(row.hash or "", []).append(row.path)
    for paths in sorted(sorted(p) for p in places.values() if len(p) > 1):
        real = _real(paths)
        if len(real) > 1:
            yield DuplicateGroup("exact", tuple(real), 1.0)


def near(
    store: Store, space: Space, cosine: float = COSINE, progress: Callable[[int, int], None] | None = None
) -> Iterator[DuplicateGroup]:
    """Different bytes, the same picture: resized, recompressed, slightly edited.

    Files with several pages are left out: one page in common does not make one of them superfluous.
    Two pictures are near when their vectors' cosine reaches ``cosine`` and their
    thumbnails, brought to 32 x 32 grey pixels, correlate at 0.95 or more.

    Args:
        store: opened for reading.
        space: of the encoder whose vectors count.
        cosine: the least similarity of two vectors.
        progress: called with items compared so far, and of how many.
    """
    items, vectors = _items(store, space)
    pages = Counter(item.hash for item in items)
    leader = list(range(len(items)))
    lowest: dict[int, float] = {}
    seen: dict[int, Array | None] = {}

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    def look(i: int) -> Array | None:
        if i not in seen:
            seen[i] = _grey(store.thumbnail(items[i].hash, items[i].page))
        return seen[i]

    for a, b, score in _pairs(vectors, cosine, progress):
        first, second = find(a), find(b)
        single = pages[items[a].hash] == pages[items[b].hash] == 1
        if first != second and single and _alike(look(a), look(b)):
            leader[max(first, second)] = min(first, second)
            kept = min(lowest.pop(first, 1.0), lowest.pop(second, 1.0), score)
            lowest[min(first, second)] = kept
    yield from _groups(store, items, [find(i) for i in range(len(items))], lowest)


def _items(store: Store, space: Space) -> tuple[list[Item], Array]:
    """The items that have a vector, and those (n, width)."""
    known = {(item.hash, item.page): item for item in store.items()}
    keys, blocks = [], [np.empty((0, space.card.width), np.float32)]
    for some, vectors in space.keyed():
        keys += some
        blocks.append(vectors)
    return [known[key] for key in keys], np.concatenate(blocks)


def _pairs(
    vectors: Array, cosine: float, progress: Callable[[int, int], None] | None
) -> Iterator[tuple[int, int, float]]:
    """Every pair of rows at least this similar, block by block."""
    count = len(vectors)
    for start in range(0, count, _BLOCK):
        for other in range(start, count, _BLOCK):
            scores = vectors[start : start + _BLOCK] @ vectors[other : other + _BLOCK].T
            for i, j in np.argwhere(scores >= cosine):
                if start + i < other + j:
                    yield int(start + i), int(other + j), float(scores[i, j])
        if progress:
            progress(min(start + _BLOCK, count), count)


def _groups(store: Store, items: list[Item], leaders: list[int], lowest: dict[int, float]) -> Iterator[DuplicateGroup]:
    members: dict[int, list[int]] = {}
    for i, leader in enumerate(leaders):
        if leader in lowest:
            members.setdefault(leader, []).append(i)
    paths = store.paths({items[i].hash for group in members.values() for i in group})
    for leader, group in members.items():
        largest = sorted((items[i] for i in group), key=lambda item: -item.width_px * item.height_px)
        names = [here[0] for item in largest if (here := _real(paths.get(item.hash, [])))]
        if len(names) > 1:
            yield DuplicateGroup("near", tuple(names), round(lowest[leader], 4))


def _real(paths: Sequence[str]) -> list[str]:
    """The files that are still there, each once, however many links lead to it; sorted."""
    return sorted({os.path.realpath(path) for path in paths if os.path.exists(path)})


def _grey(path: Path) -> Array | None:
    """A thumbnail as a unit vector of 1,024 centred grey values; None if it is not there or is flat."""
    try:
        with Image.open(path) as opened:
            small = opened.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError):  # the last two for damaged files
        return None
    values = np.asarray(small, np.float32).ravel()
    values = values - values.mean()
    length = float(np.linalg.norm(values))
    return values / length if length > 1 else None


def _alike(a: Array | None, b: Array | None) -> bool:
    return a is not None and b is not None and float(a @ b) >= _LIKENESS
