"""What is said of recordings and films, from facts."""

from __future__ import annotations

import doctest

import pytest

from catalejo import recording_texts
from catalejo.facts import Fact
from catalejo.recording_texts import recording_text, spoken_time
from catalejo.records import Item

DURATION = Fact("duration", "12.0 s", None, "file", number=12.0)
ENGLISH = Fact("language", "en", 0.99, "speech")
SAID = [
    Fact("speech", "Ask not what your country can do for you.", 0.9, "speech", start_s=0.0, end_s=4.0),
    Fact("speech", "Ask what you can do.", 0.9, "speech", start_s=4.0, end_s=6.0),
]
BARK = Fact("sound", "Bark", 0.8, "sounds", es="Ladrido", start_s=1.0, end_s=2.0)
WIND = Fact("sound", "Wind", 0.4, "sounds", es="Viento", start_s=3.0, end_s=4.0)
FAINT = Fact("sound", "Cat", 0.1, "sounds", es="Gato")
SOUND = [Item("h", 0, "audio", 0, 0, start_s=0.0, end_s=12.0)]
SHOTS = [
    Item("h", 0, "video", 160, 120, start_s=0.0, end_s=4.0),
    Item("h", 1, "video", 160, 120, start_s=4.0, end_s=8.0),
    Item("h", 2, "video", 160, 120, start_s=8.0, end_s=12.0),
    Item("h", 3, "audio", 0, 0, start_s=0.0, end_s=12.0),
]
CAT = Fact("label", "cat", 0.95, "labels", page=0, es="gato")
DOG = Fact("label", "dog", 0.7, "labels", page=2, es="perro")


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(recording_texts).failed == 0
    assert spoken_time(0.2, "en") == "1 second"
    assert spoken_time(3600, "es") == "1 hora"


def test_speech_is_quoted_with_its_language() -> None:
    told = recording_text([DURATION, ENGLISH, *SAID], SOUND, "es")
    assert told.text == (
        "Una grabación de 12 segundos. Voz en inglés: «Ask not what your country can do for you. Ask what you can do»."
    )
    assert told.sure
    assert recording_text([DURATION, *SAID], SOUND, "en").caption.startswith("A recording of 12 seconds: speech: “Ask")


def test_sounds_are_said_as_surely_as_they_were_heard() -> None:
    told = recording_text([BARK, WIND, FAINT, BARK], SOUND, "es")
    assert told.text == "Una grabación. Sonidos: ladrido y quizá viento."
    assert recording_text([BARK, WIND], SOUND, "en").text == "A recording. Sounds: bark and perhaps wind."


def test_silence_is_told_from_nobody_listening() -> None:
    assert recording_text([DURATION], SOUND, "en").text.endswith("Nothing was recognised in its sound.")
    assert recording_text([DURATION], SOUND, "en", heard=False).text.endswith("Nobody listened to its sound.")


def test_a_film_without_sound_is_told_from_one_nobody_heard() -> None:
    assert recording_text([DURATION], SHOTS[:3], "es").text.endswith("No tiene sonido.")
    assert recording_text([DURATION], SHOTS, "es", heard=False).text.endswith("Nadie ha escuchado su sonido.")


def test_a_film_says_what_its_shots_show_and_when() -> None:
    told = recording_text([DURATION, CAT, DOG, BARK], SHOTS, "es")
    assert told.caption == "Un vídeo de 12 segundos, en tres planos: un gato y probablemente un perro"
    assert told.text == (
        "Un vídeo de 12 segundos, en tres planos. 0:00 a 0:04: un gato. 0:08 a 0:12: probablemente un perro. "
        "Sonidos: ladrido."
    )


def test_long_ones_tell_of_every_shot() -> None:
    told = recording_text([DURATION, CAT, DOG], SHOTS, "en", "long")
    assert "0:04 to 0:08: what the picture shows was not recognised." in told.text
    assert told.text.endswith("People, and what they do, are not recognised.")


@pytest.mark.parametrize(("length", "most"), [("short", 260), ("long", 1_200)])
def test_long_speeches_are_cut(length: str, most: int) -> None:
    speech = Fact("speech", "palabra " * 400, 0.9, "speech")
    text = recording_text([speech], SOUND, "es", length).text
    assert len(text) < most
    assert "palabra…" in text
