"""Damage to what documents say is found, repaired, and made good by the next ``add``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import documents
import numpy as np
import pyarrow as pa
import pytest
from making import (  # noqa: F401  (fixtures)
    Counting,
    Meaning,
    counting_encoder,
    encoder_of_meaning,
    holds,
    pictures,
    save_text,
)
from test_health import append, cut, data_file, drop, garble, newest, table, twice

from catalejo import Catalog, indexing, upkeep
from catalejo.errors import CatalejoError

pytestmark = pytest.mark.usefixtures("counting", "meaning")
TEXTS = ("passages", "sentences")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = pictures(tmp_path / "files", 3)
    for seed in range(8):
        save_text(made / f"{seed}.txt", seed, 6)
    for name in ("informe.pdf", "escaneado.pdf"):
        shutil.copy(documents.FOLDER / name, made)
    (made / "blank.txt").write_text("  \n")
    return made


@pytest.fixture
def catalog(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Written in several commits, so that each table has several data files."""
    monkeypatch.setattr(indexing, "_COMMIT_ROWS", 4)
    catalog = Catalog(tmp_path / "c", encoder="counting")
    catalog.add(folder, workers=1)
    assert all(len(table(catalog, name).get_fragments()) >= 3 for name in TEXTS)
    return catalog


def sound(catalog: Catalog) -> dict[str, Any]:
    """What must be the same again; rows may lie in another order."""
    found = holds(catalog.path)
    return {name: found[name] for name in ("files", "items", "thumbnails", *TEXTS)}


def stray(catalog: Catalog) -> None:
    """Texts of a document that no item is of."""
    for name in TEXTS:
        rows = table(catalog, name).to_table(limit=2)
        hashes = pa.array(["ab" * 32] * len(rows), pa.string())
        append(catalog, name, rows.set_column(rows.schema.get_field_index("hash"), rows.schema.field("hash"), hashes))


def spoil(value: float) -> Callable[[Catalog], None]:
    """Another vector for two sentences."""

    def do(catalog: Catalog) -> None:
        rows = table(catalog, "sentences").to_table(limit=2)
        table(catalog, "sentences").delete(f"id IN ({', '.join(map(str, rows['id'].to_pylist()))})")
        flat = pa.array(np.full(64 * len(rows), value, np.float32))
        place, field = rows.schema.get_field_index("vector"), rows.schema.field("vector")
        append(catalog, "sentences", rows.set_column(place, field, pa.FixedSizeListArray.from_arrays(flat, 64)))

    return do


def gone(*names: str) -> Callable[[Catalog], None]:
    return lambda catalog: [shutil.rmtree(catalog.path / f"{name}.lance") for name in names] and None  # type: ignore[func-returns-value]


