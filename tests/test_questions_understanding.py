"""What questions ask, in both languages; as people type them, with and without accents and marks."""

from __future__ import annotations

import pytest

from catalejo.answerers import facts
from catalejo.questions import ANSWERABLE, BEYOND
from catalejo.questions.understanding import patterns, understand


@pytest.mark.parametrize(
    ("text", "topic", "thing", "language"),
    [
        ("¿Qué animal es?", "kind", "animal", "es"),
        ("que animal sale en la foto", "kind", "animal", "es"),
        ("What kind of vehicle is it?", "kind", "vehicle", "en"),
        ("¿Hay un perro en la foto?", "exists", "perro", "es"),
        ("Are there any dogs in the picture?", "exists", "dogs", "en"),
        ("Could you tell me if there is a dog?", "exists", "dog", "en"),
        ("Is this a cat?", "is-it", "cat", "en"),
        ("¿Es un gato?", "is-it", "gato", "es"),
        ("What is in the picture?", "what", "", "en"),
        ("¿Qué se ve?", "what", "", "es"),
        ("¿De qué raza es el perro?", "breed", "perro", "es"),
        ("What colour is the car?", "colour", "car", "en"),
        ("¿Cuál es el color dominante?", "colour", "", "es"),
        ("¿Está en blanco y negro?", "grey", "", "es"),
        ("What does the text say?", "text", "", "en"),
        ("¿Qué pone?", "text", "", "es"),
        ('Does it say "left turn"?', "says", "left turn", "en"),
        ("What is being said?", "speech", "", "en"),
        ("¿En qué idioma hablan?", "language", "", "es"),
        ("¿Qué se oye?", "sound", "", "es"),
        ("When was it taken?", "when", "", "en"),
        ("¿Dónde se hizo esta foto?", "where", "", "es"),
        ("With what camera was it taken?", "camera", "", "en"),
        ("How big is this image?", "size", "", "en"),
        ("¿Cuánto dura el vídeo?", "duration", "", "es"),
        ("¿Cuántos fotogramas tiene?", "frames", "", "es"),
        ("How many coins are there?", "count", "coins", "en"),
        ("How sure are you that it is a cat?", "sure", "cat", "en"),
    ],
)
def test_what_can_be_answered(text: str, topic: str, thing: str, language: str) -> None:
    found = understand(text)
    assert (found.topic, found.thing, found.language) == (topic, thing, language)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("How fast is it going?", "speed"),
        ("¿De qué marca es el coche?", "brand"),
        ("What will happen next?", "future"),
        ("Who is this woman?", "identity"),
        ("¿Cómo se llama el gato?", "name"),
        ("¿De quién es la moto?", "owner"),
        ("How old is the cat?", "age"),
        ("¿Cuánto cuesta?", "price"),
        ("Why is it raining?", "why"),
        ("¿Está contento el perro?", "mind"),
        ("Who took this picture?", "author"),
        ("What is left of the dog?", "position"),
        ("What is the capital of France?", "unknown"),
        ("asdf", "unknown"),
    ],
)
def test_what_nobody_can_know_from_it(text: str, topic: str) -> None:
    assert understand(text).topic == topic


@pytest.mark.parametrize(
    "text",
    [
        "When did the museum open?",  # the date of the picture would be no answer
        "¿Dónde vive el gato?",
        "How long is the rope?",
        "¿Cómo de alto es el hombre?",
        "How tall is the motorcycle?",
        "In which garage is it parked?",
    ],
)
def test_what_a_file_states_of_itself_answers_nothing_about_the_things_in_it(text: str) -> None:
    assert understand(text).topic not in ("when", "where", "duration", "height", "width", "size")


@pytest.mark.parametrize(
    ("before", "text", "topic", "thing"),
    [
        (["Is there a dog?"], "And a cat?", "exists", "cat"),
        (["¿Hay un perro?"], "¿Y un gato?", "exists", "gato"),
        (["¿Qué animal es?"], "¿Estás seguro?", "sure", "animal"),
        (["Is there a dog?"], "and how many?", "count", "dog"),
        (["Is there a dog?"], "And the colour?", "colour", ""),
        (["What is it?"], "and the size?", "size", ""),
        (["Is there a dog?", "and a cat?"], "and a horse?", "exists", "horse"),
        ([], "And a cat?", "unknown", ""),
    ],
)
def test_what_was_asked_before_is_remembered(before: list[str], text: str, topic: str, thing: str) -> None:
    found = understand(text, before)
    assert (found.topic, found.thing) == (topic, thing)


def test_a_fragment_takes_the_language_of_the_conversation() -> None:
    assert understand("¿y 2?", ["¿Hay un perro en la foto?"]).language == "es"


def test_every_topic_has_a_pattern_and_an_answer() -> None:
    asked = {topic for topic, _ in patterns()}
    assert asked | {"unknown"} == {*ANSWERABLE, *BEYOND}
    assert set(facts._ANSWERS) == set(ANSWERABLE)


@pytest.mark.parametrize("text", ["?", "¿" * 2000, "is " * 2000, "what " * 1500 + "x", "hay " * 3000, '"' * 5000])
def test_odd_questions_are_read_in_no_time(text: str) -> None:
    assert understand(text).topic in {*ANSWERABLE, *BEYOND}
