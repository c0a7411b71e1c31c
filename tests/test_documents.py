"""Documents in a catalog: their pages are items, what they say is found again to the character."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import documents
import lance
import pytest
from making import (  # noqa: F401  (fixtures)
    Counting,
    Meaning,
    counting_encoder,
    encoder_of_meaning,
    holds,
    pictures,
    prose,
    save,
    save_text,
    stamp,
)
from test_indexing import counts, ctrl_c, heard_stop, thread_named

from catalejo import Catalog, indexing, plugins
from catalejo.chunking import passages, sentences, span_of
from catalejo.cli.adding import _OF_DOCUMENTS, _OF_PICTURES, _OF_RECORDINGS
from catalejo.errors import MissingExtra, OverLimit
from catalejo.indexing import Stopped
from catalejo.plugins import Plugin
from catalejo.reading_texts import read_document
from catalejo.records import Limits
from catalejo.texts import TextPage
from catalejo.words import analyse

pytestmark = pytest.mark.usefixtures("counting", "meaning")

GOOD = ("informe.pdf", "escaneado.pdf", "charla.srt", "notas.md", "utf8.txt", "cp1252.txt", "personas.csv")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "c", encoder="counting")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents of several kinds beside pictures."""
    made = pictures(tmp_path / "files", 4)
    for number, name in enumerate(GOOD):
        shutil.copy(documents.FOLDER / name, made / name)
        stamp(made / name, 1_000 + number)
    return made


def items(catalog: Catalog, path: Path) -> list[tuple[int, str]]:
    """Page and kind of a file's items."""
    found = holds(catalog.path)
    (hash,) = {row["hash"] for row in found["files"] if row["path"] == str(path)}
    return [(row["page"], row["kind"]) for row in found["items"] if row["hash"] == hash]


def reasons(catalog: Catalog) -> dict[str, str]:
    return {Path(one.path).name: one.reason for one in catalog.skipped()}


def texts(catalog: Catalog) -> dict[str, list[str]]:
    """Name of a file -> the texts of its passages, in their order."""
    catalog._store.refresh()
    paths = catalog._store.paths(row["hash"] for row in holds(catalog.path)["passages"])
    told: dict[str, list[str]] = {}
    for row in holds(catalog.path).get("passages", []):
        told.setdefault(Path(paths[row["hash"]][0]).name, []).append(row["text"])
    return told


# -- what is kept --------------------------------------------------------------------


def test_pages_become_items_of_their_kind(catalog: Catalog, folder: Path) -> None:
    report = catalog.add(folder)
    assert counts(report) == {"added": 11, "encoded": 4 + 3 + 4 + 5}
    assert items(catalog, folder / "informe.pdf") == [(0, "text"), (1, "text"), (2, "text")]
    assert items(catalog, folder / "escaneado.pdf") == [(0, "text"), (1, "scan"), (2, "scan"), (3, "text")]
    for name in ("charla.srt", "notas.md", "utf8.txt", "cp1252.txt", "personas.csv"):
        assert items(catalog, folder / name) == [(0, "text")]
    for row in holds(catalog.path)["items"]:
        if row["kind"] != "image":
            assert (row["counting"], row["width_px"], row["height_px"], row["labels"]) == (None, 0, 0, [])
    assert len(holds(catalog.path)["thumbnails"]) == 4
    assert catalog.skipped() == []
    assert catalog.doctor() == []


