"""``catalejo search`` and ``catalejo duplicates``."""

from __future__ import annotations

import sys

import click

from catalejo.catalog import Catalog
from catalejo.cli.output import (
    command,
    count,
    drawing_option,
    encoder_option,
    json_option,
    note,
    print_json,
    print_table,
    printable,
    with_catalog,
)
from catalejo.query import KINDS
from catalejo.records import Hit, SearchResult, to_json
from catalejo.transcripts import clock


@click.command()
@click.argument("terms", nargs=-1, metavar="TEXT...")
@click.option("--image", metavar="FILE", help="Find pictures like this one; may be combined with words.")
@click.option("--not", "without", multiple=True, metavar="TEXT", help="Keep away from this. May be repeated.")
@click.option("-k", default=10, show_default=True, metavar="N", help="How many hits.")
@click.option("--under", metavar="DIR", help="Only files in this folder.")
@click.option("--since", metavar="DATE", help="Only pictures from this day on: 2024-03-31, 2024-03 or 2024.")
@click.option("--until", metavar="DATE", help="Only pictures up to this day, month or year, included.")
@click.option("--min-score", type=float, metavar="S", help="Only hits with at least this score.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only files of this kind. May be repeated."
)
@drawing_option("--sheet", "Also draw the hits as a contact sheet")
@encoder_option("Whose vectors to ask, by name or path; several, with commas, are fused by rank.")
@json_option
@with_catalog
def search(
    catalog: Catalog,
    terms: tuple[str, ...],
    image: str | None,
    without: tuple[str, ...],
    k: int,
    under: str | None,
    since: str | None,
    until: str | None,
    min_score: float | None,
    kinds: tuple[str, ...],
    sheet: str | None,
    as_json: bool,
) -> None:
    """Find pictures and documents with words, or pictures with another picture.

    Several TEXTs are averaged: what shows all of them comes first. The score is a cosine; the line
    in the table is where hits are no better than chance for this query in this catalog. With several
    encoders (see `catalejo encode`), and where pictures and documents are found, the score is the sum of
    1 / (60 + rank) over them. Of a document the page and its best sentence are shown. Text in pictures and scans
    (ocr), what is said in recordings and films (speech) and what they sound like (sounds) are found too, where
    `catalejo add` had them perceived: each hit says by which signal, and where: page, place in the picture, second.

    \b
    catalejo search "un perro en la nieve"
    catalejo search playa "puesta de sol" --not gente --since 2023
    catalejo search --image cat.jpg -k 20 --sheet cats.png
    catalejo search "un perro" --encoder conse,siglip2-b-32-256
    catalejo search "who signed the contract" --kind text --under ~/Documents
    catalejo search "un perro ladrando" --kind audio --kind video
    """
    if len(terms) > 2 and not as_json and any(len(term) < 3 for term in terms):
        note('each word was taken as a text of its own; write a sentence in quotes: search "' + " ".join(terms) + '"')
    result = catalog.search(
        *terms,
        image=image,
        without=without,
        k=k,
        under=under,
        since=since,
        until=until,
        min_score=min_score,
        kinds=kinds,
    )
    if sheet:
        _draw(catalog, result, sheet)
    if as_json:
        hits = [to_json(hit) | ({"quote": hit.quote} if hit.span else {}) for hit in result.hits]
        print_json(to_json(result) | {"hits": hits, "nothing_matches": result.nothing_matches})
        return
    _print(catalog, result)


def _print(catalog: Catalog, result: SearchResult) -> None:
    matching = sum(hit.matches for hit in result.hits)
    rows = []
    for number, hit in enumerate(result.hits, 1):
        mark = "" if hit.matches else "chance"
        ranks = "rank " * bool(hit.votes) + ", ".join(f"{vote.rank} by {vote.encoder}" for vote in hit.votes)
        why = "; ".join(part for part in (ranks, _signal(hit)) if part)
        rows.append(
            (str(number), f"{hit.score:.{4 if hit.votes else 3}f}", mark, printable(hit.path) + _place(hit), why)
        )
        if hit.span:
            rows.append(("", "", "", f"  «{printable(hit.quote)}»", ""))
        if hit.moments:
            others = ", ".join(f"{clock(moment.start_s)} ({moment.signal})" for moment in hit.moments)
            rows.append(("", "", "", f"  also at {others}", ""))
        if sys.stdout.isatty() and result.line is not None and number == matching < len(result.hits):
            rows.append(("", "-----", "", f"below {result.line:.3f}: no better than chance", ""))
    if rows:
        print_table(("", "score", "", "file", "why"), rows, right=(0, 1))
    if not rows:
        passed = "nothing passes the conditions, or the encoder knows none of these words"
        note(f"nothing matches: {passed if result.searched else 'the catalog is empty'}")
    elif result.nothing_matches:
        note("nothing matches: nothing is better than chance for this query")
    for space in result.behind:
        waiting = f"{space.waiting:,} of {count(space.items + space.waiting, 'item', 'items')}"
        make = command(catalog, "encode", "--encoder", space.encoder)
        note(f"{waiting} cannot be found by {space.encoder} yet; make their vectors: {make}")


def _signal(hit: Hit) -> str:
    """What brought a hit, where that is not plain, and why."""
    named = "" if hit.signal in ("picture", "text") else hit.signal
    where = " at {:.0f},{:.0f}-{:.0f},{:.0f}".format(*hit.box) if hit.box else ""
    return ": ".join(part for part in (named + where, hit.why) if part)


def _place(hit: Hit) -> str:
    """Where in the file."""
    if hit.start_s is not None:
        return f" ({clock(hit.start_s)}-{clock(hit.end_s or hit.start_s)})"
    return f" (page {hit.page + 1})" if hit.page else ""


def _draw(catalog: Catalog, result: SearchResult, sheet: str) -> None:
    from catalejo.plots.canvas import save
    from catalejo.plots.sheet import contact_sheet

    save(contact_sheet([result], catalog.thumbnail), sheet)
    note(f"drew {printable(sheet)}")


@click.command()
@click.option("--cosine", type=click.FloatRange(0, 1), metavar="C", help="Least similarity of near ones. Default: 0.9.")
@encoder_option("Whose vectors to compare, by name or path. Default: the one the catalog was made with.")
@json_option
@with_catalog
def duplicates(catalog: Catalog, cosine: float | None, as_json: bool) -> None:
    """List files that show the same picture.

    Exact copies first, then near ones: resized, recompressed or slightly edited, the largest
    first. Nothing is deleted. Look at near ones before you delete any.

    \b
    catalejo duplicates
    catalejo duplicates --json | jq -r '.groups[] | select(.kind == "exact") | .paths[1:][]'
    """
    groups = catalog.duplicates(cosine=cosine)
    if as_json:
        print_json({"groups": [to_json(group) for group in groups]})
        return
    for group in groups:
        click.echo(f"{group.kind}, {group.similarity:.3f}")
        for path in group.paths:
            click.echo(f"  {printable(path)}")
    note(f"{count(len(groups), 'group', 'groups')} of duplicates")
