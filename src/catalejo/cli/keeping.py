"""``catalejo status``, ``skipped``, ``remove`` and ``doctor``."""

from __future__ import annotations

import click

from catalejo.catalog import Catalog
from catalejo.cli.output import command, count, json_option, note, print_json, print_table, printable, with_catalog
from catalejo.errors import CatalogError
from catalejo.records import to_json
from catalejo.reports import Status


@click.command()
@json_option
@with_catalog
def status(catalog: Catalog, as_json: bool) -> None:
    """Say what is in the catalog.

    \b
    catalejo status
    catalejo -c trip.catalog status --json
    """
    found = catalog.status()
    if as_json:
        print_json(to_json(found))
        return
    dates = f"{found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}" if found.first and found.last else "none"
    for name, value in (
        ("catalog", printable(found.path)),
        ("items", f"{found.items:,}{_kinds(found)}"),
        ("files", f"{found.files:,}"),
        ("skipped", f"{found.skipped:,}"),
        ("dates", dates),
        ("size", _size(found)),
        ("encoder", ", ".join(_space(found, number) for number in range(len(found.spaces)))),
        ("search", "through an index" if found.indexed else "exact"),
        *((("facts", _perceived(found)),) if found.facts else ()),
    ):
        click.echo(f"{name:9}{value}")
    for one in found.perceivers:
        if one.waiting and one.missing:
            note(f"{count(one.waiting, 'file', 'files')} not perceived by {one.name}: {one.missing}")
    if waiting := [one for one in found.perceivers if one.waiting and not one.missing]:
        each = ", ".join(f"{one.name} ({count(one.waiting, 'file', 'files')})" for one in waiting)
        note(f"not perceived yet: {each}; go on with: {command(catalog, 'add', 'FOLDER')}")


@click.command()
@json_option
@with_catalog
def skipped(catalog: Catalog, as_json: bool) -> None:
    """List the files that could not be read, and why.

    \b
    catalejo skipped
    catalejo add ~/Pictures --retry        # try them again
    """
    found = catalog.skipped()
    if as_json:
        print_json({"skipped": [to_json(one) for one in found]})
        return
    print_table(("file", "why"), [(printable(one.path), one.reason) for one in found])
    note(f"{count(len(found), 'file', 'files')} skipped")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@json_option
@with_catalog
def remove(catalog: Catalog, paths: tuple[str, ...], as_json: bool) -> None:
    """Forget files, or all files in a folder; the files themselves are left alone.

    \b
    catalejo remove ~/Pictures/private
    """
    removed = catalog.remove(*paths)
    if as_json:
        print_json({"removed": removed})
        return
    click.echo(f"forgot {count(removed, 'file', 'files')}")
    note("adding their folder again finds them again")


@click.command()
@click.option("--repair", is_flag=True, help="Mend what is found. What is lost by it is read again by the next add.")
@json_option
@with_catalog
def doctor(catalog: Catalog, repair: bool, as_json: bool) -> int:
    """Check that the catalog holds together, and repair it.

    Ends with 1 when something is wrong and was not repaired.

    \b
    catalejo doctor
    catalejo doctor --repair && catalejo add ~/Pictures
    """
    findings = catalog.doctor(repair=repair)
    if as_json:
        try:
            summary = to_json(catalog.status())
        except CatalogError:  # too damaged to count; the findings say why
            summary = None
        print_json({"findings": [to_json(one) for one in findings], "status": summary})
    else:
        for one in findings:
            done = "repaired" if one.repaired else "to repair"
            click.echo(f"{one.problem} ({done}: {one.remedy}), such as {', '.join(map(printable, one.examples))}")
        if not findings:
            found = catalog.status()
            click.echo(f"all is well: {found.items:,} items of {found.files:,} files, {_size(found)}")
        elif not repair:
            note(f"repair with: {command(catalog, 'doctor', '--repair')}")
        elif any(one.repaired for one in findings):
            note(f"what had to be forgotten is read again by: {command(catalog, 'add', 'FOLDER')}")
    return 1 if findings and not repair else 0


def _kinds(found: Status) -> str:
    """How many items are what, where there is more than pictures."""
    parts = [count(found.pictures, "picture", "pictures")] if found.pictures else []
    parts += [count(found.texts, "page of text", "pages of text")] if found.texts else []
    parts += [count(found.scans, "page without text (scanned)", "pages without text (scanned)")] if found.scans else []
    parts += [count(found.stretches, "stretch of sound", "stretches of sound")] if found.stretches else []
    parts += [count(found.shots, "shot of a film", "shots of films")] if found.shots else []
    return f" ({', '.join(parts)})" if found.items > found.pictures else ""


def _perceived(found: Status) -> str:
    """How many facts there are, and who looked at how many files."""
    seen = [f"{one.name} {one.files:,}" for one in found.perceivers if one.files]
    failed = sum(one.failed for one in found.perceivers)
    more = f"; {failed:,} could not be perceived" if failed else ""
    return f"{found.facts:,} (files perceived: {', '.join(seen)}{more})"


def _size(found: Status) -> str:
    whole = found.tables_mb + found.thumbnails_mb
    return f"{whole:,.1f} MB ({found.tables_mb:,.1f} tables, {found.thumbnails_mb:,.1f} thumbnails)"


def _space(found: Status, number: int) -> str:
    """An encoder's name, and how many items still wait for it."""
    space = found.spaces[number]
    return space.encoder + (f" ({space.items:,} of {space.items + space.waiting:,} items)" if space.waiting else "")
