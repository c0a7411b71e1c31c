"""Files of every kind and one question to one model: what goes over the wire, what comes back, what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mixed import HEARS, LOOKS, files
from serving import Serving, says, serve

pytest.importorskip("openai", reason="the extra endpoint is not installed")

from catalejo.errors import BadQuery, CannotAsk, NoEndpoint, PromptTooLong
from catalejo.giving import Giver
from catalejo.multimodal import ask
from catalejo.senses import Senses

REPLY = """El museo abrió en 1819 [5] y se ve un gato [1].

CITAS:
[5] "abrió sus puertas en 1819"
[1] "un gato"
"""
SEES = {"/props": {"modalities": {"vision": True, "audio": False}}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return files(tmp_path_factory.mktemp("mixed"))


@pytest.fixture
def serving(loopback: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Serving]:
    for name in ("CATALEJO_ENDPOINT", "CATALEJO_MODEL", "CATALEJO_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(Giver, "_senses", Senses((LOOKS, HEARS)))
    with serve(Serving([says(REPLY)])) as served:
        served.routes |= SEES
        monkeypatch.setenv("CATALEJO_ENDPOINT", served.url)
        yield served


def parts(serving: Serving) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = serving.chats[-1].body["messages"][1]["content"]
    return content


def words(serving: Serving) -> str:
    return "\n".join(part.get("text", f"<{part['type']}>") for part in parts(serving))


def test_a_model_that_sees_gets_pictures_and_words_in_order(serving: Serving, made: dict[str, str]) -> None:
    answer = ask("¿Cuándo abrió el museo?", [made["foto.png"], made["nota.wav"], made["informe.txt"]])
    kinds = [part["type"] for part in parts(serving)]
    assert kinds == ["text", "image_url", "text"]
    said = words(serving)
    assert said.index("foto.png") < said.index("nota.wav") < said.index("Buenos días") < said.index("1819")
    assert (answer.route, answer.sources) == ("multimodal", 5)
    assert answer.foreseen is not None and answer.foreseen.input_tokens > 255


def test_quotes_are_looked_up_and_of_pictures_there_are_none(serving: Serving, made: dict[str, str]) -> None:
    answer = ask("¿Cuándo abrió el museo?", [made["foto.png"], made["nota.wav"], made["informe.txt"]])
    quoted, seen = answer.citations
    assert (quoted.verified, quoted.path.rpartition("/")[2]) == (True, "informe.txt")
    assert (seen.verified, seen.problem, seen.path.rpartition("/")[2]) == (False, "nothing to quote", "foto.png")


def test_a_quote_of_speech_has_its_second(serving: Serving, made: dict[str, str]) -> None:
    serving.script[:] = [says('A las nueve [1].\n\nCITAS:\n[1] "El museo abre a las nueve."')]
    (found,) = ask("¿A qué hora abre?", [made["nota.wav"]]).citations
    assert (found.verified, found.span and found.span.start_s) == (True, 0.2)


def test_a_model_that_sees_nothing_gets_notes(serving: Serving, made: dict[str, str]) -> None:
    serving.routes["/props"] = {"modalities": {"vision": False, "audio": False}}
    ask("¿Qué se ve?", [made["foto.png"], made["clip.mp4"]])
    assert {part["type"] for part in parts(serving)} == {"text"}
    assert "gato atigrado" in words(serving)


def test_a_model_that_hears_gets_the_sound(serving: Serving, made: dict[str, str]) -> None:
    serving.routes["/props"] = {"modalities": {"vision": True, "audio": True}}
    ask("¿Qué se oye?", [made["clip.mp4"]])
    assert [part["type"] for part in parts(serving)].count("input_audio") == 1
    assert "Buenos días" not in words(serving)


def test_what_cannot_be_read_is_said_and_the_rest_goes_on(
    serving: Serving, made: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "rota.mp4").write_bytes(b"")
    answer = ask("¿Qué se ve?", [made["foto.png"], str(tmp_path / "rota.mp4"), "no-hay.pdf", made["mudo.mp4"]])
    assert len(answer.left_out) == 3
    assert any("rota.mp4: empty file" in line for line in answer.left_out)
    assert any("no-hay.pdf: no such file" in line for line in answer.left_out)
    assert any("mudo.mp4: it has no sound" in line for line in answer.left_out)


def test_nothing_that_can_be_read_is_not_asked_about(serving: Serving) -> None:
    with pytest.raises(CannotAsk, match=r"none of the files named can be read: no-hay.pdf: no such file"):
        ask("¿Qué se ve?", ["no-hay.pdf"])
    assert serving.chats == []


def test_the_model_may_say_that_they_do_not_answer(serving: Serving, made: dict[str, str]) -> None:
    serving.script[:] = [says("SIN RESPUESTA")]
    answer = ask("¿Quién ganó?", [made["foto.png"]])
    assert (answer.declined, answer.text) == (True, "No puedo saberlo con esto.")
    assert answer.reason


def test_what_is_shown_is_the_answer_without_its_quotes(serving: Serving, made: dict[str, str]) -> None:
    shown: list[str] = []
    ask("¿Cuándo abrió?", [made["informe.txt"]], shown=shown.append)
    assert "".join(shown).strip() == "El museo abrió en 1819 [5] y se ve un gato [1]."


@pytest.mark.parametrize(("words", "cut"), [(10, False), (1_000, True)])
def test_a_server_of_ones_own_may_see_pictures_smaller_but_must_read_all_words(
    serving: Serving, made: dict[str, str], tmp_path: Path, words: int, cut: bool
) -> None:
    """Nothing is said of fewer tokens than a picture should have; of fewer than the text has, that it was cut."""
    serving.routes["/v1/models"] = {"data": [{"id": "qwen3-vl-8b"}]}
    serving.script[:] = [says("Un gato [1].", (500, 5))]
    (tmp_path / "notas.txt").write_text("palabra " * words, encoding="utf-8")
    answer = ask("¿Qué se ve?", [made["foto.png"], made["foto.png"], made["clip.mp4"], str(tmp_path / "notas.txt")])
    assert answer.foreseen is not None and answer.foreseen.input_tokens > 500 / 0.8
    assert any("its runtime has cut it" in note for note in answer.notes) is cut


def test_too_much_for_the_context_is_refused_before_it_is_sent(serving: Serving, made: dict[str, str]) -> None:
    serving.routes["/props"] = {**SEES["/props"], "default_generation_settings": {"n_ctx": 300}}
    with pytest.raises(PromptTooLong, match="ask fewer files"):
        ask("¿Qué se ve?", [made["foto.png"]])
    assert serving.chats == []


@pytest.mark.parametrize("question", ["", "  \n "])
def test_nothing_asked(serving: Serving, question: str, made: dict[str, str]) -> None:
    with pytest.raises(BadQuery):
        ask(question, [made["foto.png"]])


def test_without_an_endpoint(made: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CATALEJO_ENDPOINT", raising=False)
    with pytest.raises(NoEndpoint):
        ask("¿Qué se ve?", [made["foto.png"]])
