"""``catalejo matrix``, ``evaluate`` and ``compare``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalejo.catalog import Catalog
from catalejo.cli.adding import limit_options
from catalejo.cli.output import (
    F,
    drawing_option,
    encoder_option,
    json_option,
    note,
    print_json,
    printable,
    with_catalog,
)
from catalejo.cli.progress import progress_bar
from catalejo.records import Limits, to_json

if TYPE_CHECKING:
    from catalejo.evaluate import Report


def captions_options(required: bool, otherwise: str = "") -> Callable[[F], F]:
    """The options of a caption file and of its pictures; ``otherwise``: what is done without it.

    The function gets ``captions`` and, in ``which``, how to read them: ``language``, ``images``, ``split``, limits.
    """

    def decorate(function: F) -> F:
        what = "CSV (path, caption or caption_xx), JSONL, COCO or Karpathy JSON."
        options: tuple[Callable[[Any], Any], ...] = (
            click.option("--captions", required=required, metavar="FILE",
                         help=what if required else f"{what} {otherwise}"),
            click.option("--lang", "language", metavar="XX", help="Only captions in this language: en, es ..."),
            click.option("--images", metavar="DIR", help="The folder that the file's paths start from."),
            click.option("--split", metavar="NAME",
                         help="Of a file that has splits; `all` for all. Default: test, if there is one."),
        )  # fmt: skip
        function = limit_options(function)
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _which(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the command line as arguments of the method."""
    limits = Limits(*(options.pop(name) for name in ("max_megapixels", "max_file_mb", "max_pages")))
    return options | {"limits": limits}


@click.command()
@captions_options(required=True)
@drawing_option("--out", "Draw the matrix")
@encoder_option("Which encoder, by name or path. Default: the catalog's, or conse.")
@json_option
@with_catalog
def matrix(catalog: Catalog, captions: str, out: str | None, as_json: bool, **which: Any) -> None:
    """Show the cosine of every picture with every caption, and which captions are easily mixed up.

    Captions of one language: the first in the file, unless --lang names another. In a pipe the matrix
    comes as a table with tabs between, captions in its first line.

    \b
    catalejo matrix --captions captions.csv --out matrix.png
    catalejo matrix --captions captions.csv --lang es --encoder siglip2-b-32-256 > matrix.tsv
    """
    with progress_bar() as progress:
        found = catalog.matrix(captions, **_which(which), progress=progress)
    if out:
        from catalejo.plots.canvas import save
        from catalejo.plots.matrices import similarity_map

        save(similarity_map(found, Path, f"{Path(captions).name}, {found.encoder}"), out)
        note(f"drew {printable(out)}")
    if as_json:
        print_json(to_json(found))
        return
    from catalejo.cli.reporting import print_matrix

    print_matrix(found)


