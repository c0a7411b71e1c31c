"""Labels: the classifier's classes and the kinds of thing they are, on the sample pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from catalejo import plugins, weights
from catalejo.conse import labels
from catalejo.demo import pictures
from catalejo.errors import MissingWeights
from catalejo.facts import Fact
from catalejo.perceivers.labels import Labels, kinds


@pytest.fixture(scope="module")
def looker() -> Iterator[Labels]:
    yield plugins.load("perceivers", "labels")()


def look(looker: Labels, name: str) -> dict[str, Fact]:
    with Image.open(pictures() / name) as picture:
        facts = looker.look(picture.convert("RGB"), page=3).facts
    assert {(fact.kind, fact.by, fact.page) for fact in facts} <= {("label", "labels", 3)}
    assert len({fact.value for fact in facts}) == len(facts)  # each is told once
    confidences = [fact.confidence for fact in facts]
    assert all(c is not None and 0.05 <= c <= 1 for c in confidences)
    assert confidences == sorted(confidences, key=lambda c: -(c or 0))
    return {fact.value: fact for fact in facts}


def test_a_cat_is_a_cat_before_it_is_a_breed(looker: Labels) -> None:
    found = look(looker, "chelsea.png")
    cat, breed = found["cat"], found["Egyptian cat"]
    assert (cat.es, cat.number) == ("gato", None)
    assert (breed.es, breed.number) == ("gato egipcio", 285.0)  # ImageNet's number
    assert cat.confidence is not None
    assert breed.confidence is not None
    assert cat.confidence > breed.confidence > 0.5
    assert found["animal"].confidence is not None
    assert found["animal"].confidence >= cat.confidence


def test_a_cup_of_coffee(looker: Labels) -> None:
    found = look(looker, "coffee.png")
    assert found["espresso"].said("es") == "café expreso"
    assert "animal" not in found


def test_what_is_in_a_part_only_has_a_box(looker: Labels) -> None:
    """Four photographs on one sheet: the cat is upper left."""
    sheet = Image.new("RGB", (800, 800))
    for number, name in enumerate(("chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")):
        with Image.open(pictures() / name) as picture:
            sheet.paste(picture.convert("RGB").resize((400, 400)), (number % 2 * 400, number // 2 * 400))
    found = {fact.value: fact for fact in looker.look(sheet).facts}
    assert found["cat"].box == (0, 0, 400, 400)
    assert found["espresso"].box in (None, (400, 0, 800, 400))


def test_noise_is_nothing_sure(looker: Labels) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
    classes = [fact for fact in looker.look(Image.fromarray(noise)).facts if fact.number is not None]
    assert all(fact.confidence is not None and fact.confidence < 0.6 for fact in classes)


def test_the_smallest_picture(looker: Labels) -> None:
    assert all(fact.box is None for fact in looker.look(Image.new("RGB", (1, 1), "red")).facts)


def test_every_kind_has_two_classes_and_both_names() -> None:
    known = {kind.en: kind for kind in kinds()}
    assert known["dog"].es == "perro"
    assert 151 in known["dog"].members  # Chihuahua, the first of ImageNet's dogs
    assert 268 in known["dog"].members  # and its last, a Mexican hairless
    assert 281 not in known["dog"].members
    assert all(len(kind.members) > 1 and kind.es for kind in kinds())
    assert all(0 <= i < len(labels.classes()) for kind in kinds() for i in kind.members)


def test_without_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise MissingWeights("the image classifier is not installed. Install it: pip install x")

    monkeypatch.setattr(weights, "locate", gone)
    with pytest.raises(MissingWeights, match="pip install"):
        Labels()
