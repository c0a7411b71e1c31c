"""Questions about pictures, against a real server on this machine."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from serving import Serving, hangs, refuses, says, serve

from catalejo.answerers import Turn
from catalejo.answerers import endpoint as endpoint_module
from catalejo.answerers.connection import Timeouts
from catalejo.answerers.vision import Asking, Recorded, ask_vision, caption
from catalejo.errors import BadQuery, CannotPerceive, EndpointFailed, NoEndpoint, PromptTooLong, TooCostly
from catalejo.speaking import Speaker

pytest.importorskip("openai", reason="the extra endpoint is not installed")


@pytest.fixture
def serving(loopback: None, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    for name in ("CATALEJO_API_KEY", "OPENAI_API_KEY", "CATALEJO_ENDPOINT", "CATALEJO_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(endpoint_module, "_sleep", lambda seconds: None)
    with serve(Serving([says("Orange.")])) as running:
        monkeypatch.setenv("CATALEJO_ENDPOINT", running.url)
        yield running


@pytest.fixture(scope="module")
def cat(samples: Path) -> Image.Image:
    with Image.open(samples / "chelsea.png") as opened:
        return opened.convert("RGB")


def content(serving: Serving, number: int = -1) -> list[dict[str, Any]]:
    """The parts of a chat's first question."""
    found = serving.chats[number].body["messages"][1]["content"]
    assert isinstance(found, list)
    return found


def sent(part: dict[str, Any]) -> Image.Image:
    head, _, data = part["image_url"]["url"].partition(",")
    assert head in ("data:image/jpeg;base64", "data:image/png;base64")
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert head == f"data:image/{(picture.format or '').lower()};base64"
    return picture.convert("RGB")


# -- what is sent -----------------------------------------------------------------------------


def test_the_picture_and_the_question_are_sent_and_the_answer_comes_back(serving: Serving, cat: Image.Image) -> None:
    answer = ask_vision([cat], "What colour is the cat?")
    assert (answer.text, answer.route, answer.model, answer.declined) == ("Orange.", "endpoint", "tiny", False)
    assert answer.confidence is None
    (request,) = serving.chats
    system, user = request.body["messages"]
    assert system["role"] == "system" and "in English" in system["content"]
    assert user["role"] == "user"
    picture, question = user["content"]
    assert question == {"type": "text", "text": "What colour is the cat?"}
    assert picture["type"] == "image_url" and "detail" not in picture["image_url"]
    back = sent(picture)
    assert back.size == cat.size
    near = [abs(a - b) for a, b in zip(back.resize((8, 8)).tobytes(), cat.resize((8, 8)).tobytes(), strict=True)]
    assert max(near) <= 4  # it is that picture


def test_parts_keep_their_order(serving: Serving, cat: Image.Image) -> None:
    red = Image.new("RGB", (40, 30), "red")
    ask_vision([cat, "clip.mp4, at 12 s", red, Recorded(b"RIFF....WAVE", 2.0)], "¿Qué pasa?")
    kinds = [part["type"] for part in content(serving)]
    assert kinds == ["image_url", "text", "image_url", "input_audio", "text"]
    assert content(serving)[1]["text"] == "clip.mp4, at 12 s"
    assert sent(content(serving)[2]).getpixel((5, 5)) == (255, 0, 0)  # few colours: exact
    assert content(serving)[3]["input_audio"] == {"data": base64.b64encode(b"RIFF....WAVE").decode(), "format": "wav"}
    assert "en español" in serving.chats[0].body["messages"][0]["content"]


