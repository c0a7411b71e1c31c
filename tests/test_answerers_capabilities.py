"""What a model takes as it runs, as each server tells it."""

from __future__ import annotations

from typing import Any

import pytest

from catalejo.answerers.capabilities import Takes, takes
from catalejo.answerers.complaints import refuses_media
from catalejo.context import models
from catalejo.errors import EndpointFailed


class Server:
    """Answers as it is told; everything else is not there."""

    def __init__(self, listed: list[dict[str, Any]] | None = None, **routes: Any) -> None:
        self.listed, self.routes, self.asked = listed, routes, list[str]()

    def models(self) -> list[dict[str, Any]]:
        if self.listed is None:
            raise EndpointFailed("http://127.0.0.1:1/v1", "nobody listens there")
        return self.listed

    def told(self, method: str, route: str, body: Any = None, wait_s: float = 5.0) -> Any:
        self.asked.append(f"{method} {route}")
        return self.routes.get(route.strip("/").replace("/", "_"))


@pytest.mark.parametrize(
    ("server", "image", "audio"),
    [
        (Server([], props={"modalities": {"vision": True, "audio": True}}), True, True),
        (Server([], props={"modalities": {"vision": False}}), False, False),
        (Server([], api_show={"capabilities": ["completion", "vision"]}), True, False),
        (Server([], api_show={"capabilities": ["completion"]}), False, False),
        (Server([], api_v0_models={"data": [{"id": "other", "type": "llm"}, {"id": "m", "type": "vlm"}]}), True, None),
        (Server([{"id": "m", "architecture": {"input_modalities": ["text", "image", "audio"]}}]), True, True),
        (Server([{"id": "m", "capabilities": {"vision": True}}]), True, None),
        (Server([{"id": "m", "capabilities": {"vision": False, "audio": False}}]), False, False),
    ],
)
def test_each_server_tells_it_its_own_way(server: Server, image: bool, audio: bool | None) -> None:
    found = takes(server, "m")
    assert (found.image, found.audio, found.certain) == (image, audio, True)


@pytest.mark.parametrize(
    "server",
    [
        Server(None),
        Server([]),
        Server([{"id": "m", "capabilities": ["completion"]}]),
        Server([{"id": "m", "architecture": "llama"}]),
        Server([], props={"modalities": "vision"}, api_show=["vision"], api_v0_models={"data": "none"}),
        Server(
            [], props=[], api_show={"capabilities": None}, api_v0_models={"data": [{"id": "m", "type": "embeddings"}]}
        ),
    ],
)
def test_where_nobody_tells_it_is_not_known(server: Server) -> None:
    assert takes(server, "m") == Takes()


def test_what_is_known_of_a_name_is_the_last_resort() -> None:
    record = models.find("gpt-4o")
    found = takes(Server([]), "gpt-4o", record)
    assert (found.image, found.certain) == (True, False) and "gpt-4o" in found.source
    running = takes(Server([], props={"modalities": {"vision": False}}), "gpt-4o", record)
    assert (running.image, running.certain) == (False, True)


def test_hosted_services_are_not_asked_for_a_runtime_s_routes() -> None:
    server = Server([{"id": "gpt-4o"}])
    assert takes(server, "gpt-4o", models.find("gpt-4o"), hosted=True).image is True
    assert server.asked == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        # ggml-org/llama.cpp 13566, 15377, 12947; ollama 17301; vllm; llama-cpp-python; mozilla-ai/llamafile 298
        ("image input is not supported by this server", "pictures"),
        ("image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", "pictures"),
        ('Failed to parse messages: Unsupported content part type: "image_url"; messages = [', "pictures"),
        ("this model does not support image input (ref: b8bd630e)", "pictures"),
        ("facebook/opt-125m is not a multimodal model None", "pictures"),
        ("At most 0 image(s) may be provided in one prompt.", "pictures"),
        ("Image input detected, but the loaded model is not configured with a mmproj module.", "pictures"),
        ("The server was not compiled for multimodal or the model projector can't be loaded.", "pictures"),
        ("Invalid content type. image_url is only supported by certain models.", "pictures"),
        ("messages[1].content must be a string", "pictures"),
        ("audio input is not supported - hint: if this is unexpected, you may need to provide the mmproj", "sound"),
        ("At most 0 audio(s) may be provided in one prompt.", "sound"),
        ("image is larger than 20 MB", ""),
        ("the image could not be decoded", ""),
        ("model 'x' not found", ""),
        ("", ""),
    ],
)
def test_refusals_are_told_by_their_words(text: str, what: str) -> None:
    assert refuses_media({"error": {"message": text}}) == what
    assert refuses_media(text) == what
