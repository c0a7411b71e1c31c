"""Walk, hash, read, encode, write; resume; what was skipped and why.

Worker threads, one a core, each take one file at a time through ``reading``: while one
decodes another encodes, and no core waits. One more thread looks up what is known
already, hands out files a little ahead, and saves what comes back in order, in one
commit every few seconds. Memory holds the files in hand and one hash a known item.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice

from catalejo.documents import DocumentFiles, readable
from catalejo.encoders import Encoder
from catalejo.encoders.batching import cores
from catalejo.encoders.sentence import SentenceEncoder
from catalejo.passage_rows import PassageRow
from catalejo.reading import FileReader, Outcome, file_date, stray_thumbnails
from catalejo.records import Limits
from catalejo.reports import AddReport
from catalejo.shelf import Shelf
from catalejo.store import Store
from catalejo.tables import FileRow, ItemRow
from catalejo.walk import NOT_A_FILE, Found, walk

_LOOKUP = 1_000  # paths looked up at once
_AHEAD = 4  # files handed out ahead, a worker
_COMMIT_ROWS, _COMMIT_S = 512, 5.0
_COMMIT_PASSAGES = 4_096  # what waits to be saved: 30 MB with the vectors of their sentences

# As ``OverLimit`` and ``MissingExtra`` put it.
_REFUSED = re.compile(r"over the limit of (\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)[^()]* \(raise it with --([a-z-]+)\)$")
_NOT_INSTALLED = "pip install"


@dataclass(frozen=True)
class Progress:
    """How far an ``add`` has come: files done, of how many (None until counted), how many skipped."""

    done: int
    total: int | None
    skipped: int


class Stopped(KeyboardInterrupt):
    """An ``add`` was interrupted; ``report`` says what was saved. The same call goes on from there."""

    def __init__(self, report: AddReport) -> None:
        super().__init__("stopped")
        self.report = report


def add(
    store: Store,
    encoder: Encoder,
    sentences: SentenceEncoder,
    paths: list[str],
    *,
    limits: Limits,
    prune: bool = False,
    retry: bool = False,
    tidy: bool = False,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> AddReport:
    """Bring the store up to date with these paths. The caller holds the writer's lock.

    Args:
        store: created already.
        encoder: makes the vectors of pictures.
        sentences: makes those of what documents say.
        paths: absolute, as ``walk.sources`` gives them.
        limits: what readers refuse.
        prune: forget files under these paths that have gone.
        retry: read again what was skipped before.
        tidy: also look for thumbnails of nothing, as a writer that was killed leaves.
        workers: cores to use; all if None.
        progress: called after every file, from another thread.

    Raises:
        CannotWrite: the disk is full or read-only; everything before is saved.
        Stopped: interrupted; everything finished is saved.
    """
    run = _Run(store, encoder, sentences, paths, limits, retry, (workers or cores()) * encoder.together, progress)
    interrupted = False
    with ThreadPoolExecutor(1, thread_name_prefix="catalejo-add") as attended:
        try:
            future = attended.submit(run.run, prune, tidy)
            while not future.done():
                try:
                    wait([future], timeout=0.2)  # Windows hears Ctrl-C only between two waits
                except KeyboardInterrupt:
                    interrupted = True
                    run.stop.set()
        finally:
            run.stop.set()
    report = future.result()
    if interrupted:
        raise Stopped(replace(report, stopped=True))
    return report


class _Run:
    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        sentences: SentenceEncoder,
        paths: list[str],
        limits: Limits,
        retry: bool,
        workers: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._store, self._card, self._paths, self._retry = store, encoder.card, paths, retry
        self._workers, self._progress = workers, progress
        self.stop = threading.Event()
        self._limits = limits
        self._saved = store.hashes()
        self._shelf, self._text_card = Shelf(store, sentences.encode_texts), sentences.card
        self._texts, self._texts_changed = self._shelf.passages, False
        documents = DocumentFiles(limits, sentences.encode_texts)
        self._reader = FileReader(store, encoder, documents, limits, self._saved, self.stop)
        self._report = AddReport()
        self._started = self._committed = time.monotonic()
        self._done, self._total = 0, None if progress else 0
        self._items: list[ItemRow] = []
        self._passages: list[PassageRow] = []
        self._fresh: list[FileRow] = []
        self._changed: list[FileRow] = []
        self._waiting: list[tuple[FileRow, bool]] = []
        self._first: dict[str, FileRow] = {}
        self._problems: set[str] = set()

    def run(self, prune: bool, tidy: bool) -> AddReport:
        if self._texts.exists:
            left = self._texts.keep(self._saved)  # what a run that was killed saved before its items
            self._texts_changed = left > 0 or not self._texts.judged
        if self._progress:
            threading.Thread(target=self._count_files, daemon=True).start()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="catalejo")
        queue: deque[tuple[Future[Outcome], FileRow | None]] = deque()
        try:
            for found, before in self._to_read():
                queue.append((pool.submit(self._reader.read, found), before))
                while len(queue) > self._workers * _AHEAD:
                    self._take(*queue.popleft())
            while queue:
                if self.stop.is_set():
                    pool.shutdown(wait=True, cancel_futures=True)
                self._take(*queue.popleft())
            self._commit()
        finally:
            if queue:
                self.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
        if not self.stop.is_set():
            self._forget(prune)
            self._store.sweep()
            self._tend_texts()
            for path in stray_thumbnails(self._store) if tidy else ():
                path.unlink(missing_ok=True)
            self._store.maintain()
        return replace(self._report, seconds=round(time.monotonic() - self._started, 3))

    def _tend_texts(self) -> None:
        if not self._texts.exists:
            return
        gone = self._texts.keep(self._store.hashes())
        self._texts.maintain()
        if gone or self._texts_changed:
            self._shelf.learn()

    def _count_files(self) -> None:
        total = 0
        for _ in walk(self._paths, documents=True):
            if self.stop.is_set():
                return
            total += 1
        self._total = total

    # -- what to read -------------------------------------------------------------

    def _to_read(self) -> Iterator[tuple[Found, FileRow | None]]:
        """Files that must be read, each with the row it had before."""
        for group in _groups(walk(self._paths, documents=True), _LOOKUP):
            known = self._store.known([found.path for found in group])
            for found in group:
                before = known.get(found.path)
                same = before is not None and (before.size, before.mtime_ns) == (found.size, found.mtime_ns)
                if self.stop.is_set():
                    return
                if found.reason is not None:
                    self._problems.add(found.path)
                    self._skip(found, before)
                elif before is not None and same and before.reason is None:
                    self._count(unchanged=1)
                elif before is not None and same and not self._again(before):
                    self._count(skipped=1)
                else:
                    yield found, before

    def _again(self, before: FileRow) -> bool:
        """Whether to read what was skipped before: when asked, or when what stood in the way is another now."""
        reason = before.reason or ""
        return self._retry or raised(reason, self._limits) or (_NOT_INSTALLED in reason and readable(before.path))

    def _skip(self, found: Found, before: FileRow | None) -> None:
        """List a path with its reason. What was known of it stays: a disk may only be unplugged."""
        kept = before.hash if before and found.reason != NOT_A_FILE else None
        row = FileRow(found.path, found.size, found.mtime_ns, kept, found.reason)
        if row != before:
            (self._fresh if before is None else self._changed).append(row)
        self._count(skipped=1)
        self._commit_if_due()

    # -- what comes back ------------------------------------------------------------

    def _take(self, future: Future[Outcome], before: FileRow | None) -> None:
        try:
            outcome = future.result()
        except CancelledError:  # we are stopping; the next run reads it
            return
        row = outcome.row
        if row.reason is not None:
            self._count(skipped=1)
        elif before is None or before.hash is None:
            self._count(added=1, encoded=len(outcome.items))
        elif before.hash == row.hash:
            self._count(unchanged=1)
        else:
            self._count(updated=1, encoded=len(outcome.items))
        self._waiting.append((row, before is None))
        if row.hash is not None and row.hash not in self._saved:
            self._first.setdefault(row.hash, row)
        if outcome.items and row.hash is not None:
            first = self._first.pop(row.hash)
            self._items.extend(_dated(item, first) for item in outcome.items)
            self._passages.extend(replace(row, dated=file_date(first.mtime_ns)) for row in outcome.passages)
            self._saved.add(row.hash)
            self._reader.release(row.hash)
        self._commit_if_due()

    def _commit_if_due(self) -> None:
        late = time.monotonic() - self._committed > _COMMIT_S
        many = len(self._passages) >= _COMMIT_PASSAGES
        if late or many or len(self._fresh) + len(self._changed) + len(self._waiting) >= _COMMIT_ROWS:
            self._commit()

    def _commit(self) -> None:
        """Save what came back. A row whose bytes another worker still has in hand waits for its item."""
        ready = [(row, new) for row, new in self._waiting if row.hash is None or row.hash in self._saved]
        self._waiting = [(row, new) for row, new in self._waiting if not (row.hash is None or row.hash in self._saved)]
        self._fresh.extend(row for row, new in ready if new)
        self._changed.extend(row for row, new in ready if not new)
        if any(row.item.kind in ("text", "scan") for row in self._items):  # documents, maybe without a word
            self._texts.create(self._text_card)
            self._texts.write(self._passages)
            self._texts_changed = True
        self._store.write(self._card, self._items, self._fresh, self._changed)
        self._items, self._passages, self._fresh, self._changed = [], [], [], []
        self._committed = time.monotonic()

    def _count(self, **more: int) -> None:
        self._report = replace(self._report, **{k: getattr(self._report, k) + v for k, v in more.items()})
        self._done += 1
        if self._progress:
            self._progress(Progress(self._done, self._total, self._report.skipped))

    # -- what has gone ----------------------------------------------------------------

    def _forget(self, prune: bool) -> None:
        """Forget gone files (``prune``), and folders once listed as unreadable that are not any more."""
        roots = set(self._paths)
        empty = {
            root for root in roots if prune and os.path.isdir(root) and next(walk([root], documents=True), None) is None
        }
        kept: set[str] = set()
        gone, readable_again = [], []
        for row in self._store.files(None if prune else "reason IS NOT NULL"):
            root = _inside(row.path, roots)
            if root is None:
                continue
            if row.hash is None and row.path not in self._problems and os.path.isdir(row.path):
                readable_again.append(row.path)
            elif prune and _gone(row.path, row.hash is not None):
                if root in empty:  # nothing at all is left there: more likely a disk that is not mounted
                    kept.add(root)
                else:
                    gone.append(row.path)
        self._report = replace(self._report, not_pruned=tuple(sorted(kept)))
        if gone or readable_again:
            self._store.forget(gone + readable_again)
            self._report = replace(self._report, removed=len(gone))


def raised(reason: str, limits: Limits) -> bool:
    """Whether a file was skipped for a limit (``OverLimit``) that is not what it was."""
    refused = _REFUSED.search(reason)
    now = refused and getattr(limits, refused[2].replace("-", "_"), None)
    if not refused or now is None:
        return False
    return float(refused[1].replace(",", "")) not in (now, float(f"{now:g}"))


def _dated(row: ItemRow, first: FileRow) -> ItemRow:
    """An item without a date of its own is filed under that of its first copy, whichever was read first."""
    return row if row.item.taken else replace(row, dated=file_date(first.mtime_ns))


def _inside(path: str, roots: set[str]) -> str | None:
    """Which of these a path is, or is below."""
    while path not in roots:
        above = os.path.dirname(path)
        if above == path:
            return None
        path = above
    return path


def _gone(path: str, was_file: bool) -> bool:
    """Whether there is no such file any more; one we are not allowed to see is not gone."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode) and was_file
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def _groups(found: Iterable[Found], size: int) -> Iterator[list[Found]]:
    stream = iter(found)
    while group := list(islice(stream, size)):
        yield group
