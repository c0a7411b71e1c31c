"""``catalejo describe`` as typed: in a pipe, on a terminal, as JSON, CSV, XMP and sidecars; and what it refuses."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalejo.cli import main
from catalejo.errors import CannotRead
from catalejo.facts import Fact
from catalejo.records import Item
from catalejo.senses import Known, Missing

Typed = Callable[..., tuple[int, str, str]]
Run = Callable[..., subprocess.CompletedProcess[str]]

FACTS = (
    Fact("size", "400 x 300", None, "file"),
    Fact("label", "cat", 0.95, "labels", es="gato"),
    Fact("colour", "brown", 0.6, "colours", es="marrón"),
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Runs the command line in this process; every file shows a cat, but those called b cannot be read."""

    def known_of(store: object, path: str, *rest: object) -> Known:
        if Path(path).name == "b.png":
            raise CannotRead(path, "it is damaged")
        missing = (Missing("ocr", 'the perceiver needs rapidocr: pip install "catalejo[ocr]"'),)
        return Known(path, FACTS, missing=missing, items=(Item("h", 0, "image", 400, 300),))

    monkeypatch.setattr("catalejo.knowing.known_of", known_of)
    monkeypatch.setenv("CATALEJO_CATALOG", str(tmp_path / "no catalog"))
    for name in ("CATALEJO_ENDPOINT", "CATALEJO_MODEL", "CATALEJO_PERCEIVE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["describe", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_in_a_pipe_one_line_a_description(typed: Typed, photos: Path) -> None:
    code, out, err = typed(photos, "--lang", "es", "--lang", "en")
    assert code == 0
    rows = [line.split("\t") for line in out.splitlines()]
    a = str(photos / "a.png")
    assert rows == [
        [a, "0", "es", "Un gato", "Un gato. Color principal: marrón.", "facts", "", ""],
        [a, "0", "en", "A cat", "A cat. Main colour: brown.", "facts", "", ""],
    ]
    assert "2 descriptions, by facts" in err
    assert 'without ocr: the perceiver needs rapidocr: pip install "catalejo[ocr]"' in err
    assert "1 file could not be described" in err
    assert "it is damaged" in err


def test_on_a_terminal(typed: Typed, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    _, out, _ = typed(photos / "a.png", "--length", "long")
    assert "A cat (95%). Main colour: brown. A landscape picture, 400 by 300 pixels." in out
    assert "en, by facts" in out


def test_json_has_the_facts(typed: Typed, photos: Path) -> None:
    _, out, _ = typed(photos, "--json")
    found = json.loads(out)
    assert found["described"][0]["caption"] == "A cat"
    assert [fact["kind"] for fact in found["described"][0]["facts"]] == ["size", "label", "colour"]
    assert found["skipped"][0]["reason"] == "it is damaged"


def test_a_table(typed: Typed, photos: Path, tmp_path: Path) -> None:
    typed(photos, "--csv", tmp_path / "t.csv", "--lang", "es")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["alt_text"] == "Un gato. Color principal: marrón."
    assert row["by"] == "facts"


def test_a_table_that_cannot_be_written_is_said(typed: Typed, photos: Path, tmp_path: Path) -> None:
    code, _, err = typed(photos, "--csv", tmp_path / "none" / "t.csv")
    assert code == 1
    assert "cannot save" in err


def test_sidecars_are_written_once(typed: Typed, photos: Path) -> None:
    before = (photos / "a.png").read_bytes()
    code, _, err = typed(photos, "--sidecar", "--lang", "es")
    assert code == 0
    assert "wrote 1 sidecar; the pictures themselves were not changed" in err
    assert "Un gato" in (photos / "a.png.xmp").read_text(encoding="utf-8")
    assert (photos / "a.png").read_bytes() == before
    assert "wrote 0 sidecars" in typed(photos, "--sidecar", "--lang", "es")[2]


def test_texts_of_somebody_else_stay_and_are_named(typed: Typed, photos: Path) -> None:
    typed(photos, "--sidecar", "--lang", "es")
    sidecar = photos / "a.png.xmp"
    edited = sidecar.read_text(encoding="utf-8").replace(">Un gato<", ">Pepe<")
    sidecar.write_text(edited, encoding="utf-8")
    _, _, err = typed(photos, "--sidecar", "--lang", "es")
    assert "1 text of somebody else stayed (--replace overwrites them)" in err
    assert f"{sidecar}: dc:description (es)" in err
    assert sidecar.read_text(encoding="utf-8") == edited
    typed(photos, "--sidecar", "--lang", "es", "--replace")
    assert "Pepe" not in sidecar.read_text(encoding="utf-8")


def test_a_sidecar_that_is_none_is_said_and_the_status_tells(typed: Typed, photos: Path) -> None:
    (photos / "a.png.xmp").write_text("mine")
    code, out, err = typed(photos, "--sidecar")
    assert code == 1
    assert "was left as it is" in err
    assert "A cat" in out  # what could be done was


def test_xmp_on_standard_output(typed: Typed, photos: Path) -> None:
    _, out, _ = typed(photos / "a.png", "--xmp", "--lang", "es")
    assert out.startswith("<x:xmpmeta")
    assert '<rdf:li xml:lang="es">Un gato</rdf:li>' in out
    assert not (photos / "a.png.xmp").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--with", "endpoint"], 1, "no endpoint is named"),
        (["--xmp", "--json"], 2, "choose one"),
        (["--replace"], 2, "name both"),
        (["--lang", "fr"], 2, "'fr'"),
        (["--perceive", "nose"], 1, "no perceiver is called 'nose'"),
    ],
)
def test_what_it_refuses(typed: Typed, photos: Path, arguments: list[str], code: int, reason: str) -> None:
    found = typed(photos, *arguments)
    assert found[0] == code
    assert reason in found[1] + found[2]


def test_how_many_find_their_own_picture(typed: Typed, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = iter([(1, 9), (4, 9)])
    monkeypatch.setattr("catalejo.telling.Teller._ranker", lambda self: lambda path, page, caption: next(ranks))
    _, out, err = typed(photos, "--lang", "es", "--lang", "en")
    assert [line.split("\t")[6:] for line in out.splitlines()] == [["1", "9"], ["4", "9"]]
    assert "1 of 2 captions find their own picture first among 9; median rank 2.5" in err


def test_nothing_to_describe(typed: Typed, photos: Path) -> None:
    assert typed(photos / "none.png")[0] == 1
    code, _, err = typed(photos / "b.png")
    assert (code, err.count("\n")) == (1, 1)
    assert "it is damaged" in err


def test_the_real_thing(run: Run, samples: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"cwd": tmp_path}
    done = run(
        "-c", tmp_path / "c", "describe", samples / "chelsea.png", "--lang", "es", "--perceive", "labels", **options
    )
    assert done.returncode == 0, done.stderr
    assert "gato" in done.stdout.split("\t")[3]
