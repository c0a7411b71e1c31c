"""``catalejo tokens`` and ``catalejo cost``."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalejo.cli.output import count as plural
from catalejo.cli.output import json_option, note, note_skipped, print_json, print_table, printable
from catalejo.cli.progress import progress_bar

if TYPE_CHECKING:
    from catalejo.context.counting import FileTokens
    from catalejo.context.language_model import LanguageModel
    from catalejo.context.prices import Comparison, Cost
    from catalejo.context.tokens import Count

COURSE = ("gpt-4-turbo", "gpt-3.5-turbo", "claude-3-opus")  # the models of the course's comparison
_DEFAULT = "gpt-4o"


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE|FOLDER|-...")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help=f"Of a language model; repeat it to compare.  [default: {_DEFAULT}]",
)
@click.option(
    "--tokenizer",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Count text with this tokenizer.json instead: exact for its model.",
)
@click.option(
    "--detail",
    type=click.Choice(["low", "medium", "high", "ultra"]),
    default="high",
    show_default=True,
    help="Of pictures, where the provider lets you choose.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 1e7),
    metavar="N",
    help="How long recordings and films last, where it cannot be read (WAV and FLAC can).",
)
@click.option(
    "--max-file-mb",
    type=click.FloatRange(0, min_open=True),
    default=500.0,
    show_default=True,
    help="Refuse larger files.",
)
@json_option
def tokens(paths: tuple[str, ...], models: tuple[str, ...], tokenizer: Path | None, detail: str, seconds: float | None,
           max_file_mb: float, as_json: bool) -> int:  # fmt: skip
    """Count the tokens of texts, documents, pictures and recordings, for one or several models.

    Exact for the text of OpenAI's models, offline; of others it says "about" and between which
    numbers 95 of 100 texts lie (measured in Spanish and English: docs/tokens.md). Pictures,
    recordings and films by the providers' formulas. Prices are of the whole, sent once.

    \b
    catalejo tokens informe.pdf
    catalejo tokens informe.pdf fotos/ --model gpt-4o --model claude-opus-5.5 --model gemini-2.5-pro
    cat notas.md | catalejo tokens - --model llama3.1:8b --tokenizer llama/tokenizer.json
    """
    from catalejo.context.counting import Meter, totals
    from catalejo.context.models import find
    from catalejo.records import Limits

    found = tuple({model.name: model for model in map(find, models or [_DEFAULT])}.values())
    if seconds is not None and math.isnan(seconds):
        raise click.BadParameter("it is no number", param_hint="--seconds")
    meter = Meter(found, tokenizer, detail, seconds, Limits(max_file_mb=max_file_mb))
    counted = []
    with progress_bar() as show:
        for one in meter.files(paths, sys.stdin.buffer):
            counted.append(one)
            if show:
                show("counted", len(counted), None)
    sums = totals(counted, len(found))
    if as_json:
        print_json(_tokens_json(counted, sums, found))
    else:
        _print_tokens(counted, sums, found)
    return 0 if any(one.kind for one in counted) or not counted else 1


def _print_tokens(
    counted: list[FileTokens], sums: dict[str, tuple[Count | None, ...]], models: tuple[LanguageModel, ...]
) -> None:
    from catalejo.records import Skipped

    rows = [(printable(one.path), one.kind, one.what, *map(_said, one.counts)) for one in counted if one.kind]
    kinds = [kind for kind in sums if kind != "total"]
    if len(rows) > 1:
        for kind in sums:
            if kind != "total" or len(kinds) > 1:
                files = sum(bool(one.kind) if kind == "total" else one.kind == kind for one in counted)
                name = "all" if kind == "total" else kind
                rows.append(("total", name, plural(files, "file", "files"), *map(_said, sums[kind])))
    right = range(3, 3 + len(models))
    print_table(("file", "kind", "size", *(model.name for model in models)), rows, right=tuple(right))
    for one in counted:
        if one.note:
            note(f"  {printable(one.path)}: {one.note}")
    bad = [Skipped(one.path, one.reason) for one in counted if one.reason]
    if bad:
        note(f"{plural(len(bad), 'file', 'files')} not counted:")
        note_skipped(bad, most=20)
    if not rows:
        note("Nothing to count there." if not counted else "Nothing could be counted.")
        return
    for number, (model, total) in enumerate(zip(models, sums["total"], strict=True)):
        left_out = sum(bool(one.kind) and one.counts[number] is None for one in counted)
        note(_verdict(model, total, left_out))
    for how in dict.fromkeys(count.how for row in counted for count in row.counts if count and row.kind == "text"):
        note(f"text: {how}")


def _said(count: Count | None) -> str:
    if count is None:
        return "not taken"
    return f"{count.tokens:,}" if count.exact else f"~{count.tokens:,} ({count.low:,}-{count.high:,})"


def _verdict(model: LanguageModel, total: Count | None, left_out: int) -> str:
    """What a user asks next: does it fit, and what does it cost."""
    from catalejo.context import prices

    if total is None:
        return f"{model.name} takes none of these"
    words = [f"{model.name}: {total} tokens"]
    if left_out:
        words[0] += f" without {plural(left_out, 'file', 'files')} it does not take"
    limit = model.input_limit
    if limit is None:
        words.append("nobody says how much it reads")
    elif total.low <= limit < total.high:
        words.append(f"may not fit its input of {limit:,}")
    else:
        words.append(f"{'fits' if total.high <= limit else 'does not fit'} its input of {limit:,}")
    if model.effective is not None and total.tokens > model.effective:
        words.append(f"over its effective window of {model.effective:,}")
    if model.open and not model.prices[0].input:
        words.append("free on your own machine")
    elif model.prices:
        cost = prices.cost(total.tokens, 0, model)
        words.append(f"{'' if total.exact else 'about '}{prices.dollars(cost.total)} USD to send once{_cliff(cost)}")
    return ", ".join(words)


def _cliff(cost: Cost) -> str:
    return f" at the price above {cost.above:,} tokens" if cost.above else ""


def _tokens_json(
    counted: list[FileTokens], sums: dict[str, tuple[Count | None, ...]], models: tuple[LanguageModel, ...]
) -> dict[str, Any]:
    from catalejo.context import prices

    names = [model.name for model in models]

    def of(counts: tuple[Count | None, ...]) -> dict[str, Any]:
        return {name: _count_json(count) for name, count in zip(names, counts, strict=True)}

    costs = {
        model.name: float(prices.cost(total.tokens, 0, model).total)
        for model, total in zip(models, sums.get("total", ()), strict=False)
        if total is not None and model.prices
    }
    return {
        "files": [
            {"path": one.path, "kind": one.kind, "size": one.what, "tokens": of(one.counts), "note": one.note}
            for one in counted
            if one.kind
        ],
        "skipped": [{"path": one.path, "reason": one.reason} for one in counted if one.reason],
        "totals": {kind: of(counts) for kind, counts in sums.items()},
        "usd_once": costs,
        "models": {model.name: {"window": model.window, "input_limit": model.input_limit} for model in models},
    }


def _count_json(count: Count | None) -> dict[str, Any] | None:
    if count is None:
        return None
    return {"tokens": count.tokens, "exact": count.exact, "low": count.low, "high": count.high, "how": count.how}


@click.command()
@click.option(
    "--tokens",
    "size",
    type=click.IntRange(0, 10**12),
    metavar="N",
    help="Of the whole document: catalejo tokens FILE.  [required]",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help=f"Of a language model; repeat it.  [default: {', '.join(COURSE)}]",
)
@click.option(
    "--retrieved",
    type=click.IntRange(0, 10**12),
    default=2_000,
    show_default=True,
    metavar="N",
    help="Tokens of the passages that retrieval sends instead.",
)
@click.option(
    "--output-tokens", type=click.IntRange(0, 10**9), default=0, show_default=True, metavar="N", help="Of each answer."
)
@click.option(
    "--questions",
    type=click.IntRange(1, 10**9),
    default=1,
    show_default=True,
    metavar="N",
    help="How many are asked, while the provider's cache lasts.",
)
@click.option("--batch", is_flag=True, help="At the price of jobs that may wait, where there is one.")
@json_option
def cost(size: int | None, models: tuple[str, ...], retrieved: int, output_tokens: int, questions: int, batch: bool,
         as_json: bool) -> None:  # fmt: skip
    """Compare what it costs to send a whole document, or only the passages that answer.

    List prices in US dollars, without taxes. "cached" is the whole document when the provider keeps
    it between questions. A plan for your own files: catalejo plan.

    \b
    catalejo cost --tokens 50000
    catalejo cost --tokens 300000 --model gpt-5.5 --model gemini-2.5-pro --questions 20 --output-tokens 300
    """
    if size is None:
        raise click.UsageError(
            "--tokens says of how many. Of your files: catalejo tokens FILE; what to do: catalejo plan FILE"
        )
    from catalejo.context import prices
    from catalejo.context.models import find

    chosen = {model.name: model for model in map(find, models or COURSE)}
    found = [
        prices.compare(size, model, retrieved=retrieved, output_tokens=output_tokens, questions=questions, batch=batch)
        for model in chosen.values()
    ]
    if as_json:
        print_json({"currency": prices.CURRENCY, "questions": questions, "output_tokens": output_tokens,
                    "comparisons": [_comparison_json(one) for one in found]})  # fmt: skip
        return
    cached = any(one.kept is not None for one in found)
    headers = ("model", "window", "fits", f"{size:,} tokens", *(("cached",) if cached else ()),
               f"{min(retrieved, size):,} retrieved", "times")  # fmt: skip
    rows = []
    for one in found:
        middle = (_total(one.kept),) if cached else ()
        window = "" if one.model.window is None else f"{one.model.window:,}"
        fits = {True: "yes", False: "no", None: "?"}[one.fits]
        rows.append((one.model.name, window, fits, _total(one.whole), *middle, _total(one.passages), _times(one)))
    print_table(headers, rows, right=tuple(range(1, len(headers))))
    asked = f", {plural(questions, 'question', 'questions')} of" if questions > 1 else ","
    if len(found) and not sys.stdout.isatty():
        note(f"columns: {', '.join(headers)}")
    note(f"US dollars{asked} {size:,} tokens or {min(retrieved, size):,} in, {output_tokens:,} out.")
    for one in found:
        if one.fits is False:
            note(f"{one.model.name} reads {one.model.input_limit:,} tokens at most: its price is arithmetic only")
        if one.whole is None:
            note(f"no price of {one.model.name} is known: catalejo llms --find {one.model.name}")
        elif one.whole.above:
            note(f"{one.model.name} costs more above {one.whole.above:,} tokens, for all of the prompt")


def _total(cost: Cost | None) -> str:
    from catalejo.context import prices

    return "" if cost is None else prices.dollars(cost.total)


def _times(one: Comparison) -> str:
    if one.whole is None or one.passages is None or not one.passages.total:
        return ""
    times = float(one.whole.total / one.passages.total)
    return f"{times:,.0f}" if times >= 100 else f"{times:.3g}"


def _comparison_json(one: Comparison) -> dict[str, Any]:
    def usd(cost: Cost | None) -> float | None:
        return None if cost is None else float(cost.total)

    return {
        "model": one.model.name,
        "window": one.model.window,
        "input_limit": one.model.input_limit,
        "fits": one.fits,
        "tokens": one.tokens,
        "retrieved": one.retrieved,
        "whole_usd": usd(one.whole),
        "cached_usd": usd(one.kept),
        "retrieved_usd": usd(one.passages),
        "above": one.whole.above if one.whole else 0,
        "as_of": one.model.date,
    }