def test_passages_are_those_of_chunking_to_the_character(catalog: Catalog, folder: Path) -> None:
    catalog.add(folder)
    found = holds(catalog.path)
    paths = catalog._store.paths(row["hash"] for row in found["items"])
    expected, said = [], []
    for hash, (path, *_) in paths.items():
        for page in read_document(path) if Path(path).name in GOOD else ():
            for number, passage in enumerate(passages(page)):
                place = (hash, page.number - 1, number)
                span = dataclasses.astuple(passage.span)[1:]
                words = analyse(passage.text, passage.language)
                assert page.text[passage.span.start : passage.span.end] == passage.text
                expected.append((*place, *span, passage.text, passage.language, " ".join(words), len(words)))
                first = passage.span.start
                for start, end in sentences(passage.text):
                    whole = span_of(page, first + start, first + end)
                    stems = analyse(page.text[whole.start : whole.end], passage.language)
                    said.append((*place, *dataclasses.astuple(whole)[1:], " ".join(stems)))
    place_of = ("hash", "page", "number", "start", "end", "start_s", "end_s", "box")
    rows = [
        tuple(row[name] for name in (*place_of, "text", "language", "words", "length")) for row in found["passages"]
    ]
    assert rows == sorted(expected, key=lambda row: row[:4])
    rows = [tuple(row[name] for name in (*place_of, "words")) for row in found["sentences"]]
    assert rows == sorted(said, key=lambda row: row[:4])
    assert len(said) >= len(expected) >= 8
    assert {row["language"] for row in found["passages"]} >= {"es", "en"}


def test_vectors_are_those_of_the_sentences(catalog: Catalog, folder: Path) -> None:
    catalog.add(folder)
    said = {(row["hash"], row["page"], row["number"]): row for row in holds(catalog.path)["passages"]}
    for row in holds(catalog.path)["sentences"]:
        passage = said[row["hash"], row["page"], row["number"]]
        text = passage["text"][row["start"] - passage["start"] : row["end"] - passage["start"]]
        assert row["vector"] == pytest.approx(Meaning().encode_texts([text])[0].tolist(), abs=1e-6)
        assert row["id"] == passage["id"]


def test_subtitles_know_when_it_was_said(catalog: Catalog, tmp_path: Path) -> None:
    said = "1\n00:00:01,500 --> 00:00:04,000\nLa reina llegó a Madrid.\n\n2\n00:01:02,000 --> 00:01:03,250\nLlovía.\n"
    (tmp_path / "a.srt").write_text(said)
    catalog.add(tmp_path / "a.srt")
    (passage,) = holds(catalog.path)["passages"]
    assert (passage["start_s"], passage["end_s"]) == (1.5, 63.25)
    first, *_ = holds(catalog.path)["sentences"]
    assert (first["start_s"], first["end_s"]) == (1.5, 4.0)
    hit = catalog.search("¿Cuándo llegó la reina a Madrid?").hits[0]
    assert hit.sentence and (hit.sentence.start_s, hit.quote) == (1.5, "La reina llegó a Madrid.")


def test_documents_are_dated_by_their_files(catalog: Catalog, tmp_path: Path) -> None:
    for year in (2021, 2022, 2023):
        file = save_text(tmp_path / "p" / f"{year}.txt", year)
        stamp(file, (year - 2020) * 8_766)
    catalog.add(tmp_path / "p")
    found = holds(catalog.path)
    for row in [*found["items"], *found["passages"], *found["sentences"]]:
        assert row["dated"].year in (2020, 2021, 2022, 2023)
    assert len({row["dated"] for row in found["passages"]}) == 3

    def years(**when: str) -> set[str]:
        return {Path(hit.path).stem for hit in catalog.search("la casa en el año", k=50, **when)}  # type: ignore[arg-type]

    assert years() == {"2021", "2022", "2023"}
    assert years(since="2022-06") == {"2023"}
    assert years(until="2021-06") == {"2021"}
    assert years(since="2030") == set()
    assert isinstance(found["items"][0]["dated"], datetime)


# -- known files --------------------------------------------------------------------


def test_unchanged_documents_are_not_read_again(catalog: Catalog, folder: Path) -> None:
    catalog.add(folder)
    before, seen = holds(catalog.path), len(Meaning.seen)
    versions = sorted(path.name for path in catalog.path.glob("*.lance/_versions/*"))
    assert counts(catalog.add(folder)) == {"unchanged": 11}
    assert len(Meaning.seen) == seen
    assert holds(catalog.path) == before
    assert sorted(path.name for path in catalog.path.glob("*.lance/_versions/*")) == versions


