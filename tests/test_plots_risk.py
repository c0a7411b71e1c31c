"""The picture of risk against coverage."""

from __future__ import annotations

import pytest

from catalejo.plots.risk import panel, risk_chart
from catalejo.selective import risk_coverage


def test_the_lines_are_the_curve_and_the_risk_of_any_order() -> None:
    curve = risk_coverage([0, 0, 1, None, 1, 0], [0.9, 0.8, 0.7, None, 0.6, 0.5])
    made = panel(curve, "questions.csv")
    by_confidence, any_order = made.lines
    assert by_confidence.points == tuple(zip(curve.coverage, curve.risk, strict=True))
    assert any_order.points == ((0.0, 0.4), (5 / 6, 0.4))
    words = [mark.words for mark in made.marks]
    assert words == ["5 of 6 answered: risk 0.40", "risk of 10%: 33% answered"]
    assert made.marks[1].x == pytest.approx(1 / 3) and made.marks[1].y == 0.0
    assert any("1 questions were declined" in note for note in made.notes) is False  # one is one
    assert any("1 question was declined" in note for note in made.notes)
    assert made.title == "questions.csv"


def test_equal_confidences_are_said_to_say_nothing() -> None:
    made = panel(risk_coverage([1, 0], [None, None]))
    assert any("same confidence" in note for note in made.notes)


def test_it_is_drawn_where_it_is_said_to_be() -> None:
    few = risk_chart(risk_coverage([1, 1, 1], [0.9, 0.8, 0.7]))
    assert few.size == (720, 480)
    line = (23, 110, 130)
    assert line in {few.getpixel((x, y)) for x in range(280, 660, 5) for y in range(70, 200)}  # high: all wrong
    good = risk_chart(risk_coverage([0, 0, 0], [0.9, 0.8, 0.7]))
    assert line not in {good.getpixel((x, y)) for x in range(280, 660, 5) for y in range(70, 200)}
    assert risk_chart(risk_coverage([0], [0.4])).size == (720, 480)


def test_nothing_answered_is_no_curve() -> None:
    with pytest.raises(ValueError, match="nothing was answered"):
        panel(risk_coverage([None], [None]))
