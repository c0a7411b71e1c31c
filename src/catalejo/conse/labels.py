"""The words for the 1,000 classes: names, kinds and scenes, in English and Spanish.

``labels.tsv`` has one line a class, in ImageNet's order: index, then names, kinds
(hypernyms, nearest first) and scenes (what is usually seen with it), each in
English and Spanish, several separated by ``;``. Written for this project.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class ClassTexts:
    """The words for one class; each field maps a language to its texts, the most usual first."""

    names: dict[str, tuple[str, ...]]
    kinds: dict[str, tuple[str, ...]]
    scenes: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Text:
    """One text that stands for one class: ``weight`` 1 for a name, less for a kind."""

    text: str
    index: int
    language: str
    weight: float


def source() -> bytes:
    """The bytes of ``labels.tsv``."""
    return files("catalejo.conse").joinpath("labels.tsv").read_bytes()


@cache
def classes() -> tuple[ClassTexts, ...]:
    """The texts of all 1,000 classes, in ImageNet's order."""
    found = []
    for line in source().decode("utf-8").splitlines():
        _, *fields = line.split("\t")
        names_en, names_es, kinds_en, kinds_es, scenes_en, scenes_es = (tuple(f.split("; ")) for f in fields)
        found.append(
            ClassTexts(
                {"en": names_en, "es": names_es}, {"en": kinds_en, "es": kinds_es}, {"en": scenes_en, "es": scenes_es}
            )
        )
    return tuple(found)


@cache
def texts(kind_weight: float = 0.8) -> tuple[Text, ...]:
    """Every name and kind of every class, class by class: what a query is compared with."""
    return tuple(
        Text(text, index, language, weight)
        for index, entry in enumerate(classes())
        for field, weight in ((entry.names, 1.0), (entry.kinds, kind_weight))
        for language in LANGUAGES
        for text in field[language]
    )


def fold(text: str) -> tuple[str, ...]:
    """The stems of a text's words, without case and accents: what "Canción" and "canciones" share.

    >>> fold("Los Perros, ¡qué árboles!")
    ('los', 'perro', 'que', 'arbol')
    """
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return tuple(_stem(word) for word in re.findall(r"\w+", plain))


def _stem(word: str) -> str:
    """One form for singular and plural in both languages: luz, luces; apple, apples; flor, flores; bus, buses."""
    if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us")):
        word = word[:-1]
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    if word.endswith(("z", "y")) and len(word) > 2:
        word = word[:-1] + {"z": "c", "y": "i"}[word[-1]]
    return word


@cache
def lexicon() -> dict[tuple[str, ...], dict[int, float]]:
    """Folded words of each text -> the classes it stands for, each with its weight."""
    found: dict[tuple[str, ...], dict[int, float]] = {}
    for entry in texts():
        weights = found.setdefault(fold(entry.text), {})
        weights[entry.index] = max(weights.get(entry.index, 0.0), entry.weight)
    return found


def spotted(query: str, longest: int = 4) -> dict[int, float]:
    """The classes whose texts stand inside a query word for word, longest texts first.

    Returns:
        class index -> weight of the text that was found.
    """
    words = fold(query)
    found: dict[int, float] = {}
    used: set[int] = set()
    for length in range(min(longest, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            span = range(start, start + length)
            entry = lexicon().get(words[start : start + length])
            if entry and used.isdisjoint(span):
                used.update(span)
                for index, weight in entry.items():
                    found[index] = max(found.get(index, 0.0), weight)
    return found


@cache
def _vocabulary(language: str) -> frozenset[str]:
    """The words of all texts in one language, accents kept."""
    return frozenset(
        word
        for entry in classes()
        for field in (entry.names, entry.kinds, entry.scenes)
        for text in field[language]
        for word in re.findall(r"\w+", text.lower())
    )


_GRAMMAR = {
    "en": frozenset(["a", "an", "the", "of", "in", "on", "at", "with", "and", "or", "by", "for", "from", "to", "my"]),
    "es": frozenset(["un", "una", "el", "la", "los", "las", "de", "del", "en", "con", "y", "o", "por", "para", "mi"]),
}


def language_of(query: str) -> str | None:
    """``en`` or ``es``, by the words of a query; None where they say nothing.

    >>> language_of("un perro en la nieve"), language_of("dogs in the snow"), language_of("Tokyo")
    ('es', 'en', None)
    """
    words = re.findall(r"\w+", unicodedata.normalize("NFC", query.lower()))
    votes = {
        language: sum((word in _GRAMMAR[language]) + (word in _vocabulary(language)) for word in words)
        for language in LANGUAGES
    }
    if votes["en"] == votes["es"]:
        return None
    return max(votes, key=lambda language: votes[language])
