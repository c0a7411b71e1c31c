"""Tables of labelled pictures: what they say, and what is wrong with them, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalejo.errors import BadLabels
from catalejo.labelled import read_labelled


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_paths_and_answers(tmp_path: Path) -> None:
    found = read_labelled(table(tmp_path, "path,adult,un arma\na.jpg,1,no\nsub/b.jpg,,Sí\n/tmp/c.jpg,0,x\n"))
    assert found.paths == (str(tmp_path / "a.jpg"), str(tmp_path / "sub" / "b.jpg"), "/tmp/c.jpg")
    assert found.categories == ("adult", "un arma")
    assert found.truths == {"adult": (True, None, False), "un arma": (False, True, True)}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_delimiters_names_and_a_byte_order_mark(tmp_path: Path, mark: str) -> None:
    text = "\ufeff" + mark.join(("Archivo", "arma")) + "\r\n" + mark.join(("a.jpg", "1")) + "\r\n\r\n"
    found = read_labelled(table(tmp_path, text))
    assert found.paths == (str(tmp_path / "a.jpg"),)
    assert found.truths == {"arma": (True,)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("\npath,a\n", "first line is empty"),
        ("path\na.jpg\n", "no column of pictures beside"),
        ("name,adult\na.jpg,1\n", "call it path"),
        ("path,\na.jpg,1\n", "no column of a category"),
        ("path,a,A\na.jpg,1,0\n", "called the same"),
        ("path,a\n", "no picture under it"),
        ("path,a\n,1\n", "line 2 names no picture"),
        ("path,a\na.jpg,1\na.jpg,0\n", "line 3 names the picture of line 2 again"),
        ("path,un arma\na.jpg,maybe\n", "line 2, 'un arma', says 'maybe'"),
        (b"path,a\n\xff.jpg,1\n", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(BadLabels, match=reason):
        read_labelled(table(tmp_path, text))


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadLabels, match="no such file"):
        read_labelled(tmp_path / "none.csv")
    with pytest.raises(BadLabels, match="folder"):
        read_labelled(tmp_path)
