"""``catalejo facts``, and what the other commands say of perceivers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import Run

from catalejo.demo import pictures


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    for name in ("chelsea.png", "rocket.jpg"):
        shutil.copy(pictures() / name, made)
    return made


def test_facts_of_a_picture_that_is_in_no_catalog(run: Run, folder: Path, tmp_path: Path) -> None:
    done = run("-c", tmp_path / "none", "facts", folder / "chelsea.png", "--perceive", "labels,colours", "--lang", "es")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == str(folder / "chelsea.png")
    assert lines[1].split("\t") == ["tamaño", "451 x 300", "", "file", ""]
    assert any(line.startswith("etiqueta\tgato\t") for line in lines)
    assert any(line.startswith("color\t") for line in lines)
    assert not (tmp_path / "none").exists()


def test_json_has_the_facts_and_one_bad_file_stops_nothing(run: Run, folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8 damaged")
    done = run("facts", bad, folder / "rocket.jpg", "--perceive", "labels", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert [one["path"] for one in found["files"]] == [str(folder / "rocket.jpg")]
    assert [one["path"] for one in found["skipped"]] == [str(bad)]
    assert {fact["kind"] for fact in found["files"][0]["facts"]} >= {"size", "label"}
    alone = run("facts", bad, "--perceive", "labels")
    assert alone.returncode == 1
    assert alone.stderr.startswith(f"catalejo: {bad}: ") and alone.stderr.count("\n") == 1


def test_a_perceiver_that_is_not_there(run: Run, folder: Path) -> None:
    done = run("facts", folder / "rocket.jpg", "--perceive", "label")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "labels" in done.stderr


def test_add_says_what_was_perceived_and_status_what_waits(run: Run, folder: Path, tmp_path: Path) -> None:
    first = run("-c", tmp_path / "c", "add", folder, "--perceive", "none")
    assert "perceived" not in first.stdout
    waits = run("-c", tmp_path / "c", "status")
    (line,) = (line for line in waits.stderr.splitlines() if line.startswith("not perceived yet: "))
    assert "colours (2 files)" in line and "labels (2 files)" in line and line.endswith(" add FOLDER")
    second = run("-c", tmp_path / "c", "add", folder, "--perceive", "colours")
    assert "perceived 2 files: " in second.stdout
    status = run("-c", tmp_path / "c", "status")
    assert "(files perceived: colours 2)" in status.stdout
    assert "colours (" not in status.stderr and "labels (2 files)" in status.stderr
    counts = {
        one["name"]: one for one in json.loads(run("-c", tmp_path / "c", "status", "--json").stdout)["perceivers"]
    }
    assert (counts["colours"]["files"], counts["labels"]["waiting"]) == (2, 2)
    known = run("-c", tmp_path / "c", "facts", folder / "chelsea.png", "--perceive", "colours", "--json")
    assert known.returncode == 0
