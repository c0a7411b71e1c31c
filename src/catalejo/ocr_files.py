"""Pictures, scans and PDFs -> the text that can be seen in them, file by file, without a catalog."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from catalejo import files, plugins
from catalejo.errors import CannotRead
from catalejo.facts import Fact, Perceived
from catalejo.records import Limits
from catalejo.texts import TextPage

if TYPE_CHECKING:
    from PIL.Image import Image

    from catalejo.perceivers import Looker

_ALL_PIXELS = 10**9  # no picture is reduced: small letters would go first


@dataclass(frozen=True)
class PageRead:
    """What could be read on one page of a file.

    Attributes:
        path: of the file.
        page: in it, from 0.
        by: ``ocr``, or ``file`` for text that the page has of its own.
        width_px, height_px: of the picture that boxes are in: the picture itself, or the page as it was drawn; 0 for
            text of its own.
        text: of the page; empty where there is none.
        lines: facts of kind ``text``, each with its box; empty for text of its own.
    """

    path: str
    page: int
    by: str
    width_px: int
    height_px: int
    text: TextPage
    lines: tuple[Fact, ...] = ()


class OcrFiles:
    """Reads the text in files.

    Args:
        limits: what readers refuse.
        everything: whether PDF pages that have text of their own are looked at too.

    Raises:
        MissingExtra: what reads text in pictures is not installed.
    """

    def __init__(self, limits: Limits | None = None, everything: bool = False) -> None:
        self._limits, self._everything = limits or Limits(), everything
        self._looker: Looker = plugins.load("perceivers", "ocr")()

    def read(self, path: str | os.PathLike[str]) -> Iterator[PageRead]:
        """The pages of one file, in order, each read when it is asked for.

        Args:
            path: of a picture, a TIFF of several pages, or a PDF.

        Raises:
            CannotRead, OverLimit: with the reason, maybe after some pages.
        """
        path = os.fspath(path)
        suffix = os.path.splitext(path)[1]
        with files.opened(path, self._limits) as file:
            if plugins.document_for(suffix) == "pdf":
                yield from self._pdf(file, path)
            elif plugins.reader_for(suffix) == "image":
                yield from self._pictures(file, path)
            else:
                raise CannotRead(path, f"neither a picture nor a PDF, by its name: it ends in {suffix or 'nothing'}")

    def _pictures(self, file: BinaryIO, path: str) -> Iterator[PageRead]:
        reader = plugins.load("readers", "image")()
        for page in reader.read(file, path, self._limits, _ALL_PIXELS):
            yield self._read(path, page.page, page.picture)

    def _pdf(self, file: BinaryIO, path: str) -> Iterator[PageRead]:
        from catalejo.readers.pdf import PdfReader, drawn

        pages = list(PdfReader().read(file, path, self._limits))
        wanted = [page.number - 1 for page in pages if page.needs_ocr or self._everything]
        file.seek(0)
        pictures = drawn(file, path, self._limits, wanted)
        for page in pages:
            if page.number - 1 in wanted:
                number, picture = next(pictures)
                yield self._read(path, number, picture)
            else:
                yield PageRead(path, page.number - 1, "file", 0, 0, page)

    def _read(self, path: str, page: int, picture: Image) -> PageRead:
        found: Perceived = self._looker.look(picture, page)
        text = found.pages[0] if found.pages else TextPage("", page + 1)
        return PageRead(path, page, "ocr", picture.width, picture.height, text, found.facts)
