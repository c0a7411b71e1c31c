"""In which order the lines of a page are read: columns, rows, paragraphs. Geometry alone; nothing is imported.

All boxes here are upright: the page has been turned so that its lines run from left to right.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from catalejo.texts import Box, around

_SAME_ROW = 0.5  # of the lower of two boxes, shared in height: they stand in one row
_PROSE = 6.0  # times its height, a line in a column of text is wide; less is a table's cell
_PARAGRAPH = 1.4  # times the usual step from row to row
_GUTTER = 0.6  # times a line's height, at least, between two columns


@dataclass(frozen=True)
class Row:
    """Boxes side by side, as numbers into the boxes that were given, from left to right."""

    members: tuple[int, ...]
    box: Box


def blocks(boxes: Sequence[Box]) -> list[list[tuple[int, ...]]]:
    """The boxes in reading order.

    Columns of prose are read one after the other, between what crosses them; what stands side by side
    and is no prose (a table, a receipt, a form) is read row by row.

    Args:
        boxes: (left, top, right, bottom) of each line, upright.

    Returns:
        Paragraphs, each a list of rows, each the numbers of its boxes from left to right.

    Example:
        >>> blocks([(0, 0, 90, 10), (0, 12, 80, 22), (0, 50, 70, 60)])
        [[(0,), (1,)], [(2,)]]
    """
    return _paragraphs(_columns(_rows(list(range(len(boxes))), boxes), boxes))


def _rows(members: Sequence[int], boxes: Sequence[Box]) -> list[Row]:
    """From top to bottom. A box joins the row whose boxes it overlaps in height, and none of them in width."""
    rows: list[list[int]] = []
    for one in sorted(members, key=lambda i: (boxes[i][1] + boxes[i][3], boxes[i][0])):
        for row in reversed(rows[-3:]):
            if all(_beside(boxes[one], boxes[other]) for other in row):
                row.append(one)
                break
        else:
            rows.append([one])
    found = []
    for row in rows:
        box = around(boxes[i] for i in row)
        assert box is not None
        found.append(Row(tuple(sorted(row, key=lambda i: boxes[i][0])), box))
    return found


def _beside(a: Box, b: Box) -> bool:
    shared = min(a[3], b[3]) - max(a[1], b[1])
    lower = min(a[3] - a[1], b[3] - b[1])
    apart = min(a[2], b[2]) - max(a[0], b[0])
    return shared > _SAME_ROW * lower and apart < 0.5 * lower


def _columns(rows: list[Row], boxes: Sequence[Box]) -> list[list[Row]]:
    """Runs of rows to be read one after the other: each a column, or what stands between columns."""
    found: list[list[Row]] = []
    plain: list[Row] = []
    at = 0
    while at < len(rows):
        run = _side_by_side(rows, at, boxes)
        if run is None:
            plain.append(rows[at])
            at += 1
            continue
        end, gutter = run
        if plain:
            found.append(plain)
            plain = []
        members = [i for row in rows[at:end] for i in row.members]
        for side in (
            [i for i in members if _centre(boxes[i]) < gutter],
            [i for i in members if _centre(boxes[i]) >= gutter],
        ):
            found += _columns(_rows(side, boxes), boxes)
        at = end
    return [*found, plain] if plain else found


def _side_by_side(rows: Sequence[Row], start: int, boxes: Sequence[Box]) -> tuple[int, float] | None:
    """Where a run of rows with one gutter through all of them ends, and the gutter; None where there is none."""
    best: tuple[int, float] | None = None
    for low, high in _gaps(rows[start], boxes):
        end = start + 1
        while end < len(rows):
            shared = [(max(low, a), min(high, b)) for a, b in _gaps(rows[end], boxes)]
            widest = max(shared, key=lambda gap: gap[1] - gap[0])
            if widest[1] - widest[0] < _GUTTER * _height(rows[end], boxes):
                break
            low, high = widest
            end += 1
        members = [i for row in rows[start:end] for i in row.members]
        gutter = (low + high) / 2 if abs(low) + abs(high) < float("inf") else None
        if gutter is None or not _is_prose([i for i in members if _centre(boxes[i]) < gutter], boxes):
            continue
        if _is_prose([i for i in members if _centre(boxes[i]) >= gutter], boxes) and (best is None or end > best[0]):
            best = end, gutter
    return best


def _gaps(row: Row, boxes: Sequence[Box]) -> list[tuple[float, float]]:
    """Where nothing of a row stands: left of it, between its boxes, right of it."""
    edges = [-float("inf"), *(x for i in row.members for x in (boxes[i][0], boxes[i][2])), float("inf")]
    return [(edges[i], edges[i + 1]) for i in range(0, len(edges), 2)]


def _is_prose(members: Sequence[int], boxes: Sequence[Box]) -> bool:
    if len(members) < 2:
        return False
    shapes = [(boxes[i][2] - boxes[i][0]) / max(boxes[i][3] - boxes[i][1], 1.0) for i in members]
    return statistics.median(shapes) >= _PROSE


def _centre(box: Box) -> float:
    return (box[0] + box[2]) / 2


def _height(row: Row, boxes: Sequence[Box]) -> float:
    return statistics.median(boxes[i][3] - boxes[i][1] for i in row.members)


def _paragraphs(runs: Sequence[Sequence[Row]]) -> list[list[tuple[int, ...]]]:
    """Cut where the step from row to row is wider than usual in the run."""
    found: list[list[tuple[int, ...]]] = []
    for run in runs:
        middles = [(row.box[1] + row.box[3]) / 2 for row in run]
        steps = [b - a for a, b in pairwise(middles)]
        usual = statistics.median_low(steps) if steps else 0.0
        paragraph = [run[0].members]
        for row, step in zip(run[1:], steps, strict=True):
            high = row.box[3] - row.box[1]
            if step > _PARAGRAPH * max(usual, high):
                found.append(paragraph)
                paragraph = []
            paragraph.append(row.members)
        found.append(paragraph)
    return found
