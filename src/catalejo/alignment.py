"""Does a question concern this picture? What it takes for granted is looked for: "the car" of "how old is the car?".

A thing is compared with the picture by an encoder, and with what everyday words get on it (the encoder's
``background``): below their mean, nothing like it is seen. Measured on COCO128 with the embedded encoder: 94% of the
things that are there pass, 99% of those that fill a tenth of the picture; of those that are not there 39% are stopped,
in Spanish 35% (benchmarks/alignment.py). A stopped question is doubted, not refused: see ``visual_answering``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from catalejo.language import language_of
from catalejo.words import folded

if TYPE_CHECKING:
    from PIL.Image import Image

    from catalejo.encoders import Encoder

LEAST = 0.0  # deviations above the mean of everyday words; see above
_MOST_WORDS = 3

# After these a thing's name is over.
_FOLLOW = """
    a an and are as at be been behind being below beside between by can could did do does doing for from had has have
    he her his if in into is it its like near of off on or over she should than that their there they this those to
    under was were what when where which while who whose why will with would you
    al ante con como cual cuando de del desde donde el ella en entre era eran es esta estan este estos fue ha hace
    hacia han hay la las le les lleva llevan lo los mas mi muy no para parece pero por que quien se ser si sin sobre
    son su sus tiene tienen un una unas unos va van y ya aparece aparecen
"""
# What a picture has in any case, or a thing has, and nobody would look for by its name.
_ABSTRACT = """
    age amount answer background bottom brand breed camera caption center centre city color colour colours colors
    corner country date day direction distance edge file first foreground front frame height image kind last left
    letter line location main make man's maker middle mood most name number number object objects only
    other owner page person photo photograph picture place point position price reason rest right same scene
    season second shape side size something speed state street style subject temperature text thing things time title
    top type view way weather whole width word words world year year background video film clip recording sound
    autor ano altura ancho angulo archivo cantidad ciudad clase color colores cosa cosas culpa dia direccion distancia
    edad escena estacion estilo fecha final fondo forma foto fotografia fotos grabacion hora idioma imagen imagenes
    izquierda derecha letra luz lugar mano manos marca mayoria medio mes mismo modelo motivo nombre numero objeto
    objetos pagina pais palabra palabras parte persona personas pie plano posicion precio primer primera primero
    principal raza razon resto sitio sonido tamano temperatura texto tiempo tipo titulo ultimo velocidad vez video
"""
_ENDS, _NOT_THINGS = frozenset(_FOLLOW.split()), frozenset(_ABSTRACT.split())
_DEFINITE = re.compile(r"\b(?:the|el|la|los|las|del|al|breed of|raza de)\s+(?=((?:[^\W\d_][\w'’-]*\s*){1,4}))")
_AUXILIARY = re.compile(
    r"\W*(?:(?:what|where|when|why|who|how|which)\s+)?(?:did|does|do|will|can|could|would|should)\b"
)
_DOING = ("ing", "ando", "iendo")


@dataclass(frozen=True)
class Alignment:
    """Whether what a question takes for granted is seen.

    Attributes:
        things: what that is, in the question's words; empty: nothing.
        missing: the one of them that is least seen, if that is less than chance; empty where all is well.
        score: its deviations above the mean of everyday words.
    """

    things: tuple[str, ...]
    missing: str = ""
    score: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether the question may concern the picture, as far as anybody can tell."""
        return not self.missing


def supposed(question: str) -> tuple[str, ...]:
    """The things that a question takes for granted: what has a definite article, and can be looked for.

    "Is there a dog?" takes nothing for granted, whatever the answer.

    >>> supposed("¿De qué color es el coche?"), supposed("Is there a dog?"), supposed("Who took the picture?")
    (('coche',), (), ())
    """
    text = " ".join(question.lower().split())
    spanish = language_of(question) == "es"
    found: list[str] = []
    for match in _DEFINITE.finditer(text):
        words: list[str] = []
        for word in match[1].split():
            plain = folded(word)
            if plain in _ENDS or len(words) == _MOST_WORDS or (words and plain.endswith(_DOING)):
                break
            words.append(word)
        if not spanish and len(words) > 1 and _AUXILIARY.match(text):
            words.pop()  # "did the launch succeed"
        if words and not {folded(words[0]), folded(words[-1])} & _NOT_THINGS:
            found.append(" ".join(words))
    return tuple(dict.fromkeys(found))


def _names(thing: str, spanish: bool) -> list[str]:
    """A thing's name; in Spanish its first word too, as what follows may be no part of it: "el gato duerme"."""
    return list(dict.fromkeys([thing, thing.split()[0]])) if spanish else [thing]


def align(question: str, pictures: Sequence[Image], encoder: Encoder) -> Alignment:
    """See whether what a question takes for granted is in any of the pictures.

    Args:
        question: in Spanish or English.
        pictures: upright, RGB.
        encoder: puts pictures and words in one space.
    """
    things = supposed(question)
    if not things or not pictures:
        return Alignment(things)
    seen = np.stack([one.vector for one in encoder.encode_images(pictures)])  # (pictures, width)
    usual = seen @ encoder.background.T  # (pictures, everyday words)
    spanish = language_of(question) == "es"
    names = [(number, name) for number, thing in enumerate(things) for name in _names(thing, spanish)]
    asked = seen @ encoder.encode_texts([name for _, name in names]).T  # (pictures, names)
    scores = (asked - usual.mean(axis=1, keepdims=True)) / np.maximum(usual.std(axis=1, keepdims=True), 1e-6)
    best = np.full(len(things), -np.inf)
    np.maximum.at(best, [number for number, _ in names], scores.max(axis=0))
    least = int(best.argmin())
    score = float(best[least])
    return Alignment(things, things[least] if score < LEAST else "", score)