def test_a_conversation_shows_the_pictures_once(serving: Serving, cat: Image.Image) -> None:
    ask_vision([cat], "And its eyes?", turns=[Turn("What animal is it?", "A cat."), Turn("Colour?", "Orange.")])
    messages = serving.chats[0].body["messages"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [one["type"] for one in messages[1]["content"]] == ["image_url", "text"]
    assert messages[1]["content"][1]["text"] == "What animal is it?"
    assert [one["content"] for one in messages[2:]] == ["A cat.", "Colour?", "Orange.", "And its eyes?"]


def test_a_model_whose_limits_are_known_gets_no_more_pixels_than_it_looks_at(serving: Serving) -> None:
    serving.routes["/v1/models"] = {"data": [{"id": "gpt-4o"}]}
    big = Image.effect_noise((3000, 2250), 40).convert("RGB")
    answer = ask_vision([big], "What is it?")
    part = content(serving)[0]
    assert sent(part).size == (1024, 768)
    assert part["image_url"]["detail"] == "high"
    # 765 for 2 x 2 tiles of 1024 x 768: OpenAI's own example, platform.openai.com/docs/guides/images-vision
    assert answer.foreseen and 765 < answer.foreseen.input_tokens < 765 + 400
    answer = ask_vision([big], "What is it?", asking=Asking(detail="low"))
    assert sent(content(serving)[0]).size == (512, 384)
    assert content(serving)[0]["image_url"]["detail"] == "low"
    assert answer.foreseen and 85 < answer.foreseen.input_tokens < 85 + 400


def test_pictures_are_made_smaller_where_the_context_has_no_room_and_that_is_said(serving: Serving) -> None:
    serving.routes["/v1/models"] = {"data": [{"id": "tiny", "max_model_len": 2048}]}
    big = Image.effect_noise((2400, 1600), 40).convert("RGB")
    answer = ask_vision([big], "What is it?")
    width, height = sent(content(serving)[0]).size
    assert width < 1400 and width / height == pytest.approx(1.5, abs=0.02)
    assert any(f"2400 x 1600 was sent at {width} x {height}" in note for note in answer.notes)
    assert answer.foreseen and answer.foreseen.input_tokens < 2048


def test_where_no_size_fits_it_is_said_with_the_figures(serving: Serving, cat: Image.Image) -> None:
    serving.routes["/v1/models"] = {"data": [{"id": "tiny", "max_model_len": 200}]}
    with pytest.raises(PromptTooLong, match=r"about \d+ tokens do not fit into the \d+"):
        ask_vision([cat], "What is it?")
    assert not serving.chats


def test_nothing_is_learned_of_texts_from_prompts_with_pictures(
    serving: Serving, cat: Image.Image, tmp_path: Path
) -> None:
    serving.script = [says("Orange.", usage=(5000, 2))]
    ask_vision([cat], "What colour?")
    assert not list(tmp_path.rglob("tokens.json"))


# -- what it cannot tell ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("UNANSWERABLE: there is no clock in the picture.", "there is no clock in the picture."),
        ("UNANSWERABLE", "the model says that it cannot tell"),
        ("I cannot tell from this picture.", "I cannot tell from this picture."),
    ],
)
def test_what_the_model_cannot_tell_is_declined_with_its_reason(
    serving: Serving, cat: Image.Image, reply: str, reason: str
) -> None:
    serving.script = [says(reply)]
    seen: list[str] = []
    answer = ask_vision([cat], "What time is it?", shown=seen.append)
    assert (answer.text, answer.declined, answer.reason) == ("I cannot tell from this.", True, reason)
    if reply.startswith("UNANSWERABLE"):
        assert not seen  # its mark is for us


def test_the_reason_comes_in_the_language_of_the_question(serving: Serving, cat: Image.Image) -> None:
    serving.script = [says("SIN RESPUESTA: no hay ningún reloj.")]
    answer = ask_vision([cat], "¿Qué hora es?")
    assert (answer.text, answer.reason) == ("No puedo saberlo con esto.", "no hay ningún reloj.")


def test_an_answer_is_shown_as_it_comes(serving: Serving, cat: Image.Image) -> None:
    serving.script = [says("Under the table there is a cat.")]  # begins as the mark does
    seen: list[str] = []
    assert ask_vision([cat], "Where?", shown=seen.append).text == "Under the table there is a cat."
    assert "".join(seen) == "Under the table there is a cat." and len(seen) > 1


