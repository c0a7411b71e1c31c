"""Risk against coverage. Expected values: torch-uncertainty 0.13.0; see ``fixtures/vqa/reference.py``."""

from __future__ import annotations

from typing import Any

import pytest
from vqa_reference import EXPECTED

from catalejo.selective import risk_coverage


@pytest.mark.parametrize("case", EXPECTED["curves"], ids=lambda case: str(len(case["losses"])))
def test_the_curve_is_the_reference_s(case: dict[str, Any]) -> None:
    found = risk_coverage(case["losses"], case["confidences"])
    n = len(case["losses"])
    assert found.risk == pytest.approx(case["risks"])
    assert found.coverage == pytest.approx([k / n for k in range(1, n + 1)])
    assert found.area == pytest.approx(sum(case["risks"]) / n)
    assert found.coverage_at(0.3) == pytest.approx(case["at_0.3"])
    assert found.least <= found.area and found.ranked and found.answered == n


def test_the_least_area_is_that_of_a_perfect_ranking() -> None:
    found = risk_coverage([1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1])
    perfect = risk_coverage([0, 0, 1, 1], [0.9, 0.8, 0.2, 0.1])
    assert found.least == perfect.area == perfect.least < found.area


def test_equal_confidences_come_in_any_order() -> None:
    one = risk_coverage([1, 0, 0, 1], [0.9, 0.5, 0.5, 0.5])
    other = risk_coverage([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.9])
    assert one.risk == other.risk == pytest.approx((1, 2 / 3, 5 / 9, 1 / 2))


def test_declined_questions_lie_beyond_the_end() -> None:
    found = risk_coverage([0, None, 1, None], [0.9, 0.95, 0.4, None])
    assert (found.coverage, found.risk) == ((0.25, 0.5), (0.0, 0.5))
    assert (found.answered, found.questions) == (2, 4)
    assert found.coverage_at(0.1) == 0.25 and found.coverage_at(0.5) == 0.5


def test_answers_without_a_confidence_come_last() -> None:
    found = risk_coverage([1, 0], [None, 0.1])
    assert found.risk == (0.0, 0.5)
    flat = risk_coverage([1, 0, 1, 0], [None] * 4)
    assert flat.risk == (0.5,) * 4 and not flat.ranked


def test_where_everything_is_declined_nothing_is_risked() -> None:
    found = risk_coverage([None, None], [None, 0.3])
    assert (found.coverage, found.risk, found.area, found.answered) == ((), (), 0.0, 0)
    assert found.coverage_at(1.0) == 0.0


@pytest.mark.parametrize(("losses", "sure"), [([], []), ([1], []), ([0, 1], [0.5])])
def test_what_has_no_curve(losses: list[float], sure: list[float]) -> None:
    with pytest.raises(ValueError, match="have no curve"):
        risk_coverage(losses, sure)
