"""``catalejo ask`` as typed: on a terminal, in a pipe, as JSON; and what it refuses. A real server.

Real processes for terminals, signals and one of everything; the rest in this one, which is quicker.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving import Serving, cuts, hangs, refuses, says, serve

pytest.importorskip("openai", reason="the extra endpoint is not installed")

Run = Callable[..., subprocess.CompletedProcess[str]]
QUESTION = "¿Cuándo abrió el museo?"
MUSEUM = "El Museo del Faro abrió sus puertas el 12 de mayo de 1923. Su primera directora fue Elena Ruiz.\n"
GOOD = 'Abrió en mayo de 1923 [1].\n\nCITAS:\n[1] "abrió sus puertas el 12 de mayo de 1923"\n'
WRONG = GOOD + '[1] "Su primera directora fue Ana Ruiz."\n'
WHOLE = ("--route", "long-context")  # which needs no encoder, and so is quick


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], loopback: None) -> Run:
    """Runs the command line in this process, which keeps its signal handlers."""
    from catalejo.cli import asking, main

    monkeypatch.setattr(asking.ask, "_help_option", None)  # click keeps what it made for this run, `-h` included

    def go(*arguments: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patch, warnings.catch_warnings(), pytest.raises(SystemExit) as ended:
            patch.setattr(signal, "signal", lambda *rest: None)
            main(list(arguments))
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out, err)

    return go


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No catalog, no endpoint and no keys but those of a test; the documents in the folder we are in."""
    for name in ("CATALEJO_ENDPOINT", "CATALEJO_MODEL", "CATALEJO_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CATALEJO_CATALOG", str(tmp_path / "no catalog"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "museo.txt").write_text(MUSEUM, encoding="utf-8")


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Serving]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with serve(Serving([says(GOOD)])) as running:
        monkeypatch.setenv("CATALEJO_ENDPOINT", running.url)
        yield running


