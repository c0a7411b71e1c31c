"""``catalejo matrix``, ``evaluate`` and ``compare`` as typed: on a terminal, in a pipe, as JSON. Real processes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from peculiar import RGB, SPANISH, album, colour, registered  # noqa: F401
from PIL import Image
from tiny_models import FOLDER

from catalejo.comparing import Choice, Cost
from catalejo.evaluate import Report
from catalejo.measures import MEASURES
from catalejo.similarity import Similarity

Run = Callable[..., subprocess.CompletedProcess[str]]
CLIP = str(FOLDER / "clip-transformersjs")
WIDE = 100


@pytest.fixture(autouse=True)
def named(peculiar: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoders of colours are known, and there is no catalog."""
    monkeypatch.setenv("CATALEJO_CATALOG", str(tmp_path / "no catalog"))


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    return album(tmp_path / "pictures")


def english(captions: Path) -> Path:
    """The same without Spanish."""
    text = "\n".join(line.rpartition(",")[0] for line in captions.read_text(encoding="utf-8").splitlines())
    captions.write_text(text, encoding="utf-8")
    return captions


def on_terminal(*arguments: str | Path, wide: int = WIDE) -> tuple[str, str]:
    """What a command prints on a terminal (of 100 columns), without colours; and what it says on standard error."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "catalejo", *map(str, arguments)]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(wide)}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        seen = _read(ours)
        assert process.stderr
        said = process.stderr.read().decode()
    assert process.returncode == 0, said
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen).replace("\r\n", "\n"), said


def _read(terminal: int) -> str:
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            os.close(terminal)
            return seen.decode()
        seen += piece


def rows(text: str) -> list[list[str]]:
    """The cells of a table on a terminal, two spaces or more between them."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if line.strip()]


# -- evaluate -----------------------------------------------------------------------------


def test_one_encoder_one_language(captions: Path) -> None:
    shown, said = on_terminal("evaluate", "--captions", english(captions), "--encoder", "colours")
    assert "text->image, en: 6 captions look for theirs among 6 pictures" in shown
    assert "image->text, en: 6 pictures look for theirs among 6 captions" in shown
    table = rows(shown)
    assert table[1] == ["colours", "chance"]
    assert table[2] == ["R@1", "1.000 (1.00-1.00)", "0.167"]
    assert table[8] == ["median rank", "1.0 (1.0-1.0)", "3.5"]
    assert "difference" not in shown and "difference" not in said
    assert said.splitlines() == [
        "R@k: the share that find theirs among the first k; in brackets the 95% interval",
        "6 pictures; intervals of 2,000 resamples",
    ]


def test_two_languages_stand_side_by_side_and_the_gap_below(captions: Path) -> None:
    shown, said = on_terminal("evaluate", "--captions", captions, "--encoder", "colours")
    assert rows(shown)[1] == ["colours en", "colours es", "chance"]
    assert rows(shown)[9] == ["difference", "R@1", "mAP"]
    assert rows(shown)[10] == ["es - en: colours", "+0.000", "(+0.00 to +0.00)", "+0.000", "(+0.00 to +0.00)"]
    assert "* a difference whose interval leaves out zero" in said


@pytest.mark.parametrize("encoders", [("colours", "grey"), ("colours", "grey", "picky", CLIP, f"{CLIP}:int8")])
def test_several_encoders_in_two_languages_fit(encoders: tuple[str, ...], captions: Path) -> None:
    shown, _ = on_terminal("evaluate", "--captions", captions, "--encoder", ",".join(encoders))
    assert all(len(line.rstrip()) <= WIDE for line in shown.splitlines())
    figures = [row for row in rows(shown) if row[0] == "R@1"]
    assert len(figures) == (2 if len(encoders) == 2 else 8)  # side by side as many as fit, a language each if not all
    assert all(re.fullmatch(r"\d\.\d{3} \(\d\.\d\d-\d\.\d\d\)", cell) for row in figures for cell in row[1:-1])
    assert {"en: colours - grey", "es: colours - grey", "es - en: colours"} <= {row[0] for row in rows(shown)}
    assert re.search(r"en: colours - grey +\+0\.833\* \(\+", shown)


def test_languages_with_other_chances_have_tables_of_their_own(captions: Path) -> None:
    """Half of the pictures have Spanish captions: chance differs, from picture to text."""
    lines = captions.read_text(encoding="utf-8").splitlines()
    captions.write_text("\n".join(lines[:4] + [line.rpartition(",")[0] + "," for line in lines[4:]]), encoding="utf-8")
    shown, _ = on_terminal("evaluate", "--captions", captions, "--encoder", "colours")
    assert "image->text, en: 6 pictures look for theirs among 6 captions" in shown
    assert "image->text, es: 3 pictures look for theirs among 3 captions" in shown
    chances = {row[2] for row in rows(shown) if row[0] == "R@1" and len(row) == 3}
    assert chances == {"0.167", "0.333"}


