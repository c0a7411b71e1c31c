"""Sounds in the sentence space: a stretch of recording becomes the mixture of the sentence vectors of what is heard.

ConSE (Norouzi et al. 2013, arXiv 1312.5650) with YAMNet's 521 classes, whose words (names, and what makes the sound,
in both languages) are in ``perceivers/sounds.tsv``; plus a ridge regression of the classes' logits on their sentence
vectors, as pictures have it (``conse.space``). So "ladrido" finds a bark, and so does "dog".
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catalejo import building, cards
from catalejo.conse.query import bare
from catalejo.conse.space import unit
from catalejo.encoders import Array, Encoded
from catalejo.encoders.sentence import SENTENCES, SentenceEncoder
from catalejo.language import language_of
from catalejo.perceivers.sound_names import LANGUAGES, classes
from catalejo.records import Label, Scoring

LABELS_KEPT = 10
# Measured on the sounds of stamps, where each has a wide range of values nearly as good (benchmarks/sounds.py).
SOURCE_WEIGHT = 1.0  # of what makes a sound, beside its names
NEAR_WEIGHT = 1.5  # of the classes whose words are nearest to a query, beside its own vector
SHARPNESS = 60.0
BETA, RIDGE = 0.7, 1.0
_SOURCE_PULL = 0.8
_RELATED = 0.5  # cosine from which a class has to do with a query
_CLEAR = 0.05  # probability from which a sound is worth naming
# Things that make no sound: what is asked of recordings to learn where chance begins. Names of sounds would be true of
# some, and put the line above what is right: of 19 sounds of stamps asked for by name 10 passed then, with these 17.
_QUIET = """
    table; silla; paper; ladrillo; mathematics; la justicia; a yellow dress; pan con tomate; the colour blue; un
    contrato; bread; camisa; mountain; desierto; a painting; una moneda antigua; economy; filosofía; potato;
    zapatos; a portrait; mapa; butterfly; jardín; sunset; la luna; a house; pared; cheese; manzana; a letter;
    diccionario; jewellery; sombrero; wine; arroz; statue; museo; history; una ley; health; medicina; a pencil;
    cuaderno; carpet; cortina; a tree; una rosa; stone; arena; gold; plástico; number; geometría; a smile;
    cansancio; hair; ojos; passport; factura; sugar; sal; a lamp; alfombra; fossil; estrella; a red scarf;
    planeta; a chart; esquema; recipe; ensalada; a tie; bufanda; ink; tela; pillow; un sobre; a ring; collar;
    mushroom; trigo; the equator; latitud; freedom; pobreza; a skyscraper; puente; photograph; tarjeta postal;
    triangle; círculo; a shadow; reflejo; purple; verde oscuro; tax; alquiler; grammar; ortografía; moss; cactus;
    a pyramid; templo; linen; lana; birthday; miércoles; a tattoo; cicatriz; brick wall; azulejo; vitamin;
    proteína; chess board; un sello; an island; bahía; curriculum; horario
