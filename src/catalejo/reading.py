"""One file: hash, read, encode, thumbnail. What each worker of an ``add`` does."""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from catalejo import plugins
from catalejo.encoders import Encoder
from catalejo.errors import CannotRead, CannotWrite, OverLimit
from catalejo.readers import Page, Reader
from catalejo.records import Item, Limits
from catalejo.store import Store
from catalejo.tables import FileRow, ItemRow
from catalejo.walk import Found

THUMBNAIL_PX = 256


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its row, and its items if its bytes were new."""

    row: FileRow
    items: tuple[ItemRow, ...] = ()


class FileReader:
    """Reads files into items, each content once, from several threads.

    Args:
        store: where thumbnails go.
        encoder: makes the vectors.
        limits: what readers refuse.
        saved: hashes whose items are in the store; the caller adds to it as it saves.
    """

    def __init__(self, store: Store, encoder: Encoder, limits: Limits, saved: set[str]) -> None:
        self._store, self._encoder, self._limits, self._saved = store, encoder, limits, saved
        self._readers: dict[str, Reader] = {name: plugins.load("readers", name)() for name in plugins.READERS}
        self._claims: dict[str, Future[None]] = {}
        self._lock = threading.Lock()

    def read(self, found: Found) -> Outcome:
        """Read one file; what is wrong with it becomes the reason in its row.

        Raises:
            CannotWrite: the thumbnail cannot be saved; the run must stop.
        """
        digest: str | None = None
        try:
            if found.size > self._limits.max_file_mb * 1e6:
                size, limit = f"{found.size / 1e6:.0f} MB", f"{self._limits.max_file_mb:g} MB"
                raise OverLimit(found.path, f"the file has {size}", limit, "--max-file-mb")
            with open(found.path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                claim, mine = self._claim(digest)
                if not mine:
                    claim.result()  # another thread has these bytes in hand; raises what it met
                    return Outcome(_row(found, digest))
                file.seek(0)
                try:
                    items = self._items(found, file, digest)
                except BaseException as error:
                    claim.set_exception(error)
                    self.release(digest)
                    raise
                claim.set_result(None)
                return Outcome(_row(found, digest), items)
        except CannotRead as error:
            return Outcome(_row(found, None, error.reason))
        except OSError as error:
            return Outcome(_row(found, None, (error.strerror or str(error)).lower()))
        except MemoryError:
            return Outcome(_row(found, None, "not enough memory to decode it"))

    def _claim(self, digest: str) -> tuple[Future[None], bool]:
        with self._lock:
            if digest in self._saved:
                done: Future[None] = Future()
                done.set_result(None)
                return done, False
            mine: Future[None] = Future()
            claim = self._claims.setdefault(digest, mine)
            return claim, claim is mine

    def release(self, digest: str) -> None:
        """Forget that these bytes were in hand: they failed, or the caller put them among the saved."""
        with self._lock:
            self._claims.pop(digest, None)

    def _items(self, found: Found, file: object, digest: str) -> tuple[ItemRow, ...]:
        suffix = os.path.splitext(found.path)[1]
        reader = self._readers[plugins.reader_for(suffix) or "image"]
        rows = []
        for page in reader.read(file, found.path, self._limits, self._encoder.side_px):  # type: ignore[arg-type]
            encoded = self._encoder.encode_images([page.picture])[0]
            self._save_thumbnail(page, digest)
            item = Item(
                digest,
                page.page,
                page.kind,
                page.width_px,
                page.height_px,
                page.taken,
                page.camera,
                page.latitude,
                page.longitude,
                encoded.labels,
            )
            dated = page.taken or datetime.fromtimestamp(found.mtime_ns // 10**9)
            rows.append(ItemRow(item, dated, encoded.vector))
        return tuple(rows)

    def _save_thumbnail(self, page: Page, digest: str) -> None:
        small = page.picture.copy()
        small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BILINEAR, reducing_gap=1.0)
        path = self._store.thumbnail(digest, page.page)
        scratch = path.with_suffix(f".{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            small.save(scratch, "WEBP", quality=75, method=0)
            scratch.replace(path)
        except OSError as error:
            raise CannotWrite(path.parent, (error.strerror or str(error)).lower()) from error


def _row(found: Found, digest: str | None, reason: str | None = None) -> FileRow:
    return FileRow(found.path, found.size, found.mtime_ns, digest, reason)
