"""``catalejo describe``."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import click

from catalejo.catalog import Catalog
from catalejo.cli.adding import limit_options
from catalejo.cli.classifying import writable
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
from catalejo.errors import CannotSave, CatalejoError, NoEndpoint
from catalejo.records import Limits, to_json

if TYPE_CHECKING:
    from catalejo.describing import Description, Descriptions, Writer

_INTERRUPTED = 130


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--lang", "languages", type=click.Choice(["en", "es"]), multiple=True,
              help="Of the descriptions; twice for both. Default: en.")  # fmt: skip
@click.option("--length", type=click.Choice(["short", "long"]), default="short", show_default=True,
              help="One or two sentences, or all that is known.")  # fmt: skip
@click.option("--with", "by", type=click.Choice(["auto", "facts", "endpoint"]), default="auto", show_default=True,
              help="Who writes: auto is the endpoint where one is configured, else facts.")  # fmt: skip
@click.option("--endpoint", metavar="URL", help="An OpenAI-compatible endpoint. Default: CATALEJO_ENDPOINT.")
@click.option("--model", metavar="NAME", help="The model there, which must take pictures. Default: CATALEJO_MODEL.")
@click.option("--max-cost", type=click.FloatRange(0), metavar="USD", help="Send nothing that may cost more a picture.")
@click.option("--perceive", metavar="NAMES", help="Who looks: auto (all that can work here), none, or some by name.")
@click.option("--csv", "table", metavar="FILE", callback=writable, help="Save a table.")
@click.option("--sidecar", is_flag=True, help="Write each into an XMP file beside its picture; other texts there stay.")
@click.option("--replace", is_flag=True, help="With --sidecar: also replace texts that somebody else wrote.")
@click.option("--xmp", is_flag=True, help="Print XMP, for programs, instead of writing it.")
@limit_options
@encoder_option("Which encoder checks them, by name or path. Default: the catalog's.")
@json_option
@with_catalog
def describe(
    catalog: Catalog,
    paths: tuple[str, ...],
    languages: tuple[str, ...],
    length: str,
    by: str,
    endpoint: str | None,
    model: str | None,
    max_cost: float | None,
    perceive: str | None,
    table: str | None,
    sidecar: bool,
    replace: bool,
    xmp: bool,
    max_megapixels: float,
    max_file_mb: float,
    max_pages: int,
    as_json: bool,
) -> int:
    """Write a caption and an alternative text for pictures, for people who cannot see them.

    A vision-language model writes them where an endpoint is configured; else they are put together from facts:
    what was recognised, as surely as it was ("a cat", "probably", "perhaps"), the text read, colours, and what the
    file says. Each line says which. For pictures in the catalog it is shown at which rank the caption finds its own.

    \b
    catalejo describe photo.jpg --lang es
    catalejo describe ~/Pictures --length long --csv descriptions.csv
    catalejo describe ~/Pictures --lang es --lang en --sidecar
    catalejo describe photo.jpg --with endpoint --endpoint http://127.0.0.1:8080/v1
    """
    if xmp and as_json:
        raise click.UsageError("--xmp and --json are two ways to print; choose one")
    if replace and not sidecar:
        raise click.UsageError("--replace says what --sidecar may overwrite; name both")
    limits = Limits(max_megapixels, max_file_mb, max_pages)
    with progress_bar() as progress:
        found = catalog.describe(
            *paths,
            languages=list(dict.fromkeys(languages)) or ["en"],
            length=length,
            writer=_writer(by, endpoint, model, max_cost, limits),
            perceive=perceive,
            limits=limits,
            progress=progress,
        )
    if table:
        _save(found, table)
    failed = _sidecars(found, length, replace) if sidecar else 0
    if as_json:
        print_json(to_json(found))
    elif xmp:
        _print_xmp(found, length)
    else:
        _print(found)
    if found.stopped:
        note("interrupted: the others were not described")
        return _INTERRUPTED
    return 1 if failed else 0


def _writer(by: str, endpoint: str | None, model: str | None, max_cost: float | None, limits: Limits) -> Writer | None:
    """The vision-language model, where one is asked for or configured."""
    if by == "facts":
        return None
    import os

    if by == "auto" and not (endpoint or os.environ.get("CATALEJO_ENDPOINT")):
        return None
    if not (endpoint or os.environ.get("CATALEJO_ENDPOINT")):
        raise NoEndpoint
    from catalejo.answerers.vision import Asking
    from catalejo.captioner import Captioner

    return Captioner(Asking(endpoint, model, max_cost=max_cost), limits, lambda line: note(printable(line)))


# -- files ------------------------------------------------------------------------------


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


def _by_picture(found: Descriptions) -> dict[str, list[Description]]:
    """Path -> the descriptions of its first picture, in each language."""
    files: dict[str, list[Description]] = {}
    for one in found.described:
        if not one.page:
            files.setdefault(one.path, []).append(one)
    return files


def _sidecars(found: Descriptions, length: str, replace: bool) -> int:
    """Write them all; how many could not be."""
    from catalejo import sidecars

    written, failed, kept = 0, 0, []
    for path, descriptions in _by_picture(found).items():
        try:
            made = sidecars.write(path, sidecars.texts_of(descriptions, length), replace)
        except CatalejoError as error:
            note(printable(str(error)))
            failed += 1
            continue
        written += made.changed
        kept += [f"  {printable(made.path)}: {name}" for name in made.kept]
    note(f"wrote {count(written, 'sidecar', 'sidecars')}; the pictures themselves were not changed")
    if kept:
        note(f"{count(len(kept), 'text', 'texts')} of somebody else stayed (--replace overwrites them):")
        for line in kept[:10]:
            note(line)
        if len(kept) > 10:
            note(f"  and {len(kept) - 10:,} more")
    return failed


# -- for people ---------------------------------------------------------------------------


def _print_xmp(found: Descriptions, length: str) -> None:
    from catalejo import sidecars, xmp

    for descriptions in _by_picture(found).values():
        text, _ = xmp.merged(None, sidecars.texts_of(descriptions, length))
        click.echo(text, nl=False)


def _print(found: Descriptions) -> None:
    if not sys.stdout.isatty():
        for row in _rows(found)[1:]:
            click.echo("\t".join(printable(cell) for cell in row))
    else:
        for one in found.described:
            _print_one(one)
    by = sorted({one.by for one in found.described})
    note(f"{count(len(found.described), 'description', 'descriptions')}, by {' and '.join(by)}")
    ranks = [one.rank for one in found.described if one.rank is not None]
    if len(ranks) > 1:
        first, among = sum(rank == 1 for rank in ranks), max(one.among or 0 for one in found.described)
        told = f"{first:,} of {len(ranks):,} captions find their own picture first among {among:,}"
        note(f"{told}; median rank {_median(ranks)}")
    for line in found.notes:
        note(printable(line))
    for missing in found.missing:
        note(f"without {missing.name}: {printable(missing.why)}")
    if found.skipped:
        note(f"{count(len(found.skipped), 'file', 'files')} could not be described")
        note_skipped(found.skipped)


def _median(ranks: list[int]) -> str:
    from statistics import median

    return f"{median(ranks):g}"


def _print_one(one: Description) -> None:
    page = f", page {one.page + 1}" if one.page else ""
    place = "" if one.rank is None else f"; finds its picture at rank {one.rank} of {one.among:,}"
    click.secho(f"{printable(one.path)}{page}", bold=True)
    if one.caption.rstrip(".") != one.alt_text.rstrip("."):
        click.echo(f"  {printable(one.caption)}")
    click.echo(f"  {printable(one.alt_text)}")
    click.secho(f"  {one.language}, by {printable(one.by)}{place}", dim=True)
