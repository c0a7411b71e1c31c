"""The command line, in processes of its own: exit codes, JSON, pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run
from PIL import Image

from catalejo import Catalog, __version__
from catalejo.records import Hit
from catalejo.reports import AddReport


@pytest.fixture(scope="module")
def folder(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog made through the command line."""
    catalog = tmp_path_factory.mktemp("cli") / "c"
    command = [sys.executable, "-m", "catalejo", "-c", str(catalog), "add", str(samples), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert set(report) == set(AddReport.__dataclass_fields__)
    assert (report["added"], report["skipped"], report["stopped"]) == (6, 0, False)
    assert done.stderr == ""
    return catalog


def test_help_and_version(run: Run) -> None:
    for arguments in (["--help"], ["-h"], ["search", "--help"], ["add", "-h"]):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("Usage: ")
    assert __version__ in run("--version").stdout


@pytest.mark.parametrize("command", ["add", "search", "duplicates", "status", "skipped", "remove", "doctor", "demo"])
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    assert "catalejo " in run(command, "--help").stdout.split("\n\n", 1)[1]


def test_search_prints_json_as_the_api_says(run: Run, folder: Path) -> None:
    done = run("-c", folder, "search", "un gato", "-k", "2", "--json")
    found = json.loads(done.stdout)
    assert set(found["hits"][0]) == set(Hit.__dataclass_fields__)
    assert Path(found["hits"][0]["path"]).name == "chelsea.png"
    best = Catalog(folder).search("un gato", k=2)
    assert [hit["score"] for hit in found["hits"]] == [hit.score for hit in best]
    assert [hit["why"] for hit in found["hits"]] == [hit.why for hit in best]
    assert found["line"] == best.line
    assert found["nothing_matches"] is False


def test_search_in_a_pipe_is_one_line_a_hit(run: Run, folder: Path) -> None:
    done = run("search", "-c", folder, "un gato", "-k", "3")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert rows[0][2] == ""
    assert rows[0][3].endswith("chelsea.png")
    assert rows[1][2] == "chance"


def test_nothing_matches_is_said_on_standard_error(run: Run, folder: Path) -> None:
    done = run("-c", folder, "search", "un acordeón en una boda")
    assert done.returncode == 0
    assert done.stderr.startswith("nothing matches")
    assert all("\tchance\t" in line for line in done.stdout.splitlines())


def test_the_catalog_comes_from_the_environment(run: Run, folder: Path) -> None:
    done = run("status", "--json", env=os.environ | {"CATALEJO_CATALOG": str(folder)})
    assert json.loads(done.stdout)["items"] == 6


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_sheet_is_drawn(run: Run, folder: Path, tmp_path: Path, suffix: str) -> None:
    sheet = tmp_path / f"out.{suffix}"
    assert run("-c", folder, "search", "un gato", "--sheet", sheet).returncode == 0
    with Image.open(sheet) as picture:
        assert picture.width > 500
        assert picture.height > 200


def test_a_sheet_that_cannot_be_saved_is_one_line(run: Run, folder: Path, tmp_path: Path) -> None:
    for sheet, why in ((tmp_path / "none" / "x.png", "no such file"), (tmp_path / "x.odd", "name it .png")):
        done = run("-c", folder, "search", "un gato", "--sheet", sheet)
        assert done.returncode == 1
        assert why in done.stderr.lower()
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["search"], 1, "say what to look for"),
        (["search", "gato", "--since", "ayer"], 1, "ayer"),
        (["search", "--image", "/nowhere.png"], 1, "/nowhere.png"),
        (["add", "/nowhere"], 1, "/nowhere"),
        (["remove", "/nowhere"], 1, "knows no file"),
        (["add"], 2, "PATH"),
        (["serch"], 2, "Did you mean 'search'"),
        (["search", "gato", "--nope"], 2, "--nope"),
        (["search", "gato", "-k", "many"], 2, "many"),
    ],
)
def test_errors_are_one_line_or_usage_and_json_on_request(
    run: Run, folder: Path, arguments: list[str], code: int, words: str
) -> None:
    done = run("-c", folder, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("catalejo: ")
    as_json = run("-c", folder, *arguments, "--json")
    assert as_json.returncode == code
    assert as_json.stderr == ""
    assert words in json.loads(as_json.stdout)["error"]["message"]


def test_no_catalog_yet(run: Run, tmp_path: Path) -> None:
    for command in (["search", "gato"], ["status"], ["skipped"], ["duplicates"], ["doctor"], ["remove", "x"]):
        done = run("-c", tmp_path / "none", *command)
        assert done.returncode == 1, command
        assert "add FOLDER" in done.stderr
    assert not (tmp_path / "none").exists()


def test_status_skipped_remove_and_doctor(run: Run, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "bad.jpg").write_text("not a picture")
    (tmp_path / "p" / "cat.png").write_bytes((samples / "chelsea.png").read_bytes())
    catalog = tmp_path / "c"
    done = run("-c", catalog, "add", tmp_path / "p")
    assert done.stdout.startswith("1 added, 0 updated, 0 unchanged, 0 removed, 1 skipped")
    assert done.stderr.endswith(f"see: catalejo -c {catalog} skipped\n")
    assert run("-c", catalog, "skipped").stdout.startswith(f"{tmp_path}/p/bad.jpg\t")
    listed = json.loads(run("-c", catalog, "skipped", "--json").stdout)["skipped"]
    assert [one["path"] for one in listed] == [str(tmp_path / "p" / "bad.jpg")]
    assert "items    1\n" in run("-c", catalog, "status").stdout
    assert run("-c", catalog, "doctor").stdout.startswith("all is well: 1 items of 1 files")
    assert json.loads(run("-c", catalog, "remove", tmp_path / "p" / "cat.png", "--json").stdout) == {"removed": 1}
    assert (tmp_path / "p" / "cat.png").exists()
    assert json.loads(run("-c", catalog, "status", "--json").stdout)["items"] == 0
    assert not list((catalog / "thumbnails").glob("*/*.webp"))


def test_doctor_says_what_is_wrong_and_repairs_it(run: Run, samples: Path, tmp_path: Path) -> None:
    catalog = tmp_path / "c"
    run("-c", catalog, "add", samples)
    next((catalog / "thumbnails").glob("*/*.webp")).unlink()
    done = run("-c", catalog, "doctor")
    assert (done.returncode, "1 items without a readable thumbnail" in done.stdout) == (1, True)
    assert run("-c", catalog, "doctor", "--repair").returncode == 0
    assert json.loads(run("-c", catalog, "add", samples, "--json").stdout)["added"] == 1
    assert json.loads(run("-c", catalog, "doctor", "--json").stdout)["findings"] == []


def test_duplicates(run: Run, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    with Image.open(samples / "chelsea.png") as cat:
        cat.save(tmp_path / "p" / "cat.png")
        cat.resize((300, 200)).convert("RGB").save(tmp_path / "p" / "small.jpg", quality=70)
    (tmp_path / "p" / "copy.png").write_bytes((tmp_path / "p" / "cat.png").read_bytes())
    (tmp_path / "p" / "other.png").write_bytes((samples / "coffee.png").read_bytes())
    run("-c", tmp_path / "c", "add", tmp_path / "p")
    groups = json.loads(run("-c", tmp_path / "c", "duplicates", "--json").stdout)["groups"]
    told = {(g["kind"], tuple(Path(p).name for p in g["paths"])) for g in groups}
    assert told == {("exact", ("cat.png", "copy.png")), ("near", ("cat.png", "small.jpg"))}


def test_the_demo_finds_what_it_asks_for(run: Run, tmp_path: Path) -> None:
    done = run("-c", tmp_path / "c", "demo", "--sheet", tmp_path / "demo.png", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    best = {search["query"]: Path(search["hits"][0]["path"]).name for search in found["searches"]}
    assert best == {
        "un gato": "chelsea.png",
        "a cup of coffee": "coffee.png",
        "un fotógrafo con cámara": "camera.png",
        "motorcycle": "motorcycle_left.png",
        "a rocket launch": "rocket.jpg",
    }
    with Image.open(tmp_path / "demo.png") as sheet:
        assert sheet.height > 5 * 200


@pytest.mark.parametrize("command", ["search gato", "models --json", "patches samples/chelsea.png"])
def test_a_closed_pipe_is_quiet(folder: Path, samples: Path, command: str) -> None:
    command = f"'{sys.executable}' -m catalejo -c '{folder}' {command.replace('samples', str(samples))} | true"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk to write to")
@pytest.mark.parametrize("command", ["--help", "search gato", "models --json", "serch --json", "search --json"])
def test_a_full_disk_is_one_line(folder: Path, command: str) -> None:
    command = f"'{sys.executable}' -m catalejo -c '{folder}' {command} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    said = "catalejo: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("arguments", [["search", "gato"], ["encode"], ["add", "."]])
@pytest.mark.parametrize("name", ["", " , "])
def test_an_encoder_without_a_name_is_refused(run: Run, folder: Path, arguments: list[str], name: str) -> None:
    done = run("-c", folder, *arguments, "--encoder", name)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert f"--encoder is {name!r}" in done.stderr


def test_names_no_terminal_should_see_are_escaped(run: Run, samples: Path, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    name = os.fsdecode("añ🐈\n\x1b[31m".encode() + b"\xff.png")
    (tmp_path / "p" / name).write_bytes((samples / "chelsea.png").read_bytes())
    run("-c", tmp_path / "c", "add", tmp_path / "p")
    done = run("-c", tmp_path / "c", "search", "gato")
    assert done.stdout.count("\n") == 1
    assert "\x1b" not in done.stdout
    assert "añ🐈\\n\\x1b[31m\\xff.png" in done.stdout
    path = json.loads(run("-c", tmp_path / "c", "search", "gato", "--json").stdout)["hits"][0]["path"]
    assert os.path.exists(os.fsencode(path))
