"""Articles, gender, plurals and lists, against the label tables and against what a grammar says."""

from __future__ import annotations

import doctest
from datetime import datetime

import pytest

from catalejo import grammar
from catalejo.conse import labels
from catalejo.grammar import a, counted, dated, feminine, is_plural, listed, plural, sentence, share, the, written


def test_the_examples_in_the_docstrings_hold() -> None:
    tested = doctest.testmod(grammar)
    assert tested.attempted > 8
    assert tested.failed == 0


# Genders as the Diccionario de la lengua española (RAE, 23rd edition) gives them.
@pytest.mark.parametrize(
    ("noun", "said"),
    [
        *(
            ("koala", "un koala"),
            ("pijama", "un pijama"),
            ("tranvía", "un tranvía"),
            ("águila calva", "un águila calva"),
        ),
        *(("llave", "una llave"), ("coliflor", "una coliflor"), ("serpiente", "una serpiente"), ("nave", "una nave")),
        *(("camión de bomberos", "un camión de bomberos"), ("estación", "una estación"), ("escorpión", "un escorpión")),
        *(("sacacorchos", "un sacacorchos"), ("autobús escolar", "un autobús escolar"), ("mantis", "una mantis")),
        *(("gafas de sol", "unas gafas de sol"), ("vaqueros", "unos vaqueros"), ("zuecos", "unos zuecos")),
        *(("gran danés", "un gran danés"), ("papel higiénico", "papel higiénico"), ("hacha", "un hacha")),
    ],
)
def test_spanish_articles(noun: str, said: str) -> None:
    assert a(noun, "es") == said


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        *(("hourglass", "an hourglass"), ("unicycle", "a unicycle"), ("iPod", "an iPod"), ("ATM", "an ATM")),
        *(("European rabbit", "a European rabbit"), ("one-piece swimsuit", "a one-piece swimsuit")),
        *(("umbrella", "an umbrella"), ("CD player", "a CD player"), ("sunglasses", "sunglasses"), ("bus", "a bus")),
        *(("ice cream", "ice cream"), ("bird of prey", "a bird of prey"), ("pots and pans", "pots and pans")),
    ],
)
def test_english_articles(noun: str, said: str) -> None:
    assert a(noun, "en") == said


def test_every_spanish_name_of_a_class_takes_an_article_that_agrees_with_its_words() -> None:
    """Adjectives right after the noun that end in o or a must agree; the few that do not are no adjectives."""
    nouns_beside = {"culebra gusano", "perro terranova", "perro pomerania"}
    for entry in labels.classes():
        for name in (entry.names["es"][0], *entry.kinds["es"]):
            head, *rest = name.split()
            if len(rest) != 1 or name in nouns_beside or is_plural(name, "es"):
                continue
            if rest[0].endswith(("oso", "ado", "ico", "ano", "ino", "ero")):
                assert not feminine(head), name
            if rest[0].endswith(("osa", "ada", "ica", "ana", "ina")):
                assert feminine(head), name


def test_plurals() -> None:
    assert plural("luz roja", "es") == "luces rojas"
    assert plural("jabalí", "es") == "jabalíes"
    assert plural("sofá", "es") == "sofás"
    assert plural("gafas de sol", "es") == "gafas de sol"
    assert plural("autobús", "es") == "autobuses"
    assert plural("paraguas", "es") == "paraguas"
    assert [plural(word, "en") for word in ("box", "berry", "toy", "person", "church", "jeans")] == [
        *("boxes", "berries", "toys", "people", "churches", "jeans")
    ]


def test_counts() -> None:
    assert counted(2, "avión", "es") == "dos aviones"
    assert counted(1, "perro", "es") == "un perro"
    assert counted(0, "perro", "es") == "ningún perro"
    assert counted(0, "dog", "en") == "no dogs"
    assert counted(12, "dog", "en") == "12 dogs"


def test_lists() -> None:
    assert listed([], "es") == ""
    assert listed(["un hielo", "hielo"], "es") == "un hielo y hielo"  # hie- keeps y
    assert listed(["agujas", "hilo"], "es") == "agujas e hilo"
    assert listed(["siete", "ocho"], "es", "or") == "siete u ocho"
    assert listed(["a", "b", "c"], "en", "or") == "a, b or c"


def test_numbers_shares_and_dates() -> None:
    assert written(12345.678, "es", 1) == "12.345,7"
    assert written(12345.678, "en", 1) == "12,345.7"
    assert share(0.001, "es") == "menos del 1 %"
    assert dated(datetime(2020, 12, 1, 1, 7), "es") == "el 1 de diciembre de 2020 a la 1:07"
    assert the("casa", "es") == "la casa"


def test_sentences() -> None:
    assert sentence("¿qué es?") == "¿Qué es?"
    assert sentence("  un gato \n negro ") == "Un gato negro."
    assert sentence("") == ""
    assert sentence("…") == "…"
