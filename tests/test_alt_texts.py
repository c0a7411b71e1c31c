"""Captions and alternative texts from facts: what they say, how surely, and what they keep quiet about."""

from __future__ import annotations

import itertools
import re

import pytest

from catalejo.alt_texts import alt_text, known_words
from catalejo.conse.labels import classes
from catalejo.facts import Fact
from catalejo.perceivers.colours import NAMES
from catalejo.texts import Box

SIZE = Fact("size", "400 x 300", None, "file")
CAT = Fact("label", "cat", 0.95, "labels", es="gato")
EGYPTIAN = Fact("label", "Egyptian cat", 0.57, "labels", es="gato egipcio", number=285)


def line(text: str, sure: float = 0.9, box: Box = (0, 0, 300, 30)) -> Fact:
    return Fact("text", text, sure, "ocr", box=box)


def colour(en: str, es: str, part: float) -> Fact:
    return Fact("colour", en, part, "colours", es=es)


BROWN, RED, PINK = colour("brown", "marrón", 0.6), colour("red", "rojo", 0.3), colour("pink", "rosa", 0.05)


@pytest.mark.parametrize(
    ("sure", "en", "es"),
    [
        (0.95, "A cat.", "Un gato."),
        (0.7, "Probably a cat.", "Probablemente un gato."),
        (0.5, "Perhaps a cat.", "Quizá un gato."),
        (0.1, "What the picture shows was not recognised.", "No se ha reconocido lo que muestra la imagen."),
    ],
)
def test_words_tell_how_sure_it_is(sure: float, en: str, es: str) -> None:
    fact = Fact("label", "cat", sure, "labels", es="gato")
    assert alt_text([fact], "en").text == en
    assert alt_text([fact], "es").text == es
    assert alt_text([fact], "es").sure is (sure > 0.9)


def test_the_finer_guess_follows_the_sure_kind() -> None:
    assert alt_text([CAT, EGYPTIAN], "es").caption == "Un gato, quizá un gato egipcio"
    assert alt_text([CAT, EGYPTIAN], "en").caption == "A cat, perhaps an Egyptian cat"


def test_a_finer_guess_of_the_same_name_is_not_repeated() -> None:
    lobster = [Fact("label", "lobster", 0.9, "labels", es="langosta")]
    spiny = Fact("label", "spiny lobster", 0.7, "labels", es="langosta", number=123)
    assert alt_text([*lobster, spiny], "es").text == "Una langosta."
    assert alt_text([*lobster, spiny], "en").text == "A lobster, probably a spiny lobster."


def test_where_something_was_seen_is_said() -> None:
    cup = Fact("label", "cup", 0.9, "labels", es="taza", number=968, box=(0, 150, 200, 300))
    assert alt_text([CAT, cup, SIZE], "es").text == "Un gato; una taza, abajo a la izquierda."
    assert alt_text([CAT, cup, SIZE], "en").text == "A cat; a cup, at the lower left."


def test_text_and_colours_are_said() -> None:
    facts = [CAT, line("Se vende"), BROWN, RED, PINK, SIZE]
    assert alt_text(facts, "es").text == "Un gato. Se lee: «Se vende». Colores principales: marrón y rojo."
    assert alt_text(facts, "en").text == "A cat. It reads: “Se vende”. Main colours: brown and red."
    assert alt_text([CAT, BROWN], "es").text == "Un gato. Color principal: marrón."


def test_what_was_hardly_legible_is_not_read_out() -> None:
    assert "lee" not in alt_text([CAT, line("iIl|", 0.4), line("-")], "es").text


def test_a_page_of_text_is_no_eraser() -> None:
    eraser = Fact("label", "pencil eraser", 0.7, "labels", es="goma de borrar", number=767)
    page = [line(f"renglón {n}", box=(10, 60 * n, 390, 60 * n + 40)) for n in range(5)]
    said = alt_text([eraser, *page, SIZE], "es")
    assert said.caption == "Una imagen con texto: «renglón 0 renglón 1 renglón 2 renglón 3 renglón 4»"
    assert "goma" not in said.text
    assert alt_text([eraser, *page[:2], SIZE], "es").caption == "Probablemente una goma de borrar"


