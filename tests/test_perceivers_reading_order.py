"""Reading order: columns, rows, paragraphs. The golden orders are how a person reads these pages."""

from __future__ import annotations

import random

from catalejo.perceivers.reading_order import blocks
from catalejo.texts import Box


def column(left: float, top: float, lines: int, wide: float = 300, step: float = 24) -> list[Box]:
    return [(left, top + n * step, left + wide, top + n * step + 18) for n in range(lines)]


def flat(boxes: list[Box]) -> list[int]:
    return [one for paragraph in blocks(boxes) for row in paragraph for one in row]


def test_nothing_and_one_line() -> None:
    assert blocks([]) == []
    assert blocks([(5, 5, 80, 20)]) == [[(0,)]]


def test_lines_come_from_top_to_bottom_whatever_order_they_were_found_in() -> None:
    boxes = column(10, 10, 8)
    order = list(range(8))
    random.Random(3).shuffle(order)
    found = blocks([boxes[i] for i in order])
    assert [[order[i] for i in row] for row in found[0]] == [[n] for n in range(8)]
    assert len(found) == 1


def test_a_wider_step_begins_a_paragraph() -> None:
    assert blocks(column(10, 10, 3) + column(10, 110, 2)) == [[(0,), (1,), (2,)], [(3,), (4,)]]


def test_double_spacing_is_no_paragraph() -> None:
    assert len(blocks(column(10, 10, 5, step=48))) == 1


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    left, right = column(10, 60, 6), column(340, 67, 7)  # their lines are not level
    assert flat([*left, *right]) == list(range(13))
    assert flat([*right, *left]) == [*range(7, 13), *range(7)]


def test_a_title_across_and_three_columns() -> None:
    title: list[Box] = [(100, 5, 800, 40)]
    columns = [box for left in (10, 340, 670) for box in column(left, 60, 4)]
    assert flat([*title, *columns]) == list(range(13))


def test_what_crosses_the_columns_is_read_between_them() -> None:
    upper = [*column(10, 10, 3), *column(340, 10, 3)]
    across: list[Box] = [(10, 100, 640, 118)]
    lower = [*column(10, 130, 3), *column(340, 130, 3)]
    assert flat([*upper, *across, *lower]) == list(range(13))


def test_a_table_is_read_row_by_row() -> None:
    boxes: list[Box] = []
    for n in range(5):
        boxes += [(10, 30 * n, 150, 30 * n + 18), (400, 30 * n, 450, 30 * n + 18)]
    assert blocks(boxes) == [[(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]]


def test_a_row_that_is_not_quite_level_is_one_row() -> None:
    assert blocks([(10, 10, 100, 30), (120, 15, 300, 35)]) == [[(0, 1)]]


def test_a_thousand_lines_take_no_time_with_the_square_of_them() -> None:
    found = flat([*column(10, 10, 500), *column(340, 10, 500)])
    assert found == list(range(1000))
