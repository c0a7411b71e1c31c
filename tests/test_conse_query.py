"""From a query to a vector, with a sentence encoder small enough to follow: a text is the sum of its words."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from catalejo.conse import labels
from catalejo.conse.labels import classes, fold
from catalejo.conse.query import NEAR_WEIGHT, SHARPNESS, SPOTTED_WEIGHT, QueryReader, bare
from catalejo.conse.space import label_matrix, unit
from catalejo.records import Label

Array = npt.NDArray[np.float32]
WIDTH = 96
GOLDEN_RETRIEVER, LABRADOR, TABBY, VOLCANO, ALP = 207, 208, 281, 980, 970


def encode(texts: Sequence[str]) -> Array:
    """Each word has a direction of its own, the same in every run; a text without words has one too."""
    rows = [
        sum(np.random.default_rng(zlib.crc32(word.encode())).normal(size=WIDTH) for word in fold(text) or ("",))
        for text in texts
    ]
    return unit(np.stack(rows).astype(np.float32))


@pytest.fixture(scope="module")
def rows() -> Array:
    return encode([t.text for t in labels.texts()])


@pytest.fixture(scope="module")
def matrix() -> Array:
    return label_matrix(classes(), encode)


@pytest.fixture(scope="module")
def reader(rows: Array, matrix: Array) -> QueryReader:
    return QueryReader(encode, labels.texts(), rows, matrix)


# -- bare ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Un perro.", "perro"),
        ("the red car!", "red car"),
        ("  LAS casas ", "casas"),
        ("una una", "una"),
        ("Anna", "Anna"),
        ("lasaña", "lasaña"),
        ("el", "el"),
        ("the .", "the"),
        ("", ""),
        ("   ", ""),
        ("...", ""),
        ("?!.", ""),
        ("😀", "😀"),
        ("un\nperro", "perro"),
        ("собака", "собака"),
    ],
)
def test_bare(text: str, expected: str) -> None:
    assert bare(text) == expected


# -- read ------------------------------------------------------------------------------


def test_without_its_weights_a_query_is_its_sentence_vector(rows: Array, matrix: Array) -> None:
    plain = QueryReader(encode, labels.texts(), rows, matrix, near_weight=0, spotted_weight=0)
    np.testing.assert_allclose(plain.read("un gato").vector, encode(["un gato"])[0], atol=1e-6)


def test_a_query_is_drawn_to_the_classes_it_names(reader: QueryReader, rows: Array, matrix: Array) -> None:
    plain = QueryReader(encode, labels.texts(), rows, matrix, near_weight=0, spotted_weight=0)
    for query, index in (("un volcán en la noche", VOLCANO), ("traffic light at night", 920)):
        assert matrix[index] @ reader.read(query).vector > matrix[index] @ plain.read(query).vector + 0.1
        assert int(np.argmax(matrix @ reader.read(query).vector)) == index


def test_the_vector_by_hand(reader: QueryReader, matrix: Array) -> None:
    query = "el volcán"
    plain, trimmed = encode([query, "volcán"])
    pull = np.zeros(1000, np.float32)
    for text, row in zip(labels.texts(), encode([t.text for t in labels.texts()]), strict=True):
        pull[text.index] = max(pull[text.index], text.weight * np.exp(SHARPNESS * (row @ trimmed - 1)))
    expected = plain + NEAR_WEIGHT * unit(pull @ matrix) + SPOTTED_WEIGHT * matrix[VOLCANO]
    reading = reader.read(query)
    np.testing.assert_allclose(reading.vector, unit(expected.astype(np.float32)), atol=1e-4)
    assert reading.pull[VOLCANO] == pytest.approx(1.0, abs=1e-3)
    assert int(np.argmax(reading.pull)) == VOLCANO


def test_a_reading_knows_its_language_and_the_nearest_text(reader: QueryReader) -> None:
    spanish, english = reader.read("perros"), reader.read("dogs")
    assert (spanish.language, english.language) == ("es", "en")
    assert spanish.nearest[GOLDEN_RETRIEVER].text == "perro"
    assert english.nearest[GOLDEN_RETRIEVER].text == "dog"
    assert len(spanish.nearest) == 1000
    assert all(text.index == i and text.language == "es" for i, text in enumerate(spanish.nearest))
    assert reader.read("pizza").language in labels.LANGUAGES  # no vote: the nearest text decides


@pytest.mark.parametrize(
    "query",
    ["", " ", "...", "¡¿", "😀", "😀 gato", "\x00", "a\x07b", "\u200b", "собака", "狗", "كلب", "1234", "x" * 5_000],
)
def test_odd_queries_have_unit_vectors(reader: QueryReader, query: str) -> None:
    reading = reader.read(query)
    assert reading.vector.shape == (WIDTH,) and reading.vector.dtype == np.float32
    assert np.linalg.norm(reading.vector) == pytest.approx(1, abs=1e-5)
    assert reading.language in labels.LANGUAGES
    assert reader.why(query, [Label(TABBY, 0.5)])


def test_case_accents_and_stops_do_not_change_what_is_named(reader: QueryReader) -> None:
    expected = reader.read("un volcán")
    for query in ("UN VOLCÁN", "un volcan", "Un volcán."):
        assert reader.read(query).vector @ expected.vector == pytest.approx(1, abs=1e-5)
    assert reader.read("un volcán") is expected  # the second time it is remembered


# -- why -------------------------------------------------------------------------------


def test_why_names_the_label_that_was_asked_for(reader: QueryReader) -> None:
    seen = [Label(VOLCANO, 0.7), Label(TABBY, 0.2)]
    assert reader.why("un volcán", seen) == "volcán 70%"
    assert reader.why("a volcano", seen) == "volcano 70%"
    assert reader.why("un gato atigrado", seen) == "gato atigrado 20%"


def test_why_says_which_kind_was_asked_for(reader: QueryReader) -> None:
    seen = [Label(GOLDEN_RETRIEVER, 0.62), Label(LABRADOR, 0.1), Label(ALP, 0.05)]
    assert reader.why("perro", seen).startswith("golden retriever (perro) 62%")
    assert "labrador (perro) 10%" in reader.why("perro", seen)
    assert reader.why("dog", [Label(LABRADOR, 0.6)]) == "Labrador retriever (dog) 60%"


def test_why_says_what_was_seen_where_nothing_was_asked_for(reader: QueryReader) -> None:
    seen = [Label(VOLCANO, 0.7), Label(ALP, 0.1)]
    assert reader.why("una pizza con queso", seen) == "se ve: volcán 70%, montaña alpina 10%"
    assert reader.why("a pizza with cheese", seen) == "seen: volcano 70%, alpine mountain 10%"


def test_why_names_few(reader: QueryReader) -> None:
    seen = [Label(index, 0.1) for index in range(151, 161)]
    assert reader.why("perro", seen).count("%") == 3
    assert reader.why("perro", seen, most=1).count("%") == 1
