"""PQ and HLG in sRGB: against the standards' own figures, and against FFmpeg's conversion."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from catalejo.readers.hdr import HLG, PQ, to_srgb


def grey(signal: float, transfer: int, primaries: int = 9) -> np.ndarray:
    return to_srgb(np.full((2, 3, 3), round(signal * 65535), np.uint16), transfer, primaries)[0, 0]


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_from_black_to_the_brightest_it_rises_and_stays_grey(transfer: int) -> None:
    steps = [grey(signal, transfer) for signal in np.linspace(0, 1, 21)]
    assert (steps[0] == 0).all()
    assert steps[-1].min() >= 253
    assert all(np.ptp(step.astype(int)) <= 1 for step in steps)
    assert all(later[0] >= earlier[0] for earlier, later in pairwise(steps))


def test_white_is_where_the_standards_have_it() -> None:
    """BT.2408, table 1: white is 203 cd/m2, 58% in PQ and 75% in HLG; a grey card 26 cd/m2, 38% in both."""
    for transfer, white, card in ((PQ, 0.58, 0.38), (HLG, 0.75, 0.38)):
        assert grey(white, transfer).min() > 240
        assert int(grey(card, transfer)[0]) == pytest.approx(100, abs=4)  # 26 / 203 in sRGB


def test_primaries_are_converted_where_they_are_wide() -> None:
    pixels = np.zeros((1, 1, 3), np.uint16)
    pixels[...] = (30000, 25000, 20000)
    wide, narrow = to_srgb(pixels, PQ, 9)[0, 0].astype(int), to_srgb(pixels, PQ, 1)[0, 0].astype(int)
    assert wide[0] - wide[2] > narrow[0] - narrow[2] > 0


def test_any_size() -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (1500, 1001, 3), dtype=np.uint16)
    made = to_srgb(noise, HLG, 9)
    assert made.shape == noise.shape
    assert (made[1234:1235] == to_srgb(noise[1234:1235], HLG, 9)).all()


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_like_ffmpeg(transfer: int) -> None:
    """Muted colours up to white; what is brighter, and what no screen shows, each presses in its own way."""
    av = pytest.importorskip("av", reason="needs the extra `media`")
    tones = np.random.default_rng(1).uniform(0.2, 0.55, (8, 8, 1)) + np.random.default_rng(2).uniform(
        -0.03, 0.03, (8, 8, 3)
    )
    pixels = np.round(tones * 65535).astype(np.uint16).repeat(4, 0).repeat(4, 1)
    frame = av.VideoFrame.from_ndarray(pixels, "rgb48le")
    frame.color_trc, frame.color_primaries, frame.colorspace = transfer, 9, 0
    theirs = frame.reformat(format="rgb24", dst_color_trc=13, dst_color_primaries=1).to_ndarray()
    assert np.abs(to_srgb(pixels, transfer, 9).astype(int) - theirs.astype(int)).mean() < 6
