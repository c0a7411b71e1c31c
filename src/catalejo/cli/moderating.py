"""``catalejo moderate``."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from catalejo.catalog import Catalog
from catalejo.cli.adding import limit_options
from catalejo.cli.bringing import brought
from catalejo.cli.classifying import writable
from catalejo.cli.output import (
    count,
    drawing_option,
    encoder_option,
    json_option,
    note,
    note_skipped,
    print_json,
    print_table,
    printable,
    with_catalog,
)
from catalejo.cli.progress import progress_bar
from catalejo.errors import BadQuery, CannotRead, CannotSave
from catalejo.records import Limits, to_json

if TYPE_CHECKING:
    from catalejo.moderating import Calibrated, Moderated, Moderation
    from catalejo.thresholds import Calibration

_NEXT = 5  # pictures shown that are not flagged, so that one sees where the line is


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--category", "categories", multiple=True, metavar="TEXT",
              help='Something to look for, in words; "adult" (the default) has a model.')  # fmt: skip
@click.option("--threshold", "thresholds", multiple=True, metavar="[TEXT=]N",
              help="From which score on to flag, 0 to 1: of one category, or of all.")  # fmt: skip
@click.option("--thresholds", "saved", metavar="FILE", help="Thresholds that --save wrote.")
@click.option("--calibrate", "labelled", metavar="FILE",
              help="A table of labelled pictures (path, and a column a category): chooses thresholds.")  # fmt: skip
@click.option("--cost-miss", type=float, default=1.0, show_default=True, metavar="N",
              help="Of one not flagged.")  # fmt: skip
@click.option(
    "--cost-false", type=float, default=1.0, show_default=True, metavar="N", help="Of one flagged for nothing."
)
@click.option("--save", "kept", metavar="FILE", callback=writable, help="Save the thresholds that --calibrate chose.")
@drawing_option("--curve", "Draw what each threshold costs (with --calibrate)")
@click.option("--lang", "language", type=click.Choice(["en", "es"]), default="en", show_default=True,
              help="Of the drawing.")  # fmt: skip
@click.option(
    "--csv", "table", metavar="FILE", callback=writable, help="Save the queue: a row a picture, with all scores."
)
@limit_options
@encoder_option("Which encoder, by name or path. Default: the catalog's, or conse.")
@json_option
@with_catalog
def moderate(
    catalog: Catalog,
    paths: tuple[str, ...],
    categories: tuple[str, ...],
    thresholds: tuple[str, ...],
    saved: str | None,
    labelled: str | None,
    cost_miss: float,
    cost_false: float,
    kept: str | None,
    curve: str | None,
    language: str,
    table: str | None,
    max_megapixels: float,
    max_file_mb: float,
    max_pages: int,
    as_json: bool,
) -> None:
    """List the pictures somebody should look at: adult content, and what you write in words.

    Pictures are scored in each category, and flagged from its threshold on; no file is changed, moved or
    deleted. Categories in words are as good as the encoder: see how good with --calibrate, which chooses thresholds
    on pictures that you labelled, from what it costs to miss one and to flag one for nothing.

    \b
    catalejo moderate ~/Pictures --csv queue.csv
    catalejo moderate uploads --category adult --category "un arma" --threshold "un arma=0.7"
    catalejo moderate --calibrate labelled.csv --cost-miss 10 --curve curve.png --save thresholds.json
    catalejo moderate uploads --thresholds thresholds.json --csv queue.csv
    """
    from catalejo.thresholds import Costs

    if not paths and not labelled:
        raise click.UsageError("name pictures to look at, or a table to --calibrate on")
    if (curve or kept) and not labelled:
        raise click.UsageError("--curve and --save show and keep what --calibrate finds; name its table")
    costs = Costs(cost_miss, cost_false)
    limits = Limits(max_megapixels, max_file_mb, max_pages)
    lines = _read(saved) if saved else {}
    chosen: Calibrated | None = None
    if labelled:
        with progress_bar() as progress:
            chosen = brought(partial(catalog.calibrate, labelled, costs, limits=limits, progress=progress))
        lines |= chosen.thresholds
        _keep(chosen, kept, curve, language)
    if not paths and chosen:
        if as_json:
            print_json(_calibrated(chosen))
        else:
            _print_calibrated(chosen)
        return
    named = list(categories) or list(lines) or ["adult"]
    lines = {name: line for name, line in lines.items() if name in named} | _typed(thresholds, named)
    with progress_bar() as progress:
        found = brought(
            partial(
                catalog.moderate,
                *paths,
                categories=named,
                thresholds=lines,
                costs=costs,
                limits=limits,
                progress=progress,
            )
        )
    if table:
        _save(found, table)
    if as_json:
        print_json(_as_json(found) | ({"calibrated": _calibrated(chosen)} if chosen else {}))
        return
    if chosen:
        _print_calibrated(chosen)
    _print(found)


def _typed(thresholds: tuple[str, ...], categories: list[str]) -> dict[str, float]:
    """``TEXT=N`` of one category, ``N`` of all."""
    found: dict[str, float] = {}
    for typed in thresholds:
        name, _, number = typed.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            raise BadQuery(f"--threshold is {typed!r}; write a number from 0 to 1, or TEXT=NUMBER") from None
        found |= {name.strip(): value} if name.strip() else dict.fromkeys(categories, value)
    return found


# -- files ------------------------------------------------------------------------------


def _read(path: str) -> dict[str, float]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)["thresholds"]
        return {str(name): float(value) for name, value in found.items()}
    except OSError as error:
        raise CannotRead(path, (error.strerror or str(error)).lower()) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotRead(path, "it holds no thresholds; --calibrate with --save writes such a file") from error


def _keep(chosen: Calibrated, kept: str | None, curve: str | None, language: str) -> None:
    if curve:
        from catalejo.plots.canvas import save
        from catalejo.plots.thresholds import threshold_chart

        save(threshold_chart(chosen.calibrations, language), curve)
        note(f"drew {printable(curve)}")
    if kept:
        try:
            with open(kept, "w", encoding="utf-8") as file:
                json.dump({"thresholds": chosen.thresholds}, file, indent=1, ensure_ascii=False)
                file.write("\n")
        except OSError as error:
            raise CannotSave(kept, error.strerror or str(error)) from error
        note(f"saved {printable(kept)}")


def _save(found: Moderation, path: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv.writer(file).writerows(_rows(found))
    except OSError as error:
        raise CannotSave(path, error.strerror or str(error)) from error
    note(f"saved {printable(path)}")


def _rows(found: Moderation) -> Iterator[list[str]]:
    """One row a picture, the most pressing first; the last two columns are for whoever looks."""
    scores = [f"p: {name}" for name in found.categories]
    lines = [f"threshold: {name}" for name in found.categories]
    yield ["path", "flagged", *scores, *lines, "decision", "note"]
    for one in found.pictures:
        by_name = {score.category: score for score in one.scores}
        row = [by_name[name] for name in found.categories]
        cells = [*(f"{score.score:.6g}" for score in row), *(f"{score.threshold:.6g}" for score in row)]
        yield [one.path, "; ".join(one.flagged), *cells, "", ""]
    for skipped in found.skipped:
        yield [skipped.path, "not read", *([""] * (2 * len(found.categories))), "", skipped.reason]


# -- for people ---------------------------------------------------------------------------


def _print(found: Moderation) -> None:
    shown = found.pictures if not sys.stdout.isatty() else found.pictures[: len(found.flagged) + _NEXT]
    rows = [_row(one) for one in shown]
    print_table(("", "category", "score", "threshold", "file"), rows, right=(2, 3))
    pictures = count(len(found.pictures), "picture", "pictures")
    by = f"; {found.encoder}" if found.encoder else ""
    note(f"{len(found.flagged):,} of {pictures} to be looked at{by}; no file was changed")
    if found.skipped:
        note(f"{count(len(found.skipped), 'file', 'files')} could not be read, so nobody knows what they show")
        note_skipped(found.skipped)


def _row(one: Moderated) -> tuple[str, ...]:
    first = one.scores[0]
    return (
        "look" if one.flagged else "",
        first.category,
        f"{first.score:.2f}",
        f"{first.threshold:.2f}",
        printable(one.path),
    )


def _print_calibrated(chosen: Calibrated) -> None:
    heads = ("category", "threshold", "95%", "missed", "false alarms", "cost", "elsewhere", "all/none", "AUC")
    print_table(heads, [_calibration(one) for one in chosen.calibrations], right=range(1, 9))
    if sys.stdout.isatty():
        note("cost: a picture; elsewhere: on pictures it was not chosen on; all/none: of flagging all, or none")
    for one in chosen.calibrations:
        if not one.helps:
            note(f"{one.category}: the score does not help; flagging all or none of the pictures costs no more")
    if chosen.skipped:
        note(f"{count(len(chosen.skipped), 'labelled picture', 'labelled pictures')} could not be read")
        note_skipped(chosen.skipped)


def _calibration(one: Calibration) -> tuple[str, ...]:
    return (
        one.category,
        f"{one.threshold:.3f}",
        f"{one.low:.2f}-{one.high:.2f}",
        f"{one.misses:,} of {one.positives:,}",
        f"{one.false_alarms:,} of {one.negatives:,}",
        f"{one.cost:.3f}",
        "-" if one.expected_cost is None else f"{one.expected_cost:.3f}",
        f"{one.cost_of_all:.2f}/{one.cost_of_none:.2f}",
        f"{one.auc:.3f}",
    )


def _as_json(found: Moderation) -> dict[str, Any]:
    told = to_json(found)
    for row, one in zip(told["pictures"], found.pictures, strict=True):
        row["flagged"] = list(one.flagged)
    return told


def _calibrated(chosen: Calibrated) -> dict[str, Any]:
    """Without the sweeps, whose numbers are the drawing's."""
    from dataclasses import asdict

    made = []
    for one in chosen.calibrations:
        told = {name: value for name, value in asdict(one).items() if name != "sweep"}
        made.append(told | {"helps": one.helps})
    return {"calibrations": made, "skipped": [asdict(one) for one in chosen.skipped]}
