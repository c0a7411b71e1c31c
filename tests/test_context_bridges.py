"""Shapes on the way into a language model: against the papers, the formulas of tokens, and what libraries have."""

from __future__ import annotations

import numpy as np
import pytest

from catalejo.context import bridges, media
from catalejo.context.bridges import TOWERS, Stage
from catalejo.context.media import Size
from catalejo.context.models import find, known

SIZES = [Size(1024, 1024), Size(1920, 1080), Size(4032, 3024), Size(64, 48), Size(3000, 200)]


def shapes(stages: tuple[Stage, ...]) -> list[tuple[int, ...]]:
    return [stage.shape for stage in stages]


class TestPictures:
    def test_blip_2_as_its_paper_has_it(self) -> None:
        """Li et al. 2023, arXiv 2301.12597, section 3.1: 257 x 1408, 32 queries of 768; OPT-2.7B is 2560 wide."""
        found = bridges.picture(Size(1024, 768), find("blip2"))
        assert [(stage.role, stage.name) for stage in found] == [
            ("input", "pixels"),
            ("encoder", "ViT-g/14"),
            ("bridge", "Q-Former"),
            ("bridge", "linear"),
            ("model", "blip2-opt-2.7b"),
        ]
        assert shapes(found) == [(224, 224, 3), (257, 1408), (32, 768), (32, 2560), (32, 2560)]

    def test_blip_2_as_transformers_has_it(self) -> None:
        transformers = pytest.importorskip("transformers", reason="compares with its Blip2Config")
        config = transformers.Blip2Config()
        vision, former, tower = config.vision_config, config.qformer_config, bridges.BLIP2
        assert (tower.side_px, tower.patch_px, tower.width) == (
            vision.image_size,
            vision.patch_size,
            vision.hidden_size,
        )
        assert (tower.queries, tower.query_width) == (config.num_query_tokens, former.hidden_size)

    def test_gemma_3_as_transformers_has_it(self) -> None:
        transformers = pytest.importorskip("transformers", reason="compares with its Gemma3Config")
        config = transformers.Gemma3Config()
        tokens = bridges.picture(Size(500, 500), find("gemma-3-4b"))[-1].shape[0]
        assert tokens == config.mm_tokens_per_image

    def test_gemma_3_joins_four_by_four(self) -> None:
        """arXiv 2503.19786, section 2.1: 896 x 896, 256 vectors."""
        found = bridges.picture(Size(1920, 1080), find("gemma-3-12b"))
        assert shapes(found) == [(896, 896, 3), (4096, 1152), (256, 3840), (256, 3840)]

    @pytest.mark.parametrize("size", SIZES, ids=str)
    @pytest.mark.parametrize("name", sorted(TOWERS))
    def test_what_arrives_are_the_tokens_that_are_counted(self, name: str, size: Size) -> None:
        """The formulas of ``media`` and the shapes are written apart; a picture has one number of tokens."""
        count = media.image(size, name)
        assert count is not None
        assert bridges.picture(size, find(name))[-1].shape[0] == count.tokens

    def test_towers_belong_to_models_that_are_known(self) -> None:
        assert set(TOWERS) <= set(known())
        assert all("image" in find(name).modalities for name in TOWERS)

    def test_what_nobody_publishes_is_said_to_be_unknown(self) -> None:
        found = bridges.picture(Size(1024, 1024), find("gpt-4o"))
        assert [stage.shape for stage in found if stage.role in ("encoder", "bridge")] == [(), ()]
        assert {stage.what for stage in found if stage.role in ("encoder", "bridge")} == {"not published"}
        assert found[-1].what == "765 picture tokens"

    def test_no_formula_no_number(self) -> None:
        found = bridges.picture(Size(10, 10), find("llama-4-scout"))
        assert found[-1].what == "its own tokens"

    @pytest.mark.parametrize("model", [None, "llama-3.1-8b"])
    def test_who_takes_no_pictures_has_no_way(self, model: str | None) -> None:
        assert bridges.picture(Size(10, 10), find(model) if model else None) == ()


class TestSounds:
    @pytest.mark.parametrize(("seconds", "windows"), [(0.0, 1), (11.0, 1), (30.0, 1), (30.1, 2), (3600.0, 120)])
    def test_whisper_hears_windows_of_half_a_minute(self, seconds: float, windows: int) -> None:
        """arXiv 2212.04356, section 2.2; the base model is 512 wide."""
        found = bridges.speech(seconds)
        assert shapes(found)[:2] == [(windows, 3000, 80), (windows, 1500, 512)]

    def test_whisper_as_transformers_has_it(self) -> None:
        transformers = pytest.importorskip("transformers", reason="compares with its WhisperConfig")
        config = transformers.WhisperConfig()
        found = bridges.speech(1.0)
        assert found[1].shape[1] == config.max_source_positions
        assert found[0].shape[2] == config.num_mel_bins

    def test_whisper_as_it_runs(self) -> None:
        """The shapes told are those of the arrays, where the weights are on this machine."""
        pytest.importorskip("faster_whisper", reason="the extra speech is not installed")
        from catalejo.perceivers import whisper

        assert whisper._FRAMES == bridges.WHISPER_COLUMNS

    @pytest.mark.parametrize("seconds", [0.2, 0.975, 0.98, 1.44, 11.0])
    def test_yamnet_hears_as_many_patches_as_are_made(self, seconds: float) -> None:
        from catalejo.perceivers import mel

        made = mel.patches(np.zeros(round(seconds * 16_000), np.float32))
        found = bridges.sounds(seconds)
        assert found[0].shape == made.shape
        assert [stage.shape for stage in found[1:]] == [(len(made), 521), ()]


class TestSearch:
    def test_widths_are_those_of_the_encoders(self) -> None:
        from catalejo.cards import card
        from catalejo.encoders.conse import CARD
        from catalejo.encoders.sentence import CARD as SENTENCES

        assert bridges.searched("image").shape == (CARD.width,)
        assert bridges.searched("text").shape == (SENTENCES.width,)
        assert bridges.searched("audio").shape == (SENTENCES.width,)
        assert bridges.clip().shape == (card("clip-vit-b-32").width,) == (512,)

    def test_shapes_as_people_write_them(self) -> None:
        assert Stage("encoder", "ViT-g/14", (257, 1408)).shown == "257 x 1408"
        assert Stage("encoder", "its own", (), "not published").shown == "not published"
