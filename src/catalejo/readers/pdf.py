"""PDF, by PDFium (BSD-3-Clause), page by page; no more than one page is held at a time."""

from __future__ import annotations

import ctypes
import re
import statistics
import threading
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, BinaryIO

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from catalejo import files
from catalejo.errors import CannotRead
from catalejo.readers import pdf_streams
from catalejo.readers.characters import tidy
from catalejo.readers.guarding import guarded, one_line, too_many_pages
from catalejo.records import Limits
from catalejo.texts import TextPage

_pdfium = threading.RLock()  # PDFium is not made for several threads, whatever document each works on
_HYPHENS = "\x02\ufffe"  # how PDFium writes a hyphen at the end of a line, the line's end taken out
_LINE_END = re.compile(f"(\r\n|[{_HYPHENS}])")
_CUT = re.compile(rf"(\S{{0,60}})[{_HYPHENS}](\S{{0,60}})( |\n|$|(?=\S))")
# A page is unreadable where most of its letters have no character: fonts made for one document often say
# only which shape they draw, and PDFium then gives nothing, controls, or characters for private use.
_MEANT = re.compile(r"[^\W_]")
_MEANT_NOTHING = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff\x00\x01\x03-\x08\x0e-\x1f\x7f-\x9f]")
DPI = 200  # of a page drawn: a letter of 8 points is 22 pixels high, of which OCR needs half
_LONGEST_PX = 5000  # of a page drawn; posters come with fewer dots an inch
_PARAGRAPH = 1.4  # times the usual step from line to line; double spacing is a step of its own
_JUNK_TITLE = re.compile(
    r"^(?:microsoft \w+ - |untitled|sin título|documento?\s*\d*$|.*\.(?:docx?|pdf|indd|qxd|tex|dvi)$)", re.I
)
_SIDE_PX = 100  # of a page drawn to see whether it shows anything
_SHOWN = {raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING}
_REASONS = {
    raw.FPDF_ERR_PASSWORD: "an encrypted PDF: save it without a password",
    raw.FPDF_ERR_SECURITY: "an encrypted PDF, in a way we cannot open: save it without a password",
    raw.FPDF_ERR_FORMAT: "damaged PDF (no pages can be found in it)",
}


class PdfReader:
    """Reads the text of each page in the order it was written, words cut at a line's end put together.

    Lines are kept; a wider gap becomes an empty line. A page that shows something and has no text, or none
    that can be read, ``needs_ocr``.
    """

    def read(self, file: BinaryIO, path: str, limits: Limits) -> Iterator[TextPage]:
        """See ``DocumentReader``."""
        return guarded(_pages(file, path, limits), path, limits, "PDF")


def render(path: str, page: int, limits: Limits | None = None) -> Image.Image:
    """One page of a PDF as a picture; of several, ``drawn`` opens the file once.

    Args:
        path: of the file.
        page: from 0.
        limits: what to refuse.

    Returns:
        See ``drawn``.

    Raises:
        CannotRead, OverLimit: see ``drawn``.
    """
    limits = limits or Limits()
    with files.opened(path, limits) as file:
        return next(drawn(file, path, limits, [page]))[1]


def drawn(
    file: BinaryIO, path: str, limits: Limits, pages: Iterable[int] | None = None
) -> Iterator[tuple[int, Image.Image]]:
    """Pages of a PDF as pictures, for what reads or looks at them; each is drawn when it is asked for.

    Args:
        file: open for reading, at its start.
        path: for messages.
        limits: what to refuse; a page of any size is drawn, within ``max_megapixels``.
        pages: which, from 0, in this order; None: all.

    Yields:
        A page's number, from 0, and its picture: RGB, upright as it is shown, ``DPI`` dots an inch, or as many as
        keep its longer side within 5,000 pixels. What is found in it has boxes in these pixels.

    Raises:
        CannotRead: damaged, encrypted, or no such page.
        OverLimit: a part of it unpacks to too much.
    """
    with one_line(path, "PDF"):
        document = _opened(file, path, limits)
        try:
            with _pdfium:
                count = len(document)
            for number in range(count) if pages is None else pages:
                if not 0 <= number < count:
                    raise CannotRead(path, f"it has no page {number + 1}, but {count} in all")
                with _pdfium:
                    picture = _picture(document, number, path, limits)
                yield number, picture
        finally:
            with _pdfium:
                document.close()


