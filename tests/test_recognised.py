"""What labels allow one to say."""

from __future__ import annotations

import pytest

from catalejo.conse.labels import classes
from catalejo.facts import Fact
from catalejo.recognised import LEAST, members, things
from catalejo.texts import Box

TABBY, EGYPTIAN, ESPRESSO = 281, 285, 967


def label(name: str, sure: float, number: int | None = None, box: Box | None = None) -> Fact:
    es = classes()[number].names["es"][0] if number is not None else ""
    return Fact("label", name, sure, "labels", es=es, number=number, box=box)


CAT = label("cat", 0.95)


def test_the_numbers_used_here_are_those_classes() -> None:
    names = [classes()[n].names["en"][0] for n in (TABBY, EGYPTIAN, ESPRESSO)]
    assert names == ["tabby cat", "Egyptian cat", "espresso"]


def test_the_most_particular_label_that_is_sure_is_said_once() -> None:
    (one,) = things([label("animal", 0.99), CAT, label("Egyptian cat", 0.5, EGYPTIAN), label("pet", 0.96)])
    assert (one.label.value, one.wording) == ("cat", "sure")
    assert one.finer is not None
    assert one.finer.value == "Egyptian cat"


def test_a_class_that_is_sure_needs_no_kind() -> None:
    (one,) = things([CAT, label("Egyptian cat", 0.9, EGYPTIAN)])
    assert (one.label.value, one.finer) == ("Egyptian cat", None)


def test_two_breeds_that_share_what_there_is_are_not_guessed() -> None:
    (one,) = things([CAT, label("Egyptian cat", 0.42, EGYPTIAN), label("tabby cat", 0.4, TABBY)])
    assert (one.label.value, one.finer) == ("cat", None)


def test_other_things_follow_the_surest_first() -> None:
    found = things([label("espresso", 0.5, ESPRESSO), CAT])
    assert [(one.label.value, one.wording) for one in found] == [("cat", "sure"), ("espresso", "possible")]


@pytest.mark.parametrize(
    ("sure", "wording"), [(0.85, "sure"), (0.84, "probable"), (0.65, "probable"), (0.4, "possible")]
)
def test_wordings(sure: float, wording: str) -> None:
    assert [one.wording for one in things([label("espresso", sure, ESPRESSO)])] == [wording]


def test_what_is_unlikely_or_empty_is_not_said() -> None:
    assert things([label("espresso", LEAST["possible"] - 0.01, ESPRESSO), label("object", 0.99)]) == ()
    assert things([]) == ()
    assert things([Fact("colour", "red", 0.9, "colours")]) == ()


def test_a_part_says_no_more_than_probable_below_sure_and_nothing_of_broad_kinds() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    (one,) = things([label("espresso", 0.7, ESPRESSO, box), label("animal", 0.99, None, box)])
    assert (one.label.value, one.wording, one.box) == ("espresso", "probable", box)
    assert things([label("espresso", 0.5, ESPRESSO, box)]) == ()


def test_no_more_things_than_asked() -> None:
    many = [label(classes()[n].names["en"][0], 0.9, n) for n in (1, 300, 500, 700, 900)]
    assert len(things(many, most=2)) == 2


def test_members_of_a_name_nobody_knows_are_itself() -> None:
    assert members(label("quasar", 0.9)) == {"quasar"}
    assert {TABBY, EGYPTIAN} < members(CAT)
    (one,) = things([label("quasar", 0.9)])
    assert one.label.value == "quasar"
