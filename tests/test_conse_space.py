"""The matrices of the projection, on numbers small enough to follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from catalejo.conse.labels import ClassTexts
from catalejo.conse.space import KIND_WEIGHT, RIDGE, SCENE_WEIGHT, label_matrix, region_matrix, ridge_matrix, unit

WORDS = {"dog": 0, "hound": 1, "perro": 2, "animal": 3, "park": 4, "parque": 5, "cat": 6, "gato": 7}


def one_hot(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Every word its own axis, so that each weight can be read off the result."""
    assert len(set(texts)) == len(texts), "each text is encoded once"
    return np.eye(len(WORDS), dtype=np.float32)[[WORDS[text] for text in texts]]


def test_unit_scales_rows_and_leaves_zeros() -> None:
    found = unit(np.array([[3, 4], [0, 0], [-2, 0]], np.float32))
    np.testing.assert_allclose(found, np.array([[0.6, 0.8], [0, 0], [-1, 0]]), atol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(unit(np.array([0, 5], np.float32)), [0, 1])


def test_a_label_row_weighs_names_kinds_and_scenes() -> None:
    dog = ClassTexts(
        {"en": ("dog", "hound"), "es": ("perro",)},
        {"en": ("animal",), "es": ("animal",)},
        {"en": ("park",), "es": ("parque",)},
    )
    cat = ClassTexts({"en": ("cat",), "es": ("gato",)}, {"en": ("animal",), "es": ("animal",)}, dog.scenes)
    found = label_matrix([dog, cat], one_hot)
    # Half of each name of two, the whole of a single one; the same kind in both languages counts twice.
    row = np.array([0.5, 0.5, 1, 2 * KIND_WEIGHT, SCENE_WEIGHT, SCENE_WEIGHT, 0, 0])
    np.testing.assert_allclose(found[0], row / np.linalg.norm(row), atol=1e-6)
    row = np.array([0, 0, 0, 2 * KIND_WEIGHT, SCENE_WEIGHT, SCENE_WEIGHT, 1, 1])
    np.testing.assert_allclose(found[1], row / np.linalg.norm(row), atol=1e-6)
    assert found.shape == (2, 8) and found.dtype == np.float32


def test_the_ridge_matrix_is_the_least_of_its_cost() -> None:
    random = np.random.default_rng(3)
    t, w = random.normal(size=(30, 5)), random.normal(size=(30, 7)) + 4
    found = ridge_matrix(t.astype(np.float32), w.astype(np.float32)).T.astype(np.float64)
    assert found.shape == (5, 7)
    centred = w - w.mean(axis=0)

    def cost(m: npt.NDArray[np.float64]) -> float:
        return float(((t @ m - centred) ** 2).sum() + RIDGE * (m**2).sum())

    slope = 2 * t.T @ (t @ found - centred) + 2 * RIDGE * found
    assert np.abs(slope).max() < 1e-3
    for _ in range(10):
        assert cost(found + 0.05 * random.normal(size=found.shape)) > cost(found)


def test_the_ridge_matrix_ignores_what_all_classes_share() -> None:
    random = np.random.default_rng(4)
    t, w = random.normal(size=(20, 4)).astype(np.float32), random.normal(size=(20, 6)).astype(np.float32)
    np.testing.assert_allclose(ridge_matrix(t, w), ridge_matrix(t, w + 10), atol=1e-4)


@pytest.mark.parametrize("side", [1, 2, 3, 7, 9, 11, 13])
@pytest.mark.parametrize("grids", [(1,), (2,), (1, 2, 3), (1, 4)])
def test_regions_are_averages_that_cover_the_map(side: int, grids: tuple[int, ...]) -> None:
    rows, shares = region_matrix(side, grids)
    assert rows.shape == (sum(g * g for g in grids), side * side) and rows.dtype == np.float32
    assert shares.shape == (len(rows),) and shares.dtype == np.float32
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(shares.sum(), 1, atol=1e-5)
    start = 0
    for g in grids:
        assert (rows[start : start + g * g].sum(axis=0) > 0).all()  # every grid sees every cell
        np.testing.assert_allclose(shares[start : start + g * g].sum(), 1 / len(grids), atol=1e-5)
        start += g * g


def test_regions_of_a_small_map_by_hand() -> None:
    rows, shares = region_matrix(3, (1, 2))
    np.testing.assert_allclose(rows[0], np.full(9, 1 / 9))
    corner = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]]) / 4
    for row, turned in zip(rows[1:], (corner, corner[:, ::-1], corner[::-1], corner[::-1, ::-1]), strict=True):
        np.testing.assert_allclose(row.reshape(3, 3), turned)
    np.testing.assert_allclose(shares, [1 / 2, 1 / 8, 1 / 8, 1 / 8, 1 / 8])


def test_regions_are_spread_evenly() -> None:
    rows, _ = region_matrix(7, (3,))  # windows of 4, from 0, 1.5 and 3
    starts = [np.argwhere(row.reshape(7, 7))[0].tolist() for row in rows]
    assert starts == [[top, left] for top in (0, 2, 3) for left in (0, 2, 3)]
    assert all((row > 0).sum() == 16 for row in rows)
