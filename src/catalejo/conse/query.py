"""From a query to a vector that meets pictures: its sentence vector, drawn towards the classes it names.

A sentence encoder puts "un perro en la nieve" near dogs and snow, but not as near
as the classes "golden retriever" or "ski" need. Two terms help: the classes
whose texts are nearest to the query (soft, weight falls as exp of the distance), and
those whose texts stand in it word for word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from catalejo.conse.labels import Text, classes, language_of, spotted
from catalejo.conse.space import Array, EncodeTexts, unit
from catalejo.records import Label

# Measured on development data (benchmarks/quality.py, benchmarks/RESULTS.md).
SHARPNESS = 40.0
NEAR_WEIGHT = 0.7
SPOTTED_WEIGHT = 0.6
_RELATED = 0.4  # cosine from which a class has to do with a query
_CLEAR = 0.02  # probability from which a label is worth naming beside another
_SEEN = {"en": "seen", "es": "se ve"}
_ARTICLE = re.compile(r"^(a|an|the|some|un|una|unos|unas|el|la|los|las)\s+", re.IGNORECASE)


def bare(text: str) -> str:
    """A query as the class texts are written: no final stop, no leading article.

    >>> bare("Un perro.")
    'perro'
    """
    trimmed = text.strip(" \t\n.!?¡¿")
    return _ARTICLE.sub("", trimmed) or trimmed


@dataclass(frozen=True)
class Reading:
    """A query, understood.

    Attributes:
        vector: (width,) unit, to compare with pictures.
        language: the query's own, else that of the class text nearest to it.
        pull: (classes,) how strongly the query asks for each class, from 0.
        nearest: for each class, which of its texts in that language is nearest to the query.
    """

    vector: Array
    language: str
    pull: Array
    nearest: tuple[Text, ...]


class QueryReader:
    """Reads queries against the texts of the classes.

    Args:
        encode: texts -> (n, width) unit sentence vectors.
        texts: the class texts, class by class.
        rows: (texts, width) their sentence vectors.
        labels: (classes, width) T of ``space.label_matrix``.
        near_weight: of the classes whose texts are nearest, beside the sentence vector's 1.
        spotted_weight: of the classes whose texts stand in the query word for word.
    """

    def __init__(
        self,
        encode: EncodeTexts,
        texts: Sequence[Text],
        rows: Array,
        labels: Array,
        near_weight: float = NEAR_WEIGHT,
        spotted_weight: float = SPOTTED_WEIGHT,
    ) -> None:
        self._near_weight, self._spotted_weight = near_weight, spotted_weight
        self._encode, self._texts, self._rows, self._labels = encode, texts, rows, labels
        index = np.array([t.index for t in texts])
        self._starts = np.flatnonzero(np.diff(index, prepend=-1))
        self._weights = np.array([t.weight for t in texts], np.float32)
        self._languages = np.array([t.language for t in texts])
        self.read = lru_cache(maxsize=256)(self._read)

    def _read(self, query: str) -> Reading:
        plain, trimmed = self._encode([query, bare(query)])
        cosine = self._rows @ trimmed
        near = self._weights * np.exp(SHARPNESS * (cosine - 1))
        pull = np.maximum.reduceat(near, self._starts).astype(np.float32)
        named = np.zeros(len(self._labels), np.float32)
        for index, weight in spotted(query).items():
            named[index] = weight
        vector = unit(
            plain + self._near_weight * unit(pull @ self._labels) + self._spotted_weight * unit(named @ self._labels)
        )
        language = language_of(query) or self._texts[int(np.argmax(cosine))].language
        spoken = np.where(self._languages == language, near, -1)
        ends = [*self._starts[1:], len(self._texts)]
        best = [int(s + np.argmax(spoken[s:e])) for s, e in zip(self._starts, ends, strict=True)]
        return Reading(vector, language, np.maximum(pull, named), tuple(self._texts[i] for i in best))

    def why(self, query: str, labels: Sequence[Label], most: int = 3) -> str:
        """The labels of a picture that spoke for it, in the query's language.

        Args:
            query: the text asked; empty for a query that is a picture.
            labels: what the classifier saw in the picture.
            most: labels to name.

        Returns:
            such as ``golden retriever (perro) 62%, nieve 9%``; where no label had to do with the
            query, what was seen, after ``seen:`` or ``se ve:``.
        """
        if not query.strip():  # asked with a picture
            return ", ".join(f"{classes()[x.index].names['en'][0]} {x.probability:.0%}" for x in labels[:most])
        reading = self.read(query)
        affinity = np.maximum(self._labels @ reading.vector, 0)
        share = {x.index: float(affinity[x.index] ** 4) * x.probability for x in labels}
        strongest = max(share.values(), default=0.0)
        asked = [x for x in labels if affinity[x.index] > _RELATED and share[x.index] >= 0.1 * strongest]
        asked.sort(key=lambda x: -share[x.index])
        chosen = (asked or list(labels))[:most]
        clear = [x for x in chosen if x.probability >= _CLEAR] or chosen[:1]
        words = ", ".join(self._say(x, reading) for x in clear)
        return words if asked else f"{_SEEN[reading.language]}: {words}"

    def _say(self, label: Label, reading: Reading) -> str:
        name = classes()[label.index].names[reading.language][0]
        text = reading.nearest[label.index]
        asked_for_kind = text.weight < 1 and reading.pull[label.index] > 0.3
        kind = f" ({text.text})" if asked_for_kind else ""
        return f"{name}{kind} {label.probability:.0%}"