def refused(done: subprocess.CompletedProcess[str], status: int = 1) -> str:
    """The last line it says; nothing is on standard output."""
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def on_a_terminal(*arguments: str) -> tuple[str, int]:
    """What a person sees, and the exit status."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "catalejo", *arguments]
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=os.environ | {"TERM": "dumb"}) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                block = os.read(master, 65_536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            seen += block
        process.wait()
    os.close(master)
    return re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).replace("\r\n", "\n"), process.returncode


# -- answers ---------------------------------------------------------------------------------


def test_the_best_sentence_without_an_endpoint(run: Run) -> None:
    done = run("ask", QUESTION, "museo.txt")
    assert done.returncode == 0, done.stderr
    sentence = "El Museo del Faro abrió sus puertas el 12 de mayo de 1923."
    assert done.stdout.splitlines() == [f"{sentence} [1]", f"1\tverified\tmuseo.txt\t1\t0\t58\t{sentence}"]


def test_a_catalog_that_does_not_say_it_tells_how_to_see_what_comes_nearest(run: Run) -> None:
    assert run("add", "museo.txt").returncode == 0
    asked = "Which alloy has the highest melting point?"
    done = run("ask", asked)
    assert done.stdout == "The documents do not say.\n"
    (hint,) = (line for line in done.stderr.splitlines() if line.startswith("what comes nearest: "))
    words = shlex.split(hint.removeprefix("what comes nearest: "))
    assert words == ["catalejo", "search", asked, "--kind", "text"]
    assert "museo.txt" in run(*words[1:]).stdout
    assert "what comes nearest" not in run("ask", asked, "museo.txt").stderr


def test_a_model_s_answer_and_where_it_stands(run: Run, serving: Serving) -> None:
    done = run("ask", QUESTION, "museo.txt", *WHOLE)
    assert done.returncode == 0, done.stderr
    quote = "abrió sus puertas el 12 de mayo de 1923"
    assert done.stdout.splitlines() == ["Abrió en mayo de 1923 [1].", f"1\tverified\tmuseo.txt\t1\t18\t57\t{quote}"]
    assert MUSEUM[18:57] == quote
    assert re.search(r"^tiny: about \d+ tokens$", done.stderr, re.MULTILINE)
    told = r"^long-context, tiny: 100 tokens in \(\d+ foreseen, [+-]\d+%\), 20 out, on this machine$"
    assert re.search(told, done.stderr, re.MULTILINE)


def test_a_person_sees_marks_and_what_is_true(serving: Serving) -> None:
    serving.script = [says(WRONG)]
    seen, status = on_a_terminal("ask", QUESTION, "museo.txt", *WHOLE)
    assert status == 0
    assert "Abrió en mayo de 1923 [1].\n\nok [1] museo.txt, page 1, characters 18 to 57\n" in seen
    assert '?? [1] museo.txt, page 1, characters 59 to 95\n      "Su primera directora fue Ana Ruiz."\n' in seen
    assert 'not in the document like this; there it says: "Su primera directora fue Elena Ruiz."' in seen
    assert "1 of 2 citations could not be found in the documents" in seen
    assert "CITAS" not in seen


def test_quiet_is_the_answer_alone(here: Run, serving: Serving) -> None:
    done = here("ask", QUESTION, "museo.txt", *WHOLE, "--quiet")
    assert done.stderr == ""
    assert done.stdout.startswith("Abrió en mayo")


def test_json_has_everything(here: Run, serving: Serving) -> None:
    serving.script = [says(WRONG)]
    done = here("ask", QUESTION, "museo.txt", *WHOLE, "--json")
    told = json.loads(done.stdout)
    assert (told["text"], told["route"], told["model"]) == ("Abrió en mayo de 1923 [1].", "long-context", "tiny")
    assert [one["verified"] for one in told["citations"]] == [True, False]
    assert told["citations"][0]["span"] == {
        "page": 1,
        "start": 18,
        "end": 57,
        "start_s": None,
        "end_s": None,
        "box": None,
    }
    assert told["citations"][1]["problem"] == "altered"
    assert told["used"]["input_tokens"] == 100
    assert told["verified"] is False
    assert told["cut"] == ""


def test_the_documents_do_not_say(here: Run, serving: Serving) -> None:
    serving.script = [says("SIN RESPUESTA")]
    done = here("ask", QUESTION, "museo.txt", *WHOLE)
    assert (done.returncode, done.stdout) == (0, "Los documentos no lo dicen.\n")
    assert "the model says that what it was sent does not answer" in done.stderr


def test_a_model_cannot_command_the_terminal(here: Run, serving: Serving) -> None:
    serving.script = [says("Red \x1b[31mand\x07 \u202eback\n\nline two [1].")]
    done = here("ask", QUESTION, "museo.txt", *WHOLE, "-q")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert done.stdout.startswith("Red \\x1b[31mand\\x07 ")
    assert "\n\nline two [1].\n" in done.stdout


def test_files_that_cannot_be_read_are_named_and_the_rest_is_asked(here: Run, serving: Serving, tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    done = here("ask", QUESTION, "museo.txt", "broken.pdf", "gone.txt", *WHOLE)
    assert done.returncode == 0, done.stderr
    assert "left out: 2 things that cannot be read" in done.stderr
    assert "broken.pdf: " in done.stderr
    assert "gone.txt: " in done.stderr


# -- what ends early --------------------------------------------------------------------------


def test_a_cut_answer_is_printed_and_is_an_error(here: Run, serving: Serving) -> None:
    serving.script = [cuts(GOOD)]
    done = here("ask", QUESTION, "museo.txt", *WHOLE)
    assert done.returncode == 1
    assert done.stdout.startswith("Abrió en mayo de 1923 [1].\n1\tverified")
    assert done.stderr.endswith("the answer ends early: the connection broke off before the answer was whole\n")
    done = here("ask", QUESTION, "museo.txt", *WHOLE, "--json")
    assert (done.returncode, json.loads(done.stdout)["cut"][:14]) == (1, "the connection")


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent the POSIX way")
def test_ctrl_c_ends_with_what_came(serving: Serving) -> None:
    serving.script = [hangs("Abrió en 1923 [1]. Y después")]
    command = [sys.executable, "-m", "catalejo", "ask", QUESTION, "museo.txt", *WHOLE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = process.stdout.read(len("Abrió en 1923 [1]. Y después"))
        process.send_signal(signal.SIGINT)
        rest, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (seen + rest).splitlines()[0] == "Abrió en 1923 [1]. Y después"
    assert "1\tno quote\tmuseo.txt" in rest
    assert told.endswith("the answer ends early: interrupted\n")
    assert "Traceback" not in told


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent the POSIX way")
def test_ctrl_c_before_anything_came(serving: Serving) -> None:
    serving.script = [hangs(headers=False)]
    command = [sys.executable, "-m", "catalejo", "ask", QUESTION, "museo.txt", *WHOLE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not serving.chats:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in told


# -- refusals -----------------------------------------------------------------------------------


def test_one_clear_line_for_what_goes_wrong(here: Run, serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALEJO_API_KEY", "sk-very-secret")
    for behaviour, line in (
        (refuses(401, {"message": "bad key sk-very-secret"}), "does not accept the key in CATALEJO_API_KEY"),
        (refuses(404, {"message": "model 'tiny' not found"}), "has no model called 'tiny'. Did you mean 'tiny'?"),
        (refuses(400, {"message": "odd sk-very-secret"}), "answers 400: odd ***"),
        (says(""), "the answer is empty"),
    ):
        serving.script = [behaviour]
        done = here("ask", QUESTION, "museo.txt", *WHOLE, "-q")
        assert refused(done).startswith(f"catalejo: {serving.url}: {line}")
        assert "very-secret" not in done.stderr
    done = here("ask", QUESTION, "museo.txt", *WHOLE, "--json")
    told = json.loads(done.stdout)["error"]
    assert (told["code"], done.returncode) == ("EndpointFailed", 1)


def test_nobody_listens(here: Run, serving: Serving) -> None:
    url = "http://127.0.0.1:9/v1"
    done = here("ask", QUESTION, "museo.txt", *WHOLE, "--endpoint", url)
    assert refused(done) == f"catalejo: {url}: nobody listens there: start the server, or name another --endpoint"


def test_what_does_not_fit_is_told_with_the_figures(here: Run, serving: Serving) -> None:
    serving.routes["/props"] = {"default_generation_settings": {"n_ctx": 128}}
    done = here("ask", QUESTION, "museo.txt", *WHOLE)
    assert re.search(
        r"take about \d+ tokens .* and the model takes 80 besides its answer; nothing was sent", refused(done)
    )
    assert serving.chats == []


def test_no_endpoint_no_file_no_route(here: Run) -> None:
    assert "no endpoint is named: --endpoint" in refused(here("ask", QUESTION, "museo.txt", *WHOLE))
    assert "none of the files named can be read" in refused(here("ask", QUESTION, "gone.txt"))
    assert "nothing is asked" in refused(here("ask", " ", "museo.txt"))
    assert "'magic' is not one of" in refused(here("ask", QUESTION, "museo.txt", "--route", "magic"), 2)
    assert "-k" in refused(here("ask", QUESTION, "museo.txt", "-k", "0"), 2)


def test_a_price_limit(here: Run, serving: Serving) -> None:
    done = here("ask", QUESTION, "museo.txt", *WHOLE, "--max-cost", "0")
    assert done.returncode == 0, done.stderr  # on this machine it costs nothing
