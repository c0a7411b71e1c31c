"""One search over pictures and documents, and every command on a catalog of both."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import documents
import pytest
from conftest import Run
from making import Meaning, counting_encoder, encoder_of_meaning, picture, save_text, stamp  # noqa: F401  (fixtures)
from PIL import Image

from catalejo import Catalog
from catalejo.errors import BadQuery
from catalejo.quantizing import pictures_of

CATS = "El gato de mi abuela duerme todo el día en la cocina, junto a la ventana.\n\nEl perro ladra en el jardín."
BRIDGE = "The bridge over the river was opened in 1932. Nobody had paid for it before.\n\nA coffee costs 3 euros there."


@pytest.fixture(scope="module")
def folder(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photographs, and documents about some of what they show and about other things."""
    made = tmp_path_factory.mktemp("mixed") / "files"
    shutil.copytree(samples, made)
    (made / "texts").mkdir()
    for number, (name, text) in enumerate((("gatos.txt", CATS), ("bridge.md", BRIDGE))):
        (made / "texts" / name).write_text(text, encoding="utf-8")
        stamp(made / "texts" / name, 8_766 * (1 + 2 * number))
    for name in ("informe.pdf", "escaneado.pdf"):
        shutil.copy(documents.FOLDER / name, made / "texts")
    return made


@pytest.fixture(scope="module")
def mixed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """With the encoders that users have."""
    catalog = Catalog(tmp_path_factory.mktemp("catalog") / "c")
    catalog.add(folder)
    return catalog


def names(catalog: Catalog, *terms: str, **options: object) -> list[str]:
    return [Path(hit.path).name for hit in catalog.search(*terms, **options)]  # type: ignore[arg-type]


# -- what is found ---------------------------------------------------------------------


def test_one_search_finds_a_picture_and_a_page(mixed: Catalog) -> None:
    result = mixed.search("un gato", k=20)
    first, second, *rest = result.hits
    assert {Path(first.path).name, Path(second.path).name} == {"chelsea.png", "gatos.txt"}
    assert first.matches and second.matches
    assert not any(hit.matches for hit in rest), "what matches comes first"
    assert result.line is None
    assert result.searched == 6 + 1 + 1 + 3 + 4
    assert {hit.kind for hit in result.hits} == {"image", "text"}
    assert "scan" not in {hit.kind for hit in result.hits}


def test_a_page_says_what_and_where(mixed: Catalog) -> None:
    (hit,) = mixed.search("¿Dónde duerme el gato de la abuela?", kinds=["text"], k=1)
    assert hit.span and hit.sentence
    assert CATS[hit.span.start : hit.span.end] == hit.text
    assert CATS[hit.sentence.start : hit.sentence.end] == hit.quote == CATS.split("\n")[0]
    assert (hit.span.page, hit.page, hit.kind, hit.votes) == (1, 0, "text", ())
    assert hit.why.startswith("words ") and "meaning " in hit.why
    assert (hit.width_px, hit.camera, hit.taken) == (0, None, None)


def test_a_question_in_the_other_language_is_answered_by_meaning(mixed: Catalog) -> None:
    assert names(mixed, "¿En qué año se inauguró el puente sobre el río?", kinds=["text"], k=1) == ["bridge.md"]
    assert names(mixed, "Where does my grandmother's cat sleep?", kinds=["text"], k=1) == ["gatos.txt"]


def test_each_page_once_and_with_its_number(mixed: Catalog) -> None:
    hits = mixed.search("sales by region in the north", kinds=["text"], k=50).hits
    assert (Path(hits[0].path).name, hits[0].page, hits[0].span and hits[0].span.page) == ("informe.pdf", 1, 2)
    assert len({(hit.hash, hit.page) for hit in hits}) == len(hits)


@pytest.mark.parametrize("kinds", [["image"], ["text"], ["image", "text"], []])
def test_kinds(mixed: Catalog, kinds: list[str]) -> None:
    found = {hit.kind for hit in mixed.search("un gato", kinds=kinds, k=50)}
    assert found == set(kinds or ["image", "text"])


def test_an_unknown_kind(mixed: Catalog) -> None:
    with pytest.raises(BadQuery, match=r"--kind is 'film'; it can be image, text, audio or video"):
        mixed.search("un gato", kinds=["film"])


def test_a_picture_is_not_looked_for_among_texts(mixed: Catalog, samples: Path) -> None:
    assert {hit.kind for hit in mixed.search(image=samples / "chelsea.png", k=50)} == {"image"}
    assert {hit.kind for hit in mixed.search("gato", image=samples / "chelsea.png", k=50)} == {"image"}
    assert mixed.search(image=samples / "chelsea.png", kinds=["text"]).hits == ()


def test_conditions_hold_for_texts(mixed: Catalog, folder: Path) -> None:
    assert set(names(mixed, "un gato", under=folder / "texts", k=50)) == {
        *("gatos.txt", "bridge.md", "informe.pdf", "escaneado.pdf")
    }
    assert names(mixed, "un gato", under=folder / "nowhere") == []
    assert names(mixed, "un gato", until="2021-12", kinds=["text"]) == ["gatos.txt"]
    assert names(mixed, "un gato", since="2022-06", until="2023-12", kinds=["text"]) == ["bridge.md"]
    assert names(mixed, "un gato", until="2019") == []


