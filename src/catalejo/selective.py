"""How wrong an answerer is on what it chooses to answer: risk against coverage.

Questions are ranked by the confidence of their answers; the risk at a coverage is the mean loss of the most confident
answers that make up that share of all questions (El-Yaniv and Wiener, JMLR 11, 2010, section 2; for visual questions
Whitehead et al., arXiv 2204.13631, section 3). An answerer whose confidence means something has a curve that rises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curve:
    """Risk against coverage.

    Attributes:
        coverage: share of all questions that is answered, rising, at each answer.
        risk: mean loss of the answers up to there. Answers with the same confidence come in any order, so their
            losses are taken as equal.
        area: mean of the risks, 0 to 1: the lower, the better (AURC).
        least: the area that a perfect ranking of the same answers would have.
        answered: how many questions; the others were declined and lie beyond the end of the curve.
        questions: all of them.
        ranked: whether there are different confidences at all; without, the curve is flat and says nothing of them.
    """

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    area: float
    least: float
    answered: int
    questions: int
    ranked: bool

    def coverage_at(self, risk: float) -> float:
        """The most that can be answered at a risk of no more than this; 0 where even the first answers are riskier."""
        within = [coverage for coverage, there in zip(self.coverage, self.risk, strict=True) if there <= risk + 1e-9]
        return max(within, default=0.0)


def risk_coverage(losses: Sequence[float | None], confidences: Sequence[float | None]) -> Curve:
    """The curve of a number of questions.

    Args:
        losses: of each question's answer, 0 (right) to 1 (wrong); None: it was declined.
        confidences: of each answer; None: it gave none, and comes last.

    Raises:
        ValueError: not as many of the one as of the other, or no question.

    >>> risk_coverage([0, 1, 0, None], [0.9, 0.2, 0.5, None]).risk
    (0.0, 0.0, 0.3333333333333333)
    """
    if len(losses) != len(confidences) or not losses:
        raise ValueError(f"{len(losses)} losses and {len(confidences)} confidences have no curve")
    pairs = [(-1.0 if sure is None else sure, loss) for loss, sure in zip(losses, confidences, strict=True)]
    answered = [(sure, loss) for sure, loss in pairs if loss is not None]
    lost = np.array([loss for _, loss in answered], np.float64)  # (n,)
    sure = np.array([one for one, _ in answered], np.float64)
    even = lost.copy()
    for value in set(sure.tolist()):
        even[sure == value] = lost[sure == value].mean()
    risk = _risks(even[np.argsort(-sure, kind="stable")])
    places = np.arange(1, len(lost) + 1)
    return Curve(
        tuple((places / len(losses)).tolist()),
        tuple(risk.tolist()),
        float(risk.mean()) if len(lost) else 0.0,
        float(_risks(np.sort(lost)).mean()) if len(lost) else 0.0,
        len(lost),
        len(losses),
        len(set(sure.tolist())) > 1,
    )


def _risks(ordered: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(n,) mean of the first 1, 2, ... n losses."""
    return np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
