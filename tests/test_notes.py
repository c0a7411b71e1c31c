"""Facts as lines that a language model reads."""

from __future__ import annotations

import pytest

from catalejo.facts import KINDS, Fact
from catalejo.notes import notes, when


def label(value: str, confidence: float, es: str = "") -> Fact:
    return Fact("label", value, confidence, "labels", es=es)


def test_a_line_a_kind_with_how_sure() -> None:
    facts = [label("cat", 0.62), Fact("taken", "2024-05-01T10:00:00", None, "file"), label("dog", 0.2)]
    assert notes(facts, "en") == "label: cat (62%); dog (20%)\ntaken: 2024-05-01T10:00:00"


def test_spanish_names_and_percentages() -> None:
    assert notes([label("cat", 0.62, "gato")], "es") == "etiqueta: gato (62\N{NO-BREAK SPACE}%)"


def test_sounds_have_their_times() -> None:
    facts = [Fact("sound", "Bell", 0.8, "sounds", start_s=61.0, end_s=63.5)]
    assert notes(facts, "en") == "sound: 1:01-1:03 Bell (80%)"


def test_what_is_unlikely_says_nothing() -> None:
    assert notes([label("cat", 0.01)], "en") == ""


def test_only_the_first_of_many_and_each_once() -> None:
    told = notes([label(f"thing {n // 2}", 0.9) for n in range(40)], "en")
    assert told.count("thing") == 3  # five labels, of which two are the same twice


@pytest.mark.parametrize("kind", ["text", "speech", "size", "duration", "frames", "frame-rate", "shots"])
def test_what_is_told_elsewhere_is_not_told_twice(kind: str) -> None:
    assert kind in KINDS
    assert notes([Fact(kind, "value", 0.9, "somebody", number=1.0)], "en") == ""


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_kind_has_a_word(language: str) -> None:
    for kind, words in KINDS.items():
        told = notes([Fact(kind, "value", None, "somebody")], language)
        assert not told or told.startswith(f"{words[language == 'es']}: ")


@pytest.mark.parametrize(
    ("start_s", "end_s", "text"),
    [
        (None, None, ""),
        (7.0, None, "0:07 "),
        (7.0, 7.4, "0:07 "),
        (7.0, 31.0, "0:07-0:31 "),
        (3700.0, None, "1:01:40 "),
    ],
)
def test_times(start_s: float | None, end_s: float | None, text: str) -> None:
    assert when(start_s, end_s) == text
