"""One file -> its bytes' hash and its pages; what is wrong with a file becomes one kind of error."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import BinaryIO, cast

import numpy as np

from catalejo import files, plugins, walk
from catalejo.encoders import Encoded, Encoder
from catalejo.encoders.batching import cores
from catalejo.errors import CannotRead, CatalejoError, MissingExtra
from catalejo.readers import Page, Reader
from catalejo.records import Item, Label, Limits
from catalejo.walk import Found


class PageReader:
    """Reads files with the reader of their suffix. Safe to call from several threads at once.

    Args:
        limits: what to refuse.
        side_px: the shorter side the encoder needs; JPEGs are decoded no larger than that takes.
    """

    def __init__(self, limits: Limits, side_px: int) -> None:
        self._limits, self._side_px = limits, side_px
        self._decoding = threading.BoundedSemaphore(cores())  # more at once are no faster, and each holds a picture
        self._readers: dict[str, Reader] = {}

    @contextmanager
    def opened(self, path: str) -> Iterator[tuple[BinaryIO, Found]]:
        """A file open for reading, and its size and time.

        Raises:
            CannotRead: with the reason; whatever goes wrong inside the ``with`` becomes one too.
        """
        with files.opened(path, self._limits) as file:
            yield file, walk.regular(path, os.fstat(file.fileno()))

    def pages(self, file: BinaryIO, path: str, stopped: Callable[[], bool] | None = None) -> Iterator[Page]:
        """The pages of an open file; at least one.

        Args:
            file: open for reading.
            path: for its suffix, and for messages.
            stopped: asked again and again while a film is read, a single shot of which can take a minute.

        Raises:
            CannotRead, OverLimit: see ``Reader``.
            CancelledError: ``stopped`` said so.
        """
        file.seek(0)
        if stopped is not None and plugins.is_recording(path):
            file = cast(BinaryIO, _Stoppable(file, stopped))
        try:
            reader = self._reader(plugins.reader_for(os.path.splitext(path)[1]) or "image")
            pages = reader.read(file, path, self._limits, self._side_px)
            page = self._next(pages)
        except MissingExtra as error:  # the other files need none
            raise CannotRead(path, str(error)) from error
        if page is None:
            raise CannotRead(path, "it has no pages")
        while page is not None:
            yield page
            page = self._next(pages)

    def _reader(self, name: str) -> Reader:
        if name not in self._readers:
            self._readers[name] = plugins.load("readers", name)()
        return self._readers[name]

    def _next(self, pages: Iterator[Page]) -> Page | None:
        with self._decoding:
            return next(pages, None)


class _Stoppable:
    """A file that raises ``CancelledError`` instead of being read on, once somebody says so."""

    def __init__(self, file: BinaryIO, stopped: Callable[[], bool]) -> None:
        self._file, self._stopped = file, stopped
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if self._stopped():
            raise CancelledError
        return self._file.read(size)


def item_of(page: Page, hash: str, labels: tuple[Label, ...] = ()) -> Item:
    """A page as an item of the file with this hash."""
    return Item(
        hash,
        page.page,
        page.kind,
        page.width_px,
        page.height_px,
        page.taken,
        page.camera,
        page.latitude,
        page.longitude,
        labels,
        page.start_s,
        page.end_s,
    )


def digest(file: BinaryIO) -> str:
    """The SHA-256 of an open file's bytes, hex."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def encode(encoder: Encoder, page: Page, path: str) -> Encoded:
    """One page, encoded.

    Raises:
        CannotRead: it is a stretch of sound, whose picture shows nothing; or the model chokes on it, or its vector is
            not made of numbers; the others must not suffer.
    """
    if page.kind == "audio":
        raise CannotRead(path, "a recording, and no picture: there is nothing in it to see")
    try:
        encoded = encoder.encode_images([page.picture])[0]
    except (CatalejoError, MemoryError):
        raise
    except Exception as error:
        raise CannotRead(path, f"the encoder failed ({type(error).__name__}: {error})") from error
    if not np.isfinite(encoded.vector).all():
        raise CannotRead(path, "the encoder failed (its vector is not made of numbers)")
    return encoded
