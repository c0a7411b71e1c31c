"""``catalejo moderate`` as typed: the queue, tables, thresholds from costs, the drawing; and what it refuses."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from peculiar import colour, registered  # noqa: F401
from PIL import Image

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def named(peculiar: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoders of colours are known, and there is no catalog."""
    monkeypatch.setenv("CATALEJO_CATALOG", str(tmp_path / "no catalog"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("red", "green", "blue"):
        for number in range(3):
            colour(tmp_path / "photos" / f"{name}{number}.png", name)
    return tmp_path / "photos"


@pytest.fixture
def labelled(photos: Path) -> Path:
    path = photos.parent / "labelled.csv"
    rows = "".join(f"photos/{p.name},{int('red' in p.name)}\n" for p in sorted(photos.iterdir()))
    path.write_text(f"path,red\n{rows}", encoding="utf-8")
    return path


def rows(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_the_queue_most_pressing_first(run: Run, photos: Path, tmp_path: Path) -> None:
    queue = tmp_path / "queue.csv"
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n")
    done = run("moderate", photos, "--category", "red", "--threshold", "0.6", "--encoder", "colours", "--csv", queue)
    found = rows(done)
    assert [row[0] for row in found] == ["look"] * 3 + [""] * 6
    assert {Path(row[4]).name[:3] for row in found[:3]} == {"red"}
    assert "3 of 9 pictures to be looked at; colours; no file was changed" in done.stderr
    assert "could not be read, so nobody knows what they show" in done.stderr
    with queue.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["flagged"] for row in table] == ["red"] * 3 + [""] * 6 + ["not read"]
    assert float(table[0]["p: red"]) > float(table[0]["threshold: red"]) == 0.6
    assert table[0]["decision"] == ""


def test_json(run: Run, photos: Path) -> None:
    done = run("moderate", photos, "--category", "red", "--category", "azul", "--encoder", "colours", "--json")
    found = json.loads(done.stdout)
    assert found["categories"] == ["red", "azul"]
    assert found["pictures"][0]["flagged"]


def test_thresholds_from_costs_kept_drawn_and_used(run: Run, photos: Path, labelled: Path, tmp_path: Path) -> None:
    kept, curve = tmp_path / "t.json", tmp_path / "curve.png"
    done = run(
        *("moderate", "--calibrate", labelled, "--cost-miss", "5", "--encoder", "colours"),
        *("--save", kept, "--curve", curve, "--lang", "es"),
    )
    (found,) = rows(done)
    assert found[0] == "red"
    assert found[3:5] == ["0 of 3", "0 of 6"]
    with Image.open(curve) as drawn:
        assert drawn.size[0] > 700
    thresholds = json.loads(kept.read_text(encoding="utf-8"))["thresholds"]
    assert f"{thresholds['red']:.3f}" == found[1]
    queue = rows(run("moderate", photos, "--thresholds", kept, "--encoder", "colours"))
    assert sum(row[0] == "look" for row in queue) == 3
    assert {row[3] for row in queue} == {f"{thresholds['red']:.2f}"}


def test_calibrating_and_moderating_at_once(run: Run, photos: Path, labelled: Path) -> None:
    done = run("moderate", photos, "--calibrate", labelled, "--encoder", "colours", "--json")
    found = json.loads(done.stdout)
    chosen = found["calibrated"]["calibrations"][0]
    assert chosen["helps"]
    assert chosen["costs"] == {"miss": 1.0, "false_alarm": 1.0}
    assert found["pictures"][0]["scores"][0]["threshold"] == chosen["threshold"]


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ([], 2, "name pictures to look at"),
        (["PHOTOS", "--curve", "c.png"], 2, "name its table"),
        (["PHOTOS", "--category", " "], 1, "a category is empty"),
        (["PHOTOS", "--category", "red", "--threshold", "high"], 1, "--threshold is 'high'"),
        (["PHOTOS", "--category", "red", "--threshold", "blue=0.5"], 1, "no such category"),
        (["PHOTOS", "--category", "red", "--cost-miss", "0"], 1, "--cost-miss is 0"),
        (["PHOTOS", "--thresholds", "none.json"], 1, "no such file"),
        (["PHOTOS", "--thresholds", "BAD"], 1, "holds no thresholds"),
        (["--calibrate", "none.csv"], 1, "no such file"),
        (["PHOTOS"], 1, "catalejo fetch open-nsfw"),
        (["none", "--category", "red"], 1, "no such file"),
    ],
)
def test_what_it_refuses(run: Run, photos: Path, tmp_path: Path, arguments: list[str], code: int, reason: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("[1]")
    places = {"PHOTOS": str(photos), "BAD": str(bad)}
    done = run("moderate", *(places.get(one, one) for one in arguments), "--encoder", "colours", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (code, "")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
