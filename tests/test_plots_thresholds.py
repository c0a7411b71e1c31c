"""The drawing of thresholds: its lines are the numbers, its words in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from catalejo.plots.thresholds import panel, threshold_chart
from catalejo.plots.wording import Words
from catalejo.thresholds import Calibration, Costs, calibrate

CASES = json.loads((Path(__file__).parent / "fixtures" / "thresholds" / "expected.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def found() -> list[Calibration]:
    return [calibrate(c["name"], np.array(c["scores"]), np.array(c["truths"]), Costs(5, 1)) for c in CASES[:2]]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_panel_a_category(found: list[Calibration], language: str) -> None:
    one, both = threshold_chart(found[:1], language), threshold_chart(found, language)
    assert one.mode == "RGB"
    assert both.width == one.width
    assert both.height > 1.7 * one.height
    assert len(np.unique(np.asarray(one).reshape(-1, 3), axis=0)) > 20  # something is drawn


def test_the_lines_are_the_numbers(found: list[Calibration]) -> None:
    drawn = panel(found[0], Words("es"))
    cost, missed, alarms = drawn.lines
    sweep = found[0].sweep
    assert missed.points[0] == (0.0, 0.0)
    assert alarms.points[0] == (0.0, 1.0)
    assert missed.points[-1] == (1.0, 1.0)
    assert alarms.points[-1] == (1.0, 0.0)
    least = min(value for _, value in cost.points)
    assert least == pytest.approx(found[0].cost / float(sweep.costs(found[0].costs).max()))
    marked = [mark.x for mark in drawn.marks]
    assert marked[0] == found[0].threshold
    assert found[0].costs.threshold in marked


def test_words_of_both_languages() -> None:
    for language, said in (("en", "Which threshold costs least?"), ("es", "¿Qué umbral cuesta menos?")):
        assert Words(language)("thresholds title") == said