def _picture(document: Any, number: int, path: str, limits: Limits) -> Image.Image:
    page = _page_of(document, number + 1, path)
    try:
        wide, high = (max(side, 1.0) for side in page.get_size())  # points, 1/72 inch
        most = (limits.max_megapixels * 1e6 / (wide * high)) ** 0.5
        bitmap = page.render(scale=min(DPI / 72, _LONGEST_PX / max(wide, high), most))
        try:
            picture: Image.Image = bitmap.to_pil().convert("RGB")
            return picture.copy()  # the pixels that PDFium gave go with its page
        finally:
            bitmap.close()
    finally:
        page.close()


def _pages(file: BinaryIO, path: str, limits: Limits) -> Iterator[TextPage]:
    document = _opened(file, path, limits)
    try:
        with _pdfium:
            count = len(document)
            title = _title(document)
        if count > limits.max_document_pages:
            raise too_many_pages(path, limits)
        for number in range(1, count + 1):
            with _pdfium:
                page = _page(document, number, title, path)
            yield page
    finally:
        with _pdfium:
            document.close()


def _opened(file: BinaryIO, path: str, limits: Limits) -> Any:
    head = file.read(1024)
    file.seek(0)
    if not head:
        raise CannotRead(path, "empty file")
    if b"%PDF-" not in head:
        raise CannotRead(path, "no PDF, whatever its name says")
    pdf_streams.check(file, path, limits)
    try:
        with _pdfium:
            return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        raise CannotRead(path, _REASONS.get(error.err_code, _REASONS[raw.FPDF_ERR_FORMAT])) from error


def _page_of(document: Any, number: int, path: str) -> Any:
    try:
        return document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise CannotRead(path, f"damaged PDF (page {number} cannot be opened)") from error


def _title(document: Any) -> str:
    """The title in the metadata, unless a program put it there for want of one."""
    title = tidy(" ".join(document.get_metadata_value("Title").split()))
    return "" if _JUNK_TITLE.match(title) else title


def _page(document: Any, number: int, title: str, path: str) -> TextPage:
    page = _page_of(document, number, path)
    try:
        words = page.get_textpage()
        try:
            text = words.get_text_bounded()
            text = _joined(_with_gaps(words, text))
        finally:
            words.close()
        meant, nothing = len(_MEANT.findall(text)), len(_MEANT_NOTHING.findall(text))
        readable = meant >= nothing
        needs_ocr = not readable or (not text.strip() and _shows(page))
        return TextPage(tidy(text).strip() if readable else "", number, needs_ocr, title)
    finally:
        page.close()


def _joined(text: str) -> str:
    """Words cut at a line's end in one piece, the line ending behind them.

    The hyphen stays before a capital or a digit, and behind a single letter, where it belongs to the word
    (Castilla-La Mancha, x-ray). Nothing tells "auto-escuela" from "autoescuela"; the longer word is likelier.
    """

    def join(cut: re.Match[str]) -> str:
        before, after = cut[1], cut[2]
        own = not after[:1].islower() or not before[-2:].isalpha() or len(before) < 2
        return f"{before}{'-' if own else ''}{after}{'' if cut[3] == '' else chr(10)}"

    text = text.replace("\xad\r\n", "\x02").replace("\r\n", "\n")
    return _CUT.sub(join, text)


def _with_gaps(words: Any, text: str) -> str:
    """The text with an empty line where the gap between two lines is wider than usual, or the column ends."""
    lines = _LINE_END.split(text)  # a line, how it ends, the next, ...
    placed = _baselines(words)
    if len(placed) != len(lines[::2]) or len(placed) < 3:  # pages with characters beyond their edges
        return text
    steps = [above - below for above, below in pairwise(placed)]
    usual = statistics.median([step for step in steps if step > 1] or [0.0])
    for number, step in enumerate(steps if usual else ()):  # none is usual on a page that is turned
        if lines[2 * number + 1] == "\r\n" and (step > _PARAGRAPH * usual or step < -usual):
            lines[2 * number + 1] = "\r\n\r\n"
    return "".join(lines)


def _baselines(words: Any) -> list[float]:
    """How high above the page's lower edge each line stands, in points."""
    x, y = ctypes.c_double(), ctypes.c_double()
    found, at = [], 0
    pieces = _LINE_END.split(words.get_text_range())
    for line, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        raw.FPDFText_GetCharOrigin(words, at + len(line) - len(line.lstrip()), x, y)
        found.append(y.value)
        at += len(line) + len(end)
    return found


def _shows(page: Any) -> bool:
    """Whether a page without text shows anything: a picture, or drawing that leaves a trace."""
    kinds = {one.type for one in page.get_objects(max_depth=5)}
    if kinds & _SHOWN:
        return True
    if not kinds:
        return False
    wide, high = page.get_size()
    drawn = page.render(scale=_SIDE_PX / max(wide, high, 1.0), grayscale=True)
    try:
        return len(set(bytes(drawn.buffer))) > 1
    finally:
        drawn.close()
