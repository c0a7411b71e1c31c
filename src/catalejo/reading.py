"""One file: hash, read, encode, thumbnail. What each worker of an ``add`` does."""

from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from catalejo import walk
from catalejo.documents import DocumentFiles, is_document
from catalejo.encoders import Encoder
from catalejo.errors import CannotRead, CannotWrite
from catalejo.pages import PageReader, digest, encode, item_of
from catalejo.passage_rows import PassageRow
from catalejo.readers import Page
from catalejo.records import Limits
from catalejo.store import Store
from catalejo.tables import SEEN, FileRow, ItemRow
from catalejo.walk import Found

THUMBNAIL_PX = 256


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its row, and its items and what they say if its bytes were new."""

    row: FileRow
    items: tuple[ItemRow, ...] = ()
    passages: tuple[PassageRow, ...] = ()


class FileReader:
    """Reads files into items, each content once, from several threads.

    Args:
        store: where thumbnails go.
        encoder: makes the vectors of pictures.
        documents: makes the rows of documents.
        limits: what readers refuse.
        saved: hashes whose items are in the store; the caller adds to it as it saves.
        stop: once set, files in hand are given up.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        documents: DocumentFiles,
        limits: Limits,
        saved: set[str],
        stop: threading.Event,
    ) -> None:
        self._store, self._encoder, self._saved, self._stop = store, encoder, saved, stop
        self._documents = documents
        self._pages = PageReader(limits, encoder.side_px)
        self._claims: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    def read(self, found: Found) -> Outcome:
        """Read one file; what is wrong with it becomes the reason in its row.

        Raises:
            CannotWrite: the thumbnail cannot be saved; the run must stop.
            CancelledError: ``stop`` was set.
        """
        try:
            with self._pages.opened(found.path) as (file, found):
                hash = digest(file)
                return Outcome(_row(found, hash), *self._once(found, file, hash))
        except CannotRead as error:
            return Outcome(_row(found, None, error.reason))

    def _once(self, found: Found, file: BinaryIO, digest: str) -> tuple[tuple[ItemRow, ...], tuple[PassageRow, ...]]:
        """The items of these bytes, for the first who asks; nobody else's, when they are on their way."""
        while True:
            claim, mine = self._claim(digest)
            if mine:
                break
            try:
                claim.result()
                return (), ()
            except CannotRead as error:  # what is wrong with the bytes is wrong with all copies, if read the same way
                if _suffix(error.path) == _suffix(found.path):
                    raise CannotRead(found.path, error.reason) from error
            except Exception:  # the other copy went away or changed; ours may be fine
                continue
        try:
            made = (
                self._document(found, file, digest) if is_document(found.path) else self._pictures(found, file, digest)
            )
            if (now := walk.regular(found.path, os.fstat(file.fileno()))) != found:
                raise OSError(errno.EBUSY, f"it changed while it was read ({found.size:,} to {now.size:,} bytes)")
        except BaseException as error:
            for path in self._store.thumbnail(digest, 0).parent.glob(f"{digest}-*"):
                path.unlink(missing_ok=True)
            self.release(digest)
            claim.set_exception(error)
            raise
        claim.set_result(None)
        return made

    def _claim(self, digest: str) -> tuple[Future[None], bool]:
        with self._lock:
            mine: Future[None] = Future()
            if digest in self._saved:
                mine.set_result(None)
                return mine, False
            claim = self._claims.setdefault(digest, mine)
            return claim, claim is mine

    def release(self, digest: str) -> None:
        """Forget that these bytes were in hand: they failed, or the caller put them among the saved."""
        with self._lock:
            self._claims.pop(digest, None)

    def _document(
        self, found: Found, file: BinaryIO, digest: str
    ) -> tuple[tuple[ItemRow, ...], tuple[PassageRow, ...]]:
        file.seek(0)
        dated = file_date(found.mtime_ns)
        items, passages = self._documents.rows(file, found.path, digest, dated, self._stop.is_set)
        return tuple(items), tuple(passages)

    def _pictures(
        self, found: Found, file: BinaryIO, digest: str
    ) -> tuple[tuple[ItemRow, ...], tuple[PassageRow, ...]]:
        rows = []
        for page in self._pages.pages(file, found.path, self._stop.is_set):
            if self._stop.is_set():
                raise CancelledError
            vector, labels = encode(self._encoder, page, found.path) if page.kind in SEEN else (None, ())
            self._save_thumbnail(page, digest)
            rows.append(ItemRow(item_of(page, digest, labels), page.taken or file_date(found.mtime_ns), vector))
        return tuple(rows), ()

    def _save_thumbnail(self, page: Page, digest: str) -> None:
        scale = min(1.0, THUMBNAIL_PX / max(page.picture.size))
        size = tuple(max(1, round(side * scale)) for side in page.picture.size)
        small = page.picture.resize((size[0], size[1]), Image.Resampling.BOX)  # the cheapest that averages
        path = self._store.thumbnail(digest, page.page)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            small.save(path, "WEBP", quality=70, method=0)  # nobody looks at it before its item is saved
        except OSError as error:
            raise CannotWrite(path.parent, (error.strerror or str(error)).lower()) from error


def file_date(mtime_ns: int) -> datetime:
    """The local time of a file's last change; the year 1970 where the system cannot say."""
    try:
        return datetime.fromtimestamp(mtime_ns // 10**9)
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 1)


def stray_thumbnails(store: Store) -> list[Path]:
    """What lies among the thumbnails and belongs to no item: left by a run that was killed."""
    items = {f"{item.hash}-{item.page}.webp" for item in store.items()}
    return sorted(path for path in (store.folder / "thumbnails").glob("*/*") if path.name not in items)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _row(found: Found, digest: str | None, reason: str | None = None) -> FileRow:
    if reason is not None:  # decoders quote whatever stands in the file
        reason = " ".join("".join(c if c.isprintable() else " " for c in reason).split())[:300]
    return FileRow(found.path, found.size, found.mtime_ns, digest, reason)
