"""``catalejo ocr``: text for people and pipes, boxes as JSON, one line for each file that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Run
from documents import FOLDER
from drawing import page

from catalejo.cli import cli

pytest.importorskip("rapidocr", reason="needs the extra ocr: pip install 'catalejo[ocr]'")


def ocr(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["ocr", *map(str, arguments)])


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    path = tmp_path / "cartel.png"
    page(["¿Dónde está el año pasado?", "Cruzó la montaña."]).save(path)
    return path


def test_the_text_alone_on_standard_output(sign: Path) -> None:
    done = ocr(sign)
    assert done.exit_code == 0
    assert done.stdout == "¿Dónde está el año pasado?\nCruzó la montaña.\n"
    assert done.stderr.startswith("1 page looked at in ")


def test_json_has_boxes_and_confidence(sign: Path) -> None:
    done = ocr(sign, "--json")
    (found,) = json.loads(done.stdout)["pages"]
    assert (found["path"], found["page"], found["by"]) == (str(sign), 0, "ocr")
    assert [line["text"] for line in found["lines"]] == found["text"].split("\n")
    for line in found["lines"]:
        left, top, right, bottom = line["box"]
        assert 0 <= left < right <= found["width_px"]
        assert 0 <= top < bottom <= found["height_px"]
        assert 0.6 <= line["confidence"] <= 1


def test_pages_have_headings_where_there_are_several() -> None:
    done = ocr(FOLDER / "escaneado.pdf")
    assert done.exit_code == 0
    assert f"==> {FOLDER / 'escaneado.pdf'}, page 1, its own text <==\nTexto de verdad.\n" in done.stdout
    assert "page 3: no text can be seen there" in done.stderr


def test_a_bad_file_is_one_line_and_the_rest_goes_on(sign: Path, tmp_path: Path) -> None:
    (tmp_path / "roto.png").write_bytes(b"nothing")
    done = ocr(tmp_path / "roto.png", tmp_path / "falta.png", sign)
    assert done.exit_code == 0
    assert "Cruzó la montaña." in done.stdout
    lines = [line for line in done.stderr.splitlines() if "roto.png" in line or "falta.png" in line]
    assert len(lines) == 2
    assert "no such file" in lines[1]


def test_nothing_could_be_read(run: Run, tmp_path: Path) -> None:
    done = run("ocr", "falta.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["  falta.png: no such file or directory"]
    done = run("ocr", "falta.png", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "pages": [],
        "skipped": [{"path": "falta.png", "reason": "no such file or directory"}],
    }


def test_without_files_it_says_how() -> None:
    done = ocr()
    assert done.exit_code == 2
    assert "FILE..." in done.stderr
