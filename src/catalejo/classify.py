"""Files -> classes: pictures are looked at, sorted by labels, and judged where their folders say what they show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from catalejo.accuracy import Figures, figures, from_folders, truths
from catalejo.encoders import Array, Encoder
from catalejo.errors import BadLabels, CannotRead
from catalejo.probabilities import Progress, Sorter, roll_up
from catalejo.prompts import choose
from catalejo.records import Limits, Skipped
from catalejo.taxonomy import Target, listed, read_labels, same
from catalejo.trial import vectors_of
from catalejo.walk import sources, walk

if TYPE_CHECKING:
    from catalejo.second_opinion import Opinion

NONE = {"en": "none of these", "es": "ninguna de estas"}

Known = Callable[[Sequence[str]], Mapping[str, Array]]


@dataclass(frozen=True)
class Guess:
    """A label or a category, and its probability, 0 to 1, to six digits."""

    label: str
    probability: float


@dataclass(frozen=True)
class Classified:
    """One picture.

    Attributes:
        path: of the file.
        guesses: its labels, most probable first; as many as were asked for.
        categories: the same of the categories, if the labels have any.
        truth: the label its folder is called by, when pictures are judged by their folders.
        second: what its facts say of the first label, where they were asked.
    """

    path: str
    guesses: tuple[Guess, ...]
    categories: tuple[Guess, ...] = ()
    truth: str | None = None
    second: Opinion | None = None


@dataclass(frozen=True)
class Classification:
    """Pictures, sorted into classes.

    Attributes:
        encoder: its name.
        kind: ``softmax`` (the probabilities of a picture add up to 1) or ``sigmoid`` (each stands by itself).
        language: of the labels, as said or guessed.
        templates: how they were asked; ``{}`` alone is bare.
        columns: the labels, and "none of these" if it was asked for; of ``probabilities``.
        pictures: in the order they were found.
        probabilities: (pictures, columns) float32.
        skipped: files that could not be read, with their reasons.
        figures: how often the labels are right, when the folders are called by them.
        seconds: wall time.
    """

    encoder: str
    kind: str
    language: str
    templates: tuple[str, ...]
    columns: tuple[str, ...]
    pictures: tuple[Classified, ...]
    probabilities: Array
    skipped: tuple[Skipped, ...]
    figures: Figures | None
    seconds: float


@dataclass(frozen=True)
class Asked:
    """What pictures are sorted into.

    Attributes:
        labels: names, or one text with commas between them; None: those of ``file``; without either, the
            folders that the pictures lie in.
        file: of labels, one a line, or a table of categories; see ``taxonomy``.
        language: of the labels, ``en`` or ``es``; None: guessed.
        templates: how they are asked, each with ``{}`` where the label goes; see ``prompts``.
        ensemble: ask them by the ensemble of 80 templates.
        none: give "none of these" a probability of its own.
    """

    labels: str | tuple[str, ...] | None = None
    file: str | None = None
    language: str | None = None
    templates: tuple[str, ...] = ()
    ensemble: bool = False
    none: bool = False

    @property
    def from_folders(self) -> bool:
        """Whether the folders are the labels."""
        return self.labels is None and self.file is None


def classify(
    paths: Iterable[str],
    asked: Asked,
    encoder: Encoder,
    *,
    k: int = 3,
    judged: bool = False,
    known: Known = lambda paths: {},
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Classification:
    """Sort pictures into classes.

    Args:
        paths: files, folders, patterns.
        asked: the labels.
        encoder: compares them.
        k: labels and categories to keep of each picture, from 1.
        judged: judge the pictures whose folders are called by a label, or by a category. It is done anyway
            where the folders are the labels, and where every picture's folder is called by one.
        known: vectors somebody made before.
        limits: what readers refuse.
        progress: called with what is being done, how much is done, and of how much.

    Raises:
        BadLabels: labels or templates that make no sense, or ``judged`` where no folder is called by a label.
        CannotRead: a path is not there, there is no picture in any, or none can be read.
        BadModel, DamagedWeights: the encoder does not run.
    """
    begun = time.perf_counter()
    tops = sources(paths)
    walked = list(walk(tops))
    files = [one.path for one in walked if one.reason is None]
    skipped = [Skipped(one.path, one.reason) for one in walked if one.reason is not None]
    if not files:
        raise CannotRead(", ".join(tops), skipped[0].reason if len(skipped) == 1 else "there is no picture there")
    targets = _targets(asked, files, tops)
    names = [target.name for target in targets]
    prompts = choose(
        [target.asked for target in targets],
        prompted=encoder.prompted,
        known=encoder.card.languages,
        language=asked.language,
        templates=asked.templates,
        ensembled=asked.ensemble,
    )
    columns = [*names, NONE[prompts.language]] if asked.none else names
    _check(columns, encoder, asked.none)
    categories = list(dict.fromkeys(target.category for target in targets if target.category))
    none = columns[len(names) :]
    levels = {"label": columns, "category": [*categories, *none]}
    level = _level(files, levels, insist=judged or asked.from_folders)
    sorter = Sorter(encoder, targets, prompts, asked.none, progress)
    looked = vectors_of(files, encoder, known(files), limits, progress)
    skipped += looked.skipped
    if not looked.paths:
        raise CannotRead(skipped[0].path, skipped[0].reason + ("; nor can the others be read" if skipped[1:] else ""))
    found = {"label": sorter.probabilities(looked.vectors)}
    if categories:
        place = np.array([categories.index(target.category) for target in targets])
        rolled = roll_up(found["label"][:, : len(names)], place, encoder.scoring.kind)
        found["category"] = np.hstack([rolled, found["label"][:, len(names) :]])
    true = truths(looked.paths, levels[level]) if level else [None] * len(looked.paths)
    rows = [_best(levels["label"], row, k) for row in found["label"]]
    above = [_best(levels["category"], row, k) for row in found["category"]] if categories else [()] * len(rows)
    return Classification(
        encoder.card.name,
        encoder.scoring.kind,
        prompts.language,
        prompts.templates,
        tuple(columns),
        tuple(
            Classified(path, guesses, higher, None if number is None else levels[level][number])
            for path, guesses, higher, number in zip(looked.paths, rows, above, true, strict=True)
        ),
        found["label"],
        tuple(skipped),
        _figures(true, found[level], levels[level], len(none), level) if level else None,
        time.perf_counter() - begun,
    )


def _targets(asked: Asked, files: Sequence[str], tops: Sequence[str]) -> list[Target]:
    if asked.labels is not None and asked.file is not None:
        raise BadLabels("the labels are named and there is a file of them; name one of the two")
    if asked.labels is not None:
        return listed(asked.labels)
    return read_labels(asked.file) if asked.file is not None else from_folders(files, tops)


def _check(columns: Sequence[str], encoder: Encoder, none: bool) -> None:
    if len({same(name) for name in columns}) < len(columns):
        raise BadLabels(f'{columns[-1]!r} is what "none" is called here; name that label otherwise')
    if len(columns) == 1 and encoder.scoring.kind == "softmax":
        told = f"{columns[0]!r} alone would get 100% of every picture: {encoder.card.name} shares it among the labels"
        raise BadLabels(f'{told}. Add another label, or let there be "none of these" (--none)')


def _level(files: Sequence[str], levels: Mapping[str, Sequence[str]], insist: bool) -> str:
    """What the folders of pictures are called by; empty when it is nothing.

    Raises:
        BadLabels: if that was to be so.
    """
    for level, names in levels.items():
        numbers = truths(files, names)
        if None not in numbers or (insist and any(number is not None for number in numbers)):
            return level
    if insist:
        raise BadLabels("no picture lies in a folder called by a label, so nobody can say what is right")
    return ""


def _best(columns: Sequence[str], row: Array, k: int) -> tuple[Guess, ...]:
    order = np.argsort(-row, kind="stable")[:k]
    return tuple(Guess(columns[n], float(f"{row[n]:.6g}")) for n in order)


def _figures(
    true: Sequence[int | None], probabilities: Array, columns: Sequence[str], nones: int, level: str
) -> Figures | None:
    judged = [(number, row) for number, row in zip(true, probabilities, strict=True) if number is not None]
    if not judged:
        return None
    said = np.array([row.argmax() for _, row in judged])
    return figures(np.array([n for n, _ in judged]), said, columns[: len(columns) - nones], columns, level)
