"""Which files to look at: folders, files and patterns, without links that loop or things that are not files."""

from __future__ import annotations

import fnmatch
import glob
import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalejo.errors import CannotRead
from catalejo.plugins import document_for, reader_for
from catalejo.store import MARK

# What a catalog keeps in its folder; passed over, so that a catalog may lie among the pictures.
_CATALOG = {
    *(MARK, "items.lance", "files.lance", "passages.lance", "sentences.lance", "facts.lance"),
    *("thumbnails", "damaged", "writer.lock"),
}
# Documents of kinds we do not read: looked at all the same, so that they are listed with what to save them as.
_NOT_READ = frozenset(
    (
        ".doc",
        ".dot",
        ".rtf",
        ".odt",
        ".ods",
        ".odp",
        ".xls",
        ".xlsx",
        ".xlsm",
        ".ppt",
        ".pps",
        ".pages",
        ".numbers",
        ".key",
    )
)
NOT_A_FILE = "not a regular file"
_INT64 = 2**63 - 1
_Key = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """A path to look at: a file with its size and time, or a reason why it cannot be."""

    path: str
    size: int = 0
    mtime_ns: int = 0
    reason: str | None = None


def sources(paths: Iterable[str], documents: bool = False) -> list[str]:
    """Absolute paths, with patterns such as ``fotos/*.jpg`` or ``**/*.png`` filled in.

    Args:
        paths: as a user writes them.
        documents: whether ``**`` also finds documents.

    Raises:
        CannotRead: a path is not there, or a pattern matches nothing.
    """
    found: list[str] = []
    for path in paths:
        if not path:
            raise CannotRead("''", "no such file or folder (an empty name)")
        expanded = os.path.expanduser(path)
        if os.path.lexists(expanded):
            found.append(os.path.abspath(expanded))
            continue
        if not glob.has_magic(expanded):
            raise CannotRead(path, "no such file or folder")
        matches = [os.path.abspath(match) for match in _matches(expanded, documents)]
        if not matches:
            raise CannotRead(path, "nothing matches this pattern")
        found.extend(matches)
    return found


def walk(paths: Iterable[str], documents: bool = False) -> Iterator[Found]:
    """Every file to look at, each once, in a fixed order.

    Args:
        paths: absolute.
        documents: whether documents count beside pictures.

    A file named by itself is always looked at. In a folder, those with a known suffix are;
    hidden files and folders and what other catalogs keep are passed over. Links are followed,
    each real folder once, and by its own name where it has one in reach.
    """
    named = dict.fromkeys(paths)
    seen: set[_Key] = set()
    for path in named:
        try:
            info = os.stat(path)
        except (OSError, ValueError) as error:  # ValueError: a name no file can have
            yield Found(_possible(path), reason=_reason(error))
            continue
        if not stat.S_ISDIR(info.st_mode):
            yield regular(path, info)
            continue
        for one in _below(path, seen):
            if isinstance(one, Found):
                yield one
            elif one.path not in named and _known(one.name, documents):
                yield _entry(one)


def _below(top: str, seen: set[_Key]) -> Iterator[os.DirEntry[str] | Found]:
    """Files below a folder, and folders that cannot be read. Linked folders come last, so that real names win."""
    stack, links = [top], deque[str]()
    while stack or links:
        path = stack.pop() if stack else links.popleft()
        try:
            info = os.stat(path)  # not the entry's: on Windows that one has no inode
            if (info.st_dev, info.st_ino) in seen:
                continue
            seen.add((info.st_dev, info.st_ino))
            with os.scandir(path) as entries:
                listed = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: os.fsencode(e.name))
        except OSError as error:
            yield Found(path, reason=f"unreadable folder: {_reason(error)}")
            continue
        if any(e.name == MARK for e in listed):
            listed = [e for e in listed if e.name not in _CATALOG]
        folders = []
        for entry in listed:
            if not _is_folder(entry):
                yield entry
            elif entry.is_symlink():
                links.append(entry.path)
            else:
                folders.append(entry.path)
        stack += reversed(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that loops
        return False


def _entry(entry: os.DirEntry[str]) -> Found:
    try:
        return regular(entry.path, entry.stat())
    except OSError as error:  # a link to nowhere, or a file gone meanwhile
        return Found(entry.path, reason=_reason(error))


def regular(path: str, info: os.stat_result) -> Found:
    """What the system says of a file; with a reason if it is a pipe, a device or anything else but a file."""
    if not stat.S_ISREG(info.st_mode):
        return Found(path, reason=NOT_A_FILE)
    # Some file systems keep times that do not fit the table: year 2262 and later, 1677 and before.
    return Found(path, info.st_size, max(-_INT64, min(info.st_mtime_ns, _INT64)))


def _known(name: str, documents: bool) -> bool:
    suffix = os.path.splitext(name)[1]
    if reader_for(suffix) is not None:
        return True
    return documents and (document_for(suffix) is not None or suffix.lower() in _NOT_READ)


# -- patterns ---------------------------------------------------------------------


def _matches(pattern: str, documents: bool) -> list[str]:
    """What a pattern matches, sorted; ``**`` goes down real and linked folders, each once."""
    parts = pattern.replace(os.sep, "/").split("/")
    if "**" not in parts:
        return sorted(glob.glob(pattern))
    at = parts.index("**")
    start = "/".join(parts[:at]) or ("/" if at else ".")
    rest = [part for part, after in zip(parts[at:], [*parts[at + 1 :], ""], strict=True) if part and part != after]
    found = []
    for top in sorted(glob.glob(start)) if glob.has_magic(start) else [start]:
        for one in _below(top, set()) if os.path.isdir(top) else ():
            names = os.path.relpath(one.path, top).split(os.sep)
            if not isinstance(one, Found) and _fits(names, rest):
                itself = rest[-1] != "**" and fnmatch.fnmatchcase(names[-1], rest[-1])
                if itself or _known(one.name, documents):
                    found.append(one.path)
    return found


def _fits(names: list[str], parts: list[str]) -> bool:
    """Whether a path, or a folder it is in, matches a pattern with ``**``."""
    if not parts:
        return True
    if parts[0] == "**":
        return any(_fits(names[start:], parts[1:]) for start in range(len(names)))
    return bool(names) and fnmatch.fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])


# -- words ------------------------------------------------------------------------


def _possible(path: str) -> str:
    """The path itself, or, when no file can have that name, text that shows it."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        path = path.encode("utf-8", "backslashreplace").decode()
    return path.replace("\0", "\\0")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "no file can have this name"
