"""Pieces as one prompt: order, numbers, tokens, and what is cut where it does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image

from catalejo.answerers import Source
from catalejo.answerers.shown import Recorded
from catalejo.context import media, tokens
from catalejo.context.media import Size
from catalejo.context.models import find
from catalejo.errors import PromptTooLong
from catalejo.packing import Packer
from catalejo.pieces import FRAME, PICTURE, SOUND, TEXT, TRANSCRIPT, Given, Piece, media_piece
from catalejo.texts import Cue, Passage, Span

MODEL = find("gpt-4o")


class Speaks:
    """The part of a speaker that packing needs."""

    record = MODEL

    def count(self, text: str) -> tokens.Count:
        return tokens.count(text, MODEL)


def text(path: str, page: int, words: str) -> Piece:
    return Piece(TEXT, Source(path, Passage(words, Span(page, 0, len(words)))))


def spoken(path: str, start: int, words: str, start_s: float, end_s: float) -> Piece:
    cue = Cue(start, start + len(words), start_s, end_s)
    span = Span(1, start, start + len(words), start_s, end_s)
    return Piece(TRANSCRIPT, Source(path, Passage(words, span), cues=(cue,)))


def frame(path: str, number: int, start_s: float) -> Piece:
    picture = Image.new("RGB", (512, 512), (number, 0, 0))
    return media_piece(FRAME, path, number, picture, start_s, start_s + 1)


PHOTO = Given(
    "fotos/foto.jpg", "image", "512 x 512", (media_piece(PICTURE, "fotos/foto.jpg", 0, Image.new("RGB", (512, 512))),)
)
FILM = Given(
    "fotos/clip.mp4",
    "video",
    "0:09",
    (
        frame("fotos/clip.mp4", 0, 0.0),
        spoken("fotos/clip.mp4", 0, "El tren sale a las nueve.", 0.5, 2.0),
        frame("fotos/clip.mp4", 1, 3.0),
        frame("fotos/clip.mp4", 2, 6.0),
        frame("fotos/clip.mp4", 3, 8.0),
    ),
    ("fotos/clip.mp4: 2 of 6 shots",),
)
REPORT = Given(
    "fotos/informe.pdf",
    "text",
    "2 pages",
    (
        text("fotos/informe.pdf", 1, "El museo abrió en 1819. " * 8),
        text("fotos/informe.pdf", 2, "La sede es Madrid. " * 8),
    ),
)


def packer(*given: Given, question: str = "¿Cuándo abrió el museo?") -> Packer:
    return Packer(question, given, Speaks(), "es")  # type: ignore[arg-type]


def content(prompt: Any) -> Sequence[dict[str, Any]]:
    made: Sequence[dict[str, Any]] = prompt.messages[1]["content"]
    return made


def words(prompt: Any) -> str:
    return "\n".join(part.get("text", f"<{part['type']}>") for part in content(prompt))


class TestWhole:
    def test_files_keep_their_order_and_every_piece_its_number(self) -> None:
        made = packer(REPORT, PHOTO, FILM)
        said = words(made.make(None)).splitlines()
        heads = [line for line in said if line.startswith(("===", "[", "<", "Pregunta"))]
        assert heads == [
            "=== informe.pdf (2 pages) ===",
            "[1] página 1",
            "[2] página 2",
            "=== foto.jpg (imagen, 512 x 512) ===",
            "[3] imagen",
            "<image_url>",
            "=== clip.mp4 (vídeo, 0:09) ===",
            "[4] fotograma clave 0:00-0:01",
            "<image_url>",
            "[5] lo que se dice 0:00-0:02",
            "[6] fotograma clave 0:03-0:04",
            "<image_url>",
            "[7] fotograma clave 0:06-0:07",
            "<image_url>",
            "[8] fotograma clave 0:08-0:09",
            "<image_url>",
            "Pregunta: ¿Cuándo abrió el museo?",
        ]

    def test_numbers_lead_to_their_sources(self) -> None:
        made = packer(REPORT, PHOTO)
        prompt = made.make(None)
        assert [source.path for source in prompt.sources] == ["fotos/informe.pdf"] * 2 + ["fotos/foto.jpg"]
        assert made.made is not None
        assert made.made.pieces[2].media is not None

    def test_what_was_left_out_before_is_still_said(self) -> None:
        assert packer(FILM).make(None).left_out == ("fotos/clip.mp4: 2 of 6 shots",)

    def test_a_recording_goes_as_sound(self) -> None:
        sound = media_piece(SOUND, "nota.wav", 0, Recorded(b"RIFF", 3.0), 0.0, 3.0)
        prompt = packer(Given("nota.wav", "audio", "0:03", (sound,))).make(None)
        assert [part["type"] for part in content(prompt)] == ["text", "input_audio", "text"]

    def test_tokens_are_those_of_the_text_and_of_the_pictures(self) -> None:
        prompt = packer(PHOTO).make(None)
        picture = media.image(Size(512, 512), MODEL)
        assert picture is not None
        texts = [prompt.messages[0]["content"], *(part["text"] for part in content(prompt) if part["type"] == "text")]
        counted = sum(tokens.count(one, MODEL).tokens for one in texts)
        assert prompt.tokens == counted + picture.tokens + 16  # two messages
        assert prompt.low == prompt.high == prompt.tokens

    def test_a_file_of_which_nothing_is_known_is_named_all_the_same(self) -> None:
        said = words(packer(Given("nota.wav", "audio", "0:03", (), ("why",))).make(None))
        assert "nota.wav (grabación, 0:03)" in said
        assert "no se pudo reconocer nada" in said


class TestTooMuch:
    def test_texts_are_cut_to_what_answers_best(self) -> None:
        whole = packer(REPORT, PHOTO).make(None)
        prompt = packer(REPORT, PHOTO).make(whole.tokens - 30)
        assert prompt.high <= whole.tokens - 30
        assert "El museo abrió en 1819." in words(prompt)
        assert "La sede es Madrid." not in words(prompt)
        assert "<image_url>" in words(prompt)
        assert any("fotos/informe.pdf: all but the 1 passage that answers best" in line for line in prompt.left_out)

    def test_a_cut_transcript_keeps_its_times(self) -> None:
        pieces = tuple(
            spoken("n.wav", 100 * n, f"Parte {n}. El museo abrió. " * 4, n * 30.0, n * 30.0 + 29) for n in range(6)
        )
        given = Given("n.wav", "audio", "3:00", pieces)
        whole = packer(given).make(None)
        prompt = packer(given).make(round(whole.tokens * 0.8))
        assert 0 < len(prompt.sources) < 6
        for source in prompt.sources:
            number = int(source.passage.text.split()[1].rstrip("."))
            assert source.passage.span.start_s == number * 30.0

    def test_films_are_thinned_evenly(self) -> None:
        whole = packer(FILM).make(None)
        one = media.image(Size(512, 512), MODEL)
        assert one is not None
        prompt = packer(FILM).make(whole.tokens - one.tokens)
        assert [line for line in words(prompt).splitlines() if "fotograma" in line] == [
            "[1] fotograma clave 0:00-0:01",
            "[3] fotograma clave 0:06-0:07",
        ]
        assert "fotos/clip.mp4: 2 more key frames: they did not fit" in prompt.left_out

    def test_what_cannot_be_cut_any_more_is_refused_with_the_figures(self) -> None:
        with pytest.raises(
            PromptTooLong, match=r"1 pieces? and the question take about [\d,]+ tokens.*takes 200 besides"
        ):
            packer(PHOTO).make(200)