DAMAGE: dict[str, tuple[str, Callable[[Catalog], Any]]] = {
    "passages table gone": ("1 tables that do not open", gone("passages")),
    "sentences table gone": ("documents whose passages are lost", gone("sentences")),
    "both tables gone": ("documents whose passages are lost", gone(*TEXTS)),
    **{
        f"{name} {what}": (problem, lambda c, name=name, do=do: do(c, name))  # type: ignore[misc]
        for name in TEXTS
        for what, problem, do in (
            ("manifest cut", "1 tables that do not open", lambda c, name: cut(newest(c, name))),
            ("manifest empty", "1 tables that do not open", lambda c, name: os.truncate(newest(c, name), 0)),
            ("data cut", "data files that cannot be read", lambda c, name: cut(data_file(c, name, 1))),
            ("data garbled", "data files that cannot be read", lambda c, name: garble(data_file(c, name, 0))),
            ("data gone", "data files that cannot be read", lambda c, name: data_file(c, name, 2).unlink()),
            ("rows twice", f"2 rows twice in {name}.lance", lambda c, name: twice(name)(c)),
            ("rows lost", "documents with damaged passages", lambda c, name: drop(name, "number = 0")(c)),
        )
    },
    "both tables cut": ("2 tables that do not open", lambda c: [cut(newest(c, name)) for name in TEXTS]),
    "passages of no item": ("1 documents whose passages belong to no item", stray),
    "vectors zero": ("documents with damaged passages", spoil(0.0)),
    "vectors NaN": ("documents with damaged passages", spoil(float("nan"))),
    "vectors long": ("documents with damaged passages", spoil(1.0)),
    "a page missing": ("items with pages missing", drop("items", "kind = 'scan' AND page = 1")),
    "items gone": ("documents whose passages belong to no item", drop("items", "kind = 'text'")),
    "items table gone": ("1 tables that do not open", gone("items")),
    "files table gone": ("1 tables that do not open", gone("files")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_repaired_and_made_good(folder: Path, catalog: Catalog, damage: str) -> None:
    problem, do = DAMAGE[damage]
    expected = sound(catalog)
    answers = catalog.search("la casa rompe el perro", k=20).hits
    do(catalog)
    found = Catalog(catalog.path, encoder="counting").doctor()
    assert any(problem in one.problem for one in found), found
    assert not any(one.repaired for one in found)
    for ask in (lambda c: c.search("la casa"), lambda c: c.status(), lambda c: c.add(folder), lambda c: c.skipped()):
        copy = catalog.path.parent / "copy"
        shutil.copytree(catalog.path, copy)
        try:
            ask(Catalog(copy, encoder="counting"))
        except CatalejoError as error:
            assert "doctor --repair" in str(error)
            assert "\n" not in str(error)
        shutil.rmtree(copy)

    again = Catalog(catalog.path, encoder="counting")
    repaired = again.doctor(repair=True)
    assert any(problem in one.problem for one in repaired)
    assert all(one.repaired for one in repaired)
    if damage != "files table gone":  # whose items wait for their files
        assert Catalog(catalog.path, encoder="counting").doctor() == []
    assert again.search("la casa").searched <= 3 + 8 + 3 + 4 + 1
    again.add(folder, workers=1)
    assert again.doctor() == []
    assert sound(again) == expected
    assert Catalog(catalog.path, encoder="counting").search("la casa rompe el perro", k=20).hits == answers


def test_whoever_stays_open_goes_on_after_a_repair(folder: Path, catalog: Catalog) -> None:
    answers = catalog.search("la casa rompe el perro", k=20).hits
    reader = Catalog(catalog.path, encoder="counting")
    assert reader.search("la casa rompe el perro", k=20).hits == answers
    cut(newest(catalog, "passages"))
    catalog.doctor(repair=True)
    for one in (catalog, reader):
        assert {hit.kind for hit in one.search("la casa", k=20)} == {"image"}
    catalog.add(folder)
    for one in (catalog, reader):
        assert one.search("la casa rompe el perro", k=20).hits == answers


def test_pictures_are_not_read_again_for_lost_texts(folder: Path, catalog: Catalog) -> None:
    gone(*TEXTS)(catalog)
    catalog.doctor(repair=True)
    Counting.reset()
    assert catalog.add(folder).added == 11
    assert Counting.seen == []


def test_a_sound_catalog_stays_as_it_is(catalog: Catalog) -> None:
    before = sound(catalog)
    assert catalog.doctor() == catalog.doctor(repair=True) == []
    assert sound(catalog) == before


@pytest.mark.parametrize("how", ["cut", "deleted"])
def test_damaged_indices_are_dropped_and_built_anew(
    folder: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(upkeep, "INDEX_FROM", 10)
    monkeypatch.setattr(upkeep, "UNINDEXED_TEXTS", 0)
    save_text(folder / "new.txt", 50)
    catalog.add(folder)
    expected, answers = sound(catalog), catalog.search("la casa", k=20).hits

    def names() -> dict[str, set[str]]:
        return {name: {index.name for index in table(catalog, name).describe_indices()} for name in TEXTS}

    before = names()
    assert before["passages"] >= {"words_index"}
    assert before["sentences"] >= {"vector_index"}
    for name in TEXTS:
        for path in catalog.path.glob(f"{name}.lance/_indices/*/*"):
            cut(path) if how == "cut" else path.unlink()
    found = Catalog(catalog.path, encoder="counting").doctor()
    assert {one.problem.partition("of ")[2] for one in found} == {"passages.lance", "sentences.lance"}
    Catalog(catalog.path, encoder="counting").doctor(repair=True)
    again = Catalog(catalog.path, encoder="counting")
    assert again.doctor() == []
    again.add(folder)
    assert names() == before
    assert sound(again) == expected
    assert again.search("la casa", k=20).hits == answers
