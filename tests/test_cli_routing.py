"""``catalejo route`` as people and pipes see it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run
from mixed import files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    files(folder)
    return folder


def test_a_line_a_way_with_tabs_in_a_pipe(run: Run, made: Path) -> None:
    done = run("route", "foto.png", "nota.wav", "clip.mp4", "informe.txt", "--model", "gpt-4o", cwd=made)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(row[0], row[3]) for row in rows] == [
        ("foto.png", "picture"),
        ("nota.wav", "speech"),
        ("nota.wav", "sounds"),
        ("clip.mp4", "key frames"),
        ("clip.mp4", "speech"),
        ("clip.mp4", "sounds"),
        ("informe.txt", "text"),
    ]
    assert {len(row) for row in rows} == {11}
    assert "whisper-base 1 x 1500 x 512" in rows[1][5]
    assert "within the 128,000 it reads" in done.stderr


def test_json_has_every_shape(run: Run, made: Path) -> None:
    done = run("route", "foto.png", "no-hay.mp3", "--model", "blip2", "--json", cwd=made)
    told = json.loads(done.stdout)
    (way,) = told["files"][0]["ways"]
    assert [stage["shape"] for stage in way["stages"]] == [
        [224, 224, 3],
        [257, 1408],
        [32, 768],
        [32, 2560],
        [32, 2560],
    ]
    assert (told["model"], told["tokens"]["tokens"], told["usd"], told["fits"]) == ("blip2-opt-2.7b", 32, 0.0, True)
    assert told["skipped"] == [{"path": "no-hay.mp3", "reason": "no such file or folder"}]


def test_without_a_model_it_says_where_facts_come_from(run: Run, made: Path) -> None:
    done = run("route", "nota.wav", cwd=made)
    assert [line.split("\t")[7] for line in done.stdout.splitlines()] == ["facts (no language model)"] * 2
    assert "USD" in done.stderr  # the names of the columns


def test_a_terminal_gets_a_table(made: Path) -> None:
    main, side = pty.openpty()
    code = "from catalejo.cli import main; main(['route', 'foto.png', '--model', 'blip2'])"
    wide = os.environ | {"COLUMNS": "80"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=side, stderr=subprocess.DEVNULL, cwd=made, env=wide) as process:
        os.close(side)
        told = b""
        while chunk := _read(main):
            told += chunk
    os.close(main)
    text = re.sub(r"\x1b\[[0-9;]*m", "", told.decode())
    assert process.returncode == 0
    assert "foto.png: 451 x 300; found by conse, 512" in text
    assert "ViT-g/14 257 x 1408 -> Q-Former 32 x" in text
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines())


def _read(main: int) -> bytes:
    try:
        return os.read(main, 4096)
    except OSError:  # the other side is closed
        return b""


@pytest.mark.parametrize("arguments", [["no-hay.jpg"], ["no-hay.jpg", "--json"]])
def test_nothing_that_can_be_read_is_a_failure(run: Run, arguments: list[str], made: Path) -> None:
    done = run("route", *arguments, cwd=made)
    assert done.returncode == 1
    assert "no such file or folder" in done.stdout + done.stderr


def test_a_model_nobody_knows(run: Run, made: Path) -> None:
    done = run("route", "foto.png", "--model", "gpt-4oo", cwd=made)
    assert done.returncode == 1
    assert "Did you mean 'gpt-4o'?" in done.stderr
    assert "Traceback" not in done.stderr
