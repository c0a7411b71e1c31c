"""OCR as a perceiver: facts, one page of text, cues; on the sample page of scikit-image too."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest
from drawing import at, page
from PIL import Image

from catalejo import plugins
from catalejo.chunking import passages
from catalejo.demo import pictures
from catalejo.errors import MissingExtra
from catalejo.perceivers.ocr import Ocr, text_page
from catalejo.perceivers.text_lines import Line
from catalejo.texts import Box

# What page.png shows, as a person reads it.
PAGE = """Region-based segmentation

Let us first determine markers of the coins and the
background. These markers are pixels that we can label
unambiguously as either object or background. Here,
the markers are found at the two extreme parts of the
histogram of grey values:"""


@pytest.fixture(scope="module")
def looker() -> Iterator[Ocr]:
    pytest.importorskip("rapidocr", reason="needs the extra ocr: pip install 'catalejo[ocr]'")
    yield plugins.load("perceivers", "ocr")()


def line(text: str, box: Box = (0, 0, 9, 9)) -> list[Line]:
    return [Line(text, 1.0, box, box)]


def test_the_page_of_scikit_image(looker: Ocr) -> None:
    with Image.open(pictures() / "page.png") as picture:
        found = looker.look(picture.convert("RGB"), page=4)
    (read,) = found.pages
    assert read.text.startswith(PAGE)
    assert read.number == 5
    assert [fact.value for fact in found.facts] == read.text.replace("\n\n", "\n").split("\n")
    assert {(fact.kind, fact.by, fact.page) for fact in found.facts} == {("text", "ocr", 4)}
    assert all(fact.confidence is not None and 0.6 <= fact.confidence <= 1 for fact in found.facts)


def test_cues_say_where_each_line_stands_and_passages_keep_it(looker: Ocr) -> None:
    found = looker.look(page(["La señal indica el camino.", "El pueblo está a dos leguas."]))
    (read,) = found.pages
    assert [(read.text[cue.start : cue.end], cue.box) for cue in read.cues] == [
        (fact.value, fact.box) for fact in found.facts
    ]
    (passage,) = passages(read)
    assert passage.span.box is not None
    assert passage.span.box[1] <= found.facts[0].box[1]  # type: ignore[index]
    assert passage.span.box[3] >= found.facts[1].box[3]  # type: ignore[index]


def test_a_receipt_is_read_row_by_row(looker: Ocr) -> None:
    rows = [("Pan de molde", "1,20 €"), ("Piña", "2,50 €"), ("TOTAL", "3,70 €")]
    drawn = at(
        [(x, 30 + 45 * n, text) for n, row in enumerate(rows) for x, text in zip((30, 460), row, strict=True)],
        (600, 200),
    )
    assert looker.look(drawn).pages[0].text.split("\n") == [" ".join(row) for row in rows]


def test_columns_are_read_one_after_the_other(looker: Ocr) -> None:
    left = [f"primera columna, línea {n} de tres" for n in "123"]
    right = [f"segunda columna, línea {n} de tres" for n in "123"]
    places = [(x, 30 + 34 * n, text) for x, column in ((30, left), (460, right)) for n, text in enumerate(column)]
    assert looker.look(at(places, (900, 160))).pages[0].text.split() == " ".join([*left, *right]).split()


def test_a_photograph_without_text(looker: Ocr) -> None:
    for name in ("chelsea.png", "coffee.png"):  # an eye is no 0, a cup on its saucer no 8
        with Image.open(pictures() / name) as picture:
            found = looker.look(picture.convert("RGB"))
        assert (found.facts, found.pages) == ((), ())


def test_a_word_cut_at_the_end_of_a_row_comes_in_one_piece() -> None:
    upper, lower = (0.0, 0.0, 90.0, 9.0), (0.0, 10.0, 90.0, 19.0)
    read = text_page([[line("un cata-", upper), line("lejo viejo", lower)]], 1)
    assert read.text == "un catalejo\nviejo"
    assert [(read.text[cue.start : cue.end], cue.box) for cue in read.cues] == [
        ("un cata", upper),
        ("lejo", lower),
        ("viejo", lower),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["Castilla-La", "Mancha"], "Castilla-La\nMancha"),
        (["1990-", "2000"], "1990-\n2000"),
        (["hispano-", "Árabe"], "hispano-\nÁrabe"),
        (["cata-", "lejo"], "catalejo"),
        (["x-", "rayos"], "x-\nrayos"),
        (["—dijo-", "me"], "—dijome"),
    ],
)
def test_which_hyphens_stay(rows: list[str], expected: str) -> None:
    assert text_page([[line(row) for row in rows]], 1).text == expected


def test_no_hyphen_is_taken_over_a_paragraph() -> None:
    assert text_page([[line("cata-")], [line("lejo")]], 1).text == "cata-\n\nlejo"


def test_no_lines() -> None:
    assert text_page([], 3).text == ""


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "catalejo\[ocr\]"'):
        Ocr()
