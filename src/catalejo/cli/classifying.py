"""``catalejo classify``."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from catalejo.catalog import Catalog
from catalejo.cli.adding import limit_options
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
from catalejo.errors import CannotSave
from catalejo.records import Limits, to_json

if TYPE_CHECKING:
    from catalejo.accuracy import Figures
    from catalejo.classify import Classification, Classified


def writable(_: click.Context, __: click.Parameter, path: str | None) -> str | None:
    """See whether a file could be written, before anybody waits for what goes into it."""
    if path and os.path.isdir(path):
        raise CannotSave(path, "it is a folder")
    if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise CannotSave(path, "No such file or directory")
    return path


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--labels", metavar="A,B,...", help="The labels, with commas between.")
@click.option("--labels-file", metavar="FILE",
              help="One label a line, or a table with category, subcategory and prompt (.csv).")  # fmt: skip
@click.option("--labels-from-folders", is_flag=True, help="The folders that the pictures lie in are the labels.")
@click.option("--none", is_flag=True, help='Let "none of these" be an answer, with a probability of its own.')
@click.option("--lang", "language", type=click.Choice(["en", "es"]), help="Of the labels. Default: guessed.")
@click.option("--template", "templates", multiple=True, metavar="TEXT",
              help='Ask labels so: "a drawing of a {}"; "{}" asks them bare. Several are averaged.')  # fmt: skip
@click.option("--ensemble", is_flag=True, help="Ask labels in the 80 ways of the CLIP paper, averaged.")
@click.option("-k", type=click.IntRange(min=1), default=3, show_default=True, metavar="N", help="Labels a picture.")
@click.option("--csv", "table", metavar="FILE", callback=writable, help="Save a table with all probabilities.")
@click.option("--with", "second", type=click.Choice(["facts"]),
              help="A second opinion: do the labels and the text perceived in each picture say the same?")  # fmt: skip
@drawing_option("--confusion", "Draw what was taken for what; folders must be called by labels")
@limit_options
@encoder_option("Which encoder, by name or path. Default: the catalog's, or conse.")
@json_option
@with_catalog
def classify(
    catalog: Catalog,
    paths: tuple[str, ...],
    table: str | None,
    confusion: str | None,
    second: str | None,
    max_megapixels: float,
    max_file_mb: float,
    max_pages: int,
    as_json: bool,
    labels_from_folders: bool,
    labels: str | None,
    labels_file: str | None,
    **how: Any,
) -> None:
    """Sort pictures into classes that you name, without training anything.

    PATH is a file, a folder or a pattern. With conse and CLIP models the probabilities of a picture add
    up to 1, so that something is always likely, unless "none of these" may be (--none); with SigLIP models
    each label stands by itself. Where the folders are called by the labels, it is counted how often the labels are
    right.

    \b
    catalejo classify ~/Pictures --labels "perro, gato, pájaro, coche" --none
    catalejo classify photos --labels-file catalogue.csv --csv sorted.csv
    catalejo classify photos --labels "perro, gato" --with facts --encoder clip-vit-b-32
    catalejo classify test --labels-from-folders --confusion confusion.png --encoder clip-vit-b-32
    """
    if [labels is not None, labels_file is not None, labels_from_folders].count(True) != 1:
        raise click.UsageError("the labels: name them with one of --labels, --labels-file, --labels-from-folders")
    with progress_bar() as progress:
        found = catalog.classify(
            *paths,
            labels=labels,
            labels_file=labels_file,
            judged=bool(confusion),
            limits=Limits(max_megapixels, max_file_mb, max_pages),
            progress=progress,
            **how,
        )
        if second:
            found = catalog.second_opinion(found, limits=Limits(max_megapixels, max_file_mb, max_pages))
    if table:
        _save(found, table)
    if confusion and found.figures:
        _draw(found.figures, found.encoder, confusion)
    elif confusion:
        note("nothing was drawn: of the pictures in folders called by labels none could be read")
    if as_json:
        print_json({name: value for name, value in to_json(found).items() if name != "probabilities"})
        return
    _print(found)


# -- a table for programs -----------------------------------------------------------------


def _save(found: Classification, path: str) -> None:
    """One row a picture; after its best label, and category, a column ``p: LABEL`` for every label."""
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv.writer(file).writerows(_rows(found))
    except OSError as error:
        raise CannotSave(path, error.strerror or str(error)) from error
    note(f"saved {printable(path)}")


def _rows(found: Classification) -> Iterator[list[str]]:
    above = ["category", "category_probability"] if any(one.categories for one in found.pictures) else []
    truth = ["truth"] if found.figures else []
    facts = ["facts", "facts_label", "facts_confidence"] if any(one.second for one in found.pictures) else []
    yield ["path", "label", "probability", *above, *truth, *facts, *(f"p: {name}" for name in found.columns)]
    for one, shares in zip(found.pictures, found.probabilities, strict=True):
        best = [*one.guesses[:1], *one.categories[:1]]
        cells = [cell for guess in best for cell in (guess.label, f"{guess.probability:.6g}")]
        opinion = [one.second.verdict, one.second.label, f"{one.second.confidence:.6g}"] if one.second else [""] * 3
        cells += ([one.truth or ""] if truth else []) + (opinion if facts else [])
        yield [one.path, *cells, *(f"{share:.6g}" for share in shares)]


# -- for people ---------------------------------------------------------------------------


def _print(found: Classification) -> None:
    categories = any(one.categories for one in found.pictures)
    heads = ["", "label", *(["", "category"] if categories else []), "file", "then"]
    judged = any(one.truth for one in found.pictures)
    seconded = any(one.second for one in found.pictures)
    rows = []
    for one in found.pictures:
        cells = [_share(one.guesses[0].probability), one.guesses[0].label]
        if categories:
            cells += [_share(one.categories[0].probability), one.categories[0].label]
        then = ", ".join(f"{guess.label} {_share(guess.probability)}" for guess in one.guesses[1:])
        opinion = [_opinion(one)] if seconded else []
        rows.append((*cells, printable(one.path), then, *opinion, *([_wrong(one, found)] if judged else [])))
    print_table(
        (*heads, *(["facts"] if seconded else []), *([""] if judged else [])),
        rows,
        right=(0, 2) if categories else (0,),
    )
    asked = ", ".join(f'"{template}"' for template in found.templates[:2])
    asked += f" and {len(found.templates) - 2} more" if len(found.templates) > 2 else ""
    how = f"labels in {found.language}" + ("" if found.templates == ("{}",) else f", asked as {asked}")
    note(f"{count(len(found.pictures), 'picture', 'pictures')}, {how}; {found.encoder}")
    if seconded:
        agree = sum(one.second.verdict == "agrees" for one in found.pictures if one.second)
        note(f"the facts agree on {count(agree, 'picture', 'pictures')}" + _same_eyes(found.encoder))
    if found.skipped:
        note(f"{count(len(found.skipped), 'file', 'files')} could not be read")
    note_skipped(found.skipped)
    if found.figures:
        _print_figures(found.figures, len(found.pictures))


def _opinion(one: Classified) -> str:
    """``agrees 95%``; ``says dog 90%``; or that it cannot tell."""
    if one.second is None or one.second.verdict == "cannot tell":
        return "cannot tell" if one.second else ""
    verb = "agrees" if one.second.verdict == "agrees" else f"says {one.second.label}"
    return f"{verb} {_share(one.second.confidence)}"


def _same_eyes(encoder: str) -> str:
    return "; labels and conse come from one classifier, so they err together" if encoder == "conse" else ""


def _share(probability: float) -> str:
    """In whole percent; what rounds to 0% or 100% is told from it."""
    return "<1%" if probability < 0.005 else ">99%" if probability >= 0.995 else f"{probability:.0%}"


def _wrong(one: Classified, found: Classification) -> str:
    said = one.categories[0] if found.figures and found.figures.level == "category" else one.guesses[0]
    return f"it is {one.truth}" if one.truth and one.truth != said.label else ""


def _print_figures(figures: Figures, pictures: int) -> None:
    """Accuracy, and precision, recall and F1 of each label."""
    by = "folder" if figures.level == "label" else "folder (category)"
    judged = "" if figures.pictures == pictures else f" of the {figures.pictures:,} in folders called by a label"
    note(
        f"{figures.right:,} of {figures.pictures:,} right{judged}, by their {by}: accuracy {figures.accuracy:.3f} "
        f"(95%: {figures.low:.3f} to {figures.high:.3f}), macro F1 {figures.macro_f1:.3f}"
    )
    heads = ("label", "pictures", "said", "precision", "recall", "F1")
    rows = [
        (one.label, f"{one.pictures:,}", f"{one.said:,}", *map(_figure, (one.precision, one.recall, one.f1)))
        for one in figures.classes
    ]
    if sys.stdout.isatty():
        print_table(heads, rows, right=range(1, 6))
    else:  # the pipe has the pictures
        wide = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        for first, *others in (heads, *rows):
            cells = (cell.rjust(width) for cell, width in zip(others, wide[1:], strict=True))
            note("  " + "  ".join((first.ljust(wide[0]), *cells)))


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _draw(figures: Figures, encoder: str, path: str) -> None:
    import numpy as np

    from catalejo.plots.canvas import save
    from catalejo.plots.matrices import confusion_map

    rows = [one.label for one in figures.classes]
    title = f"{figures.right} of {figures.pictures} right, {encoder}"
    save(confusion_map(np.array(figures.confusion, np.int64), rows, figures.columns, title), path)
    note(f"drew {printable(path)}")
