"""Pages of text drawn for the tests of what reads them, in the font that catalejo itself draws with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import ttf_opensans
from PIL import Image, ImageDraw, ImageFont

FONT = Path(ttf_opensans.__file__).parent / "ttf" / "OpenSans-Regular.ttf"


def page(lines: Sequence[str], size: int = 24, ink: str = "black", paper: str = "white", wide: int = 0) -> Image.Image:
    """Lines below each other, as wide as the longest or ``wide``."""
    face = ImageFont.truetype(str(FONT), size)
    margin, step = 2 * size, round(size * 1.4)
    width = wide or round(max(face.getlength(line) for line in lines)) + 2 * margin
    drawn = Image.new("RGB", (width, step * len(lines) + 2 * margin), paper)
    pen = ImageDraw.Draw(drawn)
    for number, line in enumerate(lines):
        pen.text((margin, margin + number * step), line, ink, face)
    return drawn


def at(places: Sequence[tuple[int, int, str]], size: tuple[int, int], letters: int = 22) -> Image.Image:
    """Texts where they are put: (left, top, text)."""
    face = ImageFont.truetype(str(FONT), letters)
    drawn = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(drawn)
    for left, top, text in places:
        pen.text((left, top), text, "black", face)
    return drawn
