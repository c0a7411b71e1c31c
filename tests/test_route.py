"""Which way each file goes, and that what is foreseen is what is sent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from mixed import HEARS, LOOKS, files, giver
from PIL import Image

from catalejo.answerers.shown import lay
from catalejo.context import media, tokens
from catalejo.context.media import Size
from catalejo.context.models import find
from catalejo.recordings import kind_of, recording
from catalejo.records import Limits
from catalejo.route import Route, Router, named


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return files(tmp_path_factory.mktemp("mixed"))


def of(path: str, model: str | None = "gpt-4o", **rest: object) -> Route:
    return Router(find(model) if model else None, **rest).route([path]).routes[0]  # type: ignore[arg-type]


def ways(found: Route) -> dict[str, bool]:
    """What goes, and whether as it is."""
    return {way.what: way.native for way in found.ways}


class TestWays:
    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            ("gpt-4o", {"picture": True}),
            ("blip2", {"picture": True}),
            ("llama-3.1-8b", {"facts": False}),
            ("gpt-audio", {"facts": False}),
            (None, {"facts": False}),
        ],
    )
    def test_of_a_picture(self, made: dict[str, str], model: str | None, expected: dict[str, bool]) -> None:
        assert ways(of(made["foto.png"], model)) == expected

    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            ("gpt-4o", {"speech": False, "sounds": False}),
            ("gpt-audio", {"sound": True}),
            ("gemini-2.5-pro", {"sound": True}),
            (None, {"speech": False, "sounds": False}),
        ],
    )
    def test_of_a_recording(self, made: dict[str, str], model: str | None, expected: dict[str, bool]) -> None:
        assert ways(of(made["nota.wav"], model)) == expected

    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            ("gpt-4o", {"key frames": True, "speech": False, "sounds": False}),
            ("gemini-2.5-pro", {"key frames": True, "sound": True}),
            ("llama-3.1-8b", {"key frames": False, "speech": False, "sounds": False}),
        ],
    )
    def test_of_a_film(self, made: dict[str, str], model: str, expected: dict[str, bool]) -> None:
        assert ways(of(made["clip.mp4"], model)) == expected

    def test_of_a_silent_film(self, made: dict[str, str]) -> None:
        found = of(made["mudo.mp4"])
        assert (ways(found), found.note) == ({"key frames": True}, "it has no sound")

    def test_a_model_that_takes_films_whole_is_said_to(self, made: dict[str, str]) -> None:
        assert "gemini-2.5-pro also takes a film whole, 1,184 tokens" in of(made["clip.mp4"], "gemini-2.5-pro").note

    def test_of_a_scan(self) -> None:
        found = of(str(Path(__file__).parent / "fixtures" / "documents" / "escaneado.pdf"))
        assert ways(found)["scans"] is False
        assert found.kind == "text"

    def test_what_a_catalog_finds_it_by(self, made: dict[str, str]) -> None:
        found = {name: of(path).search for name, path in made.items()}
        assert {name: (one.name, one.shape) for name, one in found.items() if one} == {
            "foto.png": ("conse", (512,)),
            "nota.wav": ("yamnet", (512,)),
            "clip.mp4": ("conse", (512,)),
            "mudo.mp4": ("conse", (512,)),
            "informe.txt": ("sentence", (512,)),
        }

    def test_without_a_model_all_goes_to_the_facts(self, made: dict[str, str]) -> None:
        found = Router().route(list(made.values()))
        assert {way.stages[-1].name for one in found.routes for way in one.ways} == {"facts"}
        assert (found.model, found.tokens.tokens, found.usd, found.fits) == (None, 0, None, None)


class TestTokens:
    def test_a_picture_counts_what_its_formula_says(self, made: dict[str, str]) -> None:
        (way,) = of(made["foto.png"]).ways
        assert way.tokens == media.image(Size(451, 300), "gpt-4o")

    def test_text_is_counted(self, made: dict[str, str]) -> None:
        (way,) = of(made["informe.txt"]).ways
        expected = tokens.count("El museo abrió sus puertas en 1819.\n", "gpt-4o")
        assert way.tokens is not None
        assert abs(way.tokens.tokens - expected.tokens) <= 1
        assert way.tokens.exact

    def test_speech_is_an_estimate_that_may_be_nothing(self, made: dict[str, str]) -> None:
        count = of(made["nota.wav"]).ways[0].tokens
        assert count is not None
        assert (count.exact, count.low, count.tokens) == (False, 0, 10)

    def test_key_frames_lie_between_one_and_the_most(self, made: dict[str, str]) -> None:
        way = of(made["clip.mp4"], frames=4).ways[0]
        one = media.image(Size(160, 120), "gpt-4o")
        assert way.tokens is not None and one is not None
        assert (way.tokens.low, way.tokens.high) == (one.tokens, 4 * one.tokens)

    @pytest.mark.parametrize("name", ["foto.png", "nota.wav", "clip.mp4", "informe.txt"])
    @pytest.mark.parametrize("model", ["gpt-4o", "gemini-2.5-pro", "llama-3.1-8b"])
    def test_what_is_foreseen_is_what_is_given(self, made: dict[str, str], name: str, model: str) -> None:
        """The route and the prompt are written apart: both say the same goes as it is."""
        record = find(model)
        pictures, sound = "image" in record.modalities, "audio" in record.modalities
        given = giver(LOOKS, HEARS, pictures=pictures, sound=sound).give(made[name])
        foreseen = {way.what for way in of(made[name], model).ways if way.native and way.what != "text"}
        sent = {piece.what.replace("key frame", "key frames") for piece in given.pieces if piece.media is not None}
        assert foreseen == sent

    @pytest.mark.parametrize("size", [(4000, 3000), (900, 5000)], ids=str)
    @pytest.mark.parametrize(
        "model", ["gpt-4o", "gpt-5.5", "claude-opus-4.7", "gemini-2.5-pro", "qwen3-vl-8b", "llama-4-scout"]
    )
    def test_large_pictures_count_as_they_are_sent(self, model: str, size: tuple[int, int], tmp_path: Path) -> None:
        picture = Image.new("RGB", size)
        picture.save(tmp_path / "large.png")
        laid = lay([picture], find(model), lambda text: tokens.count(text, model))
        (way,) = of(str(tmp_path / "large.png"), model).ways
        assert way.tokens is not None
        assert (way.tokens.tokens, way.tokens.low, way.tokens.high) == (laid.tokens, laid.low, laid.high)
        assert (
            way.stages[0].shape[:2] == (laid.sizes[0].height_px, laid.sizes[0].width_px) or "made" in way.stages[0].what
        )

    def test_cost_is_that_of_all_tokens_together(self, made: dict[str, str]) -> None:
        found = Router(find("gpt-4o")).route([made["foto.png"], made["informe.txt"]])
        assert found.usd == found.tokens.tokens * Decimal("2.50") / 1_000_000
        assert found.usd == sum(way.usd or 0 for one in found.routes for way in one.ways)
        assert found.fits is True

    def test_what_does_not_fit_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "long.txt").write_text("palabra " * 5_000, encoding="utf-8")
        assert Router(find("blip2")).route([str(tmp_path / "long.txt")]).fits is False

    def test_a_model_without_a_price(self, made: dict[str, str]) -> None:
        found = Router(find("llama-3.1-8b")).route([made["informe.txt"]])
        assert found.usd == 0  # on one's own machine


class TestFiles:
    def test_files_keep_their_order_and_come_once(self, made: dict[str, str]) -> None:
        folder = str(Path(made["foto.png"]).parent)
        found = list(named([made["nota.wav"], folder, made["foto.png"]]))
        assert found[0] == made["nota.wav"]
        assert found[1:] == sorted(path for path in made.values() if path != made["nota.wav"])

    def test_what_cannot_be_read_is_told_and_the_rest_goes_on(self, made: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "roto.mp3").write_bytes(b"no sound here" * 9)
        (tmp_path / "vacio.pdf").write_bytes(b"")
        (tmp_path / "datos.xyz").write_bytes(bytes(range(256)) * 4)
        bad = [str(tmp_path / name) for name in ("roto.mp3", "vacio.pdf", "datos.xyz")]
        found = Router(find("gpt-4o")).route([*bad, "no-hay.jpg", made["foto.png"]])
        assert [bool(one.reason) for one in found.routes] == [True] * 4 + [False]
        assert [one.kind for one in found.routes] == ["", "", "", "", "image"]
        assert all("\n" not in one.reason for one in found.routes)

    def test_a_file_over_a_limit_says_the_flag(self, made: dict[str, str]) -> None:
        found = Router(limits=Limits(max_file_mb=0.001)).route([made["foto.png"]]).routes[0]
        assert "--max-file-mb" in found.reason

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("a.JPG", "image"),
            ("a.mp3", "audio"),
            ("a.Mp4", "video"),
            ("a.pdf", "text"),
            ("a", "text"),
            ("a.xyz", "text"),
        ],
    )
    def test_kinds_by_suffix(self, name: str, kind: str) -> None:
        assert kind_of(name) == kind

    def test_headers(self, made: dict[str, str]) -> None:
        film, sound = recording(made["clip.mp4"]), recording(made["nota.wav"])
        assert (film.size, film.sound) == (Size(160, 120), True)
        assert film.seconds == pytest.approx(4.5, abs=0.2)
        assert (sound.size, sound.seconds) == (None, pytest.approx(3.0))
        assert film.what.endswith("s, 160 x 120")