def test_samples_that_agree_are_an_answer_with_a_confidence(serving: Serving, cat: Image.Image) -> None:
    serving.script = [says("Two."), says("2"), says("Three"), says("two")]
    answer = ask_vision([cat], "How many cats are there?", samples=4)
    assert (answer.text, answer.confidence, answer.declined) == ("Two.", 0.75, False)
    assert "3 of 4 samples agree" in answer.notes
    assert [chat.body["temperature"] for chat in serving.chats] == [0.0, 0.7, 0.7, 0.7]
    assert answer.used and answer.used.requests == 4 and answer.used.input_tokens == 400


def test_samples_that_do_not_agree_are_no_answer(serving: Serving, cat: Image.Image) -> None:
    serving.script = [says("Two"), says("Three"), says("Five"), says("Two")]
    answer = ask_vision([cat], "How many cats are there?", samples=4)
    assert answer.declined and answer.confidence == 0.5
    assert answer.reason == "4 samples say 3 different things: Two; Three; Five"


def test_samples_that_mostly_decline_decline(serving: Serving, cat: Image.Image) -> None:
    serving.script = [says("1990"), says("UNANSWERABLE: no date is shown"), says("I cannot tell.")]
    answer = ask_vision([cat], "When was it taken?", samples=3)
    assert (answer.declined, answer.reason) == (True, "no date is shown")
    assert answer.confidence == pytest.approx(2 / 3)


# -- models that do not see ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "source"),
    [
        ({"/props": {"modalities": {"vision": False, "audio": False}}}, "llama.cpp"),
        ({"/api/show": {"capabilities": ["completion", "tools"]}}, "Ollama"),
        ({"/api/v0/models": {"data": [{"id": "tiny", "type": "llm"}]}}, "LM Studio"),
        ({"/v1/models": {"data": [{"id": "tiny", "architecture": {"input_modalities": ["text"]}}]}}, "list of models"),
        ({"/v1/models": {"data": [{"id": "tiny", "capabilities": {"vision": False}}]}}, "list of models"),
    ],
)
def test_a_blind_model_is_not_sent_the_picture(
    serving: Serving, cat: Image.Image, routes: dict[str, Any], source: str
) -> None:
    serving.routes |= routes
    with pytest.raises(CannotPerceive, match=f"tiny takes no pictures: so says .*{source}") as caught:
        ask_vision([cat], "What is it?")
    assert "--mmproj" in str(caught.value) and "\n" not in str(caught.value)
    assert not serving.chats


def test_text_alone_goes_to_any_model(serving: Serving) -> None:
    serving.routes["/props"] = {"modalities": {"vision": False, "audio": False}}
    assert ask_vision(["photo.jpg: a cat, orange"], "What colour is it?").text == "Orange."


def test_a_model_that_sees_but_does_not_hear(serving: Serving, cat: Image.Image) -> None:
    serving.routes["/props"] = {"modalities": {"vision": True, "audio": False}}
    assert ask_vision([cat], "What is it?").text == "Orange."
    with pytest.raises(CannotPerceive, match="takes no sound"):
        ask_vision([cat, Recorded(b"RIFF", 1.0)], "What is it?")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        # as the runtimes word it: ggml-org/llama.cpp issues 13566 and 15377, ollama issue 17301, vLLM, OpenAI
        (
            500,
            {"message": "image input is not supported - hint: you may need to provide the mmproj"},
        ),
        (500, {"message": "image input is not supported by this server", "type": "server_error"}),
        (400, {"message": "this model does not support image input (ref: b8bd630e)"}),
        (400, {"message": "facebook/opt-125m is not a multimodal model None", "type": "BadRequestError"}),
        (400, {"message": "Invalid content type. image_url is only supported by certain models."}),
        (500, {"message": 'Failed to parse messages: Unsupported content part type: "image_url"; messages = ['}),
    ],
)
def test_a_refusal_because_of_the_picture_is_told_at_once(
    serving: Serving, cat: Image.Image, code: int, error: dict[str, str]
) -> None:
    serving.script = [refuses(code, error)]
    with pytest.raises(CannotPerceive, match="tiny takes no pictures"):
        ask_vision([cat], "What is it?")
    assert len(serving.chats) == 1  # a 500 is tried again for any other reason


