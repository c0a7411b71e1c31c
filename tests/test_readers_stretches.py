"""Waveforms and where recordings are cut, sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from catalejo.perceivers import RATE_HZ
from catalejo.readers.stretches import SIZE_PX, Stretch, stretches

RNG = np.random.default_rng(3)


def noise(seconds: float, level: float = 0.4) -> np.ndarray:
    return RNG.uniform(-level, level, round(seconds * RATE_HZ)).astype(np.float32)


def test_blocks_of_any_size_give_the_same() -> None:
    sound = noise(95.0)
    whole = list(stretches([sound]))
    for size in (1000, 16_001, 480_000):
        pieces = list(stretches(sound[at : at + size] for at in range(0, len(sound), size)))
        assert [(one.start_s, one.end_s) for one in pieces] == [(one.start_s, one.end_s) for one in whole]
        for one, other in zip(pieces, whole, strict=True):
            np.testing.assert_allclose(one.loudness, other.loudness, rtol=1e-6)


def test_levels_are_peaks_and_root_mean_squares() -> None:
    sound = noise(2.0)
    (one,) = stretches([sound])
    windows = sound.reshape(-1, 160).astype(np.float64)
    np.testing.assert_allclose(one.peaks, np.abs(windows).max(1), rtol=1e-6)
    np.testing.assert_allclose(one.loudness, np.sqrt((windows**2).mean(1)), rtol=1e-5)


def test_a_quieter_pause_further_off_wins_over_a_louder_one_near_by() -> None:
    sound = noise(100.0)
    sound[30 * RATE_HZ : 31 * RATE_HZ] *= 0.7
    sound[37 * RATE_HZ : 38 * RATE_HZ] = 0
    assert next(iter(stretches([sound]))).end_s == pytest.approx(37.5, abs=0.6)


def test_a_click_in_silence_is_no_place_to_cut() -> None:
    sound = np.zeros(60 * RATE_HZ, np.float32)
    sound[30 * RATE_HZ] = 1.0
    end_s = next(iter(stretches([sound]))).end_s
    assert abs(end_s - 30.0) > 0.15


def test_nothing_gives_nothing() -> None:
    assert list(stretches([])) == []


def ink(one: Stretch) -> np.ndarray:
    """How many pixels of each column are drawn."""
    picture = np.asarray(one.drawn().convert("L"))
    assert picture.shape == (SIZE_PX[1], SIZE_PX[0])
    return (picture < 240).sum(0)


def test_louder_is_higher_and_full_scale_stays_inside() -> None:
    heights = [int(np.median(ink(next(iter(stretches([noise(5.0, level)])))))) for level in (0.001, 0.01, 0.1, 1.0)]
    assert heights == sorted(set(heights))
    assert heights[-1] <= SIZE_PX[1] - 4


@pytest.mark.parametrize("seconds", [0.001, 0.02, 1.0, 39.0])
def test_any_length_fills_the_drawing(seconds: float) -> None:
    (one,) = stretches([noise(seconds, 0.9)])
    assert ink(one).min() > 20