def test_in_a_pipe_each_line_is_a_figure(run: Run, captions: Path) -> None:
    done = run("evaluate", "--captions", captions, "--encoder", "colours,grey")
    assert done.returncode == 0
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert {len(line) for line in lines} == {8}
    assert lines[0] == ["colours", "en", "text->image", "R@1", "1.0000", "1.0000", "1.0000", "0.1667"]
    assert {line[3] for line in lines} == set(MEASURES)
    kinds = {(line[0], line[1]) for line in lines if line[7] == ""}
    assert kinds == {
        ("colours - grey", "en"),
        ("colours - grey", "es"),
        ("colours", "es - en"),
        ("grey", "es - en"),
    }
    assert len(lines) == len(MEASURES) * 2 * (4 + 4)
    assert done.stderr == "6 pictures; intervals of 2,000 resamples\n"


def test_json_has_all_of_the_report(run: Run, captions: Path) -> None:
    (captions.parent / "red.png").unlink()
    done = run("evaluate", "--captions", captions, "--encoder", "colours,grey", "--json")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    report = json.loads(done.stdout)
    assert set(report) == {field.name for field in fields(Report)}
    assert (report["n_pictures"], report["missing"]) == (5, [{"path": "red.png", "reason": "no such file"}])
    assert {result["encoder"] for result in report["results"]} == {"colours", "grey"}
    assert [len(result["scores"]) for result in report["results"]] == [len(MEASURES)] * 8


def test_what_was_left_out_is_said(run: Run, captions: Path) -> None:
    for name in ("red", "green", "blue", "cyan"):
        (captions.parent / f"{name}.png").unlink()
    (captions.parent / "magenta.png").write_bytes(b"no picture")
    said = run("evaluate", "--captions", captions, "--encoder", "colours").stderr
    assert "left out: 5 pictures with 10 captions\n  red.png: no such file\n" in said
    assert said.endswith("  and 2 more; all of them: --json\n")


def test_limits_can_be_raised_as_the_message_says(run: Run, tmp_path: Path) -> None:
    captions = album(tmp_path / "pictures", odd="blue")  # 77 x 77, the others 40 x 40
    for verb in (("matrix",), ("evaluate",), ("compare", captions.parent)):
        command = [*verb, "--captions", captions, "--encoder", "colours" if verb == ("matrix",) else "colours,grey"]
        done = run(*command, "--max-megapixels", "0.002")
        assert "left out: 1 picture with " in done.stderr and "(raise it with --max-megapixels)" in done.stderr
        assert "left out" not in run(*command, "--max-megapixels", "0.006").stderr


def test_progress_on_a_terminal_only(captions: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "catalejo", "compare", str(captions.parent), "--encoder", "colours,grey"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDE)}
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = _read(ours)
        out = process.stdout.read() if process.stdout else b""
    assert json.loads(out)["pictures"] == 6
    assert "pictures, colours" in seen and "pictures, grey" in seen and "6/6" in seen


# -- matrix -------------------------------------------------------------------------------


def test_a_small_matrix_is_shown_whole(captions: Path) -> None:
    shown, said = on_terminal("matrix", "--captions", captions, "--encoder", "colours")
    assert "(1) something red\n" in shown
    table = rows(shown)
    assert table[6] == ["picture", *(f"({n})" for n in range(1, 7))]
    assert table[7][0] == "red.png" and table[7][1].endswith("*") and not table[7][2].endswith("*")
    assert "6 of 6 pictures are nearest to a caption of theirs" in shown
    assert "captions in en; for those in es: --lang es" in said


def test_of_a_large_matrix_the_facts_are_shown(captions: Path) -> None:
    text = "path,caption\n" + "".join(f"{name}.png,{name} {n}\n" for n in range(3) for name in RGB)
    captions.write_text(text, encoding="utf-8")
    shown, said = on_terminal("matrix", "--captions", captions, "--encoder", "colours")
    assert "(1)" not in shown
    assert "6 pictures x 18 captions are too many to print here: --out matrix.png, or > matrix.tsv" in said
    assert "18 of 18 captions are nearest to a picture of theirs" in shown


def test_in_a_pipe_a_matrix_is_a_table(run: Run, captions: Path) -> None:
    done = run("matrix", "--captions", captions, "--lang", "es", "--encoder", "colours")
    first, *lines = (line.split("\t") for line in done.stdout.splitlines())
    assert first == ["path", *(f"algo {SPANISH[name]}" for name in RGB)]
    assert [line[0] for line in lines] == [str(captions.parent / f"{name}.png") for name in RGB]
    scores = [[float(cell) for cell in line[1:]] for line in lines]
    assert all(row.index(max(row)) == place for place, row in enumerate(scores))
    assert "6 of 6 captions are nearest" in done.stderr


