"""Files -> descriptions: page by page, in each language, whoever writes them; and what cannot be described."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from catalejo import Catalog
from catalejo.describing import Description, describe
from catalejo.errors import CannotRead, EndpointFailed
from catalejo.facts import Fact
from catalejo.records import Item, Limits
from catalejo.senses import Known, Missing

CAT = Fact("label", "cat", 0.95, "labels", es="gato")
DOG = Fact("label", "dog", 0.7, "labels", page=1, es="perro")
QUICK = ("labels", "colours")
OCR = Missing("ocr", "the perceiver 'ocr' needs the package rapidocr")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    return tmp_path


def look(path: str) -> Known:
    """A file of two pictures; the one called c cannot be read."""
    if path.endswith("c.png"):
        raise CannotRead(path, "it is damaged")
    items = (Item("h", 0, "image", 8, 8), Item("h", 1, "image", 8, 8))
    return Known(path, (CAT, DOG), missing=(OCR,), items=items)


class Seer:
    """Writes what it is given, and fails from a number of pictures on."""

    def __init__(self, fails: int = 99) -> None:
        self.name, self._fails, self.asked = "seer-1", fails, [""]

    def write(self, path: str, page: int, language: str, length: str, known: str) -> str:
        self.asked.append(f"{Path(path).name} {page} {language} {length} {known}")
        if len(self.asked) > self._fails:
            raise EndpointFailed("http://127.0.0.1:1", "it does not answer")
        return "A tabby cat lies on a sofa. It looks at the camera."


def told(found: Sequence[Description]) -> list[tuple[str, int, str, str]]:
    return [(Path(one.path).name, one.page, one.language, one.caption) for one in found]


def test_every_picture_of_a_file_in_each_language(photos: Path) -> None:
    found = describe([str(photos)], ["es", "en"], look=look)
    assert told(found.described)[:4] == [
        ("a.png", 0, "es", "Un gato"),
        ("a.png", 0, "en", "A cat"),
        ("a.png", 1, "es", "Probablemente un perro"),
        ("a.png", 1, "en", "Probably a dog"),
    ]
    assert len(found.described) == 8
    assert [(one.facts, one.by, one.sure) for one in found.described[:3:2]] == [
        ((CAT,), "facts", True),
        ((DOG,), "facts", False),
    ]
    assert [(Path(one.path).name, one.reason) for one in found.skipped] == [("c.png", "it is damaged")]
    assert found.missing == (OCR,)


def test_a_model_writes_where_one_is_given(photos: Path) -> None:
    seer = Seer()
    one, *_ = describe([str(photos / "a.png")], ["en"], length="long", look=look, writer=seer).described
    assert (one.caption, one.by, one.sure) == ("A tabby cat lies on a sofa", "seer-1", None)
    assert one.alt_text == "A tabby cat lies on a sofa. It looks at the camera."
    assert seer.asked[1] == "a.png 0 en long "  # labels are guesses, and are not told it


def test_when_the_model_fails_the_rest_is_told_from_facts(photos: Path) -> None:
    seer = Seer(fails=2)
    found = describe([str(photos)], ["en"], look=look, writer=seer)
    assert [one.by for one in found.described] == ["seer-1", "facts", "facts", "facts"]
    assert found.notes == ("http://127.0.0.1:1: it does not answer; the others are described from facts",)
    assert len(seer.asked) == 3  # and it is asked no more


def test_ranks_come_from_who_knows_them(photos: Path) -> None:
    found = describe([str(photos / "a.png")], ["en"], look=look, rank=lambda path, page, caption: (page + 1, 9))
    assert [(one.rank, one.among) for one in found.described] == [(1, 9), (2, 9)]


def test_progress_is_told_file_by_file(photos: Path) -> None:
    calls = []
    describe([str(photos)], ["en"], look=look, progress=lambda *call: calls.append(call))
    assert calls == [("files", n, 3) for n in (1, 2, 3)]


def test_what_was_described_before_an_interruption_is_kept(photos: Path) -> None:
    def interrupted(path: str) -> Known:
        if path.endswith("b.png"):
            raise KeyboardInterrupt
        return look(path)

    found = describe([str(photos)], ["en"], look=interrupted)
    assert found.stopped
    assert {Path(one.path).name for one in found.described} == {"a.png"}
    with pytest.raises(KeyboardInterrupt):
        describe([str(photos / "b.png")], ["en"], look=interrupted)


def test_nothing_to_describe_is_an_error(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match=r"c\.png: it is damaged$"):
        describe([str(photos / "c.png")], ["en"], look=look)
    with pytest.raises(CannotRead, match="no such file"):
        describe([str(photos / "none.png")], ["en"], look=look)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CannotRead, match="no picture there"):
        describe([str(tmp_path / "empty")], ["en"], look=look)


def test_a_file_without_pictures_is_said(photos: Path) -> None:
    def read(path: str) -> Known:
        return Known(path, (), items=(Item("h", 0, "text", 0, 0),))

    with pytest.raises(CannotRead, match="no picture in it"):
        describe([str(photos / "a.png")], ["en"], look=read)
    both = describe([str(photos)], ["en"], look=lambda path: read(path) if "a.png" in path else look(path))
    assert [(Path(one.path).name, one.reason[:7]) for one in both.skipped] == [
        ("a.png", "there i"),
        ("c.png", "it is d"),
    ]


def test_a_recording_is_described_as_a_whole_whoever_writes(photos: Path) -> None:
    def hear(path: str) -> Known:
        said = Fact("speech", "Hola a todos", 0.9, "speech", start_s=0.0, end_s=2.0)
        shots = tuple(Item("h", n, "video", 8, 8, start_s=2.0 * n, end_s=2.0 * n + 2) for n in range(2))
        return Known(path, (CAT, DOG, said), perceived=("speech",), items=(*shots, Item("h", 2, "audio", 0, 0)))

    seer = Seer()
    (one,) = describe([str(photos / "a.png")], ["es"], look=hear, writer=seer).described
    assert one.caption == "Un vídeo, en dos planos: un gato y probablemente un perro"
    assert "Voz: «Hola a todos»" in one.alt_text
    assert one.by == "facts"
    assert seer.asked == [""]


# -- the real thing ---------------------------------------------------------------------


def test_the_cat_is_described_and_its_description_finds_it(sample_catalog: Catalog, samples: Path) -> None:
    (one,) = sample_catalog.describe(samples / "chelsea.png", languages=["es"], perceive=QUICK).described
    assert "gato" in one.caption
    assert one.sure
    assert (one.rank, one.among) == (1, 6)


def test_a_picture_that_is_not_in_the_catalog_has_no_rank(sample_catalog: Catalog, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "red.png")
    (one,) = sample_catalog.describe(tmp_path / "red.png", limits=Limits(), perceive=QUICK).described
    assert (one.rank, one.among) == (None, None)
    assert "red" in one.alt_text


def test_without_a_catalog_there_is_no_rank(samples: Path, tmp_path: Path) -> None:
    (one,) = Catalog(tmp_path / "none").describe(samples / "coffee.png", perceive=QUICK).described
    assert one.caption == "Espresso"
    assert one.rank is None
