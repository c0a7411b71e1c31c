"""LABELS -> what can be said of a picture: the finest thing that is sure enough, the finer one it may be, and the rest.

The labels of a picture overlap: "Egyptian cat", "cat" and "animal" are three answers about one thing. Of those that
are as sure as a wording asks, the most particular is said, the others of the same thing are left out, and then what
else is there. Labels with a box were seen in a part of the picture only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from catalejo.conse.labels import classes
from catalejo.facts import Fact
from catalejo.texts import Box

# The least confidence for each wording, of the whole picture. Right were .88, .69 and .56 (benchmarks/describing.py).
LEAST = {"sure": 0.85, "probable": 0.65, "possible": 0.4}
WORDINGS = tuple(LEAST)
_LEAST_PART = 0.6  # of nine parts one is easily something
_WIDEST_PART = 60  # classes: in a part, "animal" is what leaves and fur look like
_LEAST_FINER = 0.3
# What nearly everything is says nothing.
_EMPTY = frozenset(
    ("object", "product", "accessory", "device", "place", "structure", "household object", "metal object", "equipment")
)

# Classes in which this classifier sees what shows nothing: of 160 pictures of smooth noise it took 26 for a roundworm,
# which it learned from micrographs, with more than 50%, and 2 for anything else. Nothing is said on its word.
SINKS = frozenset((111,))


@dataclass(frozen=True)
class Thing:
    """Something that can be said of a picture.

    Attributes:
        label: what it is.
        wording: ``sure``, ``probable`` or ``possible``.
        finer: what it may be more exactly, if something stands out.
    """

    label: Fact
    wording: str
    finer: Fact | None = None

    @property
    def box(self) -> Box | None:
        """Where it was seen; None: the picture as a whole."""
        return self.label.box


def things(facts: Sequence[Fact], most: int = 3) -> tuple[Thing, ...]:
    """What the label facts of one picture allow one to say, surest first; empty where nothing is likely enough."""
    left = [fact for fact in trusted(facts) if fact.kind == "label" and fact.value not in _EMPTY]
    found: list[Thing] = []
    for wording in WORDINGS:
        while len(found) < most:
            enough = [fact for fact in left if _wording(fact) == wording]
            if not enough:
                break
            best = min(enough, key=lambda fact: (fact.box is not None, len(members(fact)), -_sure(fact)))
            found.append(Thing(best, wording, _finer(best, left) if wording != "possible" else None))
            left = [fact for fact in left if members(fact).isdisjoint(members(best))]
    return tuple(found)


def trusted(facts: Sequence[Fact]) -> list[Fact]:
    """Facts without the labels that rest on a sink, kinds included: of "animal 99%", "roundworm" 97% is nearly all."""
    labels = [fact for fact in facts if fact.kind == "label"]
    sunk = {(fact.page, fact.box) for fact in labels if fact.number is not None and int(fact.number) in SINKS}

    def rests(fact: Fact) -> bool:
        return fact.kind == "label" and (fact.page, fact.box) in sunk and not members(fact).isdisjoint(SINKS)

    return [fact for fact in facts if not rests(fact)]


def members(fact: Fact) -> frozenset[int | str]:
    """The numbers of the classes that a label stands for; of one that is no class's or kind's, the label itself."""
    if fact.number is not None:
        return frozenset((int(fact.number),))
    return _members().get(fact.value.casefold()) or frozenset((fact.value,))


@cache
def _members() -> dict[str, frozenset[int | str]]:
    found: dict[str, set[int | str]] = {}
    for index, entry in enumerate(classes()):
        for name in (*entry.names["en"], *entry.kinds["en"]):
            found.setdefault(name.casefold(), set()).add(index)
    return {name: frozenset(numbers) for name, numbers in found.items()}


def _sure(fact: Fact) -> float:
    return fact.confidence or 0.0


def _wording(fact: Fact) -> str:
    if fact.box is not None:
        seen = _sure(fact) >= _LEAST_PART and len(members(fact)) <= _WIDEST_PART
        return "" if not seen else "sure" if _sure(fact) >= LEAST["sure"] else "probable"
    return next((wording for wording, least in LEAST.items() if _sure(fact) >= least), "")


def _finer(best: Fact, facts: Sequence[Fact]) -> Fact | None:
    """The most likely label inside one, if it has most of what the one has."""
    least = max(_LEAST_FINER, 0.5 * _sure(best))
    inside = [fact for fact in facts if fact.box == best.box and members(fact) < members(best) and _sure(fact) >= least]
    return min(inside, key=lambda fact: (len(members(fact)), -_sure(fact))) if inside else None
