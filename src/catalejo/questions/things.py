"""WORDS -> the classes they name; LABELS -> how likely one of these is there, and how likely it is not.

The labels of a picture are bounds. "cat 99%" says that an animal is there with at least that, and that whatever else
the picture is taken for has 1% left. Of what is small or at the edge the classifier says nothing, so that "no" is said
of animals alone, where it is sure of something else; see ``deniable``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from catalejo.conse.labels import fold, lexicon
from catalejo.facts import Fact
from catalejo.recognised import members, trusted

YES_LEAST = 0.6  # from which a thing is said to be there; below, ``probable`` and no more
SURE = 0.85
SEEN_LEAST = 0.9  # of what else is seen in the whole picture, before a thing is said not to be there
_MOST_WORDS = 5  # of a name


@dataclass(frozen=True)
class Belief:
    """What labels say of a thing.

    Attributes:
        least: how likely it is there, at least.
        most: how likely it is there, at most, as far as the whole picture goes.
        label: the label that says so best; None where none does.
        instead: the surest label of something else.
    """

    least: float
    most: float
    label: Fact | None = None
    instead: Fact | None = None


def named(words: str) -> frozenset[int]:
    """The classes that a thing's words stand for, by the whole of them or, failing that, by their longest part.

    ``perro`` stands for every breed, ``coche rojo`` for cars; empty where the tables have no word for it.
    """
    stems = fold(words)
    table = _table()
    for length in range(min(len(stems), _MOST_WORDS), 0, -1):
        for start in range(len(stems) - length + 1):
            if found := table.get(stems[start : start + length]):
                return found
    return frozenset()


def is_whole(words: str) -> bool:
    """Whether the tables have a word for all of it: of "coche rojo", only that there is a car can be said."""
    return fold(words) in _table()


@cache
def _table() -> dict[tuple[str, ...], frozenset[int]]:
    found = {stems: frozenset(weights) for stems, weights in lexicon().items()}
    for names, same in _ALSO.items():
        classes_of = frozenset().union(*(found.get(fold(one), frozenset()) for one in same))
        for name in names.split(", "):
            found.setdefault(fold(name), frozenset())
            found[fold(name)] |= classes_of
    return found


# Everyday words that the tables say otherwise.
_ALSO = {
    "something to drink, drink, beverage, bebida, algo de beber": ("drink", "hot drink", "coffee", "espresso"),
    "something to eat, algo de comer, comida, food": ("food", "fruit", "dish"),
    "motorbike, motorcycle, moto, motocicleta": ("motorcycle", "moped", "motor scooter"),
    "bike, bici, bicicleta, bicycle": ("bicycle", "mountain bike", "tandem bicycle"),
    "feline, felino, felina": ("cat", "wild cat", "big cat"),
    "canine, canino, can": ("dog",),
    "kitty, kitten, gatito, minino": ("cat",),
    "puppy, doggy, perrito, cachorro": ("dog",),
    "plane, aeroplane, airplane, avion": ("aircraft", "airliner", "warplane"),
    "rocket, cohete": ("missile", "projectile"),
    "automobile, car, coche, carro, auto": ("car", "sports car", "convertible"),
    "laptop, portatil, ordenador, computer, computadora": ("notebook computer", "laptop computer", "desktop computer"),
    "animal, creature, beast, bicho, mascota, ser vivo": ("animal",),
}  # fmt: skip


def believed(wanted: frozenset[int], facts: Sequence[Fact]) -> Belief:
    """How likely one of these classes is in a picture, by the labels of it.

    Args:
        wanted: numbers of classes.
        facts: of one page; labels count.
    """
    labels = [fact for fact in trusted(facts) if fact.kind == "label"]
    whole = [fact for fact in labels if fact.box is None]
    least, label = 0.0, None
    for box in dict.fromkeys(fact.box for fact in labels):
        here = [fact for fact in labels if fact.box == box]
        inside = [fact for fact in here if _classes(fact) <= wanted]
        total = sum(_sure(fact) for fact in inside if fact.number is not None)
        best = max([min(total, 1.0), *(_sure(fact) for fact in inside)]) if inside else 0.0
        if best > least:
            least, label = best, max(inside, key=lambda fact: (_sure(fact), len(_classes(fact))))
    outside = [fact for fact in whole if _classes(fact).isdisjoint(wanted)]
    total = min(1.0, sum(_sure(fact) for fact in outside if fact.number is not None))
    seen = max([total, *map(_sure, outside)])
    clear = [fact for fact in outside if _sure(fact) >= SURE]
    instead: Fact | None
    if clear:
        instead = min(clear, key=lambda fact: (len(_classes(fact)), -_sure(fact)))
    else:
        instead = max(outside, key=_sure, default=None)
    return Belief(min(least, 1.0), max(0.0, 1.0 - seen), label, instead)


def finest(
    wanted: frozenset[int], facts: Sequence[Fact], least: float,
    *, single: bool = False, several: bool = False, own: bool = True,
) -> Fact | None:  # fmt: skip
    """The most particular label inside a set that is this sure; None where there is none.

    Args:
        wanted: numbers of classes.
        facts: labels count.
        least: confidence.
        single, several: labels of one class only, or of more than one only.
        own: whether the set itself counts, too: "animal" for an animal.
    """
    inside = [
        fact for fact in trusted(facts)
        if fact.kind == "label" and _sure(fact) >= least
        and (_classes(fact) <= wanted if own else _classes(fact) < wanted)
        and not (single and len(_classes(fact)) > 1) and not (several and len(_classes(fact)) == 1)
    ]  # fmt: skip
    return min(inside, key=lambda fact: (len(_classes(fact)), -_sure(fact)), default=None)


def deniable(wanted: frozenset[int]) -> bool:
    """Whether "no" may be said of it: of animals alone.

    Cars, clocks or chairs stand at the edge of pictures of all kinds: of COCO128's pictures that were taken for
    something else with more than 75%, one in seven had a car. Of animals, 3 of 559 such answers were wrong.
    """
    return bool(wanted) and wanted <= named("animal")


def members_of(fact: Fact) -> frozenset[int | str]:
    """The classes a label stands for."""
    return members(fact)


def _classes(fact: Fact) -> frozenset[int | str]:
    return members(fact)


def _sure(fact: Fact) -> float:
    return fact.confidence or 0.0
