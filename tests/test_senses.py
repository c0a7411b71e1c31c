"""Who perceives, and what of one file, without a catalog."""

from __future__ import annotations

from concurrent.futures import CancelledError
from pathlib import Path

import documents
import pytest
from making import save, save_pages, save_text
from sensing import Signs, save_sound, stand_ins  # noqa: F401  (fixture)

from catalejo import plugins
from catalejo.errors import BadQuery, CannotRead, MissingWeights, OverLimit, UnknownName
from catalejo.plugins import Plugin
from catalejo.records import Item, Limits
from catalejo.senses import Perceiving, asked, facts_of, senses, sound_encoder

pytestmark = pytest.mark.usefixtures("sensing")


def test_names_are_taken_in_any_form(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("auto") == ("auto",)
    assert asked("none") == asked([]) == ()
    assert asked(" signs, voices,signs") == asked(["signs", "voices"]) == ("signs", "voices")
    assert asked(None) == ()  # CATALEJO_PERCEIVE is none in tests
    monkeypatch.setenv("CATALEJO_PERCEIVE", "voices")
    assert asked(None) == ("voices",)
    monkeypatch.setenv("CATALEJO_PERCEIVE", "")
    assert asked(None) == ("auto",)


@pytest.mark.parametrize("names", ["", ",", "auto,signs", ["none", "auto"]])
def test_names_that_make_no_sense(names: str | list[str]) -> None:
    with pytest.raises(BadQuery, match="--perceive"):
        asked(names)


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"sings.*signs"):
        asked("sings")


def test_those_that_cannot_work_are_named_with_their_remedy() -> None:
    found = senses(("auto",))
    assert [one.name for one in found.able] == ["signs", "voices"]
    assert [(one.name, "catalejo fetch absent" in one.why) for one in found.missing] == [("absent", True)]
    with pytest.raises(MissingWeights, match="catalejo fetch absent"):
        senses(("absent",))
    assert senses(()).able == ()


def test_facts_of_a_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", 1, (81, 60))
    known = facts_of(str(path), "auto")
    assert [(one.kind, one.by) for one in known.facts] == [("size", "file"), ("text", "signs"), ("label", "signs")]
    assert known.facts[0].value == "81 x 60"
    assert (known.perceived, known.failed, [one.name for one in known.missing]) == (("signs",), (), ["absent"])
    assert known.pages[0].text.startswith("El farmacia")
    assert [item.kind for item in known.items] == ["image"]


def test_each_page_of_a_file_has_its_facts(tmp_path: Path) -> None:
    path = save_pages(tmp_path / "a.tif", [1, 2, 3])
    known = facts_of(str(path), "signs")
    assert [fact.page for fact in known.facts if fact.kind == "label"] == [0, 1, 2]
    assert [page.number for page in known.pages] == [1, 2, 3]


def test_facts_of_documents(tmp_path: Path) -> None:
    known = facts_of(str(documents.FOLDER / "escaneado.pdf"), "signs")
    pages = [item.page for item in known.items if item.kind == "scan"]
    assert [fact.page for fact in known.facts if fact.kind == "label"] == pages
    assert facts_of(str(save_text(tmp_path / "a.txt", 1)), "auto").facts == ()


def test_facts_of_a_recording(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="recordings are read by the extra `media`")
    known = facts_of(str(save_sound(tmp_path / "a.wav", 21)), "auto")
    assert {fact.kind for fact in known.facts} == {"duration", "speech"}
    assert next(fact.number for fact in known.facts if fact.kind == "duration") == pytest.approx(21, abs=0.1)
    assert known.perceived == ("voices",)  # nobody looks at the drawing of a sound
    assert Signs.seen == []


@pytest.mark.parametrize("content", [b"", b"\xff\xd8 damaged"])
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(CannotRead, match=r"a\.jpg"):
        facts_of(str(path), "signs")
    with pytest.raises(CannotRead, match="no such file"):
        facts_of(str(tmp_path / "b.jpg"), "signs")


def test_limits_hold(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", 1, (400, 400))
    with pytest.raises(OverLimit, match="--max-megapixels"):
        facts_of(str(path), "signs", Limits(max_megapixels=0.01))


def test_one_that_fails_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugins._OURS["perceivers"], "other", Plugin("sensing:Newer", kinds=("image",)))
    plugins.table.cache_clear()
    path = save(tmp_path / "a.png", 1, (81, 60))
    monkeypatch.setattr("sensing.Newer.look", lambda *_: 1 / 0)
    known = facts_of(str(path), "signs,other")
    plugins.table.cache_clear()
    assert known.perceived == ("signs",)
    assert [(one.name, one.why) for one in known.failed] == [
        ("other", "other failed (ZeroDivisionError: division by zero)")
    ]


def test_stopped_it_stops(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", 1)
    able = senses(("signs",)).able
    with pytest.raises(CancelledError):
        Perceiving(Limits(), lambda: True).perceive(str(path), [Item("", 0, "image", 1, 1)], able)


def test_the_encoder_of_sounds_is_found_by_its_card() -> None:
    assert sound_encoder("noises").card.name == sound_encoder().card.name == "noises"
    assert sound_encoder("yamnet-2") is None
