"""The second stage of ``add``: who looks at what, what is kept of it, what happens when it is stopped or fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lance
import pytest
from making import (  # noqa: F401  (fixtures)
    Counting,
    counting_encoder,
    encoder_of_meaning,
    holds,
    pictures,
    save,
    save_pages,
    save_text,
    stamp,
)
from sensing import Newer, Signs, save_sound, stand_ins  # noqa: F401  (fixture)

from catalejo import Catalog, perceiving, plugins
from catalejo.errors import BadQuery, MissingWeights, UnknownName
from catalejo.factbook import Factbook
from catalejo.indexing import Stopped
from catalejo.perceiving import by_stretch
from catalejo.plugins import Plugin
from catalejo.records import Item
from catalejo.texts import Cue, TextPage

pytestmark = pytest.mark.usefixtures("counting", "meaning", "sensing")


def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "c", encoder="counting")


def facts(made: Catalog) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = lance.dataset(str(made.path / "facts.lance")).to_table().to_pylist()
    return [row for row in table if row["kind"] != "perceived"]


def test_what_was_read_in_a_picture_is_found_with_its_box(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a.png", 1, (81, 60))
    save(tmp_path / "p" / "b.png", 2, (90, 60))
    made = catalog(tmp_path)
    report = made.add(tmp_path / "p", perceive="signs").perceiving
    assert report is not None
    assert (report.perceived, report.facts, report.waiting, report.failed) == (2, 4, 0, ())
    first = made.search("farmacia del número 81").hits[0]
    assert (Path(first.path).name, first.kind, first.signal, first.matches) == ("a.png", "image", "signs", True)
    assert first.quote == "El farmacia del número 81 por 60."
    assert first.box == (1.0, 2.0, 81.0, 12.0)
    assert (first.width_px, first.height_px) == (81, 60)


def test_nobody_looks_twice_and_copies_are_looked_at_once(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a.png", 1)
    (tmp_path / "p" / "copy.png").write_bytes((tmp_path / "p" / "a.png").read_bytes())
    made = catalog(tmp_path)
    made.add(tmp_path / "p", perceive="signs")
    before = holds(made.path)
    report = made.add(tmp_path / "p", perceive="signs").perceiving
    assert report is not None and report.perceived == 0
    assert len(Signs.seen) == 1
    assert holds(made.path) == before


def test_every_page_is_looked_at_at_its_full_size(tmp_path: Path) -> None:
    save_pages(tmp_path / "p" / "a.tif", [1, 2, 3])
    save(tmp_path / "p" / "large.png", 4, (900, 700))
    made = catalog(tmp_path)
    made.add(tmp_path / "p", perceive="signs")
    assert sorted(Signs.seen) == [(64, 48)] * 3 + [(900, 700)]
    assert sorted(fact["page"] for fact in facts(made) if fact["kind"] == "label") == [0, 0, 1, 2]
    hits = made.search("letrero del número 64", k=9).hits
    assert {(hit.page, hit.span.page) for hit in hits if hit.span and hit.path.endswith("tif")} >= {
        (0, 1),
        (1, 2),
        (2, 3),
    }


def test_none_and_a_catalog_without_perceivers_make_no_table(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a.png", 1)
    made = catalog(tmp_path)
    made.add(tmp_path / "p", perceive="none")
    made.add(tmp_path / "p")  # CATALEJO_PERCEIVE is none in tests
    assert not (made.path / "facts.lance").exists()
    assert not (made.path / "passages.lance").exists()
    assert Signs.seen == []


def test_auto_takes_who_is_there_and_says_what_brings_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "p" / "a.png", 1)
    made = catalog(tmp_path)
    monkeypatch.delenv("CATALEJO_PERCEIVE")
    report = made.add(tmp_path / "p").perceiving
    assert report is not None and report.perceived == 1
    assert report.missing == ("absent is not on this machine. Fetch it: catalejo fetch absent",)
    status = {one.name: one for one in made.status().perceivers}
    assert (status["signs"].files, status["signs"].waiting) == (1, 0)
    assert (status["absent"].waiting, "catalejo fetch absent" in status["absent"].missing) == (1, True)
    assert "voices" not in status  # there is nothing to hear


@pytest.mark.parametrize(
    ("names", "error", "says"),
    [
        ("absent", MissingWeights, "catalejo fetch absent"),
        ("sings", UnknownName, "signs"),
        ("none,signs", BadQuery, "alone"),
        (" , ", BadQuery, "names none"),
    ],
)
def test_names_that_cannot_be_are_refused_before_anything_is_done(
    tmp_path: Path, names: str, error: type[Exception], says: str
) -> None:
    save(tmp_path / "p" / "a.png", 1)
    with pytest.raises(error, match=says):
        catalog(tmp_path).add(tmp_path / "p", perceive=names)
    assert not (tmp_path / "c").exists()


def test_a_file_that_cannot_be_perceived_stops_nobody_and_is_tried_again_on_request(tmp_path: Path) -> None:
    for seed in range(3):
        save(tmp_path / "p" / f"{seed}.png", seed, (40 + seed, 40))
    made = catalog(tmp_path)
    Signs.fails = (41, 40)
    report = made.add(tmp_path / "p", perceive="signs").perceiving
    assert report is not None and (report.perceived, report.facts) == (3, 4)
    (failed,) = report.failed
    assert failed.path.endswith("1.png")
    assert failed.reason == "signs: signs failed (RuntimeError: cannot see that)"
    assert next(one for one in made.status().perceivers if one.name == "signs").failed == 1
    Signs.fails = None
    assert made.add(tmp_path / "p", perceive="signs").perceiving.perceived == 0  # type: ignore[union-attr]
    again = made.add(tmp_path / "p", perceive="signs", retry=True).perceiving
    assert again is not None and (again.perceived, again.failed) == (1, ())
    assert len(facts(made)) == 6


def test_another_version_looks_again_and_what_the_first_said_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(tmp_path / "p", 3)
    made = catalog(tmp_path)
    made.add(tmp_path / "p", perceive="signs")
    monkeypatch.setitem(plugins._OURS["perceivers"], "signs", Plugin("sensing:Newer", kinds=("image",)))
    report = made.add(tmp_path / "p", perceive="signs").perceiving
    assert report is not None and report.perceived == 3
    found = holds(made.path)
    assert all(row["text"].startswith("Otro") for row in found["passages"])
    assert len(found["passages"]) == len(found["sentences"]) == len(facts(made)) == 3
    assert Newer.version == "2"
    assert made.doctor() == []


def test_a_file_that_changed_or_went_waits(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "p", 3)
    made = catalog(tmp_path)
    made.add(folder, perceive="none")
    first, second, _ = sorted(folder.rglob("*.*"))
    first.unlink()
    stamp(second, 99)
    other = save(tmp_path / "other" / "d.png", 4)
    report = made.add(other, perceive="signs").perceiving
    assert report is not None and (report.perceived, report.away, report.waiting) == (2, 2, 0)
    again = made.add(folder, perceive="signs", prune=True).perceiving
    assert again is not None and (again.perceived, again.away) == (1, 0)


def test_what_is_forgotten_takes_its_facts_along(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "p", 3)
    made = catalog(tmp_path)
    made.add(folder, perceive="signs")
    gone = min(folder.rglob("*.*"))
    made.remove(gone)
    assert len(facts(made)) == 4
    assert len(holds(made.path)["passages"]) == 2
    gone = min(folder.rglob("*.*"))  # still on the disk: it comes back
    made.add(folder, perceive="none")
    report = made.add(folder, perceive="signs").perceiving
    assert report is not None and report.perceived == 1
    assert made.doctor() == []


def test_interrupted_it_goes_on_from_there_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pictures(tmp_path / "p", 8)
    whole = Catalog(tmp_path / "whole", encoder="counting")
    whole.add(folder, perceive="signs")
    monkeypatch.setattr(perceiving, "_COMMIT_FILES", 2)

    def stop(done: int, total: int) -> None:
        assert total == 8
        if done == 5:
            raise KeyboardInterrupt

    made = catalog(tmp_path)
    with pytest.raises(Stopped) as stopped:
        made.add(folder, perceive="signs", workers=1, perceiving=stop)
    report = stopped.value.report
    assert report.added == 8 and report.stopped and report.perceiving is not None
    assert (report.perceiving.perceived, report.perceiving.waiting, report.perceiving.stopped) == (5, 3, True)
    rest = made.add(folder, perceive="signs").perceiving
    assert rest is not None and rest.perceived == 3
    for table in ("items", "facts", "passages", "sentences"):
        assert holds(made.path)[table] == holds(whole.path)[table]


def test_documents_and_pictures_share_the_tables(tmp_path: Path) -> None:
    save_text(tmp_path / "p" / "a.txt", 1)
    save(tmp_path / "p" / "a.png", 1, (81, 60))
    made = catalog(tmp_path)
    made.add(tmp_path / "p", perceive="signs")
    rows = holds(made.path)["passages"]
    assert {row["signal"] for row in rows} == {"text", "signs"}
    texts = made.search("el farmacia del número 81", kinds=["text"], k=20).hits
    assert texts and all(hit.kind == "text" and hit.signal == "text" and hit.box is None for hit in texts)
    images = made.search("el farmacia del número 81", kinds=["image"], k=20).hits
    assert [(hit.kind, hit.signal) for hit in images] == [("image", "signs")]


def test_a_scanned_page_is_drawn_and_read(tmp_path: Path) -> None:
    source = Path(__file__).parent / "fixtures" / "documents" / "escaneado.pdf"
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "s.pdf").write_bytes(source.read_bytes())
    made = catalog(tmp_path)
    made.add(tmp_path / "p", perceive="signs")
    scans = [row["page"] for row in holds(made.path)["items"] if row["kind"] == "scan"]
    assert len(Signs.seen) == len(scans) == 2
    wide, high = Signs.seen[0]
    assert wide > 1_000 and high > 1_000  # large enough to be read
    hit = made.search(f"número {wide} por {high}", kinds=["text"]).hits[0]
    assert (hit.signal, hit.page in scans, hit.kind) == ("signs", True, "scan")


# -- recordings -------------------------------------------------------------------------


def test_speech_and_sounds_are_found_with_their_seconds(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="recordings are read by the extra `media`")
    save_sound(tmp_path / "p" / "a.wav", 70)
    save(tmp_path / "p" / "a.png", 1)
    made = catalog(tmp_path)
    report = made.add(tmp_path / "p", perceive="voices").perceiving
    assert report is not None and report.perceived == 1 and report.failed == ()
    found = holds(made.path)
    stretches = [row for row in found["items"] if row["kind"] == "audio"]
    assert len(stretches) > 1
    assert all(len(row["noises"]) == 8 for row in stretches)
    hit = made.search("habla del estación número 3", kinds=["audio"]).hits[0]
    assert (hit.kind, hit.signal, hit.start_s, hit.end_s) == ("audio", "voices", 32.0, 35.0)
    assert hit.quote == "Ahora habla del estación número 3."
    stretch = next(row for row in stretches if row["page"] == hit.page)
    assert stretch["start_s"] <= 32 < stretch["end_s"]
    heard = made.search("uno dos tres cuatro cinco", kinds=["audio"]).hits  # five words: from 40 to 50 s
    assert len(heard) == 1  # stretches of one recording are one hit
    assert heard[0].start_s is not None and heard[0].start_s < 50
    assert (heard[0].signal, heard[0].why.startswith("noise ")) == ("sounds", True)
    (image,) = (row for row in found["items"] if row["kind"] == "image")
    assert image["labels"] and image["noises"] is None


def test_a_recording_is_never_encoded_as_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="recordings are read by the extra `media`")
    save_sound(tmp_path / "p" / "a.wav", 5)
    made = catalog(tmp_path)
    made.add(tmp_path / "p")
    assert Counting.seen == []
    (item,) = holds(made.path)["items"]
    assert (item["kind"], item["counting"]) == ("audio", None)
    assert made.doctor() == []
    assert made.search("nada").hits == ()


SAID = TextPage("Uno dos. Tres cuatro. Cinco.", 1, cues=(Cue(0, 8, 0, 9), Cue(9, 21, 9.5, 20), Cue(22, 28, 21, 22)))


def stretch(page: int, start_s: float, end_s: float) -> Item:
    return Item("h", page, "audio", 0, 0, start_s=start_s, end_s=end_s)


def test_what_was_said_is_cut_by_stretches() -> None:
    parts = list(by_stretch(SAID, [stretch(3, 0, 10), stretch(4, 10, 20), stretch(5, 20, 30)]))
    assert [(part.number, part.text) for part in parts] == [(4, "Uno dos."), (5, "Tres cuatro."), (6, "Cinco.")]
    for part in parts:
        assert [part.text[cue.start : cue.end] for cue in part.cues] == [part.text]
    assert [part.cues[0].start_s for part in parts] == [0, 9.5, 21]


def test_what_was_said_without_stretches_or_cues() -> None:
    assert list(by_stretch(SAID, [])) == [SAID]
    assert list(by_stretch(TextPage("Hola.", 1), [stretch(0, 0, 5)])) == [TextPage("Hola.", 1)]
    assert list(by_stretch(TextPage("", 1), [stretch(0, 0, 5)])) == []
    one = list(by_stretch(SAID, [stretch(0, 0, 30)]))
    assert [part.text for part in one] == [SAID.text]


# -- catalogs made before ---------------------------------------------------------------


def test_a_catalog_made_before_opens_searches_and_takes_additions(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a.png", 1, (81, 60))
    save_text(tmp_path / "p" / "a.txt", 1)
    made = catalog(tmp_path)
    made.add(tmp_path / "p")
    for name, columns in (
        ("items", ["start_s", "end_s"]),
        ("passages", ["signal", "box"]),
        ("sentences", ["signal", "box"]),
    ):
        lance.dataset(str(made.path / f"{name}.lance")).drop_columns(columns)
    before = catalog(tmp_path)
    assert before.search("la casa", kinds=["text"]).hits
    assert before.search("la casa", kinds=["image"]).hits
    assert before.status().items == 2
    assert before.doctor() == []
    assert not Factbook(before._store).exists
    save_text(tmp_path / "p" / "b.txt", 2)
    report = before.add(tmp_path / "p", perceive="signs")
    assert report.added == 1 and report.perceiving is not None and report.perceiving.perceived == 1
    hit = catalog(tmp_path).search("farmacia del número 81").hits[0]
    assert (hit.signal, hit.box) == ("signs", (1.0, 2.0, 81.0, 12.0))
    assert {row["signal"] for row in holds(made.path)["passages"]} == {None, "text", "signs"}
    assert catalog(tmp_path).doctor() == []
