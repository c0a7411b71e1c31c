"""Text in pictures: lines found and read (``text_lines``), put in reading order (``reading_order``), as one page."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from catalejo.errors import MissingExtra
from catalejo.facts import Fact, Perceived
from catalejo.perceivers.reading_order import blocks
from catalejo.perceivers.text_lines import Line, LineReader
from catalejo.texts import Box, Cue, TextPage

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
    """Lines as a page: a row a line, an empty line between paragraphs, cues for each line of the picture.

    A word cut at a row's end comes in one piece, its row ending behind it, as from a PDF.

    Example:
        >>> line = lambda text: [Line(text, 1.0, (0, 0, 9, 9), (0, 0, 9, 9))]
        >>> text_page([[line("un cata-"), line("lejo viejo")], [line("y nuevo")]], 1).text
        'un catalejo\\nviejo\\n\\ny nuevo'
    """
    pieces: list[tuple[str, Box, str]] = []  # what it says, where, what follows
    for paragraph in paragraphs:
        for row in paragraph:
            for line in row:
                said = line.text
                if pieces and pieces[-1][2] == "\n" and line is row[0] and _cut(pieces[-1][0], said):
                    before, box, _ = pieces.pop()
                    rest, _, said = said.partition(" ")
                    pieces += [(before[:-1], box, ""), (rest, line.box, "\n")]
                if said:
                    pieces.append((said, line.box, " "))
            pieces[-1] = (*pieces[-1][:2], "\n")
        pieces[-1] = (*pieces[-1][:2], "\n\n")
    text, cues = "", []
    for said, box, end in pieces:
        cues.append(Cue(len(text), len(text) + len(said), box=box))
        text += said + end
    return TextPage(text.rstrip("\n"), number, cues=tuple(cues))


def _cut(before: str, after: str) -> bool:
    """Whether a row ends inside a word: a hyphen behind two letters, a small letter next."""
    return before.endswith("-") and before[-3:-1].isalpha() and len(before) > 2 and after[:1].islower()
