"""Text in pictures: lines found and read (``text_lines``), put in reading order (``reading_order``), as one page."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from catalejo.errors import MissingExtra
from catalejo.facts import Fact, Perceived
from catalejo.perceivers.reading_order import blocks
from catalejo.perceivers.text_lines import Line, LineReader
from catalejo.texts import Cue, TextPage

if TYPE_CHECKING:
    from PIL.Image import Image

Paragraph = list[list[Line]]  # rows of lines, each from left to right


class Ocr:
    """Reads the text in pictures, Spanish and English among others; see the module."""

    name = "ocr"
    version = "1"

    def __init__(self) -> None:
        """Raises: MissingExtra: ``rapidocr`` is not installed."""
        if importlib.util.find_spec("rapidocr") is None:
            raise MissingExtra("reading text in pictures", "rapidocr", "ocr")
        self._lines = LineReader()

    def look(self, picture: Image, page: int = 0) -> Perceived:
        """See ``Looker``: a fact of kind ``text`` a line, and a page of text with a cue a line, if there is any."""
        paragraphs = self.paragraphs(picture)
        facts = tuple(
            Fact("text", line.text, round(line.confidence, 4), self.name, page, box=line.box)
            for paragraph in paragraphs
            for row in paragraph
            for line in row
        )
        return Perceived(facts, (text_page(paragraphs, page + 1),) if facts else ())

    def paragraphs(self, picture: Image) -> list[Paragraph]:
        """The lines of a picture in reading order.

        Args:
            picture: RGB, any size; the page in it may stand on its side, on its head, or askew.
        """
        lines = self._lines.read(picture)
        return [[[lines[i] for i in row] for row in block] for block in blocks([line.upright for line in lines])]


def text_page(paragraphs: list[Paragraph], number: int) -> TextPage:
    """Lines as a page: a row a line, an empty line between paragraphs, a cue for each line of the picture."""
    text, cues = "", []
    for paragraph in paragraphs:
        for row in paragraph:
            for line in row:
                cues.append(Cue(len(text), len(text) + len(line.text), box=line.box))
                text += line.text + " "
            text = text[:-1] + "\n"
        text += "\n"
    return TextPage(text.rstrip("\n"), number, cues=tuple(cues))
