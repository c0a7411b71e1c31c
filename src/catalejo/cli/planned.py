"""How plans and curves look: on a terminal, in a pipe, as JSON."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from catalejo.cli.output import count, note, print_table
from catalejo.context.prices import dollars
from catalejo.context.rules import RULES, Reason, rule
from catalejo.records import to_json

if TYPE_CHECKING:
    from catalejo.context.curve import Curve, Point
    from catalejo.context.language_model import LanguageModel
    from catalejo.context.plan import ModelPlan, Planned
    from catalejo.context.tokens import Count
    from catalejo.gathering import Gathered


def print_plan(made: Planned, gathered: Gathered | None) -> None:
    """The routes of each model; on a terminal also the recommendations."""
    on_terminal = sys.stdout.isatty()
    terms = made.terms
    if on_terminal:
        _print_question(made, gathered)
    everything = count(terms.questions, "question", "questions")
    headers = (
        "model",
        "route",
        "",
        "tokens",
        "fits",
        "documents",
        "first question",
        everything,
        "first word",
        "after that",
        "rule",
    )
    rows = [
        (
            model.model if side is model.sides[0] or not on_terminal else "",
            side.route,
            "<-" if side.route == model.plan.route else "",
            ("" if model.size.exact else "~" * on_terminal) + f"{side.tokens:,}",
            "yes" if side.fits else "no",
            _money(side.cost.documents if side.cost else None),
            _money(side.cost.first if side.cost else None),
            _money(side.cost.total if side.cost else None),
            _seconds(side.first_s),
            _seconds(side.next_s),
            model.plan.reasons[0].rule if side.route == model.plan.route else "",
        )
        for model in made.models
        for side in model.sides
    ]
    if not on_terminal:
        print_table(headers, rows)
        return
    _print_routes(headers[2:-1], [row[:-1] for row in rows])
    for model in made.models:
        click.echo()
        _print_recommended(model, made)


def _print_routes(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """For 80 columns: a model's name has a line of its own above its routes."""
    shown = []
    for model, *rest in rows:
        if model:
            shown.append((model, *[""] * (len(rest) - 1)))
        shown.append((f"  {rest[0]}", *rest[1:]))
    narrow = [header.replace(" ", "\n") for header in headers]
    print_table(("", *narrow), shown, right=(2, 4, 5, 6, 7, 8))


def _print_question(made: Planned, gathered: Gathered | None) -> None:
    if gathered:
        files = count(len(gathered.documents), "document", "documents")
        click.echo(f"{files}, {sum(document.characters for document in gathered.documents):,} characters")
    guessed = ""
    if made.guessed and made.because:
        guessed = f' (guessed from "{made.because}"; --task says otherwise)'
    elif made.guessed:
        guessed = " (assumed; --task says otherwise)"
    click.echo(f"task: {made.task}{guessed}")
    terms = made.terms
    sent = f"{terms.retrieved_tokens:,} tokens retrieved a question"
    click.echo(f"{sent}, {terms.prompt_tokens:,} for it and instructions")
    click.echo(f"US dollars: documents alone, once; then with answers of {terms.output_tokens:,} tokens\n")


def _print_recommended(model: ModelPlan, made: Planned) -> None:
    decided, plan = model.plan.reasons[0], model.plan
    click.secho(f"{model.model}: {plan.route}", bold=True)
    _print_reason(decided)
    for reason in plan.reasons[1:]:
        click.echo(f"  also {reason.rule}: {reason.why}")
    if plan.escalate:
        click.echo(f"  when the passages do not say it: {plan.escalate}")
    if any(side.cost and side.cost.total for side in model.sides):
        at = plan.break_even_questions
        said = "never" if math.isinf(at) else f"from {count(int(at), 'question', 'questions')} on"
        tokens = (
            f"with {count(made.terms.questions, 'question', 'questions')} below {plan.break_even_tokens:,.0f} tokens"
        )
        click.echo(f"  long context costs less: {said}; {tokens}")
    click.echo(
        f"  tokens: {model.size.how}; speed: {model.speed.source}" + f"; prices of {model.priced}" * bool(model.priced)
    )
    for warning in plan.warnings:
        click.echo(f"  ! {warning.why}")


def _print_reason(reason: Reason) -> None:
    row = rule(reason.rule)
    click.echo(f"  {reason.why[:1].upper()}{reason.why[1:]}. {row.says}")
    click.echo(f"  evidence: {row.evidence} [{row.source}]")


