"""``catalejo ocr``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from catalejo.cli.adding import limit_options
from catalejo.cli.output import count, json_option, note, note_skipped, print_json, printable
from catalejo.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalejo.ocr_files import PageRead


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option("--everything", is_flag=True, help="Look at PDF pages that have text of their own too.")
@limit_options
@json_option
def ocr(paths: tuple[str, ...], everything: bool, max_megapixels: float, max_file_mb: float, max_pages: int,
        as_json: bool) -> int:  # fmt: skip
    """Read the text in pictures, scans and PDFs: Spanish with its accents, English, and other Latin scripts.

    Pages may stand on their side, on their head or askew. Columns are read one after the other. Of a PDF,
    pages with text of their own give that text; only the others are looked at. With --json, each line has
    its confidence and its box: left, top, right, bottom, in pixels of the page's picture.

    \b
    catalejo ocr receta.jpg
    catalejo ocr escaneado.pdf > escaneado.txt
    catalejo ocr cartel.png --json
    """
    from catalejo.errors import CannotRead
    from catalejo.ocr_files import OcrFiles
    from catalejo.records import Limits, Skipped

    reader = OcrFiles(Limits(max_megapixels, max_file_mb, max_pages), everything)
    pages: list[PageRead] = []
    skipped: list[Skipped] = []
    started = time.monotonic()
    several = len(paths) > 1
    with progress_bar() as show:
        for path in dict.fromkeys(paths):
            try:
                for page in reader.read(path):
                    pages.append(page)
                    if show:
                        show("pages", len(pages), None)
            except CannotRead as error:
                skipped.append(Skipped(path, error.reason))
    if as_json:
        print_json({"pages": [_json(page) for page in pages], "skipped": [vars(one) for one in skipped]})
    else:
        _print(pages, several or len(pages) > 1)
        looked = sum(page.by == "ocr" for page in pages)
        if looked:
            note(f"{count(looked, 'page', 'pages')} looked at in {time.monotonic() - started:.1f} s")
        note_skipped(skipped, most=20)
    return 0 if pages else 1


def _print(pages: list[PageRead], several: bool) -> None:
    for number, page in enumerate(pages):
        if several:
            own = ", its own text" if page.by == "file" else ""
            click.echo(f"{chr(10) if number else ''}==> {printable(page.path)}, page {page.page + 1}{own} <==")
        if page.text.text:
            click.echo(page.text.text)
        else:
            note(f"{printable(page.path)}, page {page.page + 1}: no text can be seen there")


def _json(page: PageRead) -> dict[str, Any]:
    lines = [{"text": one.value, "confidence": one.confidence, "box": one.box} for one in page.lines]
    return {
        "path": page.path,
        "page": page.page,
        "by": page.by,
        "width_px": page.width_px,
        "height_px": page.height_px,
        "text": page.text.text,
        "lines": lines,
    }
