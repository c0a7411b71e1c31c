"""Where chance begins, on scores whose distribution is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from catalejo.chance import OWN_WEIGHT, Chance, _left

Array = npt.NDArray[np.float32]
WIDTH = 64


def directions(n: int, seed: int, lean: float = 0.0) -> Array:
    """Unit vectors in all directions; ``lean`` draws them to one side, as real ones are."""
    random = np.random.default_rng(seed).normal(size=(n, WIDTH))
    random[:, 0] += lean * np.sqrt(WIDTH)
    return np.asarray(random / np.linalg.norm(random, axis=1, keepdims=True), np.float32)


def test_left_deviation_by_hand() -> None:
    middle, spread = _left(np.array([[1.0, 2.0, 3.0, 4.0, 50.0], [0.0, 0.0, 0.0, 0.0, 0.0]], np.float32))
    assert middle.tolist() == [[3.0], [0.0]]
    assert spread[0, 0] == pytest.approx(np.sqrt((2**2 + 1**2) / 2))
    assert 0 < spread[1, 0] <= 1e-6  # never zero: it divides


def test_left_deviation_ignores_hits() -> None:
    scores = np.random.default_rng(0).normal(size=(1, 1001)).astype(np.float32)
    raised = np.where(scores > 2, scores + 100, scores)
    for before, after in zip(_left(scores), _left(raised), strict=True):
        assert before == pytest.approx(after)
    assert _left(scores)[1][0, 0] == pytest.approx(1, abs=0.1)


def test_one_unrelated_picture_in_a_hundred_passes() -> None:
    items, texts = directions(600, 1), directions(300, 2)
    chance = Chance(items, texts, 600)
    passed = [float((items @ query > chance.line(query)).mean()) for query in directions(200, 3)]
    assert np.mean(passed) == pytest.approx(0.01, abs=0.004)


def test_a_true_match_passes() -> None:
    items = directions(600, 1)
    chance = Chance(items, directions(300, 2), 600)
    for item in items[:20]:
        assert chance.line(item) < 0.9
        assert (items @ item > chance.line(item)).sum() <= 20


def test_large_catalogs_ask_for_more() -> None:
    items, texts, query = directions(600, 1), directions(300, 2), directions(1, 3)[0]
    lines = [Chance(items, texts, n).line(query) for n in (1, 600, 1_000, 3_000, 5_000, 1_000_000)]
    assert lines == sorted(lines)
    assert lines[0] == lines[1] == lines[2]  # one in a hundred, up to a thousand items
    assert lines[2] < lines[3] < lines[4] == lines[5]  # ten pictures, but never under one in five hundred


def test_a_query_that_scores_high_everywhere_is_asked_for_more() -> None:
    items = directions(600, 1, lean=0.5)
    chance = Chance(items, directions(300, 2), 600)
    common, rare = items.mean(axis=0), directions(1, 9)[0]
    assert chance.line((common / np.linalg.norm(common)).astype(np.float32)) > chance.line(rare) + 0.05


def test_few_items_are_judged_by_all_queries_alone() -> None:
    items = directions(29, 1)
    chance = Chance(items, directions(300, 2), 29)
    assert len({round(chance.line(query), 6) for query in directions(10, 3)}) == 1
    judged_twice = Chance(directions(30, 1), directions(300, 2), 30)
    assert len({round(judged_twice.line(query), 6) for query in directions(10, 3)}) == 10


def test_the_line_by_hand() -> None:
    items, texts, query = directions(50, 4), directions(40, 5), directions(1, 6)[0]
    scores = (texts @ items.T).astype(np.float64)
    middle = np.median(scores, axis=1, keepdims=True)
    left = np.array([np.sqrt(np.mean((row[row < m] - m) ** 2)) for row, m in zip(scores, middle, strict=True)])
    x = (scores - scores.mean()) / scores.std() + OWN_WEIGHT * (scores - middle) / left[:, None]
    own = (items @ query).astype(np.float64)
    own_left = np.sqrt(np.mean((own[own < np.median(own)] - np.median(own)) ** 2))
    line = Chance(items, texts, 50).line(query)
    reached = (line - scores.mean()) / scores.std() + OWN_WEIGHT * (line - np.median(own)) / own_left
    assert reached == pytest.approx(float(np.quantile(x, 0.99)), abs=1e-3)


@pytest.mark.parametrize("n", [1, 2, 31])
def test_items_that_are_all_the_same_have_a_line(n: int) -> None:
    items = np.repeat(directions(1, 1), n, axis=0)
    line = Chance(items, directions(1, 2), n).line(directions(1, 3)[0])
    assert np.isfinite(line)