"""
_HEARD = {"en": "heard", "es": "se oye"}


@dataclass(frozen=True)
class _Word:
    text: str
    index: int
    language: str
    weight: float


def _words() -> tuple[_Word, ...]:
    """Every name and source of every class, class by class."""
    return tuple(
        _Word(text, index, language, weight)
        for index, one in enumerate(classes())
        for field, weight in ((one.names, 1.0), (one.sources, _SOURCE_PULL))
        for language in LANGUAGES
        for text in field[language]
    )


class SoundEncoder:
    """Puts what YAMNet hears, and texts, in one space; loads when first used, safe to call from several threads."""

    card = cards.card("yamnet")
    prompted = False
    # Fitted to the 53 sounds of stamps and their captions by the least log loss (benchmarks/sounds.py).
    scoring = Scoring("softmax", 7.0, source="fitted; see benchmarks/sounds.py", centred=True)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts = SentenceEncoder()
        self._read = lru_cache(maxsize=256)(self._encode_text)

    def encode_sound(self, scores: Array) -> Encoded:
        """One stretch of a recording.

        Args:
            scores: (m, 521) probabilities of its frames, as ``facts.Frames`` has them; m at least 1.

        Returns:
            its unit vector (512,), and the ten sounds most likely heard in it.
        """
        with self._lock:
            centred, ridge = self._matrices
        most = scores.max(axis=0)  # a bark among a minute of wind is a bark
        safe = np.clip(scores, 1e-6, 1 - 1e-6)
        logits = np.log(safe / (1 - safe)).mean(axis=0)
        mixture = unit(most @ centred)
        vector = unit(mixture + BETA * unit((logits - logits.mean()) @ ridge))
        best = np.argsort(-most, kind="stable")[:LABELS_KEPT]
        return Encoded(vector, tuple(Label(int(i), round(float(most[i]), 4)) for i in best))

    def encode_texts(self, texts: Sequence[str]) -> Array:
        """Queries as vectors that meet sounds: (n, 512) float32, unit rows, drawn towards the classes they name."""
        if not texts:
            return np.empty((0, self.card.width), np.float32)
        return np.stack([self._read(text) for text in texts]).astype(np.float32)

    @property
    def background(self) -> Array:
        """What makes no sound, in English and Spanish by turns: (120, 512)."""
        with self._lock:
            folder = self._folder
        return np.asarray(building.opened(lambda: folder, lambda place: np.load(place / "background.npy")))

    def files(self) -> list[Path]:
        """The vectors of the words, and the sentence encoder's files."""
        return [*(self._folder / name for name in ("words.npy", "background.npy")), *self._texts.files()]

    def why(self, text: str, labels: Sequence[Label], most: int = 3) -> str:
        """The sounds that spoke for a stretch, in the query's language, as ``ladrido 94%, perro 90%``.

        Where none had to do with the query: what was heard, after ``heard:`` or ``se oye:``.
        """
        if not labels:
            return ""
        vector = self._read(text) if text.strip() else None
        with self._lock:
            centred, _ = self._matrices
        affinity = np.zeros(len(centred)) if vector is None else unit(centred) @ vector
        language = language_of(text) or self._language_near(text) if text.strip() else "en"
        asked = [one for one in labels if affinity[one.index] > _RELATED and one.probability >= _CLEAR]
        asked.sort(key=lambda one: -affinity[one.index] * one.probability)
        clear = [one for one in labels if one.probability >= _CLEAR] or list(labels[:1])
        said = ", ".join(
            f"{classes()[one.index].names[language][0]} {one.probability:.0%}" for one in (asked or clear)[:most]
        )
        return said if asked or vector is None else f"{_HEARD[language]}: {said}"

    # -- queries ------------------------------------------------------------------

    def _encode_text(self, text: str) -> Array:
        plain, trimmed = self._texts.encode_texts([text, bare(text)])
        with self._lock:
            rows, (centred, _) = self._rows, self._matrices
        return self._drawn(plain, trimmed, rows, centred)

    def _drawn(self, plain: Array, trimmed: Array, rows: Array, centred: Array) -> Array:
        near = self._weights * np.exp(SHARPNESS * (rows @ trimmed - 1))
        pull = np.maximum.reduceat(near, self._starts).astype(np.float32)
        return unit(plain + NEAR_WEIGHT * unit(pull @ centred))

    def _language_near(self, text: str) -> str:
        (vector,) = self._texts.encode_texts([bare(text)])
        with self._lock:
            return _words()[int(np.argmax(self._rows @ vector))].language

    # -- what is loaded, once, whoever asks first -----------------------------------

    @property
    def _folder(self) -> Path:
        source = files("catalejo.perceivers").joinpath("sounds.tsv").read_bytes()
        parts = [SENTENCES.sha256.encode(), source, Path(__file__).read_bytes()]
        return building.built("yamnet-words", hashlib.sha256(b"|".join(parts)).hexdigest()[:16], self._build)

    def _build(self, folder: Path) -> None:
        rows = self._texts.encode_texts([word.text for word in _words()])
        np.save(folder / "words.npy", rows)
        centred, _ = _matrices(rows)
        vectors = self._texts.encode_texts([text.strip() for text in _QUIET.split(";")])
        np.save(folder / "background.npy", np.stack([self._drawn(v, v, rows, centred) for v in vectors]))

    @cached_property
    def _rows(self) -> Array:
        return np.asarray(building.opened(lambda: self._folder, lambda folder: np.load(folder / "words.npy")))

    @cached_property
    def _matrices(self) -> tuple[Array, Array]:
        return _matrices(self._rows)

    @cached_property
    def _weights(self) -> Array:
        return np.array([word.weight for word in _words()], np.float32)

    @cached_property
    def _starts(self) -> npt.NDArray[np.intp]:
        return np.flatnonzero(np.diff([word.index for word in _words()], prepend=-1))


def _matrices(rows: Array) -> tuple[Array, Array]:
    """What projects classes into the sentence space, from the vectors of their words.

    Returns:
        the class vectors without what they have in common, (521, 512); and the ridge regression on them,
        (521, 512): from logits to the text that would have them.
    """
    found: dict[tuple[int, str, float], list[Array]] = {}
    for word, row in zip(_words(), rows, strict=True):
        found.setdefault((word.index, word.language, word.weight), []).append(row)
    labels = np.zeros((len(classes()), rows.shape[1]), np.float32)
    for (index, _, weight), vectors in found.items():
        labels[index] += (1.0 if weight == 1.0 else SOURCE_WEIGHT) * np.mean(vectors, axis=0)
    labels = unit(labels)
    t = labels.astype(np.float64)
    ridge = np.linalg.solve(t.T @ t + RIDGE * np.eye(t.shape[1]), t.T).T
    return labels - labels.mean(axis=0), np.ascontiguousarray(ridge, np.float32)
