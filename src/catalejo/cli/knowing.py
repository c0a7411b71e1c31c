"""``catalejo facts``."""

from __future__ import annotations

import click

from catalejo.catalog import Catalog
from catalejo.cli.bringing import ears_for
from catalejo.cli.output import json_option, note, print_json, print_table, printable, with_catalog
from catalejo.cli.progress import quiet_decoders
from catalejo.errors import CannotRead
from catalejo.facts import KINDS, Fact
from catalejo.records import to_json
from catalejo.transcripts import clock


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option("--perceive", metavar="NAMES", help="Who looks: auto (all that can work here), none, or some by name.")
@click.option("--lang", type=click.Choice(("en", "es")), default="en", show_default=True, help="Of the facts.")
@json_option
@with_catalog
def facts(catalog: Catalog, paths: tuple[str, ...], perceive: str | None, lang: str, as_json: bool) -> int:
    """Say what is known of files: what they state, and what perceivers find in them.

    Pictures, recordings, films, scanned documents; in a catalog or not. Each fact has the confidence of who
    found it, and where: the page, the place in the picture (left, top, right, bottom in pixels), the second.

    \b
    catalejo facts photo.jpg
    catalejo facts talk.mp3 --perceive speech
    catalejo facts photo.jpg clip.mp4 --json | jq '.files[].facts[] | select(.kind == "label")'
    """
    if perceive is None:
        ears_for(paths)
    found, failed = [], []
    for path in paths:
        try:
            with quiet_decoders():
                found += catalog.facts(path, perceive=perceive)
        except CannotRead as error:
            if len(paths) == 1:
                raise
            failed.append(error)
    if as_json:
        unread = [{"path": error.path, "reason": error.reason} for error in failed]
        print_json({"files": [to_json(one) for one in found], "skipped": unread})
        return 1 if failed else 0
    for known in found:
        click.echo(printable(known.path))
        print_table(("about", "what", "sure", "by", "where"), [_row(fact, lang) for fact in known.facts], right=(2,))
        for one in known.failed:
            note(f"  {one.name} could not look at it: {one.why}")
        for one in known.missing:
            note(f"  more could be known by {one.name}: {one.why}")
    for one_failed in failed:
        note(str(one_failed))
    return 1 if failed else 0


def _row(fact: Fact, language: str) -> tuple[str, str, str, str, str]:
    english, spanish = KINDS.get(fact.kind, (fact.kind, fact.kind))
    sure = "" if fact.confidence is None else f"{fact.confidence:.0%}"
    kind = spanish if language == "es" else english
    return kind, printable(fact.said(language)), sure, fact.by, _where(fact)


def _where(fact: Fact) -> str:
    parts = [f"page {fact.page + 1}"] if fact.page else []
    if fact.start_s is not None:
        parts.append(f"{clock(fact.start_s)}-{clock(fact.end_s if fact.end_s is not None else fact.start_s)}")
    if fact.box:
        parts.append("{:.0f},{:.0f}-{:.0f},{:.0f}".format(*fact.box))
    return ", ".join(parts)