@pytest.mark.parametrize("workers", [1, 8])
def test_the_same_bytes_at_several_paths_are_read_once(catalog: Catalog, tmp_path: Path, workers: int) -> None:
    first = save_text(tmp_path / "p" / "0.txt", 1, 20)
    for number in range(1, 9):
        shutil.copy(first, tmp_path / "p" / f"{number}.txt")
        stamp(tmp_path / "p" / f"{number}.txt", 100 - number)
    assert counts(catalog.add(tmp_path / "p", workers=workers)) == {"added": 9, "encoded": 1}
    found = holds(catalog.path)
    assert len(found["items"]) == 1
    assert [row["text"] for row in found["passages"]] == [p.text for p in passages(TextPage(prose(1, 20), 1))]
    hit = catalog.search("la casa").hits[0]
    assert (hit.path, len(hit.copies)) == (str(first), 8)
    first.unlink()
    assert counts(catalog.add(tmp_path / "p", prune=True)) == {"unchanged": 8, "removed": 1}
    assert holds(catalog.path)["passages"] == found["passages"]


def test_a_changed_document_is_replaced(catalog: Catalog, folder: Path) -> None:
    catalog.add(folder)
    file = folder / "utf8.txt"
    file.write_text("La nueva versión habla de zanahorias.")
    assert counts(catalog.add(folder)) == {"updated": 1, "unchanged": 10, "encoded": 1}
    assert texts(catalog)["utf8.txt"] == ["La nueva versión habla de zanahorias."]
    hashes = {row["hash"] for row in holds(catalog.path)["files"]}
    assert {row["hash"] for row in holds(catalog.path)["passages"]} <= hashes
    assert {row["hash"] for row in holds(catalog.path)["sentences"]} <= hashes
    assert catalog.search("zanahorias").hits[0].path == str(file)
    assert catalog.doctor() == []


def test_a_moved_document_costs_no_encoding(catalog: Catalog, folder: Path) -> None:
    catalog.add(folder)
    before, seen = holds(catalog.path), len(Meaning.seen)
    (folder / "informe.pdf").rename(folder / "movido.pdf")
    assert counts(catalog.add(folder, prune=True)) == {"added": 1, "unchanged": 10, "removed": 1}
    assert len(Meaning.seen) == seen
    assert holds(catalog.path)["passages"] == before["passages"]


def test_what_goes_takes_its_passages_along(catalog: Catalog, folder: Path) -> None:
    catalog.add(folder)
    (folder / "utf8.txt").unlink()
    (folder / "informe.pdf").unlink()
    assert counts(catalog.add(folder)) == {"unchanged": 9}
    assert "utf8.txt" in texts(catalog), "without --prune nothing is forgotten"
    assert counts(catalog.add(folder, prune=True)) == {"unchanged": 9, "removed": 2}
    assert not {"utf8.txt", "informe.pdf"} & texts(catalog).keys()
    assert catalog.doctor() == []


def test_remove_takes_passages_along(catalog: Catalog, folder: Path) -> None:
    catalog.add(folder)
    assert catalog.remove(folder / "utf8.txt", folder / "notas.md") == 2
    assert not {"utf8.txt", "notas.md"} & texts(catalog).keys()
    assert catalog.doctor() == []
    assert catalog.remove(folder) == 9
    found = holds(catalog.path)
    assert (found["items"], found["passages"], found["sentences"], found["files"]) == ([], [], [], [])
    assert catalog.search("la casa").hits == ()
    assert catalog.doctor() == []
    assert counts(catalog.add(folder))["added"] == 11
    assert catalog.doctor() == []


def test_a_document_that_becomes_a_picture_and_back(catalog: Catalog, tmp_path: Path) -> None:
    file = save_text(tmp_path / "p" / "a.txt", 1)
    catalog.add(tmp_path / "p")
    file.unlink()
    save(tmp_path / "p" / "a.png", 1)
    catalog.add(tmp_path / "p", prune=True)
    found = holds(catalog.path)
    assert (len(found["items"]), found["passages"]) == (1, [])
    (tmp_path / "p" / "a.png").unlink()
    save_text(file, 2)
    catalog.add(tmp_path / "p", prune=True)
    assert [row["kind"] for row in holds(catalog.path)["items"]] == ["text"]
    assert catalog.doctor() == []


