"""A first look: the sample pictures of scikit-image, and five searches in two languages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from catalejo.catalog import Catalog
from catalejo.errors import MissingExtra
from catalejo.records import SearchResult

QUERIES = ("un gato", "a cup of coffee", "un fotógrafo con cámara", "motorcycle", "a rocket launch")
HITS = 5


def pictures() -> Path:
    """The folder of scikit-image's sample pictures, found without importing it.

    Raises:
        MissingExtra: scikit-image is not installed.
    """
    spec = importlib.util.find_spec("skimage")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (data := Path(folder, "data")).is_dir():
            return data
    raise MissingExtra("the demo", "scikit-image", "demo")


def run(catalog: Catalog) -> list[SearchResult]:
    """Ask the five questions of a catalog that holds the pictures."""
    return [catalog.search(query, k=HITS, under=pictures(), kinds=("image",)) for query in QUERIES]
