"""``catalejo describe``."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from catalejo.catalog import Catalog
from catalejo.cli.adding import limit_options
from catalejo.cli.output import (
    count,
    encoder_option,
    json_option,
    note,
    note_skipped,
    print_json,
    printable,
    with_catalog,
)
from catalejo.cli.progress import progress_bar
from catalejo.errors import CannotSave
from catalejo.records import Limits, to_json

if TYPE_CHECKING:
    from catalejo.describing import Descriptions


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--lang", "languages", type=click.Choice(["en", "es"]), multiple=True,
              help="Of the descriptions; twice for both. Default: en.")  # fmt: skip
@click.option("--length", type=click.Choice(["short", "long"]), default="short", show_default=True,
              help="One or two sentences, or all that is known.")  # fmt: skip
@click.option("--csv", "table", metavar="FILE", help="Save a table.")
@limit_options
@encoder_option("Which encoder checks them, by name or path. Default: the catalog's.")
@json_option
@with_catalog
def describe(
    catalog: Catalog,
    paths: tuple[str, ...],
    languages: tuple[str, ...],
    length: str,
    table: str | None,
    max_megapixels: float,
    max_file_mb: float,
    max_pages: int,
    as_json: bool,
) -> None:
    """Write a caption and an alternative text for pictures, for people who cannot see them.

    \b
    catalejo describe photo.jpg --lang es
    catalejo describe ~/Pictures --length long --csv descriptions.csv
    """
    with progress_bar() as progress:
        found = catalog.describe(
            *paths,
            languages=languages or ("en",),
            length=length,
            limits=Limits(max_megapixels, max_file_mb, max_pages),
            progress=progress,
        )
    if table:
        _save(found, table)
    if as_json:
        print_json(to_json(found))
        return
    _print(found)


def _save(found: Descriptions, path: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv.writer(file).writerows(_rows(found))
    except OSError as error:
        raise CannotSave(path, error.strerror or str(error)) from error
    note(f"saved {printable(path)}")


def _rows(found: Descriptions) -> list[list[str]]:
    rows = [["path", "page", "language", "caption", "alt_text", "by", "rank", "among"]]
    for one in found.described:
        place = ["" if one.rank is None else str(one.rank), "" if one.among is None else str(one.among)]
        rows.append([one.path, str(one.page), one.language, one.caption, one.alt_text, one.by, *place])
    return rows


def _print(found: Descriptions) -> None:
    if not sys.stdout.isatty():
        for row in _rows(found)[1:]:
            click.echo("\t".join(printable(cell) for cell in row))
    else:
        for one in found.described:
            click.secho(printable(one.path), bold=True)
            click.echo(f"  {printable(one.caption)}")
            click.echo(f"  {printable(one.alt_text)}")
    if found.skipped:
        note(f"{count(len(found.skipped), 'file', 'files')} could not be described")
        note_skipped(found.skipped)
