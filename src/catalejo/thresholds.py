"""SCORES, TRUTHS -> the threshold that costs least: what a miss costs, what a false alarm costs, and how sure that is.

Where a score is a probability, the cheapest threshold is known without data: a picture is worth looking at when
``p * miss > (1 - p) * false alarm``, so from ``false / (false + miss)`` on (Elkan 2001, "The foundations of
cost-sensitive learning", equation 2). Scores seldom are, so it is better counted on labelled pictures: each threshold
between two scores is tried, and the one that would have cost least is taken. What it costs on those same pictures
flatters it; the cost on pictures it was not chosen on comes from cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalejo.errors import BadLabels, BadQuery

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

FOLDS = 5
RESAMPLES = 500


@dataclass(frozen=True)
class Costs:
    """What each kind of error costs, in any unit; only their ratio moves a threshold.

    Attributes:
        miss: of a picture that should have been flagged and was not.
        false_alarm: of one that was flagged and should not have been.

    Raises:
        BadQuery: one of them is not above 0, or not a number.
    """

    miss: float = 1.0
    false_alarm: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("--cost-miss", self.miss), ("--cost-false", self.false_alarm)):
            if not 0 < value < float("inf"):
                raise BadQuery(f"{name} is {value:g}; it must be above 0, and a number")

    @property
    def threshold(self) -> float:
        """The cheapest one if scores were probabilities."""
        return self.false_alarm / (self.false_alarm + self.miss)


@dataclass(frozen=True)
class Sweep:
    """Every threshold that makes a difference, from "flag everything" to "flag nothing".

    Attributes:
        thresholds: (k,) rising; what scores at least that is flagged. The first is 0, the last above every score.
        misses, false_alarms: (k,) how many of each there are.
        positives, negatives: pictures that should be flagged, and that should not.
    """

    thresholds: Floats
    misses: npt.NDArray[np.int64]
    false_alarms: npt.NDArray[np.int64]
    positives: int
    negatives: int

    def costs(self, costs: Costs) -> Floats:
        """(k,) what the errors at each threshold cost together, a picture."""
        total = costs.miss * self.misses + costs.false_alarm * self.false_alarms
        return np.asarray(total / (self.positives + self.negatives), np.float64)

    def at(self, threshold: float) -> tuple[int, int]:
        """Misses and false alarms at any threshold."""
        place = min(int(np.searchsorted(self.thresholds, threshold, side="left")), len(self.thresholds) - 1)
        return int(self.misses[place]), int(self.false_alarms[place])


@dataclass(frozen=True)
class Calibration:
    """The threshold chosen for one category, and what is known of it.

    Attributes:
        category: its name.
        threshold: what scores at least that is flagged.
        low, high: where 95% of the thresholds lie that are chosen on resampled pictures.
        positives, negatives: pictures it was chosen on.
        misses, false_alarms: how many of them go wrong.
        cost: of these errors, a picture.
        expected_cost: the same on pictures it was not chosen on, by cross-validation; None with too few of a kind.
        cost_of_all, cost_of_none: of flagging every picture, and of flagging none, a picture.
        auc: probability that a picture that should be flagged scores above one that should not.
        auc_error: its standard error.
        average_precision: of the ranking by score.
        sweep: every threshold.
        costs: what it was chosen for.
    """

    category: str
    threshold: float
    low: float
    high: float
    positives: int
    negatives: int
    misses: int
    false_alarms: int
    cost: float
    expected_cost: float | None
    cost_of_all: float
    cost_of_none: float
    auc: float
    auc_error: float
    average_precision: float
    sweep: Sweep
    costs: Costs

    @property
    def helps(self) -> bool:
        """Whether it is cheaper than flagging every picture, and than flagging none, and no luck of these pictures."""
        cost = self.cost if self.expected_cost is None else self.expected_cost
        lucky = self.auc - 1.96 * self.auc_error <= 0.5
        return cost < min(self.cost_of_all, self.cost_of_none) and not lucky


def sweep(scores: Floats, truths: Truths) -> Sweep:
    """The errors at every threshold that makes a difference.

    Args:
        scores: (n,) from 0 to 1.
        truths: (n,) whether each should be flagged.
    """
    values, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place, weights=truths, minlength=len(values)).astype(np.int64)
    negatives = np.bincount(place, weights=~truths, minlength=len(values)).astype(np.int64)
    between = (values[1:] + values[:-1]) / 2
    last = np.nextafter(max(float(values[-1]), 1.0), 2.0) if values[-1] >= 1 else (float(values[-1]) + 1) / 2
    thresholds = np.concatenate([[0.0], between, [last]])
    misses = np.concatenate([[0], np.cumsum(positives)])
    false_alarms = int(negatives.sum()) - np.concatenate([[0], np.cumsum(negatives)])
    return Sweep(thresholds, misses, false_alarms, int(positives.sum()), int(negatives.sum()))


def cheapest(found: Sweep, costs: Costs) -> float:
    """The threshold with the least cost; of several, the one in the widest gap between scores."""
    total = found.costs(costs)
    least = np.flatnonzero(total <= total.min() + 1e-12)
    return float(found.thresholds[max(least, key=lambda n: (_gap(found.thresholds, int(n)), -n))])


def _gap(thresholds: Floats, place: int) -> float:
    """How far a threshold may move before anything changes, roughly: the distance of its neighbours."""
    before = thresholds[max(place - 1, 0)]
    after = thresholds[min(place + 1, len(thresholds) - 1)]
    return float(after - before)


def calibrate(category: str, scores: Floats, truths: Truths, costs: Costs, seed: int = 0) -> Calibration:
    """Choose a category's threshold.

    Args:
        category: its name.
        scores: (n,) from 0 to 1.
        truths: (n,) whether each should be flagged.
        costs: of each kind of error.
        seed: of the folds and the resampled pictures.

    Raises:
        BadLabels: no picture should be flagged, or every one should: there is nothing to tell apart.
    """
    positives = int(truths.sum())
    if not 0 < positives < len(truths):
        which = "none" if not positives else "every one"
        raise BadLabels(
            f"of {len(truths)} pictures labelled for {category!r} {which} should be flagged; "
            "a threshold needs pictures of both kinds"
        )
    found = sweep(scores, truths)
    threshold = cheapest(found, costs)
    misses, false_alarms = found.at(threshold)
    low, high = _interval(scores, truths, costs, seed)
    n = len(truths)
    return Calibration(
        category,
        threshold,
        low,
        high,
        positives,
        n - positives,
        misses,
        false_alarms,
        (costs.miss * misses + costs.false_alarm * false_alarms) / n,
        _expected(scores, truths, costs, seed),
        costs.false_alarm * (n - positives) / n,
        costs.miss * positives / n,
        auc(scores, truths),
        auc_error(scores, truths),
        average_precision(scores, truths),
        found,
        costs,
    )


def _interval(scores: Floats, truths: Truths, costs: Costs, seed: int) -> tuple[float, float]:
    chosen, rng = [], np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(scores), size=len(scores))
        chosen.append(cheapest(sweep(scores[drawn], truths[drawn]), costs))
    low, high = np.quantile(chosen, (0.025, 0.975))
    return float(low), float(high)


def _expected(scores: Floats, truths: Truths, costs: Costs, seed: int) -> float | None:
    """Mean cost of pictures at thresholds chosen on the others, each fold with its share of both kinds."""
    rng = np.random.default_rng(seed)
    kinds = [rng.permutation(np.flatnonzero(truths == kind)) for kind in (True, False)]
    if min(map(len, kinds)) < FOLDS:
        return None
    total = 0.0
    for fold in range(FOLDS):
        held = np.zeros(len(scores), bool)
        for places in kinds:
            held[places[fold::FOLDS]] = True
        threshold = cheapest(sweep(scores[~held], truths[~held]), costs)
        flagged = scores[held] >= threshold
        total += costs.miss * int((truths[held] & ~flagged).sum())
        total += costs.false_alarm * int((~truths[held] & flagged).sum())
    return total / len(scores)


def auc(scores: Floats, truths: Truths) -> float:
    """The area under the ROC curve: wins of positives over negatives, ties counting half (Fawcett 2006, section 7)."""
    return float(_wins(scores[truths], scores[~truths]).mean())


def auc_error(scores: Floats, truths: Truths) -> float:
    """The standard error of that area (DeLong, DeLong and Clarke-Pearson 1988, equation 3)."""
    positives, negatives = scores[truths], scores[~truths]
    spread = _wins(positives, negatives).var() / len(positives)
    return float(np.sqrt(spread + (1 - _wins(negatives, positives)).var() / len(negatives)))


def _wins(mine: Floats, others: Floats) -> Floats:
    """For each of mine, the share of the others below it, ties counting half."""
    order = np.sort(others)
    below, at_most = (np.searchsorted(order, mine, side=side) for side in ("left", "right"))
    return np.asarray((below + at_most) / 2 / len(order), np.float64)


def average_precision(scores: Floats, truths: Truths) -> float:
    """Precision at each threshold, weighted by the recall it adds; equal scores are one threshold."""
    found = sweep(scores, truths)
    right = found.positives - found.misses[:-1]  # the last threshold flags nothing
    flagged = right + found.false_alarms[:-1]
    added = found.misses[1:] - found.misses[:-1]
    return float((right / flagged * added).sum() / found.positives)
