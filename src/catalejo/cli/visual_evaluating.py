"""``catalejo evaluate --vqa``: questions about pictures, asked and judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalejo.cli.output import count, note, note_skipped, print_json, print_table, printable
from catalejo.cli.progress import progress_bar
from catalejo.records import to_json

if TYPE_CHECKING:
    from catalejo.records import Limits
    from catalejo.selective import Curve
    from catalejo.visual_evaluation import VisualReport, YesNo

_RISK = 0.1  # the risk at which the coverage is told
_SENTENCES = 0.3  # by which `right` passes VQA accuracy where somebody answers in sentences


@dataclass(frozen=True)
class Asked:
    """The options of the command: a file of questions, and whom to ask."""

    vqa: str
    answerer: str | None
    endpoint: str | None
    model: str | None
    samples: int


def evaluate_visual(
    asked: Asked, *, language: str | None, images: str | None, limits: Limits, out: str | None, as_json: bool
) -> None:
    """Ask, judge, print.

    Raises:
        BadQuestions: the file cannot be used, or has no question in that language.
        CatalejoError: the answerer cannot answer.
    """
    from catalejo.answerers.address import is_configured
    from catalejo.answerers.vision import Asking
    from catalejo.errors import BadQuestions
    from catalejo.visual_answering import How
    from catalejo.visual_answering import answerer as opened
    from catalejo.visual_evaluation import run
    from catalejo.visual_questions import read_visual_questions

    name = asked.answerer or ("endpoint" if is_configured(asked.endpoint) else "facts")
    found = read_visual_questions(asked.vqa, images)
    questions = [one for one in found.asked if language in (None, one.language)]
    if not questions:
        raise BadQuestions(asked.vqa, f"none of its {len(found.asked):,} questions is in {language}")
    model, there = (asked.model, None) if name == "blip2" else (None, asked.model)
    ask = opened(name, How(asked.samples, brief=True, model=model, asking=Asking(asked.endpoint, there), limits=limits))
    with progress_bar() as progress:
        show = (lambda done, of: progress("asking", done, of)) if progress else None
        report = run(questions, ask, name, missing=found.missing, progress=show)
    if out:
        from catalejo.plots.canvas import save
        from catalejo.plots.risk import risk_chart

        if report.curve.answered:
            save(risk_chart(report.curve, f"{Path(asked.vqa).name}, {name}"), out)
            note(f"drew {printable(out)}")
        else:
            note("nothing was answered, so there is no curve to draw")
    if as_json:
        print_json(to_json(report))
    else:
        print_visual_report(report)


def print_visual_report(report: VisualReport) -> None:
    """The figures as a table; then yes or no, risk and coverage, what could not be asked."""
    from catalejo.visual_evaluation import ACCURACY, RIGHT

    rows = [("all", *_cells(asdict(figure))) for figure in report.figures]
    for kind, figures in report.by_kind:
        rows += [(kind, *_cells(asdict(figure))) for figure in figures]
    print_table(("questions", "measure", "value", "95%", "", "n"), rows, right=(2, 3, 4, 5))
    pictures = len({one.question.path for one in report.judged})
    models = sorted({one.answer.model for one in report.judged if one.answer.model})
    by = report.answerer + (f" ({', '.join(models)})" if models else "")
    note(f"{by}: {count(len(report.judged), 'question', 'questions')} about {count(pictures, 'picture', 'pictures')}")
    values = {figure.name: figure.value for figure in report.figures}
    if values.get(RIGHT, 0.0) - values.get(ACCURACY, 0.0) > _SENTENCES:
        note("its answers are sentences, which VQA accuracy takes for wrong: `right` is the figure to read")
    if report.yes_no:
        note(_yes_no(report.yes_no))
    note(_risk(report.curve))
    if report.skipped:
        note(f"left out: {count(len(report.skipped), 'thing', 'things')}")
        note_skipped(report.skipped, hint="; all of them: --json")


def _cells(figure: dict[str, Any]) -> tuple[str, ...]:
    values = (f"{figure[name]:.3f}" for name in ("value", "low", "high"))
    return (figure["name"], *values, f"{figure['n']:,}")


def _yes_no(found: YesNo) -> str:
    return (
        f"yes or no: F1 {found.f1:.3f} (precision {found.precision:.3f}, recall {found.recall:.3f}), "
        f"accuracy {found.accuracy:.3f}; yes is said to {found.yes_rate:.0%}, and right for {found.true_yes_rate:.0%}"
    )


def _risk(curve: Curve) -> str:
    if not curve.answered:
        return "every question was declined"
    last = f"risk {curve.risk[-1]:.3f} where {curve.answered / curve.questions:.0%} is answered"
    if not curve.ranked:
        return f"{last}; its answers have no different confidences to choose by"
    best = f"the least possible {curve.least:.3f}"
    return f"{last}; {curve.coverage_at(_RISK):.0%} at a risk of {_RISK:.0%}; area {curve.area:.3f} ({best})"