def test_not_keeps_away_from_texts_that_match(mixed: Catalog) -> None:
    assert "gatos.txt" in names(mixed, "animales en casa", k=50)
    left = names(mixed, "animales en casa", without=["el gato de mi abuela duerme en la cocina"], k=50)
    assert "gatos.txt" not in left
    assert "bridge.md" in left


def test_a_least_score_holds_for_pictures_and_texts(mixed: Catalog) -> None:
    """It is that of each ranking, not of the sum of their ranks, which never reaches it."""
    everything = mixed.search("un gato", k=50)
    votes = {(hit.hash, hit.page): hit.votes[0].score for hit in everything}
    found = mixed.search("un gato", k=50, min_score=0.3)
    assert {(h.hash, h.page) for h in found} == {key for key, score in votes.items() if score >= 0.3}
    assert 2 <= len(found) < len(everything)


def test_k_counts_both(mixed: Catalog) -> None:
    assert len(mixed.search("un gato", k=1)) == 1
    assert len(mixed.search("un gato", k=3)) == 3
    assert len(mixed.search("un gato", k=10**30)) == len(mixed.search("un gato", k=200))


@pytest.mark.parametrize("text", ["🐈", "gato \ud800", "x" * 100_000, "gato\x00", "¿?"])
def test_odd_words(mixed: Catalog, text: str) -> None:
    mixed.search(text)


# -- the command line, and the other commands -----------------------------------------------


def test_search_prints_the_quote_and_gives_it_in_json(mixed: Catalog, run: Run, tmp_path: Path) -> None:
    done = run("-c", mixed.path, "search", "un gato", "-k", "2", "--sheet", tmp_path / "s.png")
    assert done.returncode == 0, done.stderr
    assert "«El gato de mi abuela duerme todo el día en la cocina, junto a la ventana.»" in done.stdout
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.size[0] > 1_000
    found = json.loads(run("-c", mixed.path, "search", "un gato", "--kind", "text", "-k", "1", "--json").stdout)
    (hit,) = found["hits"]
    assert hit["quote"] == CATS.split("\n")[0]
    assert hit["text"][hit["sentence"]["start"] : hit["sentence"]["end"]] == hit["quote"]
    assert hit["span"] == {"page": 1, "start": 0, "end": len(CATS), "start_s": None, "end_s": None, "box": None}
    assert not found["nothing_matches"]


def test_status_tells_kinds(mixed: Catalog, run: Run) -> None:
    status = mixed.status()
    assert (status.items, status.pictures, status.texts, status.scans) == (15, 6, 7, 2)
    assert [(space.items, space.waiting) for space in status.spaces] == [(6, 0)]
    line = "items    15 (6 pictures, 7 pages of text, 2 pages without text (scanned))\n"
    assert line in run("-c", mixed.path, "status").stdout
    told = json.loads(run("-c", mixed.path, "status", "--json").stdout)
    assert (told["pictures"], told["texts"], told["scans"]) == (6, 7, 2)


def test_encode_duplicates_and_quantize_leave_texts_alone(folder: Path, mixed: Catalog) -> None:
    (report,) = mixed.encode()
    assert (report.encoded, report.already, report.skipped) == (0, 6, ())
    assert mixed.duplicates() == []
    assert [Path(path).suffix for path in pictures_of(mixed._store, [])].count(".png") == 5
    assert len(pictures_of(mixed._store, [])) == 6


@pytest.mark.usefixtures("counting", "meaning")
def test_another_encoder_gets_the_pictures_only(tmp_path: Path) -> None:
    for seed in range(4):
        picture(seed, (60, 40)).save(tmp_path / f"{seed}.png")
        save_text(tmp_path / f"{seed}.txt", seed)
    shutil.copy(tmp_path / "0.txt", tmp_path / "copy.txt")
    Catalog(tmp_path / "c", encoder="counting").add(*tmp_path.glob("*.*"))
    seen = len(Meaning.seen)
    both = Catalog(tmp_path / "c", encoder="other")
    (report,) = both.encode()
    assert (report.encoded, report.skipped, len(Meaning.seen)) == (4, (), seen)
    assert both.encode()[0].encoded == 0
    assert [space.waiting for space in both.status().spaces] == [0, 0]
    assert [group.kind for group in Catalog(tmp_path / "c").duplicates()] == ["exact"]
    fused = Catalog(tmp_path / "c", encoder="counting,other").search("la casa", k=50)
    assert {hit.kind for hit in fused} == {"image", "text"}
    assert both.doctor() == []


def test_evaluate_uses_the_vectors_of_a_mixed_catalog(mixed: Catalog, folder: Path, tmp_path: Path) -> None:
    lines = ["image,caption,language"]
    lines += [f"{folder / name},{text},en" for name, text in (("chelsea.png", "a cat"), ("coffee.png", "coffee"))]
    lines += [f"{folder / 'texts' / 'gatos.txt'},a text about cats,en"]
    (tmp_path / "captions.csv").write_text("\n".join(lines) + "\n")
    report = mixed.evaluate(tmp_path / "captions.csv")
    assert report.n_pictures == 2
    assert [Path(one.path).name for one in report.missing] == ["gatos.txt"]
