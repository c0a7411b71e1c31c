"""The "¡" from the ink: put where one is drawn, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from drawing import FONT
from PIL import Image, ImageDraw, ImageFont

from catalejo.perceivers.exclamations import restored

pytest.importorskip("cv2", reason="needs the extra ocr: pip install 'catalejo[ocr]'")


def line(text: str, size: int = 26) -> tuple[np.ndarray, list[tuple[str, int]]]:
    """A line, 48 pixels high, and the column of each of its characters as the reader would say it."""
    face = ImageFont.truetype(str(FONT), size)
    drawn = Image.new("L", (round(face.getlength(text)) + 24, 48), 255)
    ImageDraw.Draw(drawn).text((12, 4), text, 0, face)
    places = [(c, 12 + face.getlength(text[:i]) + face.getlength(c) / 2) for i, c in enumerate(text)]
    return np.asarray(drawn), [(c, round(x / 8 - 0.5)) for c, x in places if not c.isspace()]


def read(drawn: str, said: str) -> str:
    """What comes of a line that was drawn so, and read without its "¡" or with another letter for it."""
    pixels, columns = line(drawn)
    if len(said.replace(" ", "")) == len(columns):
        kept = [column for _, column in columns]
    else:
        kept = [column for c, column in columns if c != "¡"]
    return restored(said, kept, pixels)


@pytest.mark.parametrize("text", ["¡Hola!", "Y dijo: ¡vámonos ya!", "¡No! ¡Sí! ¡Quizá!", "«¡Qué día!», pensó"])
def test_one_that_was_passed_over_comes_back(text: str) -> None:
    assert read(text, text.replace("¡", "")) == text


def test_one_that_was_taken_for_an_i_comes_back() -> None:
    assert read("¡Hola, Inés!", "iHola, Inés!") == "¡Hola, Inés!"


@pytest.mark.parametrize(
    "text",
    ["Hola!", "jardín y jirafa", "increíble! inicio", "Íñigo; índice: isla.", "¿Cómo? : ; ! i j", "ijada ij (j)"],
)
def test_nothing_is_added_where_nothing_is_drawn(text: str) -> None:
    assert read(text, text) == text


def test_columns_that_do_not_fit_change_nothing() -> None:
    pixels, _ = line("¡Hola!")
    assert restored("Hola!", [1, 2], pixels) == "Hola!"
    assert restored("", [], pixels) == ""


def test_a_line_without_ink() -> None:
    assert restored("Hola!", [1, 2, 3, 4, 5], np.full((48, 100), 200, np.uint8)) == "Hola!"


def test_white_on_black() -> None:
    pixels, columns = line("¡Hola!")
    assert restored("Hola!", [column for c, column in columns if c != "¡"], 255 - pixels) == "¡Hola!"