@click.command()
@captions_options(required=False, otherwise="Either this or --vqa.")
@click.option("--vqa", metavar="FILE", help="Questions about pictures, with answers: CSV, JSONL, POPE, VizWiz, VQAv2.")
@click.option(
    "--with",
    "answerer",
    type=click.Choice(("facts", "endpoint", "blip2")),
    help="With --vqa: who answers. Default: endpoint where one is named, else facts.",
)
@click.option("--endpoint", metavar="URL", help="With --vqa: OpenAI-compatible. Default: CATALEJO_ENDPOINT.")
@click.option("--model", metavar="NAME", help="With --vqa: the model there; for blip2 a folder.")
@click.option(
    "--samples",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="With --vqa: answers to each question, of which most must agree.",
)
@drawing_option("--out", "Draw the measures with their intervals; with --vqa, risk against coverage")
@encoder_option("Which encoders, by name or path, with commas between. Default: the catalog's, or conse.")
@json_option
@with_catalog
def evaluate(
    catalog: Catalog,
    captions: str | None,
    vqa: str | None,
    answerer: str | None,
    endpoint: str | None,
    model: str | None,
    samples: int,
    out: str | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Measure how well pictures are found by their captions and captions by pictures, or questions are answered.

    Prints Recall@1, 5 and 10, mAP, MRR, nDCG@10 and the median rank with 95% intervals and what chance
    would get; encoders compared in pairs, and Spanish minus English where there are both. Vectors that the
    catalog already has are used. In a pipe each line is a figure, with tabs between: encoder, language,
    direction, measure, value, both ends of the interval, chance.

    \b
    catalejo evaluate --captions captions.csv
    catalejo evaluate --captions captions.csv --lang es --encoder conse,siglip2-b-32-256 --out chart.png
    catalejo evaluate --captions dataset_coco.json --images val2014 --json

    With --vqa: VQA accuracy after the official normalisation; `right`, where a sentence may hold the answer; yes or no
    as POPE judges them; how much is declined, of what can be answered and of what cannot; risk against coverage.

    \b
    catalejo evaluate --vqa questions.csv --with facts
    catalejo evaluate --vqa coco_pope_random.json --images val2014 --endpoint http://127.0.0.1:8080/v1
    catalejo evaluate --vqa questions.jsonl --with endpoint --samples 5 --out risk.png
    """
    if vqa:
        if captions or which.pop("split"):
            raise click.UsageError("--captions and --split cannot be used with --vqa")
        from catalejo.cli.visual_evaluating import Asked, evaluate_visual

        asked = Asked(vqa, answerer, endpoint, model, samples)
        evaluate_visual(asked, out=out, as_json=as_json, **_which(which))
        return
    named = {"with": answerer, "endpoint": endpoint, "model": model, "samples": samples > 1}
    if idle := ", ".join(f"--{name}" for name, value in named.items() if value):
        raise click.UsageError(f"{idle} can be used only with --vqa")
    if not captions:
        raise click.UsageError("name a file: --captions FILE, or --vqa FILE")
    with progress_bar() as progress:
        report = catalog.evaluate(captions, **_which(which), progress=progress)
    _draw(report, captions, out)
    if as_json:
        print_json(to_json(report))
        return
    from catalejo.cli.reporting import print_report

    print_report(report)


@click.command()
@click.argument("folder", metavar="FOLDER")
@captions_options(required=False, otherwise="Without it only the costs are measured.")
@drawing_option("--out", "With --captions: draw the measures with their intervals")
@encoder_option("The encoders, by name or path, with commas between.")
@json_option
@with_catalog
def compare(catalog: Catalog, folder: str, captions: str | None, out: str | None, as_json: bool, **which: Any) -> None:
    """Choose an encoder for your pictures: quality, speed, memory and size of each, and a recommendation.

    Each encodes the pictures anew, in a process of its own, so the speeds are those of this machine, as
    busy as it is. With captions, all their pictures are used; without, at most 200 of FOLDER. The paths in the
    file start from its own folder or from FOLDER. Recommended is the fastest of those that find no fewer
    pictures than the best, as far as these captions can tell.

    \b
    catalejo compare ~/Pictures --encoder conse,clip-vit-b-32:int8 --captions captions.csv
    catalejo compare ~/Pictures --encoder clip-vit-b-32,clip-vit-b-32:int8
    """
    asked = {"lang": which["language"], "images": which["images"], "split": which["split"], "out": out}
    idle = ", ".join(f"--{name}" for name, value in asked.items() if value)
    if captions is None and idle:
        raise click.UsageError(f"{idle} can be used only with --captions")
    with progress_bar() as progress:
        choice = catalog.compare(folder, captions=captions, **_which(which), progress=progress)
    if choice.report:
        _draw(choice.report, captions or "", out)
    if as_json:
        print_json(to_json(choice))
        return
    from catalejo.cli.reporting import print_choice

    print_choice(choice)


def _draw(report: Report, captions: str, out: str | None) -> None:
    if out:
        from catalejo.plots.canvas import save
        from catalejo.plots.evaluation import evaluation_chart

        save(evaluation_chart(report, Path(captions).name), out)
        note(f"drew {printable(out)}")
