"""What every encoder promises; the suite runs over the registry, so a new one is tested by its line there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from PIL import Image

from catalejo import plugins
from catalejo.demo import pictures
from catalejo.encoders import Encoded, Encoder
from catalejo.errors import MissingExtra
from catalejo.records import Label, ModelCard

# Three components of the vector of one picture and of one text; another value means another
# version: change the card's, or people's catalogs will mix vectors that cannot be compared.
AT = (0, 100, 500)
CANONICAL: dict[str, dict[str, tuple[float, float, float]]] = {
    "conse": {
        "chelsea.png": (0.1044, 0.0112, -0.0734),
        "un perro en la nieve": (0.0638, -0.0339, -0.1179),
    },
}
CLASSIFIES = {"conse"}  # encoders that say what they saw; a model without a classifier is not among them
ODD_SIZES = ((1, 1), (1, 2_000), (2_000, 1), (3, 2), (5_000, 20), (351, 353))


@cache
def _made(name: str) -> Encoder:
    made: Encoder = plugins.load("encoders", name)()
    return made


@pytest.fixture(params=sorted(plugins.ENCODERS))
def encoder(request: pytest.FixtureRequest) -> Iterator[Encoder]:
    try:
        yield _made(request.param)
    except MissingExtra as error:
        pytest.skip(str(error))


@cache
def picture(name: str) -> Image.Image:
    with Image.open(pictures() / name) as opened:
        return opened.convert("RGB")


def noise(size: tuple[int, int]) -> Image.Image:
    width, height = size
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8), "RGB")


def is_vector(encoded: Encoded, card: ModelCard) -> bool:
    vector = encoded.vector
    right = vector.shape == (card.width,) and vector.dtype == np.float32 and bool(np.isfinite(vector).all())
    return right and abs(float(np.linalg.norm(vector)) - 1) < 1e-4


def test_the_card_says_what_it_is(encoder: Encoder) -> None:
    card = encoder.card
    assert isinstance(card, ModelCard)
    assert plugins.ENCODERS[card.name].target.endswith(f":{type(encoder).__name__}")
    for field in ("name", "version", "space", "licence", "source"):
        assert getattr(card, field).strip(), field
    assert card.width > 0
    assert "image" in card.takes
    assert {"en", "es"} <= set(card.languages)
    assert encoder.side_px > 0
    for file in card.files:
        assert len(bytes.fromhex(file.sha256)) == 32
        assert file.name and file.package and file.inside and file.distribution
    assert set(card.identity) == {"name", "version", "space", "width"}
    assert dataclasses.replace(card, licence="other").identity == card.identity


def test_pictures_become_unit_vectors(encoder: Encoder) -> None:
    found = encoder.encode_images([picture("chelsea.png"), picture("coffee.png")])
    assert [is_vector(one, encoder.card) for one in found] == [True, True]
    assert float(found[0].vector @ found[1].vector) < 0.9  # a cat is not a cup of coffee


def test_texts_become_unit_rows(encoder: Encoder) -> None:
    rows = encoder.encode_texts(["un gato", "a cat", "una taza de café"])
    assert rows.shape == (3, encoder.card.width) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


def test_a_text_is_nearest_to_its_picture(encoder: Encoder) -> None:
    found = encoder.encode_images([picture("chelsea.png"), picture("coffee.png"), picture("rocket.jpg")])
    rows = encoder.encode_texts(["un gato", "a cup of coffee", "un cohete"])
    scores = rows @ np.stack([one.vector for one in found]).T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]


def test_the_same_twice_is_the_same(encoder: Encoder) -> None:
    again = type(encoder)()
    for one in (encoder, again):
        first, second = (one.encode_images([picture("coffee.png")])[0] for _ in range(2))
        np.testing.assert_array_equal(first.vector, second.vector)
        assert first.labels == second.labels
        rows = one.encode_texts(["a dog", "una moto", "a dog"])
        np.testing.assert_array_equal(rows[0], rows[2])
    np.testing.assert_array_equal(
        encoder.encode_images([picture("coffee.png")])[0].vector, again.encode_images([picture("coffee.png")])[0].vector
    )
    np.testing.assert_allclose(encoder.encode_texts(["a dog"]), again.encode_texts(["a dog"]), atol=1e-6)


def test_a_batch_equals_its_parts(encoder: Encoder) -> None:
    several = [picture(name) for name in ("chelsea.png", "coffee.png", "camera.png")]
    together = encoder.encode_images(several)
    for one, alone in zip(together, (encoder.encode_images([p])[0] for p in several), strict=True):
        np.testing.assert_allclose(one.vector, alone.vector, atol=1e-5)
        assert [label.index for label in one.labels] == [label.index for label in alone.labels]
    texts = ["un perro", "a red car on a street", "x"]
    alone_rows = np.concatenate([encoder.encode_texts([text]) for text in texts])
    np.testing.assert_allclose(encoder.encode_texts(texts), alone_rows, atol=1e-5)


def test_encoding_does_not_change_the_picture(encoder: Encoder) -> None:
    given = picture("coffee.png").copy()
    encoder.encode_images([given])
    assert given.tobytes() == picture("coffee.png").tobytes() and given.size == picture("coffee.png").size


def test_no_pictures_give_no_vectors(encoder: Encoder) -> None:
    assert list(encoder.encode_images([])) == []


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    rows = encoder.encode_texts([])
    assert rows.shape == (0, encoder.card.width) and rows.dtype == np.float32


@pytest.mark.parametrize("size", ODD_SIZES)
def test_odd_sizes_are_encoded(encoder: Encoder, size: tuple[int, int]) -> None:
    (found,) = encoder.encode_images([noise(size)])
    assert is_vector(found, encoder.card)


@pytest.mark.parametrize("colour", ["black", "white", "#808080"])
def test_empty_pictures_are_encoded(encoder: Encoder, colour: str) -> None:
    (found,) = encoder.encode_images([Image.new("RGB", (64, 64), colour)])
    assert is_vector(found, encoder.card)


@pytest.mark.parametrize(
    "text",
    ["", " ", "...", "😀", "\x00", "a\nb", "\u200b", "狗", "собака", "x" * 5_000, "perro " * 800, "1"],
    ids=lambda text: ascii(text[:6]),
)
def test_odd_texts_are_encoded(encoder: Encoder, text: str) -> None:
    rows = encoder.encode_texts([text])
    assert rows.shape == (1, encoder.card.width) and np.isfinite(rows).all()
    assert np.linalg.norm(rows) == pytest.approx(1, abs=1e-4)


def test_half_a_character_is_encoded(encoder: Encoder) -> None:
    assert np.isfinite(encoder.encode_texts(["caf\udce9"])).all()


def test_threads_get_the_same_vectors(encoder: Encoder) -> None:
    fresh = type(encoder)()  # so that loading is raced for too
    names = ["chelsea.png", "coffee.png", "camera.png", "rocket.jpg"]
    texts = ["un gato", "a cup of coffee", "una cámara", "a rocket launch"]
    with ThreadPoolExecutor(8) as pool:
        images = [pool.submit(fresh.encode_images, [picture(name)]) for name in names * 2]
        rows = [pool.submit(fresh.encode_texts, [text]) for text in texts * 3]
        found = [future.result()[0] for future in images]
        spoken = [future.result()[0] for future in rows]
    expected = encoder.encode_images([picture(name) for name in names])
    for one, other in zip(found, expected * 2, strict=True):
        np.testing.assert_allclose(one.vector, other.vector, atol=1e-5)
    np.testing.assert_allclose(np.stack(spoken), np.tile(encoder.encode_texts(texts), (3, 1)), atol=1e-5)


def test_labels_are_probabilities_best_first(encoder: Encoder) -> None:
    (found,) = encoder.encode_images([picture("chelsea.png")])
    if encoder.card.name not in CLASSIFIES:
        pytest.skip(f"{encoder.card.name} has no classifier")
    assert found.labels
    shares = [label.probability for label in found.labels]
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share <= 1 for share in shares) and sum(shares) <= 1.001
    assert len({label.index for label in found.labels}) == len(found.labels)


def test_why_speaks_the_querys_language(encoder: Encoder) -> None:
    (found,) = encoder.encode_images([picture("chelsea.png")])
    assert encoder.why("un gato", []) == ""
    if encoder.card.name not in CLASSIFIES:
        pytest.skip(f"{encoder.card.name} cannot say why")
    assert "gato" in encoder.why("un gato", found.labels)
    assert "cat" in encoder.why("a cat", found.labels)
    assert isinstance(encoder.why("", [Label(0, 0.5)]), str)


def test_the_background_is_a_few_hundred_different_texts(encoder: Encoder) -> None:
    rows = encoder.background
    assert rows.ndim == 2 and rows.shape[1] == encoder.card.width and rows.dtype == np.float32
    assert 100 <= len(rows) <= 1_000
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    assert len(np.unique(rows.round(4), axis=0)) > 0.95 * len(rows)


def test_every_encoder_has_canonical_vectors(encoder: Encoder) -> None:
    expected = CANONICAL[encoder.card.name]
    (found,) = encoder.encode_images([picture("chelsea.png")])
    np.testing.assert_allclose(found.vector[list(AT)], expected["chelsea.png"], atol=2e-3)
    row = encoder.encode_texts(["un perro en la nieve"])[0]
    np.testing.assert_allclose(row[list(AT)], expected["un perro en la nieve"], atol=2e-3)
