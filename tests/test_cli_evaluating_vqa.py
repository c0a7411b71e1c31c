"""``catalejo evaluate --vqa``, against a real server on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from serving import Serving, refuses, says, serve

from catalejo.answerers import endpoint as endpoint_module

pytest.importorskip("openai", reason="the extra endpoint is not installed")

QUESTIONS = """path,question,answer,unanswerable
chelsea.png,Which animal is it?,cat,
chelsea.png,What is its name?,,yes
coins.png,Is there a dog?,no,
coins.png,¿Hay monedas?,sí,
coffee.png,How many cups are there?,1,
gone.png,What is it?,nothing,
"""
ANSWERS = {
    "Which animal": "Cat",
    "its name": "UNANSWERABLE: nobody's name is shown",
    "a dog": "Yes",
    "monedas": "Sí",
    "cups": "one",
}
Result = subprocess.CompletedProcess[str]
Do = Callable[..., Result]


@pytest.fixture
def here(tiny: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Do:
    """Runs ``catalejo evaluate`` in this process, which keeps its signal handlers."""
    from catalejo.cli import evaluating, main

    monkeypatch.setattr(evaluating.evaluate, "_help_option", None)  # click keeps what it made for this run
    monkeypatch.setenv("CATALEJO_CATALOG", str(tiny.parent / "no catalog"))

    def go(*arguments: str) -> Result:
        with monkeypatch.context() as patch, warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
            patch.setattr(signal, "signal", lambda *rest: None)
            main(["evaluate", *arguments])
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out, err)

    return go


@pytest.fixture
def serving(loopback: None, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    for name in ("CATALEJO_API_KEY", "OPENAI_API_KEY", "CATALEJO_ENDPOINT", "CATALEJO_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(endpoint_module, "_sleep", lambda seconds: None)

    def behave(handler: Any, body: dict[str, Any]) -> None:
        asked = body["messages"][-1]["content"][-1]["text"]
        says(next(answer for part, answer in ANSWERS.items() if part in asked))(handler, body)

    with serve(Serving([behave])) as running:
        yield running


@pytest.fixture
def do(here: Do, serving: Serving, samples: Path, tmp_path: Path) -> Do:
    (tmp_path / "q.csv").write_text(QUESTIONS, encoding="utf-8")
    where = ("--vqa", str(tmp_path / "q.csv"), "--images", str(samples))

    return lambda *arguments: here(*where, "--endpoint", serving.url, *arguments)


def figures(result: Result) -> dict[tuple[str, str], tuple[str, ...]]:
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


def test_the_figures_of_an_endpoint(do: Do, serving: Serving) -> None:
    result = do()
    assert result.returncode == 0
    found = figures(result)
    assert found["all", "VQA accuracy"][0] == "0.750" and found["all", "VQA accuracy"][-1] == "4"
    assert found["all", "declined, unanswerable"][0] == "1.000"
    assert found["all", "declined, answerable"][0] == "0.000"
    assert found["number", "VQA accuracy"][0] == "1.000"
    assert "yes or no: F1 0.667 (precision 0.500, recall 1.000), accuracy 0.500" in result.stderr
    assert "yes is said to 100%, and right for 50%" in result.stderr
    assert "endpoint (tiny): 5 questions about 3 pictures" in result.stderr
    assert "gone.png: not there (line 7)" in result.stderr
    assert "one word or a few" in serving.chats[0].body["messages"][0]["content"]


def test_whoever_answers_in_sentences_is_told_which_figure_to_read(do: Do, serving: Serving) -> None:
    serving.script = [says("Yes, one cat is there.")]
    result = do()
    assert figures(result)["all", "VQA accuracy"][0] == "0.000"
    assert figures(result)["all", "right"][0] == "0.750"  # all but the dog
    assert "`right` is the figure to read" in result.stderr
    serving.script = [says("cat")]
    assert "`right` is the figure" not in do().stderr


def test_json_has_every_answer(do: Do) -> None:
    told = json.loads(do("--json").stdout)
    assert [one["answer"]["text"] for one in told["judged"]][:2] == ["Cat", "I cannot tell from this."]
    assert told["judged"][1]["answer"]["reason"] == "nobody's name is shown"
    assert told["yes_no"]["f1"] == pytest.approx(2 / 3)
    assert told["skipped"] == [{"path": "gone.png", "reason": "not there (line 7)"}]
    assert len(told["curve"]["risk"]) == 4


def test_the_picture_of_risk_and_coverage(do: Do, tmp_path: Path) -> None:
    result = do("--samples", "2", "--out", str(tmp_path / "risk.png"))
    assert result.returncode == 0 and "risk.png" in result.stderr
    with Image.open(tmp_path / "risk.png") as drawn:
        assert drawn.size == (720, 480)


def test_one_language_alone(do: Do, serving: Serving) -> None:
    assert do("--lang", "es").returncode == 0
    assert len(serving.chats) == 1
    result = do("--lang", "fr")
    assert result.returncode == 1 and "none of its 5 questions is in fr" in result.stderr


def test_an_endpoint_that_does_not_see(do: Do, serving: Serving) -> None:
    serving.script = [refuses(500, {"message": "image input is not supported"})]
    result = do()
    assert result.returncode == 1
    assert "tiny takes no pictures" in result.stderr and len(result.stderr.strip().splitlines()) == 1
    assert len(serving.chats) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a file: --captions FILE, or --vqa FILE"),
        (["--vqa", "a", "--captions", "b"], "cannot be used with --vqa"),
        (["--vqa", "a", "--split", "b"], "cannot be used with --vqa"),
        (["--captions", "a", "--with", "facts", "--samples", "3"], "--with, --samples can be used only with --vqa"),
        (["--vqa", "a", "--with", "magic"], "'magic' is not one of"),
        (["--vqa", "a", "--samples", "0"], "--samples"),
    ],
)
def test_options_that_do_not_go_together(here: Do, arguments: list[str], said: str) -> None:
    result = here(*arguments)
    assert result.returncode == 2 and said in result.stderr


def test_a_file_that_is_not_there(here: Do) -> None:
    result = here("--vqa", "none.csv", "--with", "endpoint")
    assert result.returncode == 1
    assert result.stderr.strip().endswith("cannot use the questions in none.csv: no such file or directory")
