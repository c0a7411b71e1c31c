"""``catalejo add``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from catalejo.catalog import Catalog
from catalejo.cli.bringing import bring_ears
from catalejo.cli.output import (
    command,
    count,
    encoder_option,
    json_option,
    note,
    note_skipped,
    print_json,
    printable,
    with_catalog,
)
from catalejo.cli.progress import Show, progress_bar
from catalejo.records import Limits, to_json
from catalejo.reports import AddReport, PerceiveReport

if TYPE_CHECKING:
    from catalejo.indexing import Progress

F = TypeVar("F", bound=Callable[..., Any])
_DEFAULT = Limits()


_OF_PICTURES = {
    "--max-megapixels": "Largest picture to hold in memory. Plain JPEGs count an eighth.",
    "--max-file-mb": "Largest file.",
    "--max-pages": "Most pages of one file.",
}
_OF_DOCUMENTS = {
    "--max-chars": "Most characters of one document.",
    "--max-document-pages": "Most pages of one document.",
    "--max-unpacked-mb": "Most that a DOCX, PPTX or EPUB may unpack to.",
    "--max-unpacked-ratio": "Most times its own size that it may unpack to.",
    "--max-archive-entries": "Most files inside it.",
}
_OF_RECORDINGS = {
    "--max-seconds": "Longest recording or film.",
    "--max-streams": "Most streams (pictures, sounds, subtitles, attachments) of one.",
    "--max-media-mb": "Largest recording or film; it is read piece by piece.",
}


def limit_options(function: F) -> F:
    """What readers of pictures refuse: ``max_megapixels``, ``max_file_mb``, ``max_pages``."""
    return _options(function, _OF_PICTURES)


def document_limit_options(function: F) -> F:
    """What readers of documents refuse: ``max_chars`` to ``max_archive_entries``."""
    return _options(function, _OF_DOCUMENTS)


def recording_limit_options(function: F) -> F:
    """What readers of recordings and films refuse: ``max_seconds``, ``max_streams``, ``max_media_mb``."""
    return _options(function, _OF_RECORDINGS)


def _options(function: F, helps: Mapping[str, str]) -> F:
    for name, text in reversed(list(helps.items())):
        default = getattr(_DEFAULT, name.lstrip("-").replace("-", "_"))
        function = click.option(name, type=type(default), default=default, show_default=True, help=text)(function)
    return function


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--prune", is_flag=True, help="Forget files under these paths that have gone.")
@click.option("--retry", is_flag=True, help="Read again what could not be read before.")
@click.option("-0", "nul", is_flag=True, help="The list on standard input ends its names with NUL, as `find -print0`.")
@limit_options
@document_limit_options
@recording_limit_options
@click.option(
    "--perceive",
    metavar="NAMES",
    help="Who looks at what is there once it is saved: auto (all that can work here), none, or some of "
    "ocr,speech,sounds,colours,labels,safety. Default: CATALEJO_PERCEIVE, else auto.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Cores to use. Default: all.")
@encoder_option("For a new catalog: its encoder, by name or path. Default: conse.")
@json_option
@with_catalog
def add(
    catalog: Catalog,
    paths: tuple[str, ...],
    prune: bool,
    retry: bool,
    nul: bool,
    workers: int | None,
    perceive: str | None,
    as_json: bool,
    **limits: Any,
) -> int:
    """Look at files and folders, and remember what is new or changed.

    Pictures; videos and recordings with the extra `media`; documents: PDF, text, Markdown, CSV, subtitles; HTML,
    DOCX, PPTX and EPUB with the extra `documents`. PATH is a folder, a file, a pattern such as
    "photos/**/*.jpg", or - for a list on standard input. Unchanged files are not read again; stop it at any
    moment and run it again to go on.

    Once everything can be searched, perceivers look at what they have not seen yet, which takes longer: text in
    pictures and scans, what is said and heard in recordings and films, labels, colours. --perceive none leaves
    that for later.

    \b
    catalejo add ~/Pictures
    catalejo add ~/Pictures --prune
    catalejo add ~/Meetings --perceive speech,sounds
    find . -name "*.jpg" -print0 | catalejo add -0 -
    """
    from catalejo.indexing import Stopped

    named = [path for path in paths if path != "-"]
    listed = _listed(b"\0" if nul else b"\n") if "-" in paths else []
    refused = Limits(**limits)
    try:
        with progress_bar() as show:
            report = catalog.add(
                *named,
                listed=listed,
                prune=prune,
                retry=retry,
                limits=refused,
                workers=workers,
                perceive=perceive,
                bring=partial(bring_ears, show=show),
                progress=told(show),
                perceiving=show and partial(show, "perceiving"),
            )
    except Stopped as stopped:
        print_report(catalog, stopped.report, as_json)
        return 130
    print_report(catalog, report, as_json)
    return 0


def _listed(end: bytes) -> list[str]:
    names = sys.stdin.buffer.read().split(end)
    return [os.fsdecode(name.rstrip(b"\r") if end == b"\n" else name) for name in names if name.strip()]


def print_report(catalog: Catalog, report: AddReport, as_json: bool) -> None:
    if as_json:
        print_json(to_json(report))
        return
    parts = [f"{getattr(report, key):,} {key}" for key in ("added", "updated", "unchanged", "removed", "skipped")]
    rate = f", {report.encoded / report.seconds:.0f} items/s" if report.encoded and report.seconds else ""
    click.echo(f"{', '.join(parts)} in {report.seconds:.1f} s{rate}")
    if report.perceiving:
        _print_perceived(report.perceiving)
    for folder in report.not_pruned:
        note(
            f"no file we read is left in {printable(folder)}, so nothing there was forgotten; if that is meant: "
            f"{command(catalog, 'remove', folder)}"
        )
    if report.stopped:
        note("Stopped. What is listed is saved; run the same command again to go on.")
    elif report.skipped:
        note(f"{count(report.skipped, 'file', 'files')} could not be read; see: {command(catalog, 'skipped')}")


def _print_perceived(report: PerceiveReport) -> None:
    if report.perceived:
        found = f"perceived {count(report.perceived, 'file', 'files')}: {count(report.facts, 'fact', 'facts')}"
        click.echo(f"{found} in {report.seconds:.1f} s")
    note_skipped(report.failed)
    if report.waiting:
        note(f"{count(report.waiting, 'file waits', 'files wait')} to be perceived; the same command goes on there")
    if report.away:
        away = count(report.away, "file is not where it was, or has", "files are not where they were, or have")
        note(f"{away} changed: add their folder to have them perceived")
    for why in report.missing:
        note(f"more could be known: {why}")


def told(show: Show | None) -> Callable[[Progress], None] | None:
    """The bar as ``Catalog.add`` calls it."""
    return show and (lambda progress: show("reading", progress.done, progress.total))