def plan_json(
    made: Planned, models: Sequence[LanguageModel], gathered: Gathered | None, each: Mapping[str, Sequence[Count]]
) -> dict[str, Any]:
    """A plan with the rules it names, and the tokens of each file; infinite numbers as null."""
    cited = {r.rule for model in made.models for r in (*model.plan.reasons, *model.plan.warnings)}
    told: dict[str, Any] = _finite(to_json(made))
    told["rules"] = {
        row.id: {"when": row.when, "says": row.says, "evidence": row.evidence, "source": row.source}
        for row in RULES
        if row.id in cited
    }
    documents = gathered.documents if gathered else ()
    told["files"] = [
        {
            "path": document.path,
            "characters": document.characters,
            "tokens": {model.name: each[model.tokenizer][number].tokens for model in models},
        }
        for number, document in enumerate(documents)
    ]
    told["skipped"] = [to_json(one) for one in gathered.skipped] if gathered else []
    return told


# -- curves -----------------------------------------------------------------------------


def print_curve(found: Curve) -> None:
    """The points; on a terminal also the knee, and what whole documents cost."""
    header, *rows = curve_rows(found)
    if not sys.stdout.isatty():
        print_table(header, [[str(cell) for cell in row] for row in rows])
        return
    asked = count(found.questions, "question", "questions")
    click.echo(f"{asked} over {count(found.documents, 'document', 'documents')}, {found.characters:,} characters\n")
    shown = []
    for point in found.points:
        marks = [name for name, one in (("knee", found.knee), ("as good as the best", found.enough)) if one == point]
        told = [_cost(n, usd) for n, usd in zip(point.tokens, point.usd, strict=True)]
        interval = f"{_share(point.low)} to {_share(point.high)}"
        shown.append((f"{point.size_chars:,}", str(point.k), _share(point.share), interval, *told, ", ".join(marks)))
    whole = [_cost(one.tokens, one.usd) + " (does not fit)" * (not one.fits) for one in found.models]
    shown.append(("whole", "", _share(1.0), "", *whole, ""))
    names = [f"{one.model}: tokens, USD" for one in found.models]
    print_table(("characters", "k", "share", "95%", *names, ""), shown, right=(0, 1, 2))
    click.echo(f"\nknee: {_told(found.knee)}; farthest above the straight line from the cheapest to the best")
    click.echo(f"as good as the best, as far as these questions can tell: {_told(found.enough)}")
    if found.missing:
        note(f"{count(len(found.missing), 'question was', 'questions were')} left out:")


def curve_rows(found: Curve) -> Iterator[list[Any]]:
    """A table: a header, then a row a point."""
    models = [name for one in found.models for name in (f"tokens {one.model}", f"usd {one.model}")]
    yield ["size_chars", "k", "share", "low", "high", "characters", *models, "mark"]
    for point in found.points:
        mark = "knee" if point == found.knee else "enough" if point == found.enough else ""
        costs = [
            cell
            for tokens, usd in zip(point.tokens, point.usd, strict=True)
            for cell in (round(tokens, 1), "" if usd is None else f"{usd:.3g}")
        ]
        shares = [round(value, 4) for value in (point.share, point.low, point.high)]
        yield [point.size_chars, point.k, *shares, round(point.characters, 1), *costs, mark]
    costs = [cell for one in found.models for cell in (one.tokens, "" if one.usd is None else f"{one.usd:.3g}")]
    yield ["whole", "", 1.0, "", "", found.characters, *costs, ""]


def curve_json(found: Curve, gathered: Gathered | None) -> dict[str, Any]:
    """A curve, and what was not read."""
    told: dict[str, Any] = _finite(to_json(found))
    told["missing"] = [{"where": where, "reason": reason} for where, reason in found.missing]
    told["skipped"] = [to_json(one) for one in gathered.skipped] if gathered else []
    return told


def _told(point: Point) -> str:
    passages = count(point.k, "passage", "passages")
    return f"{passages} of {point.size_chars:,} characters, {point.tokens[0]:,.0f} tokens, {_share(point.share)}"


_CENTURY_S = 36_525 * 86_400


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


def _cost(tokens: float, usd: float | None) -> str:
    return f"{tokens:,.0f}, {_money(usd)}"


def _money(usd: float | None) -> str:
    return "?" if usd is None else dollars(Decimal(repr(round(usd, 12))))


def _seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} s"
    for most, unit, name in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h"), (_CENTURY_S, 86_400, "days")):
        if value < most:
            return f"{value / unit:.0f} {name}"
    return "a century"


def _finite(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
