"""What was fetched of a model: its folder, and ``fetched.json`` in it, which pins every file by SHA-256."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from catalejo import cards
from catalejo.errors import DamagedWeights, MissingWeights
from catalejo.model_files import HubFile, WheelFile
from catalejo.records import ModelCard

MANIFEST = "fetched.json"
_FORMAT = 1


@dataclass(frozen=True)
class FetchedFile:
    """One file as it was when it was fetched.

    Attributes:
        size: bytes.
        sha256: of its bytes, hex.
        checked: whose word that is: ``card``, ``hub``, ``cache`` (a hub's cache on disk) or ``nobody``.
    """

    size: int
    sha256: str
    checked: str


@dataclass(frozen=True)
class Fetched:
    """What of a model is on this machine: where from, and each file by its path in the folder."""

    repo: str
    revision: str
    files: dict[str, FetchedFile]


class Digests(NamedTuple):
    """A file's size and hashes; ``blob`` is the SHA-1 git knows it by, which hubs give for small files."""

    size: int
    sha256: str
    blob: str


def read(folder: Path) -> Fetched | None:
    """What ``fetched.json`` says; None where there is none that can be read."""
    try:
        stored = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = {path: FetchedFile(**file) for path, file in stored["files"].items()}
        return Fetched(stored["repo"], stored["revision"], files) if stored["format"] == _FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write(folder: Path, fetched: Fetched) -> None:
    """Replace ``fetched.json``, whole or not at all."""
    scratch = folder / f"{MANIFEST}.part"
    with scratch.open("w", encoding="utf-8") as stream:
        json.dump({"format": _FORMAT, **dataclasses.asdict(fetched)}, stream, indent=1, sort_keys=True)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(folder / MANIFEST)


def holds(folder: Path, fetched: Fetched, file: HubFile | WheelFile) -> bool:
    """Whether a file was fetched, has kept its size and, from a wheel, is the one its card names now."""
    known, path = fetched.files.get(file.path), folder / file.path
    if known is None or (isinstance(file, WheelFile) and known.sha256 != file.sha256):
        return False  # an older card's; a hub's file has a revision that says so
    return _size(path) == known.size


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def here(folder: Path, card: ModelCard) -> tuple[str, ...]:
    """The precisions of a model that are in its folder, whole."""
    found = read(folder)
    if found is None:
        return ()
    whole = (p for p in cards.precisions(card) if all(holds(folder, found, f) for f in cards.files_of(card, p)))
    return tuple(whole)


def require(folder: Path, card: ModelCard, precision: str | None = None) -> None:
    """Raise unless a model is in its folder, whole, in this precision or (None) in any.

    Raises:
        UnknownName: it does not come in this precision.
        MissingWeights: it was not fetched, or not in this precision, or not to the end.
        DamagedWeights: a file is gone or has another size than when it was fetched.
    """
    wanted = [precision] if precision else list(cards.precisions(card))
    needed = [file for one in wanted for file in cards.files_of(card, one)]
    name, found, whole = card.name, read(folder), here(folder, card)
    if set(wanted) & set(whole):
        return
    again = f"catalejo fetch {name}" + (f" --precision {precision}" if precision else "")
    for file in needed:
        path = folder / file.path
        if found and file.path in found.files and _size(path) != found.files[file.path].size:
            left = "it is gone" if _size(path) is None else f"it has {_size(path):,} bytes"
            reason = f"{left}; {found.files[file.path].size:,} bytes were fetched"
            raise DamagedWeights(path, reason, f"Fetch it again: {again}")
    if whole:
        others = " or ".join(f"{name}:{one}" for one in whole)
        raise MissingWeights(f"{name} is not on this machine as {precision}. Fetch it: {again}; or use {others}")
    if found and found.files:
        raise MissingWeights(f"{name} is on this machine only in part. Go on: {again}", name)
    raise MissingWeights(f"{name} is not on this machine. Fetch it: {again}", name)


def digests(path: Path, blob: bool = False) -> Digests:
    """Read a file once and return its size and hashes; ``blob`` stays empty unless asked for."""
    size = path.stat().st_size
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            sha256.update(block)
            if blob:
                sha1.update(block)
    return Digests(size, sha256.hexdigest(), sha1.hexdigest() if blob else "")
