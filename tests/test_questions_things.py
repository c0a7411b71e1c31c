"""Words -> classes, and what labels say of them."""

from __future__ import annotations

import pytest

from catalejo.conse.labels import classes
from catalejo.facts import Fact
from catalejo.questions.things import believed, deniable, finest, is_whole, named
from catalejo.recognised import trusted


def label(value: str, sure: float, number: int | None = None, **more: object) -> Fact:
    return Fact("label", value, sure, "labels", number=number, **more)  # type: ignore[arg-type]


CAT = [label("animal", 0.998), label("pet", 0.994), label("cat", 0.99), label("Egyptian cat", 0.95, 285)]
WORM = [label("animal", 0.99), label("worm", 0.97), label("roundworm", 0.97, 111), label("newt", 0.02, 26)]


def test_a_word_stands_for_all_classes_of_its_kind() -> None:
    assert len(named("perro")) > 100
    assert named("dogs") == named("perro") == named("Perros")
    assert named("golden retriever") < named("perro") < named("animal")
    assert named("coche") and named("vehículo") > named("moto")
    assert named("felicidad") == frozenset()


def test_of_a_longer_name_the_part_that_is_known() -> None:
    assert named("coche rojo") == named("coche")
    assert is_whole("coche") and not is_whole("coche rojo")


def test_what_labels_say_is_a_bound() -> None:
    cat = believed(named("gato"), CAT)
    assert cat.least == 0.99
    assert cat.label is not None and cat.label.value == "cat"
    dog = believed(named("dog"), CAT)
    assert dog.least == 0.0 and dog.most < 0.02
    assert dog.instead is not None and dog.instead.value == "Egyptian cat"


def test_classes_of_one_kind_add_up() -> None:
    both = [label("moped", 0.49, 665), label("motor scooter", 0.29, 670)]
    assert believed(named("moto"), both).least == pytest.approx(0.78)


def test_a_part_of_the_picture_does_not_say_what_is_not_there() -> None:
    found = believed(named("cat"), [label("dog", 0.95, box=(0, 0, 10, 10))])
    assert (found.least, found.most) == (0.0, 1.0)


def test_a_class_that_is_seen_in_nothing_is_not_believed() -> None:
    """The moon is a roundworm with 97%; see ``SINKS``."""
    assert classes()[111].names["en"][0] == "roundworm"
    assert [fact.value for fact in trusted(WORM)] == ["newt"]
    assert believed(named("animal"), WORM).least == 0.02
    assert trusted(CAT) == CAT


def test_the_finest_label_inside() -> None:
    found = finest(named("animal"), CAT, 0.8)
    assert found is not None and found.value == "Egyptian cat"
    kind = finest(named("animal"), CAT, 0.8, several=True, own=False)
    assert kind is not None and kind.value == "cat"
    assert finest(named("dog"), CAT, 0.1) is None


def test_only_of_animals_no_is_said() -> None:
    assert deniable(named("perro")) and deniable(named("animal"))
    assert not deniable(named("coche")) and not deniable(frozenset())
