"""XMP files beside pictures: where they go, what is left as it is, and that a second run writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_xmp import EN, ES, LIGHTROOM, langs

from catalejo.describing import Description
from catalejo.errors import CannotSave
from catalejo.sidecars import sidecar_of, texts_of, write
from catalejo.xmp import ALT_TEXT, DESCRIPTION, LONG


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not XML at all", "is no XMP"),
        ("<a><b></a>", "is no XMP"),
        ("<html/>", "no rdf:RDF"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
    ],
)
def test_what_is_no_xmp_is_left_as_it_is(tmp_path: Path, content: str, reason: str) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_text(content)
    with pytest.raises(CannotSave, match=reason):
        write(str(tmp_path / "a.jpg"), [ES])
    assert sidecar.read_text() == content


def test_bytes_that_are_no_text_are_left_as_they_are(tmp_path: Path) -> None:
    sidecar = tmp_path / "a.jpg.xmp"
    sidecar.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CannotSave, match="not UTF-8"):
        write(str(tmp_path / "a.jpg"), [ES])


def test_an_empty_file_becomes_xmp(tmp_path: Path) -> None:
    (tmp_path / "a.jpg.xmp").write_text("")
    assert write(str(tmp_path / "a.jpg"), [ES]).changed
    assert langs((tmp_path / "a.jpg.xmp").read_text(), DESCRIPTION)["es"] == "Un gato"


def test_where_a_sidecar_goes(tmp_path: Path) -> None:
    picture = str(tmp_path / "a.jpg")
    assert sidecar_of(picture) == f"{picture}.xmp"
    (tmp_path / "a.xmp").write_text(LIGHTROOM)
    assert sidecar_of(picture) == str(tmp_path / "a.xmp")
    (tmp_path / "a.jpg.xmp").write_text("")
    assert sidecar_of(picture) == f"{picture}.xmp"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotSave, match="No such file"):
        write(str(tmp_path / "none" / "a.jpg"), [ES])


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    picture = str(tmp_path / "ñandú.jpg")
    first = write(picture, [ES, EN])
    assert (first.changed, first.path) == (True, f"{picture}.xmp")
    before = Path(first.path).stat().st_mtime_ns
    assert not write(picture, [ES, EN]).changed
    assert Path(first.path).stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == ["ñandú.jpg.xmp"]  # and nothing half written


def test_a_long_description_is_no_alternative_text() -> None:
    one = Description("a.jpg", 0, "es", "Un gato", "Un gato (95 %). Mucho más.", "facts", True)
    assert [(text.name, text.text) for text in texts_of([one], "long")] == [
        (DESCRIPTION, "Un gato"),
        (ALT_TEXT, "Un gato"),
        (LONG, "Un gato (95 %). Mucho más."),
    ]
    assert [text.name for text in texts_of([one], "short")] == [DESCRIPTION, ALT_TEXT]
