"""What a classifier's guesses allow one to say: the finest thing it is sure of, and the finer one it suspects.

A classifier that cannot tell a tabby from a tiger cat is still sure of the cat: the probabilities of the classes are
added up along their kinds (``conse/labels.tsv``), and the most particular kind with enough of them is what is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from catalejo.conse.labels import classes
from catalejo.records import Label

# The least sum of probabilities for each wording; the share that was right above it: benchmarks/describing.py.
SURE, PROBABLE, POSSIBLE = 0.6, 0.4, 0.25
WORDINGS = ("sure", "probable", "possible")
# What nearly everything is says nothing.
_EMPTY = frozenset(
    ("object", "product", "accessory", "device", "place", "structure", "household object", "metal object", "equipment")
)


@dataclass(frozen=True)
class Named:
    """Something that can be said of a picture.

    Attributes:
        names: language -> what it is called.
        probability: the sum of the classes that are one, 0 to 1.
        wording: ``sure``, ``probable`` or ``possible``.
        finer: language -> what it may be more exactly; empty if nothing stands out.
        finer_probability: of that.
        chain: kinds it belongs to, nearest first, in English: ``cat, pet, animal``.
    """

    names: dict[str, str]
    probability: float
    wording: str
    finer: dict[str, str]
    finer_probability: float
    chain: tuple[str, ...]


@dataclass(frozen=True)
class _Node:
    names: dict[str, str]
    members: frozenset[int]
    chain: tuple[str, ...]


@cache
def _nodes() -> dict[str, _Node]:
    """Every class and every kind by its English name, with the classes that belong to it."""
    names: dict[str, dict[str, str]] = {}
    members: dict[str, set[int]] = {}
    chains: dict[str, tuple[str, ...]] = {}
    for index, entry in enumerate(classes()):
        lines = {language: (entry.names[language][0], *entry.kinds[language]) for language in ("en", "es")}
        for depth, (en, es) in enumerate(zip(lines["en"], lines["es"], strict=True)):
            names.setdefault(en, {"en": en, "es": es})
            members.setdefault(en, set()).add(index)
            chains.setdefault(en, lines["en"][depth + 1 :])
    return {en: _Node(names[en], frozenset(members[en]), chains[en]) for en in names if en not in _EMPTY}


def named(labels: Sequence[Label], most: int = 3) -> tuple[Named, ...]:
    """What can be said of a picture with these labels, surest first; empty where nothing is likely enough.

    Args:
        labels: of the classes of ``conse.labels``, with their probabilities.
        most: things to name.
    """
    left = {label.index: label.probability for label in labels}
    found: list[Named] = []
    while len(found) < most:
        one = _best(left)
        if one is None:
            break
        node, made = one
        found.append(made)
        left = {index: p for index, p in left.items() if index not in node.members}
    order = [WORDINGS.index(one.wording) for one in found]
    return tuple(one for _, one in sorted(zip(order, found, strict=True), key=lambda pair: pair[0]))


def _best(left: dict[int, float]) -> tuple[_Node, Named] | None:
    masses = {
        en: sum(left.get(index, 0.0) for index in node.members)
        for en, node in _nodes().items()
        if not node.members.isdisjoint(left)
    }
    for wording, least in zip(WORDINGS, (SURE, PROBABLE, POSSIBLE), strict=True):
        enough = [en for en, mass in masses.items() if mass >= least]
        if enough:
            best = min(enough, key=lambda en: (len(_nodes()[en].members), -masses[en]))
            node = _nodes()[best]
            finer = _finer(best, masses) if wording != WORDINGS[-1] else None
            return node, Named(
                node.names,
                min(masses[best], 1.0),
                wording,
                _nodes()[finer].names if finer else {},
                masses[finer] if finer else 0.0,
                node.chain,
            )
    return None


def _finer(best: str, masses: dict[str, float]) -> str | None:
    """The most likely kind or class inside one, if it has most of what the one has."""
    node = _nodes()[best]
    inside = [
        en
        for en, mass in masses.items()
        if _nodes()[en].members < node.members and mass >= max(POSSIBLE, masses[best] / 2)
    ]
    return min(inside, key=lambda en: (len(_nodes()[en].members), -masses[en])) if inside else None
