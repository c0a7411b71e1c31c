"""Answers against references. Expected values: the VQA evaluation itself, as salesforce-lavis 1.0.2 carries it."""

from __future__ import annotations

import pytest
from vqa_reference import EXPECTED

from catalejo.visual_answers import accuracy, contained, is_yes_no, normal, yes_no


@pytest.mark.parametrize(("text", "wanted"), EXPECTED["normal"])
def test_normalisation_is_the_official_one(text: str, wanted: str) -> None:
    assert normal(text) == wanted


@pytest.mark.parametrize(("answer", "references", "wanted"), EXPECTED["accuracy"])
def test_accuracy_is_the_official_one(answer: str, references: list[str], wanted: float) -> None:
    assert accuracy(answer, references) == pytest.approx(wanted, abs=1e-6)


def test_references_are_normalised_too() -> None:
    assert accuracy("2", ["Two."] * 10) == 1.0
    assert accuracy("traffic light", ["a traffic light"] * 5 + ["the lamp"] * 5) == 1.0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Las dos niñas.", "2 ninas"),
        ("¿Un gato?", "gato"),
        ("Sí", "si"),
        ("¡Ninguno!", "0"),
        ("un perro y una gata", "perro y gata"),
        ("dont", "dont"),
    ],
)
def test_spanish_has_its_own_words(text: str, wanted: str) -> None:
    assert normal(text, "es") == wanted


def test_few_references_have_no_leaving_out() -> None:
    assert accuracy("cat", ["cat"]) == 1.0
    assert accuracy("cat", ["dog", "cat", "kitten"]) == 1.0
    assert accuracy("cow", ["dog", "cat", "kitten"]) == 0.0
    assert accuracy("cat", ["cat", "kitten", "kitty", "tomcat", "animal"]) == 1.0
    assert accuracy("cat", []) == 0.0


@pytest.mark.parametrize(
    ("answer", "references", "language", "wanted"),
    [
        ("It is a tabby cat.", ["cat"], "en", 1.0),
        ("It is a category.", ["cat"], "en", 0.0),
        ("Es un gato (99 %).", ["gato"], "es", 1.0),
        ("I am 98 % sure.", ["98%", "99%"], "en", 1.0),
        ("741 x 497 pixels", ["741"], "en", 1.0),
        ("1741 pixels", ["741"], "en", 0.0),
        ("There are two of them.", ["2"], "en", 1.0),
        ("El café expreso está caliente", ["café expreso"], "es", 1.0),
        ("anything", [""], "en", 0.0),
        ("", ["cat"], "en", 0.0),
    ],
)
def test_a_sentence_may_hold_the_answer(answer: str, references: list[str], language: str, wanted: float) -> None:
    assert contained(answer, references, language) == wanted


def test_polarity_counts_where_yes_or_no_is_the_answer() -> None:
    assert contained("Yes, there is no doubt.", ["yes"]) == 1.0
    assert contained("There is no dog in it.", ["no"]) == 1.0
    assert contained("No hay ningún perro", ["no"], "es") == 1.0
    assert contained("Sí, un perro", ["yes"], "es") == 1.0
    assert contained("Yes", ["no"] * 8 + ["yes"] * 2) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # as POPE's evaluate.py reads them: no, not or No as a word of the first sentence is a no, all else a yes
        ("Yes, there is a dog in the image.", "yes"),
        ("No, there is no dog.", "no"),
        ("There is not a dog. Yes.", "no"),
        ("There is a dog in the image.", "yes"),
        ("The image features a snowboard.", "yes"),
        # and what it does not know
        ("There isn't one.", "no"),
        ("NO", "no"),
        ("Sí.", "yes"),
        ("Si", "yes"),
        ("No.", "no"),
        ("Hay un perro. No se ve bien.", "yes"),
        ("Tampoco aparece.", "no"),
        ("Yes, and no other.", "yes"),
        ("", ""),
        ("...", ""),
    ],
)
def test_yes_or_no(text: str, said: str) -> None:
    assert yes_no(text) == said


def test_what_is_only_yes_or_no() -> None:
    assert [is_yes_no(text) for text in ("Yes.", "SÍ", "no!", "nobody", "yes sir", "")] == [True] * 3 + [False] * 3
