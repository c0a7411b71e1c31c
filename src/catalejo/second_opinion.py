"""A second opinion on classes: do the facts of a picture (its labels, the text read in it) say the same?

The classes were named by the user, the labels by whoever trained the classifier; they meet where a class means
labels, word for word (``conse.labels.spotted``): "perro" means 120 breeds. Where it means none, facts cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from catalejo.classify import NONE, Classification, Classified
from catalejo.conse.labels import fold, spotted
from catalejo.errors import CannotRead
from catalejo.facts import Fact
from catalejo.recognised import LEAST, members
from catalejo.senses import Known

AGREES, DISAGREES, CANNOT_TELL = "agrees", "disagrees", "cannot tell"
_LEAST_WEIGHT = 0.8  # of a word that stands for a class: a name or a kind of it


@dataclass(frozen=True)
class Opinion:
    """What the facts say of a picture's best label.

    Attributes:
        verdict: ``agrees``, ``disagrees`` or ``cannot tell``.
        label: the one of the labels asked that they speak for; empty for none.
        confidence: in it, 0 to 1.
        why: the fact that speaks for it, such as ``tabby cat`` or ``text: "TAXI"``.
    """

    verdict: str
    label: str = ""
    confidence: float = 0.0
    why: str = ""


def with_second(found: Classification, look: Callable[[str], Known]) -> Classification:
    """The same, each picture with the opinion of its facts; files that cannot be looked at now have none.

    Args:
        found: pictures, sorted into classes.
        look: gives what is known of a file.
    """
    asked = found.columns
    made = []
    for one in found.pictures:
        try:
            known = look(one.path)
        except CannotRead:
            made.append(one)
            continue
        made.append(replace(one, second=opinion(one, asked, [fact for fact in known.facts if not fact.page])))
    return replace(found, pictures=tuple(made))


def opinion(one: Classified, asked: Sequence[str], facts: Sequence[Fact]) -> Opinion:
    """What facts say of one picture.

    Args:
        one: the picture, with its best label first.
        asked: all the labels there were.
        facts: of it.
    """
    best = one.guesses[0].label
    spoken = [(label, *_support(label, facts)) for label in asked if label not in NONE.values()]
    label, confidence, why = max(spoken, key=lambda row: (row[1], row[0] == best), default=("", 0.0, ""))
    if confidence < LEAST["possible"]:
        return Opinion(CANNOT_TELL)
    mine = next((sure for name, sure, _ in spoken if name == best), 0.0)
    if label == best or mine >= LEAST["probable"]:
        own = next(row for row in spoken if row[0] == best)
        return Opinion(AGREES, best, own[1], own[2])
    if (
        best not in NONE.values() and not _means(best) and not mine
    ):  # what is not among the labels may be there all the same
        return Opinion(CANNOT_TELL, label, confidence, why)
    return Opinion(DISAGREES, label, confidence, why)


@cache
def _means(label: str) -> frozenset[int]:
    """The classes that a label means."""
    return frozenset(index for index, weight in spotted(label).items() if weight >= _LEAST_WEIGHT)


def _support(label: str, facts: Sequence[Fact]) -> tuple[float, str]:
    """How surely facts say a label, and which of them does."""
    meant, words = _means(label), fold(label)
    best = (0.0, "")
    for fact in facts:
        if fact.kind == "label" and meant and members(fact) <= meant:
            best = max(best, (fact.confidence or 0.0, fact.value))
        elif fact.kind == "text" and words and _holds(fold(fact.value), words):
            best = max(best, (fact.confidence or 0.0, f'text: "{fact.value}"'))
    return best


def _holds(text: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(text[start : start + len(words)] == words for start in range(len(text) - len(words) + 1))
