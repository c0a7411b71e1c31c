"""What a picture shows, by the embedded ImageNet classifier: its 1,000 classes, and the kinds of thing they are.

A classifier that hesitates between two breeds is sure of the dog: the probabilities of all classes of a kind
("dog", "vehicle") are added up. What covers a part of the picture only is looked for in overlapping quarters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from catalejo import weights
from catalejo.conse import labels
from catalejo.encoders.conse import CLASSIFIER, ConseEncoder
from catalejo.encoders.sentence import SENTENCES, TOKENS
from catalejo.facts import Fact, Perceived
from catalejo.texts import Box

if TYPE_CHECKING:
    from PIL.Image import Image

Array = npt.NDArray[np.float32]

# Of a whole picture the classifier doubts itself more than it should: of what it gave .32 on average, .73 was there.
# Its logits divided by this, .61 on average of what .78 was there, .96 of what .89 was (COCO128, its classes).
TEMPERATURE = 0.6
_LEAST_CLASS, _MOST_CLASSES = 0.05, 5  # told of the whole picture
_LEAST_KIND, _MOST_KINDS = 0.3, 5
_LEAST_PART = 0.5  # of what is seen in a part only, as the classifier says it: of that, .97 was there
_PARTS = (0.0, 0.25, 0.5)  # where its quarters begin, in widths and heights of the picture


@dataclass(frozen=True)
class Kind:
    """A kind of thing, such as ``dog``.

    Attributes:
        en, es: its name.
        members: numbers of the classes that are of this kind.
    """

    en: str
    es: str
    members: tuple[int, ...]


class Labels:
    """Names what a picture shows; see the module."""

    name = "labels"
    version = "1"

    def __init__(self) -> None:
        """Raises: MissingWeights, DamagedWeights: a package that carries the weights is not whole."""
        for file in (CLASSIFIER, SENTENCES, TOKENS):
            weights.locate(file, check=False)
        self._encoder = ConseEncoder()

    def look(self, picture: Image, page: int = 0) -> Perceived:
        """See ``Looker``: facts of kind ``label``, the surest first.

        ``number`` is the class's in ImageNet's order, None for a kind of thing. ``confidence`` is the probability,
        see ``TEMPERATURE``. A ``box`` is the part of the picture where it was seen; without one, it is the whole.
        """
        sharper = self._encoder.probabilities(picture) ** np.float32(1 / TEMPERATURE)
        whole = np.asarray(sharper / sharper.sum(), np.float32)
        best = {fact.value: fact for fact in [*self._classes(whole, page), *self._kinds(whole, page)]}
        for box in _boxes(*picture.size):
            left, top, right, bottom = (round(edge) for edge in box)
            part = self._encoder.probabilities(picture.crop((left, top, right, bottom)))
            for fact in [*self._classes(part, page, box), *self._kinds(part, page, box)]:
                known = best.get(fact.value)
                if _sure(fact) >= _LEAST_PART and (known is None or _better(fact, known)):
                    best[fact.value] = fact
        return Perceived(tuple(sorted(best.values(), key=lambda fact: -_sure(fact))))

    def _classes(self, probabilities: Array, page: int, box: Box | None = None) -> list[Fact]:
        found = []
        for i in np.argsort(-probabilities, kind="stable")[:_MOST_CLASSES].tolist():
            sure = round(float(probabilities[i]), 4)
            if sure >= _LEAST_CLASS:
                en, es = (labels.classes()[i].names[language][0] for language in labels.LANGUAGES)
                found.append(Fact("label", en, sure, self.name, page, es=es, number=float(i), box=box))
        return found

    def _kinds(self, probabilities: Array, page: int, box: Box | None = None) -> list[Fact]:
        sums = [(min(1.0, round(float(probabilities[list(kind.members)].sum()), 4)), kind) for kind in kinds()]
        told = sorted((one for one in sums if one[0] >= _LEAST_KIND), key=lambda one: (-one[0], len(one[1].members)))
        return [Fact("label", kind.en, sure, self.name, page, es=kind.es, box=box) for sure, kind in told[:_MOST_KINDS]]


@cache
def kinds() -> tuple[Kind, ...]:
    """The kinds of thing that two classes or more are, in the order of their first class; names that two share too."""
    members: dict[str, set[int]] = {}
    spanish: dict[str, list[str]] = {}
    for number, entry in enumerate(labels.classes()):
        for en, es in zip(entry.kinds["en"], entry.kinds["es"], strict=True):
            members.setdefault(en, set()).add(number)
            spanish.setdefault(en, []).append(es)
    for number, entry in enumerate(labels.classes()):
        for name in entry.names["en"]:  # the class "sports car" is a kind of car, and the class "car" would be one
            if name in members:
                members[name].add(number)
    return tuple(
        Kind(en, max(spanish[en], key=spanish[en].count), tuple(sorted(numbers)))
        for en, numbers in members.items()
        if len(numbers) > 1
    )


def _boxes(wide: int, high: int) -> list[Box]:
    if min(wide, high) < 64:  # parts of it are too small to tell anything
        return []
    return [(x * wide, y * high, (x + 0.5) * wide, (y + 0.5) * high) for y in _PARTS for x in _PARTS]


def _better(part: Fact, known: Fact) -> bool:
    """Whether what a part shows is told in place of what is known: the whole says it well enough, or a part better."""
    return _sure(part) > _sure(known) and (known.box is not None or _sure(known) < _LEAST_KIND)


def _sure(fact: Fact) -> float:
    return fact.confidence or 0.0