def test_a_catalog_of_documents_alone(catalog: Catalog, tmp_path: Path) -> None:
    save_text(tmp_path / "p" / "a.txt", 1)
    catalog.add(tmp_path / "p")
    result = catalog.search("la casa")
    assert (len(result), result.searched, result.line) == (1, 1, None)
    assert catalog.duplicates() == []
    assert catalog.doctor() == []
    assert catalog.search("la casa", kinds=["image"]).hits == ()


def test_a_catalog_of_pictures_alone_has_no_tables_of_texts(catalog: Catalog, tmp_path: Path) -> None:
    pictures(tmp_path / "p", 3)
    catalog.add(tmp_path / "p")
    assert holds(catalog.path)["names"] == ["catalejo.json", "files.lance", "items.lance", "thumbnails", "writer.lock"]
    assert catalog.shelf.find("la casa") == []
    assert Meaning.seen == []


# -- what cannot be read --------------------------------------------------------------


def test_broken_documents_are_listed_and_the_rest_goes_on(catalog: Catalog, folder: Path) -> None:
    whole = (folder / "informe.pdf").read_bytes()
    (folder / "cut.pdf").write_bytes(whole[: len(whole) // 3])
    (folder / "no.pdf").write_bytes(b"not a PDF at all")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "picture.txt").write_bytes((folder / "part 1" / "picture 001.png").read_bytes() + b"x")
    (folder / "binary.md").write_bytes(bytes(range(256)) * 40)
    shutil.copy(documents.FOLDER / "cifrado.pdf", folder)
    shutil.copy(documents.FOLDER / "rota.vtt", folder)
    report = catalog.add(folder)
    assert report.added == 11 + ("rota.vtt" not in reasons(catalog))
    told = reasons(catalog)
    assert {"no.pdf", "empty.txt", "empty.pdf", "picture.txt", "binary.md", "cifrado.pdf"} <= told.keys()
    assert told["empty.txt"] == told["empty.pdf"] == "empty file"
    assert "password" in told["cifrado.pdf"]
    assert "PNG" in told["picture.txt"]
    for reason in told.values():
        assert reason and "\n" not in reason and "0x" not in reason
    assert catalog.doctor() == []
    again = catalog.add(folder)
    assert (again.unchanged, again.skipped) == (report.added, report.skipped)


def test_a_document_with_nothing_in_it_is_an_item_without_passages(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "blank.txt").write_text(" \n\t\n  ")
    (tmp_path / "p" / "marks.md").write_text("---\n\n***\n")
    (tmp_path / "p" / "dots.txt").write_text("... ¡! ¿?")
    report = catalog.add(tmp_path / "p")
    assert (report.added, report.skipped) == (3, 0)
    assert len(holds(catalog.path)["items"]) == 3
    assert holds(catalog.path)["passages"] == []
    assert catalog.search("nada").hits == ()
    assert catalog.doctor() == []
    assert counts(catalog.add(tmp_path / "p")) == {"unchanged": 3}
    save_text(tmp_path / "p" / "words.txt", 1)
    catalog.add(tmp_path / "p")
    assert {Path(hit.path).name for hit in catalog.search("la casa")} == {"words.txt"}


def test_the_same_bytes_under_another_suffix_are_read_their_own_way(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no PDF may well be a text, also when both are read at once."""
    both = threading.Barrier(2, timeout=10)
    from catalejo import reading

    real = reading.FileReader._claim
    asked: list[str] = []

    def claim(self: Any, digest: str) -> Any:
        made = real(self, digest)
        asked.append(digest)
        if len(asked) <= 2:
            both.wait()
        return made

    monkeypatch.setattr(reading.FileReader, "_claim", claim)
    save_text(tmp_path / "p" / "a.pdf", 1)
    save_text(tmp_path / "p" / "b.txt", 1)
    assert catalog.add(tmp_path / "p", workers=2).encoded == 1
    assert "b.txt" not in reasons(catalog)


class Absent:
    """A reader whose packages are not there."""

    def __init__(self) -> None:
        raise MissingExtra("document 'absent'", "absent", "documents")


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(plugins.DOCUMENTS, "absent", Plugin("nowhere_at_all:Absent", "documents", (".absent",)))
    for cached in (plugins.table, plugins.by_suffix):
        cached.cache_clear()
    yield "absent"
    for cached in (plugins.table, plugins.by_suffix):
        cached.cache_clear()


def test_a_missing_extra_is_a_reason_and_installing_it_is_enough(
    catalog: Catalog, tmp_path: Path, absent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_text(tmp_path / "p" / "a.absent", 1)
    save_text(tmp_path / "p" / "b.txt", 2)
    assert counts(catalog.add(tmp_path / "p")) == {"added": 1, "encoded": 1, "skipped": 1}
    told = reasons(catalog)["a.absent"]
    assert told == "document 'absent' needs the package nowhere_at_all: pip install \"catalejo[documents]\""
    assert counts(catalog.add(tmp_path / "p")) == {"unchanged": 1, "skipped": 1}
    monkeypatch.setitem(plugins.DOCUMENTS, absent, Plugin("catalejo.readers.text:TextReader", None, (".absent",)))
    plugins.table.cache_clear()
    assert counts(catalog.add(tmp_path / "p")) == {"added": 1, "unchanged": 1, "encoded": 1}
    assert catalog.skipped() == []


def test_a_reader_that_fails_in_any_way_costs_one_file(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalejo.readers.text import TextReader

    real = TextReader.read

    def read(self: Any, file: Any, path: str, limits: Limits) -> Any:
        yield next(iter(real(self, file, path, limits)))
        if path.endswith("bad.txt"):
            raise MemoryError

    save_text(tmp_path / "p" / "bad.txt", 1)
    save_text(tmp_path / "p" / "good.txt", 2)
    monkeypatch.setattr(TextReader, "read", read)
    assert counts(catalog.add(tmp_path / "p")) == {"added": 1, "encoded": 1, "skipped": 1}
    assert "memory" in reasons(catalog)["bad.txt"]
    assert len(holds(catalog.path)["items"]) == 1
    assert catalog.doctor() == []


# -- limits ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        ({"max_chars": 50}, "utf8.txt"),
        ({"max_document_pages": 2}, "informe.pdf"),
        ({"max_file_mb": 0.00002}, "personas.csv"),
        ({"max_unpacked_mb": 0.00001}, "acta.docx"),
        ({"max_archive_entries": 3}, "libro.epub"),
    ],
)
def test_a_limit_refuses_and_another_is_enough_to_read_it(
    catalog: Catalog, tmp_path: Path, limit: dict[str, Any], name: str
) -> None:
    if plugins.DOCUMENTS[plugins.document_for(Path(name).suffix) or ""].extra:
        pytest.importorskip("lxml")
    (tmp_path / "p").mkdir()
    shutil.copy(documents.FOLDER / name, tmp_path / "p")
    save_text(tmp_path / "p" / "damaged.pdf", 1)
    small = Limits(**limit)
    (flag,) = ("--" + key.replace("_", "-") for key in limit)
    assert counts(catalog.add(tmp_path / "p", limits=small)) == {"skipped": 2}
    assert reasons(catalog)[name].endswith(f"(raise it with {flag})")
    assert counts(catalog.add(tmp_path / "p", limits=small)) == {"skipped": 2}
    (key, value), *_ = limit.items()
    (tmp_path / "p" / "damaged.pdf").rename(tmp_path / "p" / "still.pdf")
    report = catalog.add(tmp_path / "p", limits=Limits(**{key: type(value)(value * 100_000)}), prune=True)
    assert (report.added, report.skipped) == (1, 1)
    assert list(reasons(catalog)) == ["still.pdf"]


def test_every_limit_is_recognised_again_as_readers_write_it() -> None:
    written = {
        "max_megapixels": "{:g}", "max_file_mb": "{:g} MB", "max_pages": "{} pages", "max_chars": "{:,} characters",
        "max_document_pages": "{} pages", "max_unpacked_mb": "{:g} MB", "max_unpacked_ratio": "{:g} times",
        "max_archive_entries": "{:,}", "max_seconds": "{:g} s", "max_streams": "{} streams", "max_media_mb": "{:g} MB",
    }  # fmt: skip
    assert written.keys() == {field.name for field in dataclasses.fields(Limits)}
    for name, form in written.items():
        for value in (1, 7, 200, 1_234_567, 20_000_000):
            flag = "--" + name.replace("_", "-")
            reason = OverLimit("p", "it has (more)", form.format(value), flag).reason
            assert not indexing.raised(reason, Limits(**{name: value}))
            assert indexing.raised(reason, Limits(**{name: value * 2}))
    assert not indexing.raised("damaged PDF (over the limit of nothing)", Limits())
    assert not indexing.raised("over the limit of 5 (raise it with --no-such-flag)", Limits())


def test_every_limit_has_its_flag() -> None:
    """An error that says "raise it with --x" must not name what the command does not take."""
    flags = {name.lstrip("-").replace("-", "_") for name in (*_OF_PICTURES, *_OF_DOCUMENTS, *_OF_RECORDINGS)}
    assert flags == {field.name for field in dataclasses.fields(Limits)}


# -- stopping -------------------------------------------------------------------------


def test_a_long_document_does_not_hold_up_a_stop(catalog: Catalog, tmp_path: Path) -> None:
    """Between the encoding of some sentences and of others a stop is heeded; the document is read by the next run."""
    file = save_text(tmp_path / "long.txt", 1, 600)
    Meaning.gate.clear()

    with heard_stop() as stop, pytest.raises(Stopped) as stopped:

        def interrupt() -> None:
            while not thread_named("catalejo_0"):
                time.sleep(0.001)
            ctrl_c()
            assert stop.wait(60)
            Meaning.gate.set()

        threading.Thread(target=interrupt).start()
        catalog.add(file)
    assert stopped.value.report.added == 0
    assert len(Meaning.seen) <= 512
    assert not (catalog.path / "sentences.lance").exists()
    assert counts(catalog.add(file)) == {"added": 1, "encoded": 1}
    assert catalog.doctor() == []


def test_a_stop_between_pages(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalejo.readers.text import TextReader

    pages_read: list[int] = []
    heard = threading.Event()

    def read(self: Any, file: Any, path: str, limits: Limits) -> Any:
        for number in range(1, 101):
            pages_read.append(number)
            if number == 10:
                ctrl_c()
                assert heard.wait(60)
            yield TextPage(f"Página {number}.", number)

    save_text(tmp_path / "a.txt", 1)
    monkeypatch.setattr(TextReader, "read", read)
    with heard_stop() as stop, pytest.raises(Stopped):
        threading.Thread(target=lambda: stop.wait(60) and heard.set()).start()
        catalog.add(tmp_path / "a.txt")
    assert len(pages_read) == 10
    monkeypatch.undo()


def test_a_document_that_changes_while_it_is_read(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save_text(tmp_path / "p" / "a.txt", 1)
    real = Meaning.encode_texts

    def encode(self: Meaning, asked: Any) -> Any:
        file.write_text("Otro texto.")
        return real(self, asked)

    monkeypatch.setattr(Meaning, "encode_texts", encode)
    assert counts(catalog.add(tmp_path / "p")) == {"skipped": 1}
    assert "it changed while it was read" in reasons(catalog)["a.txt"]
    monkeypatch.setattr(Meaning, "encode_texts", real)
    assert counts(catalog.add(tmp_path / "p")) == {"added": 1, "encoded": 1}
    assert texts(catalog) == {"a.txt": ["Otro texto."]}


def test_many_passages_are_saved_before_the_end(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits to be saved is bounded by passages too, not by files alone."""
    monkeypatch.setattr(indexing, "_COMMIT_PASSAGES", 10)
    for number in range(12):
        save_text(tmp_path / "p" / f"{number:02}.txt", number, 12)
    catalog.add(tmp_path / "p", workers=1)
    written = lance.dataset(str(catalog.path / "passages.lance")).versions()
    assert len(written) >= 4
    assert len(texts(catalog)) == 12
    assert len(Counting.seen) == 0
