"""Opening a file that anybody may have put there: without waiting, within limits, with one kind of error."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from catalejo.errors import CannotRead, OverLimit
from catalejo.plugins import is_recording
from catalejo.records import Limits


@contextmanager
def opened(path: str, limits: Limits) -> Iterator[BinaryIO]:
    """A file open for reading.

    Raises:
        CannotRead: with the reason; whatever goes wrong inside the ``with`` becomes one too.
        OverLimit: larger than ``max_file_mb``; a recording or a film, than ``max_media_mb``.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise CannotRead(path, "not a regular file")
            media = is_recording(path)
            most_mb = limits.max_media_mb if media else limits.max_file_mb
            if info.st_size > most_mb * 1e6:
                flag = "--max-media-mb" if media else "--max-file-mb"
                raise OverLimit(path, f"the file has {info.st_size / 1e6:.0f} MB", f"{most_mb:g} MB", flag)
            yield file
    except OSError as error:
        raise CannotRead(path, (error.strerror or str(error)).lower()) from error
    except ValueError as error:  # a name no file can have
        raise CannotRead(path, str(error)) from error
    except MemoryError as error:
        raise CannotRead(path, "not enough memory to decode it") from error


def _without_waiting(path: str, flags: int) -> int:
    """Opens a file, and does not wait for a writer should it have become a pipe meanwhile."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
