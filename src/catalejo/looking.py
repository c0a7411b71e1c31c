"""Pictures of files -> vectors, on all cores, without saving anything; each file's trouble is its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from catalejo.encoders import Array, Encoded, Encoder
from catalejo.encoders.batching import cores
from catalejo.errors import CannotRead
from catalejo.pages import PageReader, digest, encode
from catalejo.records import Limits, Skipped
from catalejo.tables import SEEN

_AHEAD = 2  # files handed out ahead, a thread

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Look:
    """One file, looked at: its pages, encoded, or the reason why not.

    Attributes:
        path: as given.
        digest: SHA-256 of its bytes; empty unless the whole file was asked for.
        pages: page -> what was encoded.
        reason: what is wrong with it.
    """

    path: str
    digest: str = ""
    pages: dict[int, Encoded] | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Looked:
    """Files, looked at: those that could be read with their first page's vectors, and the others.

    Attributes:
        paths: n paths.
        vectors: (n, width) float32, unit rows.
        skipped: the files that could not be read, with their reasons.
    """

    paths: tuple[str, ...]
    vectors: Array
    skipped: tuple[Skipped, ...]


def look(
    paths: Iterable[str],
    encoder: Encoder,
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    whole: bool = False,
) -> Iterator[Look]:
    """Look at files, in their order; a little ahead of whoever asks for the next.

    Args:
        paths: of picture files.
        encoder: makes the vectors.
        limits: what readers refuse.
        workers: cores to use; all if None.
        whole: look at every page of a TIFF with several, not at the first only, and hash the file.
    """
    threads = (workers or cores()) * encoder.together
    reader = PageReader(limits or Limits(), encoder.side_px)

    def one(path: str) -> Look:
        try:
            with reader.opened(path) as (file, _):
                pages = islice(reader.pages(file, path), None if whole else 1)
                found = {page.page: encode(encoder, page, path) for page in pages if page.kind in SEEN or not whole}
                hash = digest(file) if whole else ""
        except CannotRead as error:
            return Look(path, reason=error.reason)
        return Look(path, hash, found)

    pool = ThreadPoolExecutor(threads, thread_name_prefix="catalejo")
    waiting: deque[Future[Look]] = deque()
    try:
        for path in paths:
            waiting.append(pool.submit(one, path))
            if len(waiting) > threads * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def look_at(
    paths: Sequence[str], encoder: Encoder, *, limits: Limits | None = None, progress: Progress | None = None
) -> Looked:
    """Vectors of the first pages of these files.

    Args:
        paths: of picture files.
        encoder: makes the vectors.
        limits: what readers refuse.
        progress: called after every file, with how many are done, and of how many.
    """
    seen, vectors, skipped = [], [], []
    for done, found in enumerate(look(paths, encoder, limits=limits), 1):
        if found.pages is None:
            skipped.append(Skipped(found.path, found.reason or ""))
        else:
            seen.append(found.path)
            vectors.append(found.pages[0].vector)
        if progress:
            progress(done, len(paths))
    rows = np.stack(vectors) if vectors else np.empty((0, encoder.card.width), np.float32)
    return Looked(tuple(seen), rows, tuple(skipped))
