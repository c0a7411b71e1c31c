"""What each threshold costs, and what it gets wrong: a panel a category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from catalejo.plots.canvas import FAINT, INK, MARK, PAPER, fit, font
from catalejo.plots.lines import HUES, Axis, Line, Mark, Panel, Point, draw_panel
from catalejo.plots.wording import Words

if TYPE_CHECKING:
    from catalejo.thresholds import Calibration

_WIDE, _HIGH, _MARGIN, _HEAD = 760, 440, 24, 84
_MOST_POINTS = 400


def threshold_chart(found: Sequence[Calibration], language: str = "en") -> Image.Image:
    """Draw calibrations, one below the other.

    Args:
        found: at least one.
        language: ``en`` or ``es``, of what is written.

    Returns:
        an RGB picture.
    """
    words = Words(language)
    sheet = Image.new("RGB", (_WIDE + 2 * _MARGIN, _HEAD + (_HIGH + _MARGIN) * len(found)), PAPER)
    draw, face, small = ImageDraw.Draw(sheet), font("SemiBold", 22), font("Regular", 14)
    draw.text((_MARGIN, 14), fit(draw, words("thresholds title"), face, _WIDE), INK, face)
    costs = found[0].costs
    told = words("thresholds told", miss=words.number(costs.miss), false=words.number(costs.false_alarm))
    draw.text((_MARGIN, 48), fit(draw, told, small, _WIDE), FAINT, small)
    for number, one in enumerate(found):
        place = (_MARGIN, _HEAD + number * (_HIGH + _MARGIN))
        sheet.paste(draw_panel(panel(one, words), _WIDE, _HIGH), place)
    return sheet


def panel(found: Calibration, words: Words) -> Panel:
    """One category's chart: the cost over the threshold, as a share of the dearest, and the shares that go wrong."""
    sweep = found.sweep
    costs = sweep.costs(found.costs)
    top = max(float(costs.max()), 1e-12)
    lines = (
        Line(words("cost"), _steps(sweep.thresholds.tolist(), (costs / top).tolist()), INK, width=3),
        Line(
            words("missed"),
            _steps(sweep.thresholds.tolist(), (sweep.misses / sweep.positives).tolist()),
            HUES[4],
            width=2,
        ),
        Line(
            words("false alarms"),
            _steps(sweep.thresholds.tolist(), (sweep.false_alarms / sweep.negatives).tolist()),
            HUES[0],
            width=2,
        ),
    )
    marks = [
        Mark(min(found.threshold, 1.0), None, words("chosen", value=_digits(found.threshold, words)), MARK, above=True)
    ]
    if abs(found.costs.threshold - found.threshold) > 0.02:
        at = _digits(found.costs.threshold, words)
        marks.append(Mark(found.costs.threshold, None, words("if probabilities", value=at), FAINT, above=True))
    return Panel(
        words(
            "category",
            what=found.category,
            positives=words.number(found.positives),
            negatives=words.number(found.negatives),
        ),
        Axis(words("threshold"), 0.0, 1.0, lambda value: _digits(value, words, 1)),
        Axis(words("cost and shares"), 0.0, 1.05, lambda value: words.share(min(value, 1.0))),
        lines,
        tuple(marks),
        (_note(found, words),),
    )


def _note(found: Calibration, words: Words) -> str:
    return words(
        "threshold note",
        misses=words.number(found.misses),
        false=words.number(found.false_alarms),
        auc=_digits(found.auc, words, 3),
        low=_digits(found.low, words),
        high=_digits(found.high, words),
    )


def _steps(thresholds: Sequence[float], values: Sequence[float]) -> tuple[Point, ...]:
    """A staircase: what is wrong changes at the scores, which lie between the thresholds."""
    points: list[Point] = []
    for n, (at, value) in enumerate(zip(thresholds, values, strict=True)):
        start = 0.0 if n == 0 else (thresholds[n - 1] + at) / 2
        end = 1.0 if n + 1 == len(thresholds) else (at + thresholds[n + 1]) / 2
        points += [(min(start, 1.0), value), (min(end, 1.0), value)]
    thin = max(1, len(points) // _MOST_POINTS)
    return tuple(points[::thin]) if thin > 1 else tuple(points)


def _digits(value: float, words: Words, digits: int = 2) -> str:
    text = f"{value:.{digits}f}"
    return text if words("decimal") == "." else text.replace(".", ",")
