"""Does a caption find its own picture? With the colours of a peculiar encoder, whose ranks one can tell by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from peculiar import RGB, Colours, colour, registered  # noqa: F401
from PIL import Image

from catalejo import Catalog
from catalejo.ranks import Ranks
from catalejo.space import Space


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("red", "green", "blue"):
        colour(tmp_path / "photos" / f"{name}.png", name)
    Image.new("RGB", (90, 90), RGB["red"]).save(tmp_path / "photos" / "red too.png")
    return tmp_path / "photos"


@pytest.fixture
def ranks(peculiar: None, photos: Path, tmp_path: Path) -> Ranks:
    catalog = Catalog(tmp_path / "c", encoder="colours")
    catalog.add(photos, perceive="none")
    store = catalog._store
    return Ranks(store, Space(store, catalog.encoder.card), Colours())


def test_a_caption_that_fits_finds_its_picture_first(ranks: Ranks, photos: Path) -> None:
    assert ranks.rank(str(photos / "red.png"), 0, "something red") == (1, 4)


def test_one_that_fits_another_better_says_so(ranks: Ranks, photos: Path) -> None:
    found = ranks.rank(str(photos / "red.png"), 0, "something blue")
    assert found is not None
    assert found[0] > 1


def test_scores_that_are_the_same_do_not_count_against_it(ranks: Ranks, photos: Path) -> None:
    for name in ("red", "red too"):
        assert ranks.rank(str(photos / f"{name}.png"), 0, "something red") == (1, 4)


def test_what_is_not_in_the_catalog_as_it_is_now_has_no_rank(ranks: Ranks, photos: Path, tmp_path: Path) -> None:
    assert ranks.rank(str(tmp_path / "other.png"), 0, "red") is None
    assert ranks.rank(str(photos / "red.png"), 7, "red") is None
    os.utime(photos / "red.png", (1, 1))
    assert ranks.rank(str(photos / "red.png"), 0, "red") is None