def test_ambiguous_captions_are_pointed_out(run: Run, captions: Path) -> None:
    """Two red pictures with two captions of orange, which fit either as well."""
    colour(captions.parent / "rot.png", "red", 50)
    text = "path,caption\nred.png,red and yellow\nrot.png,yellow and red\nblue.png,blue\n"
    captions.write_text(text, encoding="utf-8")
    said = run("matrix", "--captions", captions, "--encoder", "colours").stderr
    pair = 'ambiguous: "red and yellow" and "yellow and red": 1.00 to each other, 0.92 and 0.92 to their pictures'
    assert pair in said.splitlines()
    assert "2 of 3 captions are nearer to a caption of another picture than to their own picture" in said


def test_json_has_all_of_the_matrix(run: Run, captions: Path) -> None:
    (captions.parent / "red.png").unlink()
    found = json.loads(run("matrix", "--captions", captions, "--encoder", "colours", "--json").stdout)
    assert set(found) == {field.name for field in fields(Similarity)}
    assert (found["encoder"], found["language"], found["other_languages"]) == ("colours", "en", ["es"])
    assert len(found["scores"]) == len(found["scores"][0]) == 5
    assert found["missing"] == [{"path": "red.png", "reason": "no such file"}]


# -- compare ------------------------------------------------------------------------------


def test_a_comparison_on_a_terminal(captions: Path) -> None:
    shown, _ = on_terminal(
        *("compare", captions.parent, "--captions", captions, "--encoder", f"colours,grey,{CLIP},{CLIP}:int8"),
        wide=WIDE + 20,  # in less the columns stand closer, and cannot be told apart by what is between them
    )
    assert all(len(line.rstrip()) <= WIDE + 20 for line in shown.split("\nRecommended")[0].splitlines())
    costs = rows(shown.split("costs on this machine")[1])
    assert costs[0] == ["pictures/s", "texts/s", "load s", "memory MB", "size MB", "licence"]
    assert [row[0] for row in costs[1:5]] == ["colours", "grey", "clip-transformersjs", "clip-transformersjs:int8"]
    assert {len(row) for row in costs[:5]} == {6, 7}
    assert costs[2][-1] == "CC-BY-NC-4.0, no products"
    assert float(costs[1][4].replace(",", "")) > 20  # a Python with numpy takes more
    last = shown.strip().splitlines()[-1]
    assert last.startswith("Recommended: colours. It finds the right picture first for 100.0% of 12 captions")


def test_in_a_pipe_a_comparison_is_lines_of_figures(run: Run, captions: Path) -> None:
    done = run("compare", captions.parent, "--captions", captions, "--encoder", "colours,grey")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    costs = [line for line in lines if line[2] == "cost"]
    assert [(line[0], line[3]) for line in costs] == [
        (name, figure)
        for name in ("colours", "grey")
        for figure in ("pictures_s", "texts_s", "load_s", "peak_mb", "size_mb")
    ]
    assert all(float(line[4]) >= 0 for line in costs)
    assert {line[2] for line in lines} == {"cost", "text->image", "image->text"}
    assert done.stderr.splitlines()[-1].startswith("Recommended: colours. ")


def test_without_captions_the_costs_alone(run: Run, captions: Path) -> None:
    (captions.parent / "red.png").write_bytes(b"no picture")
    done = run("compare", captions.parent, "--encoder", "colours,grey")
    assert {line.split("\t")[2] for line in done.stdout.splitlines()} == {"cost"}
    first, second, third, last = done.stderr.splitlines()
    assert (first, second) == ("each encoded 5 pictures", "left out: 1 picture")
    assert third.startswith(f"  {captions.parent / 'red.png'}: not a picture")
    assert last == "Without captions only the costs are known, not the quality."
    shown, _ = on_terminal("compare", captions.parent, "--encoder", "colours,grey")
    assert rows(shown)[0] == ["pictures/s", "texts/s", "load s", "memory MB", "size MB", "licence"]


def test_json_has_all_of_the_comparison(run: Run, captions: Path) -> None:
    done = run("compare", captions.parent, "--captions", captions, "--encoder", "colours,grey", "--json")
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    choice = json.loads(done.stdout)
    assert set(choice) == {field.name for field in fields(Choice)}
    assert all(set(cost) == {field.name for field in fields(Cost)} for cost in choice["costs"])
    assert set(choice["report"]) == {field.name for field in fields(Report)}
    assert choice["recommended"] == "colours"


# -- the three of them --------------------------------------------------------------------

VERBS = (("matrix",), ("evaluate",), ("compare", "FOLDER"))


