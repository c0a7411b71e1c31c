"""When not to answer."""

from __future__ import annotations

import numpy as np
import pytest

from catalejo.abstaining import agreement, declines


@pytest.mark.parametrize(
    "reply",
    [
        "UNANSWERABLE",
        "**Unanswerable**: it is too dark.",
        "SIN RESPUESTA: no hay reloj.",
        "I cannot tell from this picture.",
        "I can't determine what brand it is.",
        "The brand cannot be determined from the image.",
        "It is not possible to determine the exact speed.",
        "The image does not provide enough information about the time.",
        "There is not enough information.",
        "I don't know.",
        "No se puede saber con esta imagen.",
        "No puedo decir qué hora es.",
        "No lo sé",
        "No hay suficiente información.",
        "Es imposible saberlo.",
    ],
)
def test_a_model_that_declines_is_understood(reply: str) -> None:
    assert declines(reply)[0]


@pytest.mark.parametrize(
    "reply",
    [
        "No, there is no dog.",
        "No.",
        "The cat can not see the mouse.",
        "Two cats, of which one cannot be touched.",
        "No hay ningún perro en la imagen.",
        "A sign that says: I know nothing.",
        "Nobody is there.",
        "Answerable",
        "",
        "A street in the rain. " * 12 + "I cannot tell which city it is.",  # an answer that also says what it lacks
    ],
)
def test_an_answer_is_no_refusal(reply: str) -> None:
    assert declines(reply) == (False, "")


def test_the_reason_is_what_follows_the_word() -> None:
    assert declines("UNANSWERABLE - the clock is\nnot in view.") == (True, "the clock is not in view.")
    assert declines("Sin respuesta.") == (True, "")


@pytest.mark.parametrize(
    ("texts", "groups"),
    [
        (["Two dogs.", "two dogs", "2 dogs!"], (3,)),
        (["A black cat", "cat", "dog"], (2, 1)),
        (["3", "4", "3"], (2, 1)),
        (["There are 3 cats", "There are 4 cats"], (1, 1)),  # as near as sentences can be, and not the same
        (["There is a cat", "There is no cat"], (1, 1)),
        (["Un gato.", "El gato", "gato"], (3,)),
        (["UNANSWERABLE", "I cannot tell.", "cat"], (2, 1)),
        (["red", "green", "blue"], (1, 1, 1)),
        (["10.5", "10,5", "105", "1,000"], (2, 1, 1)),
        (["x"], (1,)),
    ],
)
def test_answers_that_say_the_same(texts: list[str], groups: tuple[int, ...]) -> None:
    found = agreement(texts)
    assert found.groups == groups
    assert found.share == groups[0] / len(texts)
    assert len(found.answers) == len(groups) and found.text == found.answers[0]


def test_the_first_of_the_largest_group_is_the_answer() -> None:
    found = agreement(["blue", "Red.", "red", "blue", "red"])
    assert (found.text, found.groups, found.answers) == ("Red.", (3, 2), ("Red.", "blue"))


def test_vectors_join_what_words_do_not() -> None:
    def encode(texts: list[str]) -> np.ndarray:
        rows = np.array([[0.0, 1.0] if "boat" in text else [1.0, 0.1] for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    texts = ["automobile", "car", "boat"]
    assert agreement(texts).groups == (1, 1, 1)
    assert agreement(texts, encode).groups == (2, 1)
    assert agreement(["2 cars", "3 automobiles"], encode).groups == (1, 1)  # numbers differ


def test_the_embedded_encoder_joins_ways_to_say_the_same() -> None:
    from catalejo.encoders.sentence import SentenceEncoder

    encode = SentenceEncoder().encode_texts
    found = agreement(["It is a motorbike.", "It is a motorcycle.", "It is a loaf of bread."], encode)
    assert found.groups == (2, 1)


def test_no_answers_agree_on_nothing() -> None:
    with pytest.raises(ValueError, match="no answers"):
        agreement([])
