"""A second opinion on classes from facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from catalejo.classify import NONE, Classification, Classified, Guess
from catalejo.errors import CannotRead
from catalejo.facts import Fact
from catalejo.records import Item
from catalejo.second_opinion import AGREES, CANNOT_TELL, DISAGREES, Opinion, opinion, with_second
from catalejo.senses import Known

ASKED = ("perro", "gato", "taxi", "amanecer")
TABBY = Fact("label", "tabby cat", 0.7, "labels", es="gato atigrado", number=281)
CAT = Fact("label", "cat", 0.95, "labels", es="gato")
ANIMAL = Fact("label", "animal", 0.99, "labels", es="animal")


def picture(best: str) -> Classified:
    return Classified("/a.jpg", (Guess(best, 0.8),))


def test_facts_agree_with_the_label_they_mean() -> None:
    assert opinion(picture("gato"), ASKED, [ANIMAL, CAT, TABBY]) == Opinion(AGREES, "gato", 0.95, "cat")


def test_facts_disagree_where_they_mean_another() -> None:
    assert opinion(picture("perro"), ASKED, [ANIMAL, CAT]) == Opinion(DISAGREES, "gato", 0.95, "cat")


def test_a_broad_kind_speaks_for_no_label_inside_it() -> None:
    assert opinion(picture("gato"), ASKED, [ANIMAL]).verdict == CANNOT_TELL
    assert opinion(picture("animal"), ("animal", "coche"), [CAT]).verdict == AGREES


def test_text_that_was_read_speaks_too() -> None:
    sign = Fact("text", "Servicio de TAXIS 24 h", 0.9, "ocr")
    assert opinion(picture("taxi"), ASKED, [sign]) == Opinion(AGREES, "taxi", 0.9, 'text: "Servicio de TAXIS 24 h"')


def test_what_is_no_label_of_the_classifier_is_not_denied() -> None:
    found = opinion(picture("amanecer"), ASKED, [CAT])
    assert (found.verdict, found.label) == (CANNOT_TELL, "gato")
    assert opinion(picture("gato"), ASKED, []) == Opinion(CANNOT_TELL)


def test_both_may_be_there() -> None:
    dog = Fact("label", "dog", 0.7, "labels", es="perro")
    assert opinion(picture("perro"), ASKED, [CAT, dog]).verdict == AGREES


def test_none_of_these_is_denied_by_what_is_there() -> None:
    none = NONE["es"]
    assert opinion(picture(none), (*ASKED, none), [CAT]).verdict == DISAGREES
    assert opinion(picture(none), (none,), [CAT]).verdict == CANNOT_TELL


def test_every_picture_gets_one_but_those_that_have_gone() -> None:
    def look(path: str) -> Known:
        if path == "/b.jpg":
            raise CannotRead(path, "no such file")
        other = Fact("label", "dog", 0.99, "labels", page=1)
        return Known(path, (CAT, other), items=(Item("h", 0, "image", 1, 1),))

    pictures = (picture("gato"), Classified("/b.jpg", (Guess("gato", 0.9),)))
    shares = np.ones((2, 4), np.float32)
    found = Classification("e", "softmax", "es", ("{}",), ASKED, pictures, shares, (), None, 0.0)
    made = with_second(found, look)
    assert [one.second and one.second.verdict for one in made.pictures] == [AGREES, None]
    assert [Path(one.path).name for one in made.pictures] == ["a.jpg", "b.jpg"]
