"""Answers from facts: those of tables made by hand, and of real pictures through the real perceivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalejo.answerers import Turn
from catalejo.answerers.facts import Memory, answer, answer_file
from catalejo.errors import BadQuery, CannotRead
from catalejo.facts import Fact
from catalejo.records import Item
from catalejo.senses import Known, Missing, Senses

PERCEIVED = ("labels", "colours", "ocr", "speech", "sounds", "safety")
CAT = (
    Fact("size", "451 x 300", None, "file"),
    Fact("label", "animal", 0.998, "labels"),
    Fact("label", "cat", 0.99, "labels", es="gato"),
    Fact("label", "Egyptian cat", 0.95, "labels", es="gato egipcio", number=285),
    Fact("colour", "brown", 0.8, "colours", es="marrón"),
    Fact("colour", "black", 0.1, "colours", es="negro"),
)
CLIP = (
    Fact("duration", "62.0", None, "file", number=62.0),
    Fact("sound", "dog barking", 0.9, "sounds", es="ladrido", start_s=3.0, end_s=5.0),
    Fact("sound", "music", 0.2, "sounds", es="música", start_s=9.0, end_s=10.0),
    Fact("speech", "Buenos días a todos.", 0.8, "speech", start_s=12.0, end_s=14.0),
    Fact("language", "es", 0.97, "speech"),
)


def known(*facts: Fact, kind: str = "image", perceived: tuple[str, ...] = PERCEIVED, **more: object) -> Known:
    return Known("x", facts, perceived=perceived, items=(Item("", 0, kind, 1, 1),), **more)  # type: ignore[arg-type]


def said(question: str, *facts: Fact, **more: object) -> str:
    found = answer(question, known(*facts, **more))  # type: ignore[arg-type]
    assert not found.declined, found.reason
    return found.text


def reason(question: str, *facts: Fact, **more: object) -> str:
    found = answer(question, known(*facts, **more))  # type: ignore[arg-type]
    assert found.declined, found.text
    assert found.text in ("I cannot tell from this.", "No puedo saberlo con esto.")
    assert found.confidence is None
    return found.reason


# -- things ------------------------------------------------------------------------------


def test_an_answer_has_its_confidence_and_what_it_rests_on() -> None:
    found = answer("¿Hay un gato?", known(*CAT))
    assert (found.text, found.confidence, found.route) == ("Sí: un gato, 99 %.", 0.99, "facts")
    assert found.notes == ("labels: etiqueta gato, 99%",)


def test_kinds_of_things() -> None:
    assert said("Is there an animal?", *CAT) == "Yes: an animal, over 99%."
    assert said("Which animal is it?", *CAT) == "A cat, 99%; it looks like an Egyptian cat, 95%."
    assert said("¿Hay un perro?", *CAT) == "No, no se reconoce; sí se reconoce un gato egipcio, 95 %."


def test_what_may_be_at_the_edge_is_not_denied() -> None:
    assert "can be missed (recognised: an Egyptian cat, 95%)" in reason("Is there a car?", *CAT)


def test_a_question_about_what_is_not_there_does_not_fit() -> None:
    assert reason("What breed of dog is it?", *CAT).startswith("no dog was recognised in it")
    assert reason("¿De qué color es el coche?", *CAT).startswith("no se reconoce «coche»")


def test_a_breed_is_not_guessed() -> None:
    assert "not sure enough of the breed (best: an Egyptian cat, 95%)" in reason("What breed is the cat?", *CAT)


def test_the_finest_that_is_nearly_all_of_it() -> None:
    horse = (Fact("label", "animal", 0.93, "labels"), Fact("label", "dog", 0.75, "labels"))
    assert said("Is there an animal?", *horse) == "Yes: an animal, 93%."
    assert "which animal it is" in reason("Which animal is it?", *horse)


def test_of_more_than_the_tables_name_only_the_part_is_known() -> None:
    assert reason("Is there a happy-looking black cat from Egypt?", *CAT)
    assert "but not whether it is “black cat”" in reason("Is there a black cat?", *CAT)


def test_a_part_of_a_name_is_not_denied() -> None:
    assert reason("¿Es un perro doméstico o salvaje?", *CAT)
    assert reason("Is it a white dog?", *CAT)


def test_the_moon_is_no_worm() -> None:
    moon = (Fact("label", "animal", 0.99, "labels"), Fact("label", "roundworm", 0.97, "labels", number=111))
    for question in ("What animal is this?", "Is there an animal?", "What is this?", "Is there a worm?"):
        assert reason(question, *moon)


def test_nothing_is_counted_that_was_not() -> None:
    assert "things are not counted" in reason("How many cats are there?", *CAT)


# -- colours ------------------------------------------------------------------------------


def test_colours_are_of_the_whole_picture() -> None:
    assert said("¿Qué colores tiene?", *CAT) == "Sobre todo marrón (80 %) y negro (10 %)."
    assert "not of cat alone" in reason("What colour is the cat?", *CAT)
    assert said("Is there something red in it?", *CAT).startswith("No: red covers less than 5%")
    assert said("¿Está en blanco y negro?", *CAT).startswith("No, está en color")
    grey = (Fact("colour", "grey", 0.97, "colours", es="gris"),)
    assert said("Is it in colour?", *grey) == "No, it is in black and white."
    assert said("¿Está en blanco y negro?", *grey) == "Sí, está en blanco y negro."


def test_an_orange_is_no_colour() -> None:
    orange = (Fact("colour", "orange", 0.5, "colours"),)
    assert said("Is there orange in it?", *orange).startswith("Yes: orange covers 50%")
    assert reason("Is there an orange?", *orange)


# -- text, sound, what a file states ----------------------------------------------------------


def test_text_is_quoted_with_where_it_stands() -> None:
    line = Fact("text", "Salida de emergencia", 0.98, "ocr", box=(1, 2, 30, 9))
    found = answer("¿Qué pone?", known(line))
    assert found.text == "Pone: Salida de emergencia."
    assert [(one.quote, one.verified) for one in found.citations] == [("Salida de emergencia", True)]
    assert found.citations[0].span is not None and found.citations[0].span.box == (1, 2, 30, 9)
    assert said("¿Pone «emergencia»?", line) == "Sí: «Salida de emergencia»."
    assert said("Does it say “exit”?", line).startswith("No")
    assert said("How many lines of text are there?", line) == "Read: one text line."


def test_no_text_and_text_nobody_can_read() -> None:
    assert said("Is there any text?") == "No, no text was found in it."
    assert "no text was found" in reason("What does it say?")
    assert "could not be read" in reason("What does it say?", Fact("text", "lS=t", 0.3, "ocr"))


def test_a_perceiver_that_is_not_there_is_named_with_what_brings_it() -> None:
    brings = 'needs the package rapidocr: pip install "catalejo[ocr]"'
    missing = known(perceived=("labels",), missing=(Missing("ocr", brings),))
    found = answer("What does it say?", missing)
    assert found.declined and found.reason == f"ocr would be needed: {brings}"
    failed = known(perceived=("labels",), failed=(Missing("ocr", "out of luck"),))
    assert answer("¿Hay texto?", failed).reason == "ocr no pudo mirarlo: out of luck"


def test_recordings() -> None:
    assert said("¿Qué se oye?", *CLIP, kind="audio") == "Ladrido (90 %)."
    assert said("What is being said?", *CLIP, kind="audio") == "Buenos días a todos."
    assert said("Which language do they speak?", *CLIP, kind="audio") == "Spanish."
    assert said("¿Cuánto dura?", *CLIP, kind="audio") == "1:02 (62,0 s)."
    assert said("When can the barking be heard?", *CLIP, kind="audio") == "Dog barking: 0:03-0:05."
    assert said("What happens?", *CLIP, kind="audio") == "0:03 dog barking; 0:12 Buenos días a todos."
    assert "not recognised with enough" in reason("Can you hear music?", *CLIP, kind="audio")


def test_a_picture_has_no_sound_and_no_events() -> None:
    assert reason("What can you hear?", *CAT) == "it has no sound"
    assert "it is a picture" in reason("What happens?")


def test_what_the_file_states() -> None:
    taken = Fact("taken", "2021-05-03T13:05:00", None, "file")
    assert said("¿Cuándo se hizo la foto?", taken) == "El 3 de mayo de 2021 a las 13:05."
    assert said("Where was this taken?", Fact("place", "41.38,2.18", None, "file")).startswith("At 41.38,2.18")
    assert reason("When was it taken?", *CAT) == "the file does not say it (taken)"
    assert said("How many pixels wide is it?", *CAT) == "451 pixels wide."
    assert answer("How big is the image?", known(*CAT)).confidence is None  # the file says so


# -- conversations and files -------------------------------------------------------------------


def test_turns_are_remembered() -> None:
    turns = (Turn("¿Hay un perro?", "No."),)
    assert answer("¿Y un gato?", known(*CAT), turns).text == "Sí: un gato, 99 %."


@pytest.mark.parametrize("question", ["", "  \n"])
def test_nothing_asked(question: str) -> None:
    with pytest.raises(BadQuery, match="nothing is asked"):
        answer(question, known())


def test_a_real_picture(samples: Path) -> None:
    found = answer_file("¿Qué animal es?", samples / "chelsea.png")
    assert found.text.startswith("Un gato, 9")
    assert found.confidence is not None and found.confidence > 0.9
    assert not answer_file("Is there a dog?", samples / "chelsea.png").text.startswith("Yes")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    with pytest.raises(CannotRead, match="not a picture"):
        answer_file("What is it?", tmp_path / "x.jpg")
    with pytest.raises(CannotRead):
        answer_file("What is it?", tmp_path / "gone.jpg")


def test_the_next_question_does_not_look_again(tmp_path: Path) -> None:
    looked: list[tuple[str, ...]] = []

    def look(path: str, ready: Senses) -> Known:
        looked.append(tuple(sense.name for sense in ready.able))
        return known(*CAT, perceived=looked[-1])

    memory, file = Memory(look, most=1), tmp_path / "a.png"
    file.write_bytes(b"1")
    memory(str(file), ["colours"])
    assert memory(str(file), ["colours"]).facts == CAT
    assert memory(str(file), ["labels", "colours"]).perceived == ("colours", "labels")
    assert looked == [("colours",), ("labels",)]
    file.write_bytes(b"22")  # changed
    memory(str(file), ["colours"])
    assert len(looked) == 3
