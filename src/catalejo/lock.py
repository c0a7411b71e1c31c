"""One writer at a time: a lock on a file, which the system lets go of when its process dies."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType

from catalejo.errors import CannotWrite, CatalogBusy


class WriterLock:
    """Held while writing to a catalog; a second holder gets ``CatalogBusy`` at once.

    Args:
        folder: of the catalog; made if it is not there.

    Raises (on entering):
        CatalogBusy: another process holds it.
        CannotWrite: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "writer.lock"
        self._descriptor = -1

    def __enter__(self) -> WriterLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            _lock(self._descriptor)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode())
        except BlockingIOError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            self.__exit__(None, None, None)
            raise CatalogBusy(self._folder, f" (number {holder})" if holder else "") from error
        except OSError as error:
            self.__exit__(None, None, None)
            raise CannotWrite(self._folder, error.strerror or str(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError as error:
            raise BlockingIOError(errno.EAGAIN, "locked") from error
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
