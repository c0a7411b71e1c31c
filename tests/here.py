"""What some tests need and no repository carries: models that were fetched to this machine, and development data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalejo import cards, fetched, weights

_MODELS = weights.data_folder() / "models"  # the user's own: read before the tests get a folder of theirs
DATA = Path(os.environ.get("DATA", Path(__file__).parents[2] / "shared" / "data"))  # as in the Makefile


@contextmanager
def fetched_models(folder: Path, *names: str) -> Iterator[None]:
    """A user data folder with these models, as fetched; skips where one was not."""
    for name in names:
        if not fetched.here(_MODELS / name, cards.card(name)):
            pytest.skip(f"{name} was not fetched on this machine: catalejo fetch {name}")
    (folder / "catalejo" / "models").mkdir(parents=True)
    for name in names:
        (folder / "catalejo" / "models" / name).symlink_to(_MODELS / name, target_is_directory=True)
    before = os.environ["XDG_DATA_HOME"]
    os.environ["XDG_DATA_HOME"] = str(folder)
    try:
        yield
    finally:
        os.environ["XDG_DATA_HOME"] = before


def data(*parts: str) -> Path:
    """A file of the development data; skips where it is not."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"there is no {path}: development data, named by DATA")
    return path
