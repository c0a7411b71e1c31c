"""Visual answerers by name, and the pictures of files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from serving import Serving, says, serve

from catalejo.answerers import Turn
from catalejo.answerers import endpoint as endpoint_module
from catalejo.errors import BadQuery, CannotRead, MissingExtra, UnknownName
from catalejo.visual_answering import FRAMES, How, answerer, pictures_of


@pytest.fixture
def serving(loopback: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    pytest.importorskip("openai", reason="the extra endpoint is not installed")
    for name in ("CATALEJO_API_KEY", "OPENAI_API_KEY", "CATALEJO_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(endpoint_module, "_sleep", lambda seconds: None)
    with serve(Serving([says("Orange.")])) as running:
        monkeypatch.setenv("CATALEJO_ENDPOINT", running.url)
        yield running


@pytest.fixture
def cat(samples: Path) -> str:
    return str(samples / "chelsea.png")


# -- pictures of files ----------------------------------------------------------------------------


def test_a_picture_is_itself_without_words(cat: str) -> None:
    ((words, picture),) = pictures_of(cat)
    assert (words, picture.size, picture.mode) == ("", (451, 300), "RGB")


def test_a_large_jpeg_is_not_sent_smaller_than_any_model_looks_at(tmp_path: Path) -> None:
    Image.effect_noise((5000, 3000), 30).convert("RGB").save(tmp_path / "big.jpg", quality=30)
    ((_, picture),) = pictures_of(str(tmp_path / "big.jpg"))
    assert picture.size == (5000, 3000) or min(picture.size) >= 2048


def test_pages_are_told_apart_and_limited(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (20, 10), (number * 20, 0, 0)) for number in range(FRAMES + 3)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    found = pictures_of(str(tmp_path / "scan.tif"))
    assert [words for words, _ in found] == [f"scan.tif, page {number}" for number in range(1, FRAMES + 1)]
    assert [picture.getpixel((3, 3))[0] for _, picture in found] == [number * 20 for number in range(FRAMES)]
    assert len(pictures_of(str(tmp_path / "scan.tif"), most=1)) == 1


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("report.pdf", b"%PDF-1.4", "a document, not a picture"),
        ("notes.txt", b"a cat", "a document, not a picture"),
        ("broken.png", b"\x89PNG\r\n\x1a\nxxxx", "broken|cannot|not|no "),
        ("empty.jpg", b"", "empty"),
    ],
)
def test_what_is_no_picture_is_told_in_one_line(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CannotRead, match=said) as caught:
        pictures_of(str(tmp_path / name))
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(tmp_path / name))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="no such file"):
        pictures_of(str(tmp_path / "none.png"))


# -- answerers ------------------------------------------------------------------------------------


def test_an_answerer_that_is_none() -> None:
    with pytest.raises(UnknownName, match="blip2, endpoint, facts"):
        answerer("oracle")


def test_blip2_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "torch" or name.endswith("answerers.blip2")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r'torch: pip install "catalejo\[torch\]"'):
        answerer("blip2")


def test_the_facts_answer_without_a_model(cat: str) -> None:
    answer = answerer("facts")("How wide is it?", cat)
    assert "451" in answer.text and answer.route == "facts"


def test_the_endpoint_answers_files_and_remembers_turns(serving: Serving, cat: str) -> None:
    seen: list[str] = []
    answer = answerer("endpoint", How(shown=seen.append))("And its eyes?", cat, [Turn("Which animal?", "A cat.")])
    assert (answer.text, answer.route, "".join(seen)) == ("Orange.", "endpoint", "Orange.")
    assert len(serving.chats[0].body["messages"]) == 4


def test_frames_go_with_their_words(serving: Serving, tmp_path: Path) -> None:
    pages = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    pages[0].save(tmp_path / "two.tif", save_all=True, append_images=pages[1:])
    answerer("endpoint")("What is this?", str(tmp_path / "two.tif"))
    content = serving.chats[0].body["messages"][1]["content"]
    assert [part.get("text", "picture") for part in content] == [
        "two.tif, page 1",
        "picture",
        "two.tif, page 2",
        "picture",
        "What is this?",
    ]


def test_nothing_asked_is_refused(serving: Serving, cat: str) -> None:
    with pytest.raises(BadQuery, match="nothing is asked"):
        answerer("endpoint")(" ", cat)


# -- the gate -------------------------------------------------------------------------------------


def test_a_question_about_what_is_not_there_is_asked_three_times(serving: Serving, cat: str) -> None:
    serving.script = [says("Red"), says("Blue"), says("Red")]
    shown: list[str] = []
    answer = answerer("endpoint", How(shown=shown.append))("What colour is the bus?", cat)
    assert answer.declined and answer.text == "I cannot tell from this."
    assert answer.reason == "nothing like “bus” was recognised in the picture; and the samples do not all agree"
    assert len(serving.chats) == 3 and not shown


def test_it_stands_where_all_samples_agree_and_that_is_said(serving: Serving, cat: str) -> None:
    serving.script = [says("Rojo"), says("rojo."), says("El rojo")]
    answer = answerer("endpoint")("¿De qué color es el autobús?", cat)
    assert (answer.text, answer.declined, answer.confidence) == ("Rojo", False, 1.0)
    assert "no se reconoce nada como «autobús» en la imagen; aun así, todas las muestras coinciden" in answer.notes


def test_a_model_that_declines_by_itself_keeps_its_reason(serving: Serving, cat: str) -> None:
    serving.script = [says("UNANSWERABLE: there is no bus, only a cat.")]
    answer = answerer("endpoint")("What colour is the bus?", cat)
    assert (answer.declined, answer.reason) == (True, "there is no bus, only a cat.")


def test_questions_about_what_is_there_are_asked_once(serving: Serving, cat: str) -> None:
    assert not answerer("endpoint")("What colour is the cat?", cat).declined
    assert not answerer("endpoint")("Is there a bus?", cat).declined
    assert len(serving.chats) == 2


def test_the_gate_can_be_left_open(serving: Serving, cat: str, tmp_path: Path) -> None:
    shutil.copy(cat, tmp_path / "cat.png")
    assert not answerer("endpoint", How(gate=False))("What colour is the bus?", str(tmp_path / "cat.png")).declined
    assert len(serving.chats) == 1
