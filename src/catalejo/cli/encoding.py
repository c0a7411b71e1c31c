"""``catalejo encode``."""

from __future__ import annotations

import click

from catalejo.catalog import Catalog
from catalejo.cli.adding import limit_options
from catalejo.cli.output import (
    command,
    count,
    encoder_option,
    json_option,
    note,
    note_skipped,
    print_json,
    with_catalog,
)
from catalejo.cli.progress import progress_bar
from catalejo.records import Limits, to_json
from catalejo.reports import EncodeReport


@click.command()
@encoder_option("Whose vectors to make, by name or path; several with commas between.")
@click.option("--anew", is_flag=True, help="Throw away the vectors that are there first.")
@limit_options
@click.option("--workers", type=click.IntRange(min=1), help="Cores to use. Default: all.")
@json_option
@with_catalog
def encode(
    catalog: Catalog,
    anew: bool,
    max_megapixels: float,
    max_file_mb: float,
    max_pages: int,
    workers: int | None,
    as_json: bool,
) -> int:
    """Give the pictures of a catalog another encoder's vectors, beside those they have.

    Stop it at any moment and run it again to go on; searches with the other encoders work meanwhile.
    After an `add`, the same command encodes what is new.

    \b
    catalejo fetch siglip2-b-32-256
    catalejo encode --encoder siglip2-b-32-256
    catalejo search "un perro en la nieve" --encoder conse,siglip2-b-32-256
    """
    limits = Limits(max_megapixels, max_file_mb, max_pages)
    with progress_bar() as progress:
        reports = catalog.encode(anew=anew, limits=limits, workers=workers, progress=progress)
    if as_json:
        print_json({"encoders": [to_json(report) for report in reports]})
    for report in reports if not as_json else ():
        _print(catalog, report)
    return 130 if any(report.stopped for report in reports) else 0


def _print(catalog: Catalog, report: EncodeReport) -> None:
    if report.encoded or report.skipped or report.stopped:
        rate = f", {report.encoded / report.seconds:.0f} a second" if report.encoded and report.seconds else ""
        already = f", {report.already:,} had one" if report.already else ""
        gained = f"{count(report.encoded, 'item', 'items')} got a vector of {report.encoder}"
        click.echo(f"{gained}{already}, in {report.seconds:.1f} s{rate}")
    elif report.already:
        click.echo(f"every picture ({report.already:,}) has a vector of {report.encoder} already")
    else:
        click.echo("there is no picture in the catalog yet: nothing to encode")
    note_skipped(report.skipped)
    if report.stopped:
        note("Stopped. What is made is saved; run the same command again to go on.")
    elif report.skipped:
        again = command(catalog, "add", "--prune", "FOLDER")
        failed = count(len(report.skipped), "file", "files")
        note(f"{failed} could not be encoded. What has moved, changed or gone is put right by: {again}")
    elif report.encoded and not report.already:
        note(f"search with it: {command(catalog, 'search', 'TEXT', '--encoder', report.encoder)}")
