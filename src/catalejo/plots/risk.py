"""Risk against coverage: how wrong an answerer is on the questions it is surest of, the more of them it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from catalejo.plots.canvas import FAINT
from catalejo.plots.lines import HUES, Axis, Line, Mark, Panel, draw_panel

if TYPE_CHECKING:
    from catalejo.selective import Curve

_WIDE, _HIGH = 720, 480
_ALLOWED = 0.1  # the risk at which the coverage is pointed out


def risk_chart(curve: Curve, title: str = "") -> Image.Image:
    """Draw a curve.

    Args:
        curve: of at least one answer.
        title: over it.

    Returns:
        an RGB picture of 720 x 480.
    """
    return draw_panel(panel(curve, title), _WIDE, _HIGH)


def panel(curve: Curve, title: str = "") -> Panel:
    """The curve as lines: by confidence, and in any order, which is what a confidence must beat.

    Raises:
        ValueError: nothing was answered.
    """
    if not curve.answered:
        raise ValueError("nothing was answered, so there is no curve")
    points = tuple(zip(curve.coverage, curve.risk, strict=True))
    first, last = points[0], points[-1]
    top = min(1.0, max(0.1, 1.25 * max(curve.risk)))
    lines = (
        Line("surest answers first", points if len(points) > 1 else (first, first), HUES[0], dots=len(points) <= 12),
        Line("in any order", ((0.0, last[1]), (last[0], last[1])), FAINT, width=2),
    )
    declined = curve.questions - curve.answered
    end = f"{curve.answered:,} of {curve.questions:,} answered: risk {last[1]:.2f}"
    marks = [Mark(last[0], last[1], end, above=True)]
    reached = curve.coverage_at(_ALLOWED)
    if 0 < reached < last[0]:
        at = min(points, key=lambda point: abs(point[0] - reached))
        marks.append(Mark(at[0], at[1], f"risk of {_ALLOWED:.0%}: {reached:.0%} answered", HUES[4]))
    area = f"Area {curve.area:.3f}; {curve.least:.3f} had the confidence put every right answer before every wrong one."
    alike = "All answers have the same confidence, so it says nothing about which are right."
    notes = [area if curve.ranked else alike]
    if declined:
        were = "1 question was declined and is" if declined == 1 else f"{declined:,} questions were declined and are"
        notes.append(f"{were} beyond the end of the line.")
    return Panel(
        title or "Risk against coverage",
        Axis("share of the questions answered", 0.0, 1.0, "{:.0%}".format),
        Axis("share of those answers that is wrong", 0.0, top, "{:.2f}".format),
        lines,
        tuple(marks),
        tuple(notes),
    )
