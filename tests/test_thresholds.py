"""Thresholds from costs, against scikit-learn 1.9.1 (tests/fixtures/thresholds/make.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalejo.errors import BadLabels, BadQuery
from catalejo.thresholds import Costs, auc, auc_error, average_precision, calibrate, cheapest, sweep

CASES = json.loads((Path(__file__).parent / "fixtures" / "thresholds" / "expected.json").read_text("utf-8"))


@pytest.fixture(params=CASES, ids=[case["name"] for case in CASES])
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    known: dict[str, Any] = dict(request.param)
    return known | {"scores": np.array(known["scores"]), "truths": np.array(known["truths"])}


def test_areas_are_those_of_scikit_learn(case: dict[str, Any]) -> None:
    assert auc(case["scores"], case["truths"]) == pytest.approx(case["auc"], abs=1e-12)
    assert average_precision(case["scores"], case["truths"]) == pytest.approx(case["average_precision"], abs=1e-12)


def test_the_threshold_costs_no_more_than_any_other(case: dict[str, Any]) -> None:
    scores, truths = case["scores"], case["truths"]
    for miss, false_alarm, least in case["least_costs"]:
        found = calibrate("x", scores, truths, Costs(miss, false_alarm))
        flagged = scores >= found.threshold
        assert found.cost == pytest.approx(least, abs=1e-12)
        assert found.misses == (truths & ~flagged).sum()
        assert found.false_alarms == (~truths & flagged).sum()
        assert found.cost <= min(found.cost_of_all, found.cost_of_none)


def test_a_sweep_counts_what_each_threshold_gets_wrong(case: dict[str, Any]) -> None:
    found = sweep(case["scores"], case["truths"])
    assert (np.diff(found.thresholds) > 0).all()
    for threshold, misses, false_alarms in zip(found.thresholds, found.misses, found.false_alarms, strict=True):
        flagged = case["scores"] >= threshold
        assert (misses, false_alarms) == ((case["truths"] & ~flagged).sum(), (~case["truths"] & flagged).sum())
    assert found.misses[0] == found.false_alarms[-1] == 0


def test_dearer_misses_lower_the_threshold() -> None:
    scores, truths = np.array(CASES[0]["scores"]), np.array(CASES[0]["truths"])
    chosen = [cheapest(sweep(scores, truths), Costs(miss, 1.0)) for miss in (0.1, 1.0, 10.0)]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[0] > chosen[-1]


def test_between_kinds_that_lie_apart_the_threshold_is_in_the_middle() -> None:
    found = calibrate("x", np.array([0.1, 0.2, 0.8, 0.9] * 5), np.array([False, False, True, True] * 5), Costs())
    assert found.threshold == pytest.approx(0.5)
    assert found.cost == found.expected_cost == 0
    assert found.helps


def test_a_score_that_knows_nothing_does_not_help() -> None:
    rng = np.random.default_rng(3)
    found = calibrate("x", rng.random(200), rng.random(200) < 0.5, Costs())
    assert not found.helps
    assert found.low < found.high


def test_on_pictures_it_was_not_chosen_on_it_costs_more() -> None:
    scores, truths = np.array(CASES[0]["scores"]), np.array(CASES[0]["truths"])
    found = calibrate("x", scores, truths, Costs(3.0, 1.0))
    assert found.expected_cost is not None
    assert found.cost < found.expected_cost < 2 * found.cost
    assert calibrate("x", scores, truths, Costs(3.0, 1.0)).expected_cost == found.expected_cost


def test_too_few_of_a_kind_have_no_expected_cost() -> None:
    found = calibrate("x", np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, False, False, True]), Costs())
    assert found.expected_cost is None


def test_scores_of_exactly_one_can_be_left_alone() -> None:
    found = sweep(np.array([1.0, 1.0, 0.0]), np.array([False, False, True]))
    assert found.thresholds[-1] > 1
    assert found.false_alarms[-1] == 0


@pytest.mark.parametrize("truth", [True, False])
def test_pictures_of_one_kind_are_refused(truth: bool) -> None:
    with pytest.raises(BadLabels, match="both kinds"):
        calibrate("weapons", np.array([0.2, 0.4]), np.array([truth, truth]), Costs())


@pytest.mark.parametrize("costs", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_costs_that_make_no_sense_are_refused(costs: tuple[float, float]) -> None:
    with pytest.raises(BadQuery, match="--cost-"):
        Costs(*costs)


def test_probabilities_need_no_data() -> None:
    assert Costs(9.0, 1.0).threshold == pytest.approx(0.1)  # Elkan 2001, equation 2
    assert Costs().threshold == 0.5


def test_the_error_of_an_area_is_about_what_resampling_gives() -> None:
    scores, truths = np.array(CASES[0]["scores"]), np.array(CASES[0]["truths"])
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(400):
        drawn = rng.integers(len(scores), size=len(scores))
        areas.append(auc(scores[drawn], truths[drawn]))
    said = auc_error(scores, truths)
    assert said == pytest.approx(float(np.std(areas)), rel=0.1)
