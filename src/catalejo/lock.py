"""One writer at a time: a lock on a file, which the system lets go of when its process dies."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType

from catalejo.errors import CannotWrite, CatalogBusy

_LOCKED_BYTE = 1 << 20  # on Windows a locked byte cannot be read; this one is past the holder's number


class WriterLock:
    """Held while writing to a catalog; a second holder gets ``CatalogBusy`` at once.

    The file names its holder, and is emptied when the holder is done: what stands there
    on entering was left by a writer that died or failed.

    Args:
        folder: of the catalog; made if it is not there.

    Attributes:
        unfinished: whether the last writer did not come to its end.

    Raises (on entering):
        CatalogBusy: another process holds it.
        CannotWrite: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "writer.lock"
        self._descriptor = -1
        self.unfinished = False

    def __enter__(self) -> WriterLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            _lock(self._descriptor)
            self.unfinished = bool(self._holder())
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, b"%-20d" % os.getpid())  # in place: room that is there already never lacks
        except BlockingIOError as error:
            holder = self._holder()
            self._close()
            raise CatalogBusy(self._folder, f" (number {holder})" if holder else "") from error
        except OSError as error:
            self._close()
            reason = "it is a file, not a folder" if os.path.isfile(self._folder) else error.strerror or str(error)
            raise CannotWrite(self._folder, reason.lower()) from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                os.ftruncate(self._descriptor, 0)
        finally:
            self._close()

    def _holder(self) -> str:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, 32).decode("ascii", "replace").strip()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError as error:
            raise BlockingIOError(errno.EAGAIN, "locked") from error
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
