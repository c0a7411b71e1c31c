"""Where shots begin, told from small frames: cuts at once, slow changes when they rest, flashes never."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from catalejo.demo import pictures
from catalejo.readers.shots import SMALL_PX, Cutter, sketch

Frame = npt.NDArray[np.float32]
RATE = 25


def photo(name: str) -> Frame:
    with Image.open(pictures() / name) as opened:
        return np.asarray(opened.convert("RGB").resize((256, 144)), np.float32)


CAT, ROCKET, COFFEE = photo("chelsea.png"), photo("rocket.jpg"), photo("coffee.png")
BLACK, WHITE = np.zeros_like(CAT), np.full_like(CAT, 255)


def held(frame: Frame, seconds: float) -> list[Frame]:
    return [frame] * round(seconds * RATE)


def mixed(one: Frame, other: Frame, seconds: float) -> list[Frame]:
    """From one to the other."""
    shares = np.linspace(0, 1, round(seconds * RATE) + 2)[1:-1]
    return [one * (1 - share) + other * share for share in shares]


def begins(frames: Sequence[Frame], rate: float = RATE) -> list[float]:
    """The seconds at which shots begin, the first left out."""
    cutter = Cutter()
    found = []
    for number, frame in enumerate(frames):
        small = Image.fromarray(np.clip(frame, 0, 255).astype(np.uint8)).resize(SMALL_PX)
        found.append(cutter.see(sketch(number / rate, np.asarray(small))))
    found.append(cutter.finish(len(frames) / rate))
    return [second for second in found if second is not None]


def test_cuts() -> None:
    frames = held(CAT, 2) + held(ROCKET, 1) + held(COFFEE, 2)
    assert begins(frames) == [2.0, 3.0]


@pytest.mark.parametrize("rate", [1, 5, 24, 60])
def test_cuts_at_any_frame_rate(rate: int) -> None:
    assert begins([CAT] * 4 * rate + [ROCKET] * 4 * rate, rate) == [4.0]


@pytest.mark.parametrize("count", [1, 3, 6])
def test_flashes_are_none(count: int) -> None:
    assert begins(held(CAT, 2) + [CAT * 0.1 + WHITE * 0.9] * count + held(CAT, 2)) == []


@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.0])
def test_a_dissolve_is_one_cut_within_it(seconds: float) -> None:
    (found,) = begins(held(CAT, 2) + mixed(CAT, ROCKET, seconds) + held(ROCKET, 3))
    assert 2.0 <= found <= 2.0 + seconds


def test_a_fade_through_black_is_one_cut() -> None:
    frames = held(CAT, 2) + mixed(CAT, BLACK, 0.5) + held(BLACK, 1) + mixed(BLACK, ROCKET, 0.5) + held(ROCKET, 2)
    (found,) = begins(frames)
    assert 2.0 <= found <= 4.2


def test_black_at_either_end_belongs_to_the_shot_beside_it() -> None:
    assert begins(held(BLACK, 2) + held(CAT, 2) + held(BLACK, 2)) == []


@pytest.mark.parametrize("gain", [0.6, 1.5])
def test_a_change_of_light_is_none(gain: float) -> None:
    """As when a camera sets its exposure anew, at once or little by little."""
    dim = CAT * 0.6
    assert begins(held(dim, 2) + held(dim * gain, 2)) == []
    assert begins(held(dim, 2) + mixed(dim, dim * gain, 1) + held(dim * gain, 2)) == []


def test_motion_is_none() -> None:
    noise = np.random.default_rng(1)
    shaken = [np.roll(CAT, noise.integers(-6, 7, 2), (0, 1)) for _ in range(100)]
    grainy = [CAT + noise.normal(0, 20, CAT.shape).astype(np.float32) for _ in range(100)]
    assert begins(shaken) == []
    assert begins(grainy) == []
    passing = []
    for step in range(100):
        frame = CAT.copy()
        frame[30:110, max(0, 4 * step - 60) : 4 * step] = (240, 200, 30)
        passing.append(frame)
    assert begins(passing) == []


def test_shots_too_short_to_be_seen_are_part_of_another() -> None:
    strobe = [frame for _ in range(10) for frame in (held(CAT, 0.12) + held(ROCKET, 0.12))]
    found = begins(strobe)
    assert all(later - earlier >= 0.5 for earlier, later in pairwise([0.0, *found, len(strobe) / RATE]))


def test_a_last_shot_with_no_time_to_believe_it() -> None:
    """Slides, a frame each, ten seconds apart."""
    assert begins([CAT, ROCKET, COFFEE], 0.1) == [10.0, 20.0]


def test_a_still_film_is_cut_after_five_minutes() -> None:
    assert begins([CAT] * 700, 1) == [300.0, 600.0]
