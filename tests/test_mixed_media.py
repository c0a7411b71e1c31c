"""Pictures, a PDF, a recording and a film: one ``add``, one ``search`` that finds each, with box, page and second."""

from __future__ import annotations

import shutil
from pathlib import Path

import documents
import pytest
from making import counting_encoder, encoder_of_meaning, holds, save, save_text  # noqa: F401  (fixtures)
from sensing import save_sound, stand_ins  # noqa: F401  (fixture)

from catalejo import Catalog, senses
from catalejo.demo import pictures
from catalejo.senses import facts_of

films = pytest.importorskip("films", reason="films and recordings need the extra `media`")


def film(path: Path) -> Path:
    """24 seconds: a cat, a rocket, and a tone."""
    frames = films.still("chelsea.png", 12) + films.still("rocket.jpg", 12)
    path.write_bytes(films.film(frames, sound=films.tone(24)))
    return path


@pytest.fixture
def mixed(tmp_path: Path, counting: None, meaning: None, sensing: None) -> Catalog:
    folder = tmp_path / "p"
    save(folder / "a.png", 1, (81, 60))
    save_text(folder / "a.txt", 1)
    shutil.copy(documents.FOLDER / "escaneado.pdf", folder)
    save_sound(folder / "a.wav", 70)
    film(folder / "a.mp4")
    made = Catalog(tmp_path / "c", encoder="counting")
    report = made.add(folder, perceive="signs,voices")
    assert (report.added, report.skipped) == (5, 0)
    assert report.perceiving is not None and report.perceiving.failed == ()
    assert report.perceiving.perceived == 4  # a text says all by itself
    return made


def test_each_kind_is_found_with_its_place(mixed: Catalog) -> None:
    picture = mixed.search("farmacia del número 81 por 60").hits[0]
    assert (Path(picture.path).name, picture.kind, picture.signal) == ("a.png", "image", "signs")
    assert picture.box == (1.0, 2.0, 81.0, 12.0)
    scan = mixed.search("del número 1654 por 2339", kinds=["text"]).hits[0]
    assert (Path(scan.path).name, scan.kind, scan.signal, scan.box is not None) == (
        "escaneado.pdf",
        "scan",
        "signs",
        True,
    )
    heard = mixed.search("ahora habla del salida número 5").hits[0]
    assert (Path(heard.path).name, heard.kind, heard.signal) == ("a.wav", "audio", "voices")
    assert (heard.start_s, heard.end_s) == (52.0, 55.0)
    read = mixed.search("el letrero del número 160 por 120").hits[0]
    assert (Path(read.path).name, read.kind, read.signal) == ("a.mp4", "video", "signs")
    assert read.box == (1.0, 2.0, 160.0, 12.0) and read.start_s is not None


def test_what_is_said_in_a_film_shows_the_shot_of_that_second(mixed: Catalog) -> None:
    (hit,) = mixed.search("ahora habla del farmacia número 1", kinds=["video"]).hits
    assert (Path(hit.path).name, hit.kind, hit.signal, hit.start_s) == ("a.mp4", "video", "voices", 12.0)
    shot = next(row for row in holds(mixed.path)["items"] if row["hash"] == hit.hash and row["page"] == hit.page)
    assert shot["kind"] == "video"
    assert shot["start_s"] <= 12.5 and shot["end_s"] > 12
    assert mixed.thumbnail(hit).is_file()
    assert (hit.width_px, hit.height_px) == films.SIZE


def test_a_film_is_one_hit_with_its_moments(mixed: Catalog) -> None:
    hits = mixed.search("el letrero del número 160 por 120", k=20).hits
    assert [Path(hit.path).name for hit in hits].count("a.mp4") == 1
    (hit,) = (hit for hit in hits if hit.path.endswith("mp4"))
    assert all(moment.start_s != hit.start_s for moment in hit.moments)


@pytest.mark.parametrize("kind", ["image", "text", "audio", "video"])
def test_only_files_of_a_kind(mixed: Catalog, kind: str) -> None:
    names = {"image": {"a.png"}, "text": {"a.txt", "escaneado.pdf"}, "audio": {"a.wav"}, "video": {"a.mp4"}}
    hits = mixed.search("el letrero del museo habla número", kinds=[kind], k=30).hits
    assert {Path(hit.path).name for hit in hits} <= names[kind]
    assert hits


def test_everything_fits_together(mixed: Catalog) -> None:
    assert mixed.doctor() == []
    status = mixed.status()
    assert (status.pictures, status.shots, status.texts) == (1, 2, 3)
    assert status.stretches >= 3 and status.scans == 2
    assert {one.name: (one.files, one.waiting) for one in status.perceivers} == {
        "signs": (3, 0),
        "voices": (2, 0),
        "absent": (0, 1),
    }
    assert [space.waiting for space in status.spaces] == [0, 0]


def test_facts_come_from_the_catalog_and_are_those_of_the_file(mixed: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "p" / "a.mp4"
    (known,) = mixed.facts(path, perceive="signs,voices")
    alone = facts_of(str(path), "signs,voices")
    assert {(one.kind, one.value, one.start_s) for one in known.facts} == {
        (one.kind, one.value, one.start_s) for one in alone.facts
    }
    assert {"duration", "shots", "text", "label", "speech"} <= {one.kind for one in known.facts}
    assert known.perceived == ("signs", "voices")


def test_with_the_real_perceivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    able = {one.name for one in senses.senses(("auto",)).able}
    if "ocr" not in able:
        pytest.skip("reading text in pictures needs the extra `ocr`")
    folder = tmp_path / "p"
    folder.mkdir()
    for name in ("page.png", "chelsea.png"):
        shutil.copy(pictures() / name, folder)
    shutil.copy(documents.FOLDER / "escaneado.pdf", folder)
    film(folder / "a.mp4")
    save_sound(folder / "a.wav", 12)
    made = Catalog(tmp_path / "c")
    report = made.add(folder, perceive="ocr,labels,colours")
    assert report.added == 5 and report.perceiving is not None and report.perceiving.failed == ()
    page = made.search("determine markers of the coins and the background").hits[0]
    assert (Path(page.path).name, page.signal, page.matches) == ("page.png", "ocr", True)
    assert page.box is not None and 0 <= page.box[0] < page.box[2] <= 384
    cat = made.search("un gato", kinds=["video"]).hits[0]
    assert (cat.kind, cat.signal, cat.start_s) == ("video", "picture", 0.0)
    assert "gato" in cat.why or "cat" in cat.why
    assert [hit.kind for hit in made.search("un gato", kinds=["image"], k=1)] == ["image"]
    (known,) = made.facts(folder / "chelsea.png", perceive="labels")
    assert any(fact.kind == "label" and fact.said("es") == "gato" for fact in known.facts)
