"""``catalejo route``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from catalejo.cli.output import count as plural
from catalejo.cli.output import drawing_option, json_option, note, note_skipped, print_json, print_table, printable

if TYPE_CHECKING:
    from catalejo.context.bridges import Stage
    from catalejo.context.tokens import Count
    from catalejo.route import Route, Routed, Way


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER...")
@click.option("--model", metavar="NAME", help="The language model they go to. Without it: only to the facts.")
@click.option(
    "--detail",
    type=click.Choice(["low", "medium", "high", "ultra"]),
    default="high",
    show_default=True,
    help="Of pictures, where the provider lets you choose.",
)
@click.option(
    "--frames", type=click.IntRange(1, 100), default=8, show_default=True, metavar="N", help="Key frames of a film."
)
@click.option(
    "--max-file-mb",
    type=click.FloatRange(0, min_open=True),
    default=500.0,
    show_default=True,
    help="Refuse larger files.",
)
@drawing_option("--draw", "Also draw it")
@click.option("--lang", type=click.Choice(["en", "es"]), default="en", show_default=True, help="Of the drawing.")
@json_option
def route(paths: tuple[str, ...], model: str | None, detail: str, frames: int, max_file_mb: float, draw: str | None,
          lang: str, as_json: bool) -> int:  # fmt: skip
    """Show each file's way into a language model: encoder, shapes, bridge, tokens and cost.

    A picture or a recording goes as it is to a model that takes it; to any other goes, as text, what
    was read, said and heard in it. A film goes as key frames and its sound. Nothing is sent, and
    nothing is recognised yet: what somebody will have said is an estimate, marked with "~".

    \b
    catalejo route foto.jpg informe.pdf nota.mp3 clip.mp4 --model gpt-4o
    catalejo route foto.jpg --model blip2 --draw camino.png --lang es
    catalejo route foto.jpg nota.wav
    """
    from catalejo.context.models import find
    from catalejo.records import Limits
    from catalejo.route import Router

    found = Router(find(model) if model else None, detail, frames, Limits(max_file_mb=max_file_mb)).route(paths)
    if draw:
        from catalejo.plots.canvas import save
        from catalejo.plots.routes import route_chart

        save(route_chart(found, lang), draw)
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found)
    return 0 if any(one.kind for one in found.routes) or not found.routes else 1


def _print(found: Routed) -> None:
    from catalejo.records import Skipped

    if any(one.kind for one in found.routes):
        (_print_table if sys.stdout.isatty() else _print_rows)(found)
    for one in found.routes:
        if one.note:
            note(f"  {printable(one.path)}: {one.note}")
    bad = [Skipped(one.path, one.reason) for one in found.routes if one.reason]
    if bad:
        note(f"{plural(len(bad), 'file', 'files')} without a way:")
        note_skipped(bad, most=20)
    if found.model and any(one.ways for one in found.routes):
        note(_verdict(found))


def _print_table(found: Routed) -> None:
    """For 80 columns: a file has a line of its own above its ways."""
    rows: list[tuple[str, ...]] = []
    for one in (one for one in found.routes if one.kind):
        search = f"; found by {one.search.name}, {one.search.shown}" if one.search else ""
        rows.append(("", f"{printable(one.path)}: {one.what}{search}", "", ""))
        for way in one.ways:
            chain = " -> ".join(_stage(stage) for stage in way.stages)
            tokens = "" if way.tokens is None else f"{'' if way.tokens.exact else '~'}{way.tokens.tokens:,}"
            rows.append((way.what, chain, tokens, _usd(way)))
    if found.model is None:
        rows = [row[:2] for row in rows]
    print_table(("", "file, and its way", "tokens", "USD")[: len(rows[0])], rows, right=(2, 3))


def _print_rows(found: Routed) -> None:
    for one in (one for one in found.routes if one.kind):
        search = _stage(one.search) if one.search else ""
        for way in one.ways:
            stages = [", ".join(map(_stage, way.by(role))) for role in ("input", "encoder", "bridge", "model")]
            row = (printable(one.path), one.kind, one.what, way.what, *stages, _said(way.tokens), _usd(way), search)
            click.echo("\t".join(row))
    note("columns: file, kind, size, what goes, as, encoder, bridge, the model gets, tokens, USD, found by")


def _usd(way: Way) -> str:
    from catalejo.context.prices import dollars

    return "" if way.usd is None else dollars(way.usd)


def _stage(stage: Stage) -> str:
    """``Q-Former 32 x 768``; ``gpt-4o: 765 picture tokens``."""
    return (
        f"{stage.name} {stage.shown}" if stage.shape else f"{stage.name} ({stage.what})" if stage.what else stage.name
    )


def _said(count: Count | None) -> str:
    if count is None:
        return ""
    return f"{count.tokens:,}" if count.exact else f"~{count.tokens:,} ({count.low:,}-{count.high:,})"


def _verdict(found: Routed) -> str:
    from catalejo.context.prices import dollars

    assert found.model is not None
    words = [f"{found.model.name}: {found.tokens} tokens"]
    if found.usd is not None:
        words.append(f"${dollars(found.usd)} as input" if found.usd else "on your own machine they cost nothing")
    limit = found.model.window if found.model.input_limit is None else found.model.input_limit
    if found.fits is not None and limit:
        words.append(f"{'within' if found.fits else 'OVER'} the {limit:,} it reads")
    return "; ".join(words)


def _as_json(found: Routed) -> dict[str, Any]:
    return {
        "model": found.model.name if found.model else None,
        "files": [_route_json(one) for one in found.routes if one.kind],
        "skipped": [{"path": one.path, "reason": one.reason} for one in found.routes if one.reason],
        "tokens": _count_json(found.tokens) if found.model else None,
        "usd": None if found.usd is None else float(found.usd),
        "fits": found.fits,
    }


def _route_json(one: Route) -> dict[str, Any]:
    ways = [
        {
            "what": way.what,
            "native": way.native,
            "stages": [_stage_json(stage) for stage in way.stages],
            "tokens": _count_json(way.tokens),
            "usd": None if way.usd is None else float(way.usd),
        }
        for way in one.ways
    ]
    search = _stage_json(one.search) if one.search else None
    return {"path": one.path, "kind": one.kind, "size": one.what, "ways": ways, "search": search, "note": one.note}


def _stage_json(stage: Stage) -> dict[str, Any]:
    return {"role": stage.role, "name": stage.name, "shape": list(stage.shape), "what": stage.what}


def _count_json(count: Count | None) -> dict[str, Any] | None:
    if count is None:
        return None
    return {"tokens": count.tokens, "exact": count.exact, "low": count.low, "high": count.high, "how": count.how}
