"""``catalejo ask`` with pictures, recordings and films among the files: with a model, and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run
from mixed import files
from serving import Serving, says, serve

pytest.importorskip("openai", reason="the extra endpoint is not installed")

REPLY = """Un gato [1] y un museo de 1819 [2].

CITAS:
[1] "un gato"
[2] "abrió sus puertas en 1819"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    files(folder)
    return folder


@pytest.fixture
def serving(loopback: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    for name in ("CATALEJO_ENDPOINT", "CATALEJO_MODEL", "CATALEJO_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with serve(Serving([says(REPLY)])) as served:
        served.routes["/props"] = {"modalities": {"vision": True, "audio": True}}
        yield served


def test_a_model_gets_them_all_in_order(run: Run, serving: Serving, made: Path) -> None:
    done = run("ask", "¿Qué hay?", "foto.png", "informe.txt", "nota.wav", "--endpoint", serving.url, cwd=made)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Un gato [1] y un museo de 1819 [2].")
    content = serving.chats[-1].body["messages"][1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url", "text", "input_audio", "text"]
    states = [line.split("\t")[:3] for line in done.stdout.splitlines()[1:]]
    assert states == [["1", "nothing to quote", "foto.png"], ["2", "verified", "informe.txt"]]
    assert "could not be found in the documents" not in done.stderr
    assert "multimodal, tiny:" in done.stderr


def test_options_of_pictures_reach_the_prompt(run: Run, serving: Serving, made: Path) -> None:
    done = run("ask", "¿Qué hay?", "clip.mp4", "--frames", "2", "--endpoint", serving.url, cwd=made)
    content = serving.chats[-1].body["messages"][1]["content"]
    assert [part["type"] for part in content].count("image_url") == 2
    assert "1 of 3 shots" in done.stderr


def test_json_says_what_was_left_out(run: Run, serving: Serving, made: Path) -> None:
    done = run("ask", "¿Qué hay?", "foto.png", "no-hay.mp3", "--endpoint", serving.url, "--json", cwd=made)
    told = json.loads(done.stdout)
    assert told["left_out"] == ["no-hay.mp3: no such file or folder"]
    assert (told["route"], told["foreseen"]["requests"]) == ("multimodal", 1)


def test_without_a_model_facts_answer(run: Run, made: Path) -> None:
    done = run("ask", "¿Cuánto dura?", "foto.png", "nota.wav", "clip.mp4", "informe.txt", cwd=made)
    assert done.returncode == 0
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["nota.wav", "clip.mp4"]
    assert "foto.png: " in done.stderr  # why it does not answer


def test_what_nobody_can_know_is_declined(run: Run, made: Path) -> None:
    done = run("ask", "¿Quién ganará mañana?", "foto.png", "nota.wav", cwd=made)
    assert done.stdout.strip() == "No puedo saberlo con esto."
    assert "Traceback" not in done.stderr


def test_no_file_is_there(run: Run, made: Path) -> None:
    done = run("ask", "¿Qué hay?", "no-hay.jpg", "tampoco.mp4", cwd=made)
    assert done.returncode == 1
    assert "none of the files named can be read" in done.stderr