def typed(verb: tuple[str, ...], captions: Path, encoders: str = "colours,grey") -> list[str]:
    """A command line for one of them."""
    first = [str(captions.parent / "pictures") if word == "FOLDER" else word for word in verb]
    return [*first, "--captions", str(captions), "--encoder", "colours" if verb == ("matrix",) else encoders]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_language_folder_and_split_are_options_of_each(verb: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    album(tmp_path / "pictures")
    entries = [
        f'{{"filename": "{name}.png", "split": "{split}", "sentences": [{{"raw": "{name}"}}]}}'
        for name, split in zip(RGB, ("train", "train", "train", "val", "test", "test"), strict=True)
    ]
    captions = tmp_path / "karpathy.json"
    captions.write_text(f'{{"images": [{", ".join(entries)}]}}', encoding="utf-8")
    command = [*typed(verb, captions), "--images", str(tmp_path / "pictures"), "--lang", "en", "--json"]
    for split, pictures in (([], 2), (["--split", "train"], 3), (["--split", "all"], 6)):
        done = run(*command, *split)
        assert done.returncode == 0, done.stdout
        found = json.loads(done.stdout)
        counted = len(found["pictures"]) if verb == ("matrix",) else (found.get("report") or found)["n_pictures"]
        assert counted == pictures
    wrong = run(*command, "--split", "tset")
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["error"]["message"].startswith("no split is called 'tset'. Did you mean 'test'?")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_each_draws(verb: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    captions = tmp_path / "captions.csv"
    album(tmp_path / "pictures").rename(captions)
    out = tmp_path / "drawn.png"
    done = run(*typed(verb, captions), "--images", tmp_path / "pictures", "--out", out)
    assert done.returncode == 0 and f"drew {out}\n" in done.stderr
    with Image.open(out) as drawn:
        assert drawn.width > 400 and len(set(drawn.convert("L").tobytes())) > 20


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize(("name", "said"), [("a.gif", "name it .png, .jpg or .webp"), ("no/a.png", "No such file")])
def test_where_nothing_can_be_drawn_nothing_is_begun(
    verb: tuple[str, ...], name: str, said: str, run: Run, tmp_path: Path
) -> None:
    done = run(*typed(verb, tmp_path / "not even captions.csv"), "--out", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"catalejo: cannot save {name}: {said}{' or directory' if '/' in name else ''}\n"


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_captions_that_cannot_be_used_are_one_line(verb: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    captions = tmp_path / "captions.csv"
    for text, said in ((None, "no such file"), ("", "it is empty"), ("path,caption\nx.png,red\n", "--images DIR")):
        if text is not None:
            captions.write_text(text, encoding="utf-8")
        done = run(*typed(verb, captions))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert done.stderr.startswith(f"catalejo: cannot use the captions in {captions}: ") and said in done.stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["evaluate"], "name a file: --captions FILE, or --vqa FILE"),
        (["matrix"], "Missing option '--captions'"),
        (["compare", ".", "--encoder", "colours,grey", "--lang", "es"], "--lang can be used only with --captions"),
        (
            ["compare", ".", "--encoder", "colours,grey", "--images", ".", "--split", "all", "--out", "a.png"],
            "--images, --split, --out can be used only with --captions",
        ),
    ],
)
def test_wrong_command_lines(typed: list[str], said: str, run: Run) -> None:
    done = run(*typed)
    assert done.returncode == 2 and said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "."], "to compare takes two encoders or more; name them: --encoder conse,clip-vit-b-32"),
        (["compare", ".", "--encoder", "colours"], "to compare takes two encoders or more"),
        (["compare", "nowhere", "--encoder", "colours,grey"], "nowhere: no such file or folder"),
        (["compare", ".", "--encoder", "colours,grey"], ".: there is no picture in it"),
        (["compare", "pictures", "--encoder", "colours,dying"], "dying could not be measured: its process was ended"),
        (["compare", "pictures", "--encoder", "colours,faulty"], "(RuntimeError: a fault of its own)"),
        (["compare", "pictures", "--encoder", "colours,./pictures"], "pictures is no model: there is neither an .onnx"),
        (["matrix", "--captions", "x.csv", "--encoder", "colours,grey"], "what one encoder makes of the pictures"),
        (["evaluate", "--captions", "x.csv", "--encoder", "colour"], "no encoder is called 'colour'. Did you mean"),
        (["evaluate", "--captions", "pictures/captions.csv", "--lang", "fr"], "no captions in 'fr', only in en, es"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], said: str, run: Run, tmp_path: Path) -> None:
    album(tmp_path / "away" / "pictures")
    here = tmp_path / "away"
    if "." in arguments:
        here = tmp_path / "empty"
        here.mkdir()
    done = run(*arguments, cwd=here)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("catalejo: ") and said in done.stderr
    told = json.loads(run(*arguments, "--json", cwd=here).stdout)
    assert told["error"]["message"] == done.stderr.removeprefix("catalejo: ").rstrip("\n")
