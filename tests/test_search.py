"""Searching, on real photographs with the real encoder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalejo import CatalejoError, Catalog
from catalejo.errors import BadQuery, CannotRead, NoCatalog


def names(catalog: Catalog, *terms: str, **options: object) -> list[str]:
    return [Path(hit.path).name for hit in catalog.search(*terms, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("un gato", "chelsea.png"),
        ("a cat", "chelsea.png"),
        ("una taza de café", "coffee.png"),
        ("a cup of coffee", "coffee.png"),
        ("una moto", "motorcycle_left.png"),
        ("motorcycle", "motorcycle_left.png"),
        ("un fotógrafo con cámara", "camera.png"),
        ("a rocket launch", "rocket.jpg"),
    ],
)
def test_words_find_their_picture(sample_catalog: Catalog, query: str, name: str) -> None:
    best = sample_catalog.search(query).hits[0]
    assert Path(best.path).name == name
    assert best.matches
    assert best.why


def test_scores_are_cosines_and_fall(sample_catalog: Catalog) -> None:
    result = sample_catalog.search("un gato")
    scores = [hit.score for hit in result]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == result.searched == 6
    vector = sample_catalog.encoder.encode_texts(["un gato"])[0]
    with Image.open(result.hits[0].path) as opened:
        picture = sample_catalog.encoder.encode_images([opened.convert("RGB")])[0].vector
    assert scores[0] == pytest.approx(float(picture @ vector), abs=1e-4)


def test_what_is_not_there_matches_nothing(sample_catalog: Catalog) -> None:
    result = sample_catalog.search("un acordeón en una boda")
    assert result.nothing_matches
    assert result.line is not None
    assert all(hit.score <= result.line for hit in result)


def test_the_line_divides_the_hits(sample_catalog: Catalog) -> None:
    result = sample_catalog.search("un gato")
    assert result.line is not None
    assert [hit.matches for hit in result] == [hit.score > result.line for hit in result]
    assert not result.nothing_matches


def test_why_is_in_the_language_of_the_query(sample_catalog: Catalog) -> None:
    assert "gato" in sample_catalog.search("un gato").hits[0].why
    assert "cat" in sample_catalog.search("a cat").hits[0].why


def test_a_picture_finds_itself_and_its_kind(sample_catalog: Catalog, samples: Path) -> None:
    best = sample_catalog.search(image=samples / "chelsea.png").hits[0]
    assert Path(best.path).name == "chelsea.png"
    assert best.score == pytest.approx(1.0, abs=1e-4)


def test_a_picture_and_words_together(sample_catalog: Catalog, samples: Path) -> None:
    both = names(sample_catalog, "una taza de café", image=samples / "chelsea.png", k=2)
    assert set(both) == {"chelsea.png", "coffee.png"}


def test_a_picture_says_what_was_seen_in_its_like_and_empty_words_change_nothing(
    sample_catalog: Catalog, samples: Path
) -> None:
    alone = sample_catalog.search(image=samples / "chelsea.png")
    assert "cat" in alone.hits[0].why
    assert sample_catalog.search("", "  ", image=samples / "chelsea.png").hits == alone.hits


def test_several_terms_all_count(sample_catalog: Catalog) -> None:
    assert set(names(sample_catalog, "a cat", "a motorcycle", k=2)) == {"chelsea.png", "motorcycle_left.png"}


def test_not_leaves_out_what_matches(sample_catalog: Catalog) -> None:
    assert names(sample_catalog, "a motorcycle")[0] == "motorcycle_left.png"
    rest = sample_catalog.search("a motorcycle", without=["una moto"])
    assert "motorcycle_left.png" not in [Path(hit.path).name for hit in rest]
    assert len(rest) == 5
    assert rest.query == "a motorcycle, not una moto"


def test_k_and_min_score(sample_catalog: Catalog) -> None:
    assert len(sample_catalog.search("a cat", k=2)) == 2
    best = sample_catalog.search("a cat").hits[0].score
    assert names(sample_catalog, "a cat", min_score=best - 0.001) == ["chelsea.png"]
    assert len(sample_catalog.search("a cat", k=100)) == 6


def test_under_sees_only_that_folder(samples: Path, tmp_path: Path) -> None:
    for folder, picture in (("casa", "chelsea.png"), ("casa grande", "coffee.png"), ("o'brien%_", "rocket.jpg")):
        (tmp_path / folder).mkdir()
        shutil.copy(samples / picture, tmp_path / folder)
    catalog = Catalog(tmp_path / "c")
    catalog.add(tmp_path)
    assert names(catalog, "gato", under=tmp_path / "casa") == ["chelsea.png"]
    assert names(catalog, "gato", under=tmp_path / "o'brien%_") == ["rocket.jpg"]
    assert names(catalog, "gato", under=tmp_path / "nowhere") == []
    assert len(names(catalog, "gato", under=tmp_path)) == 3


def test_a_copy_is_found_under_its_own_folder(samples: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(samples / "chelsea.png", tmp_path / folder)
    catalog = Catalog(tmp_path / "c")
    catalog.add(tmp_path)
    hit = catalog.search("gato", under=tmp_path / "b").hits[0]
    assert (hit.path, hit.copies) == (str(tmp_path / "b" / "chelsea.png"), ())
    hit = catalog.search("gato").hits[0]
    assert (hit.path, hit.copies) == (str(tmp_path / "a" / "chelsea.png"), (str(tmp_path / "b" / "chelsea.png"),))
    (tmp_path / "a" / "chelsea.png").unlink()
    assert catalog.search("gato").hits[0].path == str(tmp_path / "b" / "chelsea.png")


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """One picture a date, by EXIF."""
    folder = tmp_path_factory.mktemp("dated")
    rng = np.random.default_rng(0)
    for date in ("2022-12-31", "2023-01-01", "2023-06-30", "2023-07-01", "2024-02-29"):
        exif = Image.Exif()
        exif[0x0132] = date.replace("-", ":") + " 23:59:59"
        picture = Image.fromarray(rng.integers(0, 255, (40, 40, 3), np.uint8))
        picture.save(folder / f"{date}.jpg", exif=exif)
    catalog = Catalog(folder / "c")
    catalog.add(folder)
    return catalog


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2023", "2023", ["2023-01-01", "2023-06-30", "2023-07-01"]),
        ("2023-07", None, ["2023-07-01", "2024-02-29"]),
        (None, "2023-06", ["2022-12-31", "2023-01-01", "2023-06-30"]),
        ("2024-02-29", "2024-02-29", ["2024-02-29"]),
        (None, "2022-12-30", []),
        ("2022-12-31", "2023-01-01", ["2022-12-31", "2023-01-01"]),
    ],
)
def test_dates_include_both_ends(dated: Catalog, since: str | None, until: str | None, expected: list[str]) -> None:
    assert sorted(Path(n).stem for n in names(dated, "ruido", since=since, until=until)) == expected


@pytest.mark.parametrize("text", ["ayer", "2023-13", "2023-02-30", "23", "31/12/2023", "9999", "0999", ""])
def test_a_date_that_is_none(dated: Catalog, text: str) -> None:
    if not text:
        assert len(dated.search("ruido", since=text)) == 5
        return
    with pytest.raises(BadQuery, match="write a date as"):
        dated.search("ruido", since=text)


@pytest.mark.parametrize(
    ("terms", "options", "message"),
    [
        ((), {}, "say what to look for"),
        (("",), {}, "say what to look for"),
        (("   ",), {}, "say what to look for"),
        (("gato",), {"k": 0}, "-k is 0"),
        (("gato",), {"min_score": 1.5}, "1.5"),
    ],
)
def test_what_cannot_be_asked(
    sample_catalog: Catalog, terms: tuple[str, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(BadQuery, match=message):
        sample_catalog.search(*terms, **options)  # type: ignore[arg-type]


def test_a_query_picture_that_cannot_be_read(sample_catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="no such file"):
        sample_catalog.search(image=tmp_path / "none.png")
    (tmp_path / "text.png").write_text("hello, this is no picture")
    with pytest.raises(CannotRead, match="looks like text"):
        sample_catalog.search(image=tmp_path / "text.png")


@pytest.mark.parametrize("query", ["🐈", "猫", "a" * 9_999, "'; DROP TABLE items; --", "\x00\x07", "¿¡!?", "gato\n"])
def test_odd_queries_are_answered(sample_catalog: Catalog, query: str) -> None:
    result = sample_catalog.search(query)
    assert len(result) == 6
    assert all(np.isfinite(hit.score) for hit in result)


def test_an_empty_catalog_matches_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    catalog = Catalog(tmp_path / "c")
    catalog.add(tmp_path / "empty")
    result = catalog.search("gato")
    assert (len(result), result.searched, result.line, result.nothing_matches) == (0, 0, None, True)


def test_no_catalog_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NoCatalog, match="add FOLDER"):
        Catalog(tmp_path / "none").search("gato")
    assert not (tmp_path / "none").exists()
    assert issubclass(NoCatalog, CatalejoError)


def test_a_running_process_sees_what_another_adds(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    shutil.copy(samples / "coffee.png", tmp_path / "p")
    reader = Catalog(tmp_path / "c")
    Catalog(tmp_path / "c").add(tmp_path / "p")
    assert names(reader, "gato") == ["coffee.png"]
    shutil.copy(samples / "chelsea.png", tmp_path / "p")
    Catalog(tmp_path / "c").add(tmp_path / "p")
    assert names(reader, "gato") == ["chelsea.png", "coffee.png"]
