"""Duplicates: exact ones by hash, near ones by looking; different pictures of the same kind are not."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageEnhance, ImageOps

from catalejo import Catalog, duplicates
from catalejo.demo import pictures
from catalejo.encoders.conse import CARD
from catalejo.records import Item, ModelCard
from catalejo.reports import DuplicateGroup
from catalejo.space import Key
from catalejo.tables import FileRow

Array = npt.NDArray[np.float32]


# -- on real pictures ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cat seven times over, a coffee twice, and pictures that only resemble them."""
    place = tmp_path_factory.mktemp("pictures")
    with Image.open(pictures() / "chelsea.png") as opened:
        cat = opened.convert("RGB")
    with Image.open(pictures() / "coffee.png") as opened:
        coffee = opened.convert("RGB")
    shutil.copy(pictures() / "chelsea.png", place / "cat.png")
    (place / "more").mkdir()
    shutil.copy(place / "cat.png", place / "more" / "copy.png")
    cat.save(place / "cat-80.jpg", quality=80)
    cat.save(place / "cat-30.jpg", quality=30)
    cat.resize((cat.width // 2, cat.height // 2)).save(place / "cat-half.png")
    ImageEnhance.Brightness(cat).enhance(1.15).save(place / "cat-bright.jpg", quality=90)
    cat.save(place / "cat.webp", quality=70)
    coffee.save(place / "coffee.png")
    coffee.resize((300, 200)).save(place / "coffee-small.jpg", quality=60)
    ImageOps.mirror(cat).save(place / "other-mirrored.png")
    cat.crop((0, 0, cat.width // 2, cat.height)).save(place / "other-left.png")
    cat.rotate(90, expand=True).save(place / "other-turned.png")
    shutil.copy(pictures() / "camera.png", place / "other-camera.png")
    return place


@pytest.fixture(scope="module")
def found(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[set[str], float]]]:
    """Groups by kind: the names in each, and its similarity."""
    catalog = Catalog(tmp_path_factory.mktemp("catalog") / "c")
    catalog.add(folder)
    groups: dict[str, list[tuple[set[str], float]]] = {"exact": [], "near": []}
    for group in catalog.duplicates():
        areas = [area(path) for path in group.paths]
        assert areas == sorted(areas, reverse=True), "the largest picture first"
        groups[group.kind].append(({Path(path).name for path in group.paths}, group.similarity))
    return groups


def test_the_same_bytes_are_exact(found: dict[str, list[tuple[set[str], float]]]) -> None:
    assert found["exact"] == [({"cat.png", "copy.png"}, 1.0)]


def test_resized_recompressed_and_brightened_copies_are_near(found: dict[str, list[tuple[set[str], float]]]) -> None:
    names = [group for group, _ in found["near"]]
    cats = {"cat.png", "cat-80.jpg", "cat-30.jpg", "cat-half.png", "cat-bright.jpg", "cat.webp"}
    assert sorted(names, key=len) == [{"coffee.png", "coffee-small.jpg"}, cats]
    assert all(duplicates.COSINE <= similarity <= 1 for _, similarity in found["near"])


def test_other_pictures_of_the_same_thing_are_not(found: dict[str, list[tuple[set[str], float]]]) -> None:
    joined = {name for groups in found.values() for group, _ in groups for name in group}
    assert not [name for name in joined if name.startswith("other")]


# -- on a store small enough to follow -----------------------------------------------------------


class Shelf:
    """What ``duplicates`` asks of a store, from arrays: one item a row, thumbnails from grey squares."""

    def __init__(self, folder: Path, vectors: Array, thumbnails: list[Array | None], hashes: list[str]) -> None:
        self.folder, self._vectors, self._hashes = folder, vectors, hashes
        for number, grey in enumerate(thumbnails):
            if grey is not None:
                Image.fromarray(grey.clip(0, 255).astype(np.uint8)).save(self.folder / f"{number}.png")

    def items(self) -> list[Item]:
        return [Item(h, self._hashes[:i].count(h), "image", 64, 64) for i, h in enumerate(self._hashes)]

    def keyed(self) -> Iterator[tuple[list[Key], Array]]:
        yield [(item.hash, item.page) for item in self.items()], self._vectors

    @property
    def card(self) -> ModelCard:
        return dataclasses.replace(CARD, width=self._vectors.shape[1])

    def thumbnail(self, hash: str, page: int) -> Path:
        places = [i for i, h in enumerate(self._hashes) if h == hash]
        return self.folder / f"{places[page]}.png"

    def paths(self, hashes: set[str]) -> dict[str, list[str]]:
        found = {h: [str(self.folder / f"{h}.jpg"), str(self.folder / f"{h}.copy.jpg")] for h in hashes}
        for path in (path for paths in found.values() for path in paths):
            Path(path).touch()
        return found

    def files(self, where: str | None = None) -> list[FileRow]:
        return []


def near(shelf: Shelf, cosine: float = duplicates.COSINE) -> list[DuplicateGroup]:
    return list(duplicates.near(shelf, shelf, cosine))  # type: ignore[arg-type]


def area(path: str) -> int:
    with Image.open(path) as picture:
        return picture.width * picture.height


def names(group: DuplicateGroup) -> tuple[str, ...]:
    return tuple(Path(path).name for path in group.paths)


def scene(seed: int) -> Array:
    """A 64 x 64 picture of soft blobs, unlike that of another seed."""
    blobs = np.random.default_rng(seed).uniform(0, 255, (5, 5)).astype(np.float32)
    return np.asarray(Image.fromarray(blobs).resize((64, 64), Image.Resampling.BICUBIC), np.float32)


def towards(*cosines: float) -> Array:
    """Unit vectors with these cosines to the first axis, and each other in one plane."""
    return np.array([[c, np.sqrt(1 - c * c), 0] for c in cosines], np.float32)


def test_both_the_vectors_and_the_thumbnails_must_agree(tmp_path: Path) -> None:
    vectors = towards(1, 1, 0.5)
    found = near(Shelf(tmp_path, vectors, [scene(1), scene(2), scene(1)], ["a", "b", "c"]))
    assert found == []  # alike in meaning only, or in looks only
    found = near(Shelf(tmp_path, vectors, [scene(1), scene(1) * 0.8 + 20, scene(1)], ["a", "b", "c"]))
    assert [(group.kind, names(group), group.similarity) for group in found] == [
        ("near", ("a.copy.jpg", "b.copy.jpg"), 1.0)
    ]


def test_the_least_cosine_that_joined_a_group_is_told(tmp_path: Path) -> None:
    vectors = towards(1, 0.99, 0.93, 0.1)
    found = near(Shelf(tmp_path, vectors, [scene(1)] * 4, ["a", "b", "c", "d"]), 0.985)
    assert [names(group) for group in found] == [("a.copy.jpg", "b.copy.jpg")]
    assert found[0].similarity == pytest.approx(0.99, abs=1e-4)
    found = near(Shelf(tmp_path, vectors, [scene(1)] * 4, ["a", "b", "c", "d"]), 0.95)
    assert [names(group) for group in found] == [("a.copy.jpg", "b.copy.jpg", "c.copy.jpg")]
    assert found[0].similarity == pytest.approx(float(vectors[1] @ vectors[2]), abs=1e-4)


def test_a_chain_is_one_group(tmp_path: Path) -> None:
    angles = np.deg2rad([0, 10, 20, 30])  # neighbours at 0.985, the ends at 0.87
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    found = near(Shelf(tmp_path, vectors[[0, 2, 1, 3]], [scene(1)] * 4, list("abcd")), 0.98)
    assert [names(group) for group in found] == [("a.copy.jpg", "b.copy.jpg", "c.copy.jpg", "d.copy.jpg")]
    assert found[0].similarity == pytest.approx(np.cos(np.deg2rad(10)), abs=1e-4)


def test_pages_of_one_file_are_not_its_duplicates(tmp_path: Path) -> None:
    assert near(Shelf(tmp_path, towards(1, 1), [scene(1), scene(1)], ["a", "a"])) == []


def test_thumbnails_that_say_nothing_join_nothing(tmp_path: Path) -> None:
    flat = np.full((64, 64), 128, np.float32)
    assert near(Shelf(tmp_path, towards(1, 1), [flat, flat], ["a", "b"])) == []
    (tmp_path / "0.png").unlink()
    assert near(Shelf(tmp_path, towards(1, 1), [None, scene(1)], ["a", "b"])) == []
    (tmp_path / "0.png").write_bytes((tmp_path / "1.png").read_bytes()[:200])
    assert near(Shelf(tmp_path, towards(1, 1), [None, scene(1)], ["a", "b"])) == []


def test_nothing_and_one_have_no_duplicates(tmp_path: Path) -> None:
    assert near(Shelf(tmp_path, np.zeros((0, 3), np.float32), [], [])) == []
    assert near(Shelf(tmp_path, towards(1), [scene(1)], ["a"])) == []


def test_pairs_are_found_across_blocks_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_BLOCK", 3)
    random = np.random.default_rng(0).normal(size=(10, 4))
    vectors = (random / np.linalg.norm(random, axis=1, keepdims=True)).astype(np.float32)
    told: list[tuple[int, int]] = []
    found = list(duplicates._pairs(vectors, 0.3, lambda done, of: told.append((done, of))))
    scores = vectors @ vectors.T
    expected = {(i, j) for i in range(10) for j in range(i + 1, 10) if scores[i, j] >= 0.3}
    assert expected and {(i, j) for i, j, _ in found} == expected and len(found) == len(expected)
    assert all(score == pytest.approx(scores[i, j]) for i, j, score in found)
    assert told == [(3, 10), (6, 10), (9, 10), (10, 10)]


def test_links_and_files_that_have_gone_are_no_copies(samples: Path, tmp_path: Path) -> None:
    """Whoever deletes all but the first of a group must not lose the picture."""
    folder = tmp_path / "p"
    folder.mkdir()
    for name in ("a.png", "moved.png"):
        (folder / name).write_bytes((samples / "coins.png").read_bytes())
    (folder / "0-link.png").symlink_to(folder / "a.png")
    catalog = Catalog(tmp_path / "c")
    assert catalog.add(folder).added == 3
    group = DuplicateGroup("exact", (str(folder / "a.png"), str(folder / "moved.png")), 1.0)
    assert catalog.duplicates() == [group]
    (folder / "moved.png").unlink()
    assert catalog.duplicates() == []