def test_other_refusals_are_no_blindness(serving: Serving, cat: Image.Image) -> None:
    serving.script = [refuses(400, {"message": "image is larger than 20 MB"})]
    with pytest.raises(EndpointFailed, match="larger than 20 MB"):
        ask_vision([cat], "What is it?")


# -- what else goes wrong -------------------------------------------------------------------------


def test_no_endpoint_is_said(serving: Serving, cat: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CATALEJO_ENDPOINT")
    with pytest.raises(NoEndpoint):
        ask_vision([cat], "What is it?")


def test_a_silent_endpoint_is_not_waited_for_for_ever(serving: Serving, cat: Image.Image) -> None:
    serving.script = [hangs()]
    with pytest.raises(EndpointFailed, match="sends nothing for"):
        ask_vision([cat], "What?", asking=Asking(timeouts=Timeouts(first_token_s=0.3)))


def test_an_answer_that_may_cost_too_much_is_not_asked_for(
    serving: Serving, cat: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Speaker, "cost", lambda self, tokens, output: tokens * 1e-3)  # as one elsewhere would
    with pytest.raises(TooCostly, match=r"over --max-cost 0\.1; nothing was sent"):
        ask_vision([cat], "What?", asking=Asking(max_cost=0.1))
    assert not serving.chats


@pytest.mark.parametrize(
    ("parts", "question", "times", "said"),
    [
        (True, " ", 1, "nothing is asked"),
        (False, "What?", 1, "nothing to ask about"),
        (True, "What?", 0, "samples is 0"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    serving: Serving, cat: Image.Image, parts: bool, question: str, times: int, said: str
) -> None:
    with pytest.raises(BadQuery, match=said):
        ask_vision([cat] if parts else [], question, samples=times)
    assert not serving.requests


# -- captions -------------------------------------------------------------------------------------


def test_a_caption_in_either_language(serving: Serving, cat: Image.Image) -> None:
    serving.script = [says("«Un gato naranja mira a la cámara.»")]
    found = caption(cat, "es", known="colour: orange")
    assert (found.text, found.route, found.model) == ("Un gato naranja mira a la cámara.", "endpoint", "tiny")
    system = serving.chats[0].body["messages"][0]["content"]
    assert "pie de foto" in system and "20 palabras" in system
    assert [part["type"] for part in content(serving)] == ["image_url", "text", "text"]
    assert content(serving)[1]["text"] == "Lo que se sabe de la imagen:\ncolour: orange"
    caption(cat, "en", length="long", alternative=True)
    system = serving.chats[1].body["messages"][0]["content"]
    assert "alternative text" in system and "three to five sentences" in system
    assert len(content(serving)) == 2


def test_captions_there_are_none_of(serving: Serving, cat: Image.Image) -> None:
    with pytest.raises(BadQuery, match="'fr'"):
        caption(cat, "fr")
    with pytest.raises(BadQuery, match="'huge'"):
        caption(cat, "en", length="huge")


def test_a_server_with_less_room_than_it_said_gets_a_smaller_picture(serving: Serving) -> None:
    serving.routes["/v1/models"] = {"data": [{"id": "tiny", "max_model_len": 8192}]}
    full = "the request exceeds the available context size (1024 tokens), try increasing it"
    serving.script = [
        refuses(400, {"message": full, "type": "exceed_context_size_error", "n_ctx": 1024}),
        says("Noise."),
    ]
    big = Image.effect_noise((1600, 1200), 40).convert("RGB")
    answer = ask_vision([big], "What is it?")
    assert answer.text == "Noise." and len(serving.chats) == 2
    first, second = (sent(content(serving, number)[0]).size for number in (0, 1))
    assert first == (1600, 1200) and second[0] < 1000
    assert any("1600 x 1200 was sent at" in note for note in answer.notes)
