"""Searching, on real photographs with the real encoder."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalejo import Catalog, CatalejoError


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("un gato", "chelsea.png"),
        ("a cat", "chelsea.png"),
        ("una taza de café", "coffee.png"),
        ("a cup of coffee", "coffee.png"),
        ("una moto", "motorcycle_left.png"),
        ("motorcycle", "motorcycle_left.png"),
        ("un fotógrafo con cámara", "camera.png"),
        ("a rocket launch", "rocket.jpg"),
    ],
)
def test_words_find_their_picture(sample_catalog: Catalog, query: str, name: str) -> None:
    best = sample_catalog.search(query).hits[0]
    assert Path(best.path).name == name
    assert best.matches
    assert best.why


def test_errors_have_one_root(tmp_path: Path) -> None:
    with pytest.raises(CatalejoError, match="no catalog"):
        Catalog(tmp_path / "none").search("gato")
