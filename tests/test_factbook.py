"""The book of facts: what is written comes back, marks say who looked, nothing stays of files that have gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import Counting

from catalejo.factbook import Factbook, Perception
from catalejo.facts import Fact
from catalejo.store import Store

SEEN = Perception(
    "a" * 64,
    "ocr",
    "1",
    (
        Fact("text", "Salida ñ", 0.75, "ocr", 2, box=(1.5, 2.0, 30.2, 40.0)),
        Fact("label", "cat", 0.5, "ocr", 0, "gato", 3.0),
        Fact("speech", "hola", None, "ocr", start_s=1.25, end_s=2.5),
    ),
)
FAILED = Perception("b" * 64, "ocr", "1", (), "damaged")
HEARD = Perception("a" * 64, "speech", "2", (Fact("language", "es", 1.0, "speech"),))


@pytest.fixture
def book(tmp_path: Path) -> Factbook:
    store = Store(tmp_path / "c")
    store.create(Counting.card)
    return Factbook(store)


def test_before_anything_was_perceived(book: Factbook) -> None:
    assert not book.exists
    assert (book.of("a" * 64), book.done("ocr"), book.failed(), book.count(), book.hashes()) == (
        [],
        set(),
        [],
        0,
        set(),
    )
    assert book.keep(set()) == 0
    book.drop(["a" * 64], "ocr")
    book.write([])
    book.maintain()
    assert not book.exists


def test_facts_come_back_as_they_were(book: Factbook) -> None:
    book.write([SEEN, FAILED, HEARD])
    again = Factbook(book._store)
    assert again.of("a" * 64) == [SEEN, HEARD]
    assert again.of("b" * 64) == [FAILED]
    assert again.of("c" * 64) == []
    assert again.count() == 4


def test_marks_say_who_looked_and_in_which_version(book: Factbook) -> None:
    book.write([SEEN, FAILED, HEARD])
    assert book.done("ocr") == {"a" * 64, "b" * 64}
    assert book.done("ocr", "1", failed=False) == {"a" * 64}
    assert book.done("ocr", "1", failed=True) == {"b" * 64}
    assert book.done("ocr", "2") == set()
    assert book.done("speech", "2") == {"a" * 64}
    assert [(one.hash, one.reason) for one in book.failed()] == [("b" * 64, "damaged")]
    assert book.hashes() == {"a" * 64, "b" * 64}


def test_what_one_perceiver_said_goes_alone(book: Factbook) -> None:
    book.write([SEEN, HEARD])
    book.drop(["a" * 64], "ocr")
    assert book.of("a" * 64) == [HEARD]
    assert book.done("ocr") == set()


def test_facts_of_files_that_have_gone_go(book: Factbook) -> None:
    book.write([SEEN, FAILED])
    assert book.keep({"a" * 64}) == 1
    assert book.of("b" * 64) == []
    assert book.of("a" * 64) == [SEEN]
    book.maintain()
    assert book.of("a" * 64) == [SEEN]


def test_a_name_with_quotes_is_no_condition(book: Factbook) -> None:
    odd = Perception("a" * 64, "it's", "1'", (Fact("label", "'", None, "it's"),))
    book.write([odd, SEEN])
    assert book.done("it's", "1'") == {"a" * 64}
    book.drop(["a" * 64], "it's")
    assert book.of("a" * 64) == [SEEN]
