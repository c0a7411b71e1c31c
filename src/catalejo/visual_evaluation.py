"""Questions about pictures with known answers -> a report: how often right, how often declined, the risk at a coverage.

Nothing here answers; any answerer is a function of a question and a path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from catalejo import intervals
from catalejo.answerers import Answer
from catalejo.errors import CannotAsk, CatalejoError
from catalejo.intervals import RESAMPLES, Sample
from catalejo.records import Skipped
from catalejo.selective import Curve, risk_coverage
from catalejo.visual_answers import accuracy, contained, yes_no
from catalejo.visual_questions import KINDS, YES_NO, VisualQuestion

Ask = Callable[[str, str], Answer]
_FAILURES = 3  # one after the other, of an answerer that then is down

ACCURACY, RIGHT, RIGHT_OF_ANSWERED = "VQA accuracy", "right", "right of the answered"
DECLINED, DECLINED_RIGHTLY, DECLINED_WRONGLY = "declined", "declined, unanswerable", "declined, answerable"


@dataclass(frozen=True)
class Judged:
    """One question, answered and judged.

    Attributes:
        question: it and its reference answers.
        answer: what was said; with ``declined``, its reason.
        accuracy: VQA accuracy, 0 to 1; of an unanswerable question, 1 where it was declined.
        right: the same for answers in sentences; see ``visual_answers.contained``.
    """

    question: VisualQuestion
    answer: Answer
    accuracy: float
    right: float


@dataclass(frozen=True)
class Figure:
    """A mean over some of the questions, with its 95% interval; pictures are drawn, each with all its questions."""

    name: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class YesNo:
    """Yes-or-no questions, as POPE judges them; the classes are those of the reference answers.

    Attributes:
        questions: how many.
        accuracy: share said right; what was declined is not right.
        precision, recall, f1: of ``yes``; 0 where they have no meaning.
        yes_rate: share of all questions answered with yes.
        true_yes_rate: share whose reference is yes: what the rate should be.
        declined: share.
    """

    questions: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    yes_rate: float
    true_yes_rate: float
    declined: float


@dataclass(frozen=True)
class VisualReport:
    """An answerer, measured.

    Attributes:
        answerer: its name.
        figures: over all questions; one that has no question is left out.
        by_kind: VQA accuracy and ``right`` by kind of question.
        yes_no: None where no question is one of yes or no.
        curve: risk against coverage; the loss is 1 less what is right.
        judged: every question.
        skipped: questions or pictures that could not be asked, and why.
        resamples, seed: of the intervals.
    """

    answerer: str
    figures: tuple[Figure, ...]
    by_kind: tuple[tuple[str, tuple[Figure, ...]], ...]
    yes_no: YesNo | None
    curve: Curve
    judged: tuple[Judged, ...]
    skipped: tuple[Skipped, ...]
    resamples: int
    seed: int

    def __getitem__(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)


def run(
    asked: Sequence[VisualQuestion],
    ask: Ask,
    answerer: str = "",
    *,
    missing: Sequence[Skipped] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> VisualReport:
    """Ask every question and judge the answers.

    Args:
        asked: the questions, their pictures at ``path``.
        ask: question, path of the picture -> answer.
        answerer: its name, for the report.
        missing: pictures that are not there; passed on.
        resamples, seed: of the intervals.
        progress: called after every question, with how many are done, and of how many.

    Raises:
        CatalejoError: of ``ask``, where three questions one after the other get none, or no question gets an answer.
        ValueError: there are no questions.
    """
    if not asked:
        raise ValueError("no questions, so nothing can be judged")
    judged: list[Judged] = []
    skipped = list(missing)
    failures = 0
    for done, one in enumerate(asked, 1):
        try:
            answer = ask(one.question, one.path)
        except CatalejoError as error:
            failures += isinstance(error, CannotAsk)
            skipped.append(Skipped(one.path, f"{one.where}: {getattr(error, 'reason', error)}"))
            if failures == _FAILURES or (done == len(asked) and not judged):
                raise
        else:
            failures = 0
            judged.append(judge(one, answer))
        if progress:
            progress(done, len(asked))
    return report(judged, answerer, skipped=skipped, resamples=resamples, seed=seed)


def judge(question: VisualQuestion, answer: Answer) -> Judged:
    """One answer, judged. Declining is right where the picture cannot tell, and wrong elsewhere."""
    if answer.declined or question.unanswerable:
        right = float(answer.declined and question.unanswerable)
        return Judged(question, answer, right, right)
    given = answer.text, question.answers, question.language
    return Judged(question, answer, accuracy(*given), contained(*given))


def report(
    judged: Sequence[Judged],
    answerer: str = "",
    *,
    skipped: Sequence[Skipped] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> VisualReport:
    """The figures of judged answers.

    Raises:
        ValueError: there are none.
    """

    def figure(name: str, values: dict[int, float]) -> list[Figure]:
        """Of the questions that count for it, by their place."""
        if not values:
            return []
        pictures = {path: number for number, path in enumerate(dict.fromkeys(one.question.path for one in judged))}
        rows = np.array([list(values.values())], np.float32).T  # (n, 1)
        drawn = np.array([pictures[judged[place].question.path] for place in values], np.int64)
        found = intervals.interval(Sample(rows, drawn, (False,)), resamples, seed)
        value, low, high = (round(float(side[0]), 6) for side in (found.value, found.low, found.high))
        if low == high and value in (0.0, 1.0):  # all alike: the draws know nothing else
            low, high = (round(end, 6) for end in intervals.wilson(round(value * len(values)), len(values)))
        return [Figure(name, value, low, high, len(values))]

    everything = dict(enumerate(judged))
    can = {place: one for place, one in everything.items() if not one.question.unanswerable}
    cannot = {place: one for place, one in everything.items() if one.question.unanswerable}
    answered = {place: one for place, one in everything.items() if not one.answer.declined}
    figures = [
        *figure(ACCURACY, {place: one.accuracy for place, one in can.items()}),
        *figure(RIGHT, {place: one.right for place, one in can.items()}),
        *figure(RIGHT_OF_ANSWERED, {place: one.right for place, one in answered.items()}),
        *figure(DECLINED, {place: float(one.answer.declined) for place, one in everything.items()}),
        *figure(DECLINED_WRONGLY, {place: float(one.answer.declined) for place, one in can.items()}),
        *figure(DECLINED_RIGHTLY, {place: float(one.answer.declined) for place, one in cannot.items()}),
    ]
    by_kind = []
    for kind in KINDS:
        mine = {place: one for place, one in can.items() if one.question.kind == kind}
        if mine:
            both = (
                *figure(ACCURACY, {place: one.accuracy for place, one in mine.items()}),
                *figure(RIGHT, {place: one.right for place, one in mine.items()}),
            )
            by_kind.append((kind, both))
    curve = risk_coverage(
        [None if one.answer.declined else 1 - one.right for one in judged], [one.answer.confidence for one in judged]
    )
    told = (tuple(figures), tuple(by_kind), _yes_no([one for one in can.values() if one.question.kind == YES_NO]))
    return VisualReport(answerer, *told, curve, tuple(judged), tuple(skipped), resamples, seed)


def _yes_no(judged: Sequence[Judged]) -> YesNo | None:
    """The reference is what most people said; a tie is a no."""
    if not judged:
        return None
    wanted, said = [], []
    for one in judged:
        votes = [yes_no(answer) for answer in one.question.answers]
        wanted.append(votes.count("yes") > len(votes) / 2)
        said.append("" if one.answer.declined else yes_no(one.answer.text))
    n = len(judged)
    both = sum(want and say == "yes" for want, say in zip(wanted, said, strict=True))
    neither = sum(not want and say == "no" for want, say in zip(wanted, said, strict=True))
    yes = said.count("yes")
    precision, recall = both / max(yes, 1), both / max(sum(wanted), 1)
    f1 = 2 * precision * recall / (precision + recall) if both else 0.0
    rates = (yes / n, sum(wanted) / n, said.count("") / n)
    return YesNo(n, (both + neither) / n, precision, recall, f1, *rates)
