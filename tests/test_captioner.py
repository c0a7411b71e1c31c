"""A vision-language model that describes, against a real server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Serving, refuses, says, serve

from catalejo import Catalog
from catalejo.answerers import endpoint as endpoint_module
from catalejo.answerers.vision import Asking
from catalejo.captioner import Captioner
from catalejo.errors import CannotPerceive, CannotRead, EndpointFailed

pytest.importorskip("openai", reason="the extra endpoint is not installed")


@pytest.fixture
def serving(loopback: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    for name in ("CATALEJO_API_KEY", "OPENAI_API_KEY", "CATALEJO_ENDPOINT", "CATALEJO_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(endpoint_module, "_sleep", lambda seconds: None)
    with serve(Serving([says("«Un gato atigrado mira a la cámara. Tiene los ojos verdes.»")])) as running:
        yield running


def test_it_is_shown_the_picture_and_what_is_certain(serving: Serving, samples: Path) -> None:
    seer = Captioner(Asking(serving.url))
    text = seer.write(str(samples / "chelsea.png"), 0, "es", "short", "Se lee: «Se vende».")
    assert text == "Un gato atigrado mira a la cámara. Tiene los ojos verdes."
    assert seer.name == "tiny"
    parts = serving.chats[-1].body["messages"][1]["content"]
    assert [part["type"] for part in parts] == ["image_url", "text", "text"]
    assert "Se vende" in parts[1]["text"]


def test_the_catalog_says_who_described(serving: Serving, samples: Path, tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "none")
    (one,) = catalog.describe(
        samples / "chelsea.png", languages=["es"], writer=Captioner(Asking(serving.url))
    ).described
    assert (one.by, one.sure, one.caption) == ("tiny", None, "Un gato atigrado mira a la cámara")


def test_an_empty_description_is_a_failure(serving: Serving, samples: Path) -> None:
    serving.script = [says("  ")]
    with pytest.raises(EndpointFailed):
        Captioner(Asking(serving.url)).write(str(samples / "chelsea.png"), 0, "en", "short", "")


def test_a_model_that_sees_nothing_is_said(serving: Serving, samples: Path) -> None:
    serving.script = [refuses(400, "image input is not supported")]
    with pytest.raises(CannotPerceive):
        Captioner(Asking(serving.url)).write(str(samples / "chelsea.png"), 0, "en", "short", "")


def test_a_scanned_page_is_shown_as_it_looks(serving: Serving) -> None:
    scan = Path(__file__).parent / "fixtures" / "documents" / "escaneado.pdf"
    assert Captioner(Asking(serving.url)).write(str(scan), 1, "es", "short", "").startswith("Un gato")
    assert serving.chats[-1].body["messages"][1]["content"][0]["type"] == "image_url"


def test_a_page_that_is_not_there(serving: Serving, samples: Path) -> None:
    with pytest.raises(CannotRead, match="no page 3"):
        Captioner(Asking(serving.url)).write(str(samples / "chelsea.png"), 2, "es", "short", "")
