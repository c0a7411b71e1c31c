"""The disk a catalog lies on: how much is there, and why it takes no more."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

_NO_ROOM = (
    *("No space left on device", "Read-only file system", "Permission denied", "File too large"),
    *("Disk quota exceeded", "Input/output error", "Too many open files"),
)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; those a writer removes meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def no_room(folder: Path) -> str | None:
    """Why a file of a megabyte cannot be written here; of one cut short Lance may only say that it is too short."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 20))
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def refusal(error: Exception) -> str | None:
    """Why nothing can be written, in a few words; Lance puts it inside a long sentence. None: for another reason."""
    text = str(error).lower()
    for known in _NO_ROOM:
        if known.lower() in text:
            return known.lower()
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else None
