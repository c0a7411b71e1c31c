"""The pages on routes: their examples run, their table is what the code says, in both languages."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from catalejo.context import bridges, media
from catalejo.context.bridges import Stage
from catalejo.context.media import Size
from catalejo.context.models import find
from catalejo.giving import _MOST_SOUND_S
from catalejo.route import FRAMES

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("route.md", "route.es.md")
SIZE = Size(1024, 768)
TOLD = {"BLIP-2 OPT-2.7B": "blip2", "Gemma 3 4B": "gemma-3-4b", "Qwen3-VL 8B": "qwen3-vl-8b", "GPT-4o": "gpt-4o"}


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_the_example_prints_what_the_page_says(page: str) -> None:
    done = doctest.testfile(str(DOCS / page), module_relative=False, encoding="utf-8")
    assert (done.attempted, done.failed) == (4, 0)


@pytest.mark.parametrize("page", PAGES)
def test_the_table_is_what_the_code_says(page: str) -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| (\d+) \|$", text(page), re.MULTILINE)
    assert [row[0] for row in rows] == list(TOLD)
    for name, encoder, bridge, tokens in rows:
        model = find(TOLD[name])
        stages = bridges.picture(SIZE, model)
        counted = media.image(SIZE, model)
        assert counted is not None
        assert int(tokens) == counted.tokens
        for cell, role in ((encoder, "encoder"), (bridge, "bridge")):
            assert all(_shape(stage) in cell for stage in stages if stage.role == role)


def _shape(stage: Stage) -> str:
    return " x ".join(map(str, stage.shape))


@pytest.mark.parametrize("page", PAGES)
def test_figures_of_sound(page: str) -> None:
    told = text(page).replace(".", ",")
    minute = [media.audio(60, name) for name in ("gpt-audio", "gemini-2.5-pro")]
    assert [count.tokens for count in minute if count] == [600, 1920]
    assert "600" in told and "1,920" in told and str(media.TRANSCRIPT_PER_MINUTE) in told
    assert f"{_MOST_SOUND_S / 60:.0f} minut" in told
    assert FRAMES == 8


def test_both_languages_have_the_same_parts() -> None:
    english, spanish = (re.findall(r"^#+ ", text(page), re.MULTILINE) for page in PAGES)
    assert english == spanish