def test_long_text_is_cut_between_words_and_short_ones_stay_short() -> None:
    facts = [CAT, line("palabra " * 300), BROWN, RED, SIZE]
    short = alt_text(facts, "es").text
    assert len(short) <= 250  # IPTC: alternative texts of at most about 250 characters
    assert "palabra…»" in short
    assert len(alt_text(facts, "es", "long").text) > 900


def test_long_ones_say_all_there_is_and_what_was_not_looked_for() -> None:
    facts = [
        *(CAT, EGYPTIAN, BROWN, SIZE, Fact("taken", "2021-05-03T13:05:00", None, "file")),
        *(Fact("camera", "Canon EOS 5D", None, "file"), Fact("place", "41.38000,-2.18000", None, "file")),
    ]
    assert alt_text(facts, "es", "long").text == (
        "Un gato (95 %), quizá un gato egipcio (57 %). Color principal: marrón. Imagen apaisada de 400 por 300 "
        "píxeles. Tomada el 3 de mayo de 2021 a las 13:05, con una Canon EOS 5D, en 41,38° N, 2,18° O. Descripción "
        "automática a partir de etiquetas, colores y los datos del archivo; no se reconocen las personas ni lo que "
        "hacen."
    )
    assert alt_text(facts, "en", "long").text == (
        "A cat (95%), perhaps an Egyptian cat (57%). Main colour: brown. A landscape picture, 400 by 300 pixels. Taken "
        "on 3 May 2021 at 13:05, with a Canon EOS 5D, at 41.38° N, 2.18° W. Described automatically from labels, "
        "colours and the file's own data; people, and what they do, are not recognised."
    )


@pytest.mark.parametrize(
    ("size", "shape"),
    [("300 x 400", "vertical"), ("400 x 400", "cuadrada"), ("900 x 400", "panorámica"), ("430 x 400", "cuadrada")],
)
def test_shapes(size: str, shape: str) -> None:
    assert f"Imagen {shape} de" in alt_text([Fact("size", size, None, "file")], "es", "long").text


@pytest.mark.parametrize(("number", "said"), [(0.93, True), (0.3, False), (None, False)])
def test_adult_content_is_told_of_when_it_is_likely(number: float | None, said: bool) -> None:
    fact = Fact("safety", "adult content", number, "safety", number=number)
    assert ("contenido para adultos (puntuación 0,93)" in alt_text([CAT, fact], "es", "long").text) is said


def test_nothing_known_is_said_so() -> None:
    assert alt_text([], "en").caption == "A picture"
    assert alt_text([], "en", "long").text.startswith("What the picture shows was not recognised. ")
    assert "from ;" not in alt_text([], "en", "long").text


def test_who_looks_is_told_what_is_certain_only() -> None:
    told = known_words([CAT, BROWN, line("Se vende"), SIZE], "es")
    assert told == "Se lee: «Se vende». Imagen apaisada de 400 por 300 píxeles."
    assert known_words([CAT], "en") == ""


def test_every_class_makes_a_sentence_in_both_languages() -> None:
    """No name leaves an article that does not agree in number, a double space, or a small first letter."""
    wrong = re.compile(r"\b(un|una) \w+s de|  |\b(a) [aeio]\w+|\ban [^aeiouhAEFHILMNORSXU8]\w*")
    spoken = {"a one", "a uni", "an iP"}
    colours = itertools.cycle(NAMES)
    for number, entry in enumerate(classes()):
        facts = [
            Fact("label", entry.names["en"][0], 0.95, "labels", es=entry.names["es"][0], number=number),
            colour(*next(colours), 0.5),
        ]
        for language in ("en", "es"):
            text = alt_text(facts, language).text
            found = wrong.search(text)
            assert found is None or found.group()[:5] in spoken, text
            assert text[0] == text[0].upper() or text.startswith("iPod"), text
