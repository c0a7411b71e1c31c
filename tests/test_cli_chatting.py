"""``catalejo chat`` and ``catalejo ask`` about pictures, as typed, in new processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from serving import Serving, says, serve

Run = Callable[..., subprocess.CompletedProcess[str]]
CAT = "chelsea.png"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CATALEJO_ENDPOINT", "CATALEJO_MODEL", "CATALEJO_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CATALEJO_CATALOG", str(tmp_path / "no catalog"))


def test_a_question_about_a_picture(run: Run, samples: Path) -> None:
    done = run("ask", "¿Qué animal es?", samples / CAT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Un gato, 9")
    assert "labels: etiqueta gato, 9" in done.stderr


def test_what_cannot_be_known_is_no_error(run: Run, samples: Path) -> None:
    done = run("ask", "How fast is it going?", samples / CAT)
    assert (done.returncode, done.stdout) == (0, "I cannot tell from this.\n")
    assert "a speed cannot be told from it" in done.stderr


def test_json(run: Run, samples: Path) -> None:
    told = json.loads(run("ask", "Is there a cat?", samples / CAT, "--with", "facts", "--json").stdout)
    assert (told["route"], told["declined"], told["text"][:4]) == ("facts", False, "Yes:")
    assert told["confidence"] > 0.9


def test_a_conversation(run: Run, samples: Path) -> None:
    done = run("chat", samples / CAT, input="Is there a dog?\n\nAnd a cat?\nHow old is it?\n")
    assert done.returncode == 0, done.stderr
    no, yes, age = done.stdout.splitlines()
    assert no.startswith("No, none was recognised; an Egyptian cat was")
    assert yes.startswith("Yes: a cat")
    assert age == "I cannot tell from this."
    assert "ages and dates of birth" in done.stderr


def test_a_conversation_in_json(run: Run, samples: Path) -> None:
    done = run("chat", samples / CAT, "--json", input="¿Hay un gato?\n¿Estás seguro?\n")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["question"] for line in lines] == ["¿Hay un gato?", "¿Estás seguro?"]
    assert all(line["text"] for line in lines)


@pytest.mark.parametrize("command", [("ask", "What is it?"), ("chat",)])
def test_a_file_that_is_not_there(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command, "gone.png", input="What is it?\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith("gone.png: no such file or directory")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("ask", "What is it?"), ("chat",)])
def test_samples_are_for_who_may_answer_otherwise(run: Run, samples: Path, command: tuple[str, ...]) -> None:
    done = run(*command, samples / CAT, "--samples", "3", input="")
    assert done.returncode == 2
    assert "--samples 3 is for --with endpoint or blip2" in done.stderr


@pytest.mark.usefixtures("loopback")
def test_several_samples_of_a_model_are_compared(run: Run, samples: Path) -> None:
    with serve(Serving([says("A cat."), says("A cat."), says("A teapot.")])) as running:
        asked = ("ask", "What is it?", samples / CAT, "--with", "endpoint", "--samples", "3", "--json")
        done = run(*asked, "--endpoint", running.url, "--model", "gpt-4o")
        assert len(running.chats) == 3
    told = json.loads(done.stdout)
    assert told["text"] == "A cat."
    assert told["confidence"] == pytest.approx(2 / 3, abs=1e-3)
