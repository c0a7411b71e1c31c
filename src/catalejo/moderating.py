"""FILES -> a queue for somebody to look at: adult content, and categories written in words, each with a threshold.

Nothing is decided here, and no file is touched: what scores at least its category's threshold is put before a person,
the most pressing first.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalejo.category_scores import ADULT, Known, Progress, checked, score
from catalejo.encoders import Encoder
from catalejo.errors import BadQuery, CannotRead
from catalejo.labelled import Labelled
from catalejo.records import Limits, Skipped
from catalejo.taxonomy import same
from catalejo.thresholds import Calibration, Costs, calibrate
from catalejo.walk import sources, walk


@dataclass(frozen=True)
class Score:
    """How much a picture belongs to a category, 0 to 1, and from where on it is flagged."""

    category: str
    score: float
    threshold: float

    @property
    def flagged(self) -> bool:
        """Whether somebody should look."""
        return self.score >= self.threshold


@dataclass(frozen=True)
class Moderated:
    """One picture, with its score in every category, the most pressing first."""

    path: str
    scores: tuple[Score, ...]

    @property
    def flagged(self) -> tuple[str, ...]:
        """The categories somebody should look at it for."""
        return tuple(score.category for score in self.scores if score.flagged)

    @property
    def urgency(self) -> float:
        """How far it is above its thresholds, at most; below 0 where it is not flagged."""
        return max(score.score - score.threshold for score in self.scores)


@dataclass(frozen=True)
class Moderation:
    """Pictures, moderated.

    Attributes:
        categories: in the order they were asked for.
        pictures: the most pressing first.
        encoder: that scored the written categories; empty without any.
        skipped: files that could not be scored, with their reasons: nobody knows what they show.
        seconds: wall time.
    """

    categories: tuple[str, ...]
    pictures: tuple[Moderated, ...]
    encoder: str
    skipped: tuple[Skipped, ...]
    seconds: float

    @property
    def flagged(self) -> tuple[Moderated, ...]:
        """Those somebody should look at."""
        return tuple(one for one in self.pictures if one.flagged)


def moderate(
    paths: Iterable[str],
    categories: Sequence[str],
    thresholds: Mapping[str, float],
    encoder: Encoder,
    *,
    known: Known = lambda paths: {},
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Moderation:
    """Score pictures, and say which of them somebody should look at.

    Args:
        paths: files, folders, patterns.
        categories: ``adult``, and texts such as "un arma".
        thresholds: of each category.
        encoder: scores the texts.
        known: vectors somebody made before.
        limits: what readers refuse.
        progress: called with what is being done, how much is done, and of how much.

    Raises:
        BadLabels: no category, one that is empty, or one twice.
        CannotRead: a path is not there, there is no picture in any, or none can be read.
        MissingWeights: for ``adult``, the model was not fetched yet.
    """
    begun = time.perf_counter()
    categories = checked(categories)
    tops = sources(paths)
    walked = list(walk(tops))
    files = [one.path for one in walked if one.reason is None]
    skipped = [Skipped(one.path, one.reason) for one in walked if one.reason is not None]
    if not files:
        raise CannotRead(", ".join(tops), skipped[0].reason if len(skipped) == 1 else "there is no picture there")
    found = score(files, categories, encoder, known=known, limits=limits, progress=progress)
    skipped += found.skipped
    if not found.paths:
        raise CannotRead(skipped[0].path, skipped[0].reason + ("; nor can the others be read" if skipped[1:] else ""))
    made = []
    for path, row in zip(found.paths, found.scores, strict=True):
        scores = [Score(name, float(f"{p:.6g}"), thresholds[name]) for name, p in zip(categories, row, strict=True)]
        made.append(Moderated(path, tuple(sorted(scores, key=lambda one: one.threshold - one.score))))
    made.sort(key=lambda one: -one.urgency)
    asked = encoder.card.name if set(categories) - {ADULT} else ""
    return Moderation(tuple(categories), tuple(made), asked, tuple(skipped), time.perf_counter() - begun)


def chosen(
    categories: Sequence[str], thresholds: Mapping[str, float], costs: Costs | None
) -> tuple[list[str], dict[str, float]]:
    """Categories as they are called, each with its threshold.

    Args:
        categories: as people typed them.
        thresholds: of some.
        costs: make the threshold of the others, as if scores were probabilities; None: each error costs the same.

    Raises:
        BadLabels: see ``checked``.
        BadQuery: a threshold of no such category, or not from 0 to 1.
    """
    names = checked(categories)
    lines = dict.fromkeys(names, (costs or Costs()).threshold)
    for called, value in thresholds.items():
        (name,) = checked([called])
        name = next((other for other in names if same(other) == same(name)), name)
        if name not in lines:
            raise BadQuery(
                f"there is a threshold of {name!r}, and no such category; the categories: {', '.join(names)}"
            )
        if not 0 <= value <= 2:  # just above 1 is "flag nothing", as a calibration may find
            raise BadQuery(f"the threshold of {name!r} is {value:g}; it must be from 0 to 1")
        lines[name] = value
    return names, lines


@dataclass(frozen=True)
class Calibrated:
    """Thresholds chosen on labelled pictures, one a category, and the pictures that could not be scored."""

    calibrations: tuple[Calibration, ...]
    skipped: tuple[Skipped, ...]

    @property
    def thresholds(self) -> dict[str, float]:
        """Category -> threshold."""
        return {one.category: one.threshold for one in self.calibrations}


def calibrated(
    labelled: Labelled,
    costs: Costs,
    encoder: Encoder,
    *,
    known: Known = lambda paths: {},
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Calibrated:
    """Choose thresholds on pictures that people labelled.

    Args:
        labelled: the pictures, and what was said of them; see ``labelled.read_labelled``.
        costs: of a miss and of a false alarm.
        encoder, known, limits, progress: see ``moderate``.

    Raises:
        BadLabels: a category without pictures of both kinds.
        CannotRead: none of the pictures can be read.
        MissingWeights: for ``adult``, the model was not fetched yet.
    """
    names = checked(labelled.categories)
    found = score(labelled.paths, names, encoder, known=known, limits=limits, progress=progress)
    if not found.paths:
        raise CannotRead(found.skipped[0].path, found.skipped[0].reason)
    places = {path: n for n, path in enumerate(labelled.paths)}
    made = []
    for column, (name, called) in enumerate(zip(names, labelled.categories, strict=True)):
        answers = [labelled.truths[called][places[path]] for path in found.paths]
        looked = np.array([answer is not None for answer in answers])
        truths = np.array([bool(answer) for answer in answers])[looked]
        made.append(calibrate(name, found.scores[looked, column], truths, costs))
    return Calibrated(tuple(made), found.skipped)
