"""FACTS -> a caption and an alternative text, in Spanish or English, as sure as the facts are.

An alternative text stands for a picture where it cannot be seen. It says what is shown, the text read in it and its
colours, each with words that tell how sure that is, and nothing that no fact says. Short ones keep to what the
W3C's "Images tutorial" calls the picture's content; long ones add colours, sizes, date, place and what was not looked
for, since silence about people must not be read as their absence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalejo import grammar
from catalejo.facts import Fact
from catalejo.recognised import LEAST, Thing, things
from catalejo.texts import Box

LENGTHS = ("short", "long")
SHORT_CHARS = 250  # the most an alternative text should have; IPTC Photo Metadata User Guide, "Alt Text"
_QUOTED_CHARS = {"short": 100, "long": 1_000}
_COLOURS = {"short": 2, "long": 4}
_LEGIBLE = 0.6  # a line read with less confidence is more often letters seen in leaves and bricks than text
_COLOUR_SHARE = 0.1  # of the picture; less is no main colour
_PAGE_LINES, _PAGE_SHARE = 4, 0.05  # lines, and their share of the area, that make a picture one of text
_ADULT = 0.8

_WORDS = {
    "en": {
        "sure": "{a}",
        "probable": "probably {a}",
        "possible": "perhaps {a}",
        "percent": " ({share})",
        "left": "on the left",
        "right": "on the right",
        "middle": "in the middle",
        "upper left": "at the upper left",
        "upper right": "at the upper right",
        "upper middle": "at the top",
        "lower left": "at the lower left",
        "lower right": "at the lower right",
        "lower middle": "at the bottom",
        "unknown": "what the picture shows was not recognised",
        "unknown caption": "a picture",
        "page": "a picture of text",
        "reads": "it reads: {text}",
        "colours": "main colours: {list}",
        "colour only": "main colour: {list}",
        "panoramic": "a panoramic picture",
        "landscape": "a landscape picture",
        "portrait": "an upright picture",
        "square": "a square picture",
        "pixels": "{shape}, {width} by {height} pixels",
        "taken": "taken {when}",
        "camera": "with a {camera}",
        "place": "at {place}",
        "adult": "it may contain adult content (score {score})",
        "by": "described automatically from {list}",
        "people": "people, and what they do, are not recognised",
        "label": "labels",
        "text": "text read in it",
        "colour": "colours",
        "file": "the file's own data",
        "quotes": "“{}”",
    },
    "es": {
        "sure": "{a}",
        "probable": "probablemente {a}",
        "possible": "quizá {a}",
        "percent": " ({share})",
        "left": "a la izquierda",
        "right": "a la derecha",
        "middle": "en el centro",
        "upper left": "arriba a la izquierda",
        "upper right": "arriba a la derecha",
        "upper middle": "arriba",
        "lower left": "abajo a la izquierda",
        "lower right": "abajo a la derecha",
        "lower middle": "abajo",
        "unknown": "no se ha reconocido lo que muestra la imagen",
        "unknown caption": "una imagen",
        "page": "una imagen con texto",
        "reads": "se lee: {text}",
        "colours": "colores principales: {list}",
        "colour only": "color principal: {list}",
        "panoramic": "imagen panorámica",
        "landscape": "imagen apaisada",
        "portrait": "imagen vertical",
        "square": "imagen cuadrada",
        "pixels": "{shape} de {width} por {height} píxeles",
        "taken": "tomada {when}",
        "camera": "con una {camera}",
        "place": "en {place}",
        "adult": "puede tener contenido para adultos (puntuación {score})",
        "by": "descripción automática a partir de {list}",
        "people": "no se reconocen las personas ni lo que hacen",
        "label": "etiquetas",
        "text": "texto leído",
        "colour": "colores",
        "file": "los datos del archivo",
        "quotes": "«{}»",
    },
}


@dataclass(frozen=True)
class AltText:
    """What is said of one picture.

    Attributes:
        caption: what it shows, in one line without a full stop.
        text: the alternative text, whole sentences.
        sure: whether anything shown was recognised with confidence.
        recognised: whether anything shown or written was recognised at all.
    """

    caption: str
    text: str
    sure: bool
    recognised: bool = True


def alt_text(facts: Sequence[Fact], language: str, length: str = "short") -> AltText:
    """Say what is known of one picture.

    Args:
        facts: of it; those of kinds that say nothing of a picture are left aside.
        language: ``en`` or ``es``.
        length: ``short``: one or two sentences; ``long``: all there is.
    """
    return _Teller(facts, language, length).told()


def known_words(facts: Sequence[Fact], language: str) -> str:
    """What is certain of a picture, or was read in it, for whoever describes it by looking: no labels, no colours."""
    kept = [fact for fact in facts if fact.kind not in ("label", "colour", "safety")]
    return _Teller(kept, language, "long").certain()


class _Teller:
    """One picture's facts, in one language."""

    def __init__(self, facts: Sequence[Fact], language: str, length: str) -> None:
        self._facts, self._language, self._length = facts, language, length
        self._words = _WORDS[language]
        self._lines = [fact for fact in facts if fact.kind == "text" and _legible(fact)]
        shown = things(facts)
        if self._is_page():  # a classifier of things makes pens and envelopes of a page
            shown = tuple(one for one in shown if one.wording == "sure")
        self._shown = shown

    def told(self) -> AltText:
        parts = [self._what(), self._text(), self._colours()]
        if self._length == "long":
            parts += [self._size(), self._when(), self._adult(), self._source()]
        text = " ".join(grammar.sentence(part) for part in parts if part)
        sure = any(one.wording == "sure" for one in self._shown)
        return AltText(self._caption(), text, sure, bool(self._shown or self._lines))

    def certain(self) -> str:
        parts = [self._text(), self._size(), self._when()]
        return " ".join(grammar.sentence(part) for part in parts if part)

    # -- what is shown -------------------------------------------------------------------

    def _caption(self) -> str:
        if self._shown:
            said = self._said(self._shown[0], shares=False)
        elif self._is_page():
            said = self._words["page"]
        else:
            said = self._words["unknown caption"]
        if self._lines and (not self._shown or self._is_page()):
            said += f": {self._quoted(60)}"
        return said[:1].upper() + said[1:]

    def _what(self) -> str:
        shares = self._length == "long"
        if not self._shown:
            return self._words["page"] if self._is_page() else self._words["unknown"]
        first, *others = self._shown
        said = self._said(first, shares)
        if self._is_page():
            said = f"{self._words['page']}; {said}"
        return "; ".join([said, *(self._said(one, shares) for one in others)])

    def _said(self, one: Thing, shares: bool) -> str:
        said = self._fill(one.wording, a=self._a(one.label)) + (self._share(one.label) if shares else "")
        if one.finer and self._a(one.finer) != self._a(one.label):
            sure = one.finer.confidence or 0.0
            wording = "probable" if sure >= LEAST["probable"] else "possible"
            said += f", {self._fill(wording, a=self._a(one.finer))}" + (self._share(one.finer) if shares else "")
        size = self._sizes()
        return f"{said}, {self._words[_side(one.box, size)]}" if one.box and size else said

    def _a(self, fact: Fact) -> str:
        return grammar.a(fact.said(self._language), self._language)

    def _share(self, fact: Fact) -> str:
        return self._fill("percent", share=grammar.share(fact.confidence or 0.0, self._language))

    # -- what is read, and how it looks ------------------------------------------------------

    def _is_page(self) -> bool:
        """Whether it is, above all, text."""
        size = self._sizes()
        if size is None or len(self._lines) < _PAGE_LINES:
            return False
        boxes = [fact.box for fact in self._lines if fact.box]
        area = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
        return area >= _PAGE_SHARE * size[0] * size[1]

    def _text(self) -> str:
        if not self._lines:
            return ""
        return self._fill("reads", text=self._quoted(_QUOTED_CHARS[self._length]))

    def _quoted(self, most: int) -> str:
        text = " ".join(" ".join(fact.value.split()) for fact in self._lines)
        if len(text) > most:
            text = text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
        return self._words["quotes"].format(text.rstrip(" ."))

    def _colours(self) -> str:
        found = [fact for fact in self._facts if fact.kind == "colour" and _part(fact) >= _COLOUR_SHARE]
        found = sorted(found, key=lambda fact: -_part(fact))[: _COLOURS[self._length]]
        if not found:
            return ""
        names = list(dict.fromkeys(fact.said(self._language) for fact in found))
        return self._fill("colours" if len(names) > 1 else "colour only", list=grammar.listed(names, self._language))

    # -- what the file says -----------------------------------------------------------------

    def _one(self, kind: str) -> Fact | None:
        return next((fact for fact in self._facts if fact.kind == kind), None)

    def _sizes(self) -> tuple[int, int] | None:
        fact = self._one("size")
        found = re.fullmatch(r"(\d+) x (\d+)", fact.value) if fact else None
        return (int(found[1]), int(found[2])) if found else None

    def _size(self) -> str:
        size = self._sizes()
        if size is None or not all(size):
            return ""
        shape = self._words[_shape(*size)]
        width, height = (grammar.written(side, self._language) for side in size)
        return self._fill("pixels", shape=shape, width=width, height=height)

    def _when(self) -> str:
        parts = []
        if taken := self._one("taken"):
            when = datetime.fromisoformat(taken.value)
            parts.append(grammar.dated(when, self._language))
        if camera := self._one("camera"):
            parts.append(self._fill("camera", camera=camera.value))
        if place := self._one("place"):
            parts.append(self._fill("place", place=_place(place.value, self._language)))
        return self._fill("taken", when=", ".join(parts)) if parts else ""

    def _adult(self) -> str:
        fact = self._one("safety")
        if fact is None or fact.number is None or fact.number < _ADULT:
            return ""
        return self._fill("adult", score=grammar.written(fact.number, self._language, 2))

    def _source(self) -> str:
        kinds = [kind for kind in ("label", "text", "colour") if (self._lines if kind == "text" else self._one(kind))]
        if any(fact.by == "file" for fact in self._facts):
            kinds.append("file")
        if not kinds:
            return self._words["people"]
        told = self._fill("by", list=grammar.listed([self._words[kind] for kind in kinds], self._language))
        return f"{told}; {self._words['people']}"

    def _fill(self, name: str, **parts: str) -> str:
        return self._words[name].format(**parts)


