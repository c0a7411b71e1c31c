"""Which files to look at: folders, files and patterns, without links that loop or things that are not files."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalejo.errors import CannotRead
from catalejo.plugins import reader_for
from catalejo.store import MARK


@dataclass(frozen=True)
class Found:
    """A path to look at: a file with its size and time, or a reason why it cannot be."""

    path: str
    size: int = 0
    mtime_ns: int = 0
    reason: str | None = None


def sources(paths: Iterable[str]) -> list[str]:
    """Absolute paths, with patterns such as ``fotos/*.jpg`` or ``**/*.png`` filled in.

    Raises:
        CannotRead: a path is not there, or a pattern matches nothing.
    """
    found: list[str] = []
    for path in paths:
        full = os.path.abspath(os.path.expanduser(path))
        if os.path.lexists(full):
            found.append(full)
            continue
        matches = sorted(glob.glob(full, recursive=True)) if glob.has_magic(full) else []
        if not matches:
            raise CannotRead(path, "nothing matches this pattern" if glob.has_magic(full) else "no such file or folder")
        found.extend(matches)
    return found


def walk(paths: Iterable[str]) -> Iterator[Found]:
    """Every file to look at, in a fixed order.

    A file named by itself is always looked at. In a folder, those with a known suffix are;
    hidden files and folders and other catalogs are passed over. Links are followed, each
    real folder once.
    """
    seen: set[tuple[int, int]] = set()
    given: set[str] = set()
    for path in paths:
        if path in given:
            continue
        given.add(path)
        try:
            info = os.stat(path)
        except OSError as error:
            yield Found(path, reason=_reason(error))
            continue
        if stat.S_ISDIR(info.st_mode):
            yield from _folder(path, info, seen)
        else:
            yield _file(path, info)


def _folder(path: str, info: os.stat_result, seen: set[tuple[int, int]]) -> Iterator[Found]:
    if (info.st_dev, info.st_ino) in seen:
        return
    seen.add((info.st_dev, info.st_ino))
    try:
        with os.scandir(path) as entries:
            listed = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: os.fsencode(e.name))
    except OSError as error:
        yield Found(path, reason=f"unreadable folder: {_reason(error)}")
        return
    if any(e.name == MARK for e in listed):
        return
    for entry in listed:
        try:
            if entry.is_dir():
                yield from _folder(entry.path, entry.stat(), seen)
            elif reader_for(os.path.splitext(entry.name)[1]):
                yield _file(entry.path, entry.stat())
        except OSError as error:  # a link to nowhere, or a file gone meanwhile
            if reader_for(os.path.splitext(entry.name)[1]):
                yield Found(entry.path, reason=_reason(error))


def _file(path: str, info: os.stat_result) -> Found:
    if not stat.S_ISREG(info.st_mode):
        return Found(path, reason="not a regular file")
    return Found(path, info.st_size, info.st_mtime_ns)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
