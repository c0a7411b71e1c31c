"""The drawing of routes: a box a stage, nothing in English left on a Spanish one."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from mixed import files

from catalejo.context.bridges import ROLES
from catalejo.context.models import find
from catalejo.context.tokens import NOTHING, Count
from catalejo.plots import routes
from catalejo.plots.routes import route_chart
from catalejo.route import Route, Routed, Router, Way

MODELS = ("blip2", "gpt-4o", "gemini-2.5-pro", "llama-3.1-8b", "gpt-audio", None)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    scan = Path(__file__).parent / "fixtures" / "documents" / "escaneado.pdf"
    return [*files(tmp_path_factory.mktemp("mixed")).values(), str(scan)]


@pytest.mark.parametrize("model", MODELS)
def test_every_stage_has_its_box_in_the_colour_of_its_role(paths: list[str], model: str | None) -> None:
    found = Router(find(model) if model else None).route(paths)
    drawn = np.asarray(route_chart(found))
    stages = [stage for one in found.routes for way in one.ways for stage in way.stages]
    for role in ROLES:
        colour = np.array(_rgb(routes._COLOURS[role]))
        lines = (drawn == colour).all(axis=2).sum(axis=0)  # coloured pixels of each column
        height = 2 * sum(stage.role == role for stage in stages)  # two edges a box
        straight = routes._HIGH - 2 * 8 - 2  # without the round corners
        assert lines[lines >= straight].sum() >= height * straight, role


@pytest.mark.parametrize("model", MODELS)
def test_all_words_are_known_in_spanish(paths: list[str], model: str | None) -> None:
    found = Router(find(model) if model else None).route(paths)
    say = routes._Words("es")
    names = {
        "ViT-g/14",
        "Q-Former",
        "whisper-base",
        "yamnet",
        "rapidocr",
        "conse",
        "conse, rapidocr",
        "sentence",
        "facts",
    }
    words = {way.what for one in found.routes for way in one.ways}
    for one in found.routes:
        for way in one.ways:
            words |= {stage.name for stage in way.stages[:-1]} - names
            words |= {stage.what for stage in way.stages if not stage.shape}
    words -= {"tokens"} | {word for word in words if word.endswith(" s")}  # the same in both
    assert {word for word in words if say(word) == word} == set()


def test_a_file_without_a_way_is_drawn_with_its_reason() -> None:
    known = Route("a.xyz", "", "", reason="not text")
    assert route_chart(Routed(None, (known,), NOTHING)).height > 150


def test_long_names_stay_inside() -> None:
    way = Way("picture", (), Count(10**9, False, 1, 10**10, ""), Decimal("12345.678"))
    wide = route_chart(Routed(find("gpt-4o"), (Route("x" * 500 + "ñ\udcff\n", "image", "1 x 1", (way,)),), NOTHING))
    margin = np.asarray(wide)[:, -8:]
    assert (margin == 255).all()


def _rgb(colour: object) -> tuple[int, ...]:
    from PIL import ImageColor

    return ImageColor.getrgb(colour) if isinstance(colour, str) else tuple(colour)  # type: ignore[arg-type]