def _legible(fact: Fact) -> bool:
    sure = fact.confidence is None or fact.confidence >= _LEGIBLE
    return sure and len(re.findall(r"\w", fact.value)) > 1


def _part(fact: Fact) -> float:
    """The share of the picture that has a colour."""
    return fact.number if fact.number is not None else fact.confidence or 0.0


def _side(box: Box, size: tuple[int, int]) -> str:
    """Where the middle of a box lies, in thirds of the picture: ``upper left``, ``middle``."""
    across = (box[0] + box[2]) / 2 / max(size[0], 1)
    down = (box[1] + box[3]) / 2 / max(size[1], 1)
    side = "left" if across < 0.4 else "right" if across > 0.6 else "middle"
    return f"{'upper ' if down < 0.4 else 'lower ' if down > 0.6 else ''}{side}"


def _shape(width: int, height: int) -> str:
    if width >= 2 * height:
        return "panoramic"
    return "landscape" if width > 1.1 * height else "portrait" if height > 1.1 * width else "square"


def _place(value: str, language: str) -> str:
    """``41.38,-2.18`` as ``41.38° N, 2.18° W``."""
    latitude, longitude = (float(part) for part in value.split(","))
    west = "O" if language == "es" else "W"
    sides = ("N" if latitude >= 0 else "S", "E" if longitude >= 0 else west)
    degrees = (grammar.written(abs(part), language, 2) for part in (latitude, longitude))
    return ", ".join(f"{part}° {side}" for part, side in zip(degrees, sides, strict=True))
