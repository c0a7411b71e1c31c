"""At how many pixels a picture is sent. The limits: the providers' pages, as in ``context.media``."""

from __future__ import annotations

import random

import pytest

from catalejo.context import media, models
from catalejo.context.media import Size
from catalejo.context.resolution import LEAST_PX, MOST_PX, at, foreseen, sent

NAMES = ("gpt-4o", "gpt-5", "claude-opus-4.1", "gemini-2.5-flash", "gemma-3-4b", "qwen3-vl-8b", "gpt-4.1-mini")


def known(name: str) -> models.LanguageModel:
    try:
        return models.find(name)
    except Exception:
        pytest.skip(f"{name} is not among the models")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_sent_costs_no_more_and_shows_what_the_model_looks_at(name: str) -> None:
    record, draw = known(name), random.Random(name)
    if media.image(Size(100, 100), record) is None:
        pytest.skip(f"no formula of {name} is known")
    for _ in range(200):
        size = Size(draw.randint(20, 9000), draw.randint(20, 9000))
        less = sent(size, record)
        assert less.width_px <= size.width_px and less.height_px <= size.height_px
        assert less.longer <= max(MOST_PX, 1)
        assert less.width_px / less.height_px == pytest.approx(
            size.width_px / size.height_px, rel=0.05 + 2 / less.shorter
        )
        assert foreseen(less, record).tokens <= foreseen(size, record).tokens
        if max(size.longer / size.shorter, size.longer / MOST_PX) < 2 and record.image not in ("gemini-2", "qwen3-vl"):
            assert foreseen(less, record).tokens >= 0.9 * foreseen(size, record).tokens


def test_openai_s_own_shrinking() -> None:
    record = models.find("gpt-4o")
    assert sent(Size(4096, 8192), record) == Size(
        768, 1536
    )  # 2048 x 4096 is their own example: 768 x 1536, 1105 tokens
    assert foreseen(sent(Size(2048, 4096), record), record).tokens == 1105
    assert sent(Size(1024, 1024), record) == Size(768, 768)
    assert sent(Size(4096, 8192), record, "low") == Size(256, 512)
    assert sent(Size(300, 200), record) == Size(300, 200)  # never made larger


def test_claude_s_longest_side() -> None:
    record = known("claude-opus-4.1")
    assert sent(Size(4000, 1000), record).longer <= 1568


def test_a_model_nobody_knows_gets_a_picture_of_a_reasonable_size() -> None:
    size = sent(Size(6000, 3000), None)
    assert size == Size(2048, 1024)
    found = foreseen(size, None)
    assert found.low <= found.tokens <= found.high and found.low == 64
    assert sent(Size(6000, 3000), None, most_px=LEAST_PX) == Size(224, 112)


def test_no_side_vanishes() -> None:
    assert sent(Size(100_000, 1), None) == Size(2048, 1)
    assert at(Size(3, 2), 0.01) == Size(1, 1)
    assert foreseen(Size(1, 1), None).tokens >= 1
