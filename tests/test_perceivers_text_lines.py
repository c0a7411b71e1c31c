"""Lines of text in pictures: which way the page stands, what is read, where it is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from drawing import at, page
from PIL import Image

from catalejo.perceivers.text_lines import Line, LineReader, is_text, lean
from catalejo.texts import Box

pytest.importorskip("rapidocr", reason="needs the extra ocr: pip install 'catalejo[ocr]'")

LINES = ["El niño comió piña en Logroño.", "¿Dónde está la cigüeña? ¡Aquí!"]


@pytest.fixture(scope="module")
def reader() -> Iterator[LineReader]:
    yield LineReader()


def said(lines: list[Line]) -> list[str]:
    """Their texts, from top to bottom of the page turned upright."""
    return [line.text for line in sorted(lines, key=lambda line: line.upright[1])]


def overlap(a: Box, b: Box) -> float:
    """The area two boxes share, over that of both together."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0) * max(high, 0)
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - shared)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 7, -20, 45, 100])
def test_spanish_whichever_way_the_page_stands(reader: LineReader, degrees: int) -> None:
    turned = page(LINES, 28).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    lines = reader.read(turned)
    assert said(lines) == LINES
    assert all(line.confidence > 0.9 for line in lines)


def test_boxes_are_where_the_text_is(reader: LineReader) -> None:
    drawn = at([(40, 30, "Arriba a la izquierda"), (500, 300, "Abajo")], (700, 400))
    boxes = {line.text: line.box for line in reader.read(drawn)}
    assert overlap(boxes["Arriba a la izquierda"], (40, 36, 252, 58)) > 0.5
    assert overlap(boxes["Abajo"], (500, 306, 562, 328)) > 0.4
    turned = {line.text: line.box for line in reader.read(drawn.transpose(Image.Transpose.ROTATE_90))}
    assert overlap(turned["Arriba a la izquierda"], (36, 448, 58, 660)) > 0.5


def test_white_on_dark_and_faint(reader: LineReader) -> None:
    assert said(reader.read(page(LINES, ink="white", paper="navy"))) == LINES
    assert said(reader.read(page(LINES, ink="#aaaaaa"))) == LINES


def test_small_letters_alone_on_a_large_sheet(reader: LineReader) -> None:
    assert said(reader.read(at([(1200, 400, "Página 14 de 20")], (4000, 1000), 14))) == ["Página 14 de 20"]


def test_a_long_strip(reader: LineReader) -> None:
    words = "una frase larga que no acaba nunca y sigue, y sigue, y sigue más allá " * 3
    (found,) = said(reader.read(page([words.strip()], 20)))
    assert found == words.strip()


def test_nothing_is_read_where_nothing_is_written(reader: LineReader) -> None:
    for size in ((1, 1), (1, 900), (900, 1), (300, 300)):
        assert reader.read(Image.new("RGB", size, "white")) == []


def test_several_threads_at_once(reader: LineReader) -> None:
    pages = [page([word], 30) for word in ("uno", "dos", "tres", "cuatro")]
    with ThreadPoolExecutor(4) as pool:
        assert [said(lines) for lines in pool.map(reader.read, pages)] == [["uno"], ["dos"], ["tres"], ["cuatro"]]


def test_it_says_nothing(reader: LineReader, capfd: pytest.CaptureFixture[str]) -> None:
    LineReader().read(page(["Silencio"]))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "confidence", "side", "expected"),
    [
        ("Silk", 0.99, 480, True),
        ("7", 0.95, 60, True),
        ("7", 0.85, 60, False),  # a lone character has to be sure
        ("0", 0.99, 200, False),  # large and round: a cat's eye
        ("N7", 0.99, 60, True),
        ("福", 0.99, 60, False),
        ("出口", 0.99, 60, True),
        ("texto", 0.55, 60, False),
        ("", 1.0, 60, False),
    ],
)
def test_shapes_are_no_letters(text: str, confidence: float, side: float, expected: bool) -> None:
    box = (0.0, 0.0, side, side)
    assert is_text(Line(text, confidence, box, box), (640, 480)) is expected


def quads(*directions: float) -> np.ndarray:
    """Boxes of 100 x 10 whose lines run so many degrees downwards."""
    made = []
    for degrees in directions:
        angle = np.radians(degrees)
        along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        made.append([along * x * 50 + down * y * 5 for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    return np.array(made, np.float32)


@pytest.mark.parametrize("degrees", [0, 5, -30, 44, 60, -85, 89])
def test_how_far_lines_lean(degrees: float) -> None:
    assert lean(quads(degrees, degrees + 0.5, degrees - 0.5)) == pytest.approx(degrees, abs=0.1)


def test_one_line_that_goes_its_own_way_changes_little() -> None:
    assert lean(quads(3, 3, 3, 3, 90)) == pytest.approx(3, abs=0.1)


def test_no_lines_lean_as_said() -> None:
    assert lean(np.empty((0, 4, 2), np.float32), 12.0) == 12.0
    square = np.array([[[0, 0], [10, 0], [10, 10], [0, 10]]], np.float32)
    assert lean(square, 12.0) == 12.0
