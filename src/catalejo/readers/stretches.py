"""A recording in stretches of about half a minute, cut where it is quiet, each drawn as a waveform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from catalejo.perceivers import RATE_HZ, Samples

_WINDOW = RATE_HZ // 100  # samples that become one level: 10 ms
_LEVELS_S = RATE_HZ // _WINDOW
USUAL_S, SHORTEST_S, LONGEST_S = 30, 20, 40
_LAST_S = 10  # the last one is no shorter, unless it is the only one
_QUIET_S = 0.4  # a pause, rather than the closing of a p
_PER_S_DB = 0.3  # a second away from the usual length costs as much as this much more sound
SIZE_PX = (512, 192)
_PAPER, _PEAK, _LOUD = (250, 250, 250), (158, 197, 232), (31, 96, 163)

_Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Stretch:
    """A piece of a recording.

    Attributes:
        start_s, end_s: seconds from its start.
        peaks, loudness: (n,) the largest and the root mean square of each 10 ms, 0 to 1.
    """

    start_s: float
    end_s: float
    peaks: _Array
    loudness: _Array

    def drawn(self) -> Image.Image:
        """Its waveform: peaks light, loudness dark, quiet sounds raised so that speech far away shows."""
        wide, high = SIZE_PX
        at = np.arange(wide) * len(self.peaks) // wide if len(self.peaks) else np.zeros(0, np.int64)
        pixels = np.full((high, wide, 3), _PAPER, np.uint8)
        distance = np.abs(np.arange(high) - (high - 1) / 2)[:, None]  # (high, 1) from the middle
        for levels, colour in ((self.peaks, _PEAK), (self.loudness, _LOUD)):
            columns = np.maximum.reduceat(levels, at) if len(at) else np.zeros(wide, np.float32)
            pixels[distance <= np.maximum(0.5, np.sqrt(columns) * (high / 2 - 4))] = colour
        return Image.fromarray(pixels)


def stretches(blocks: Iterable[Samples]) -> Iterator[Stretch]:
    """Cut a recording; each stretch is 20 to 40 s long, but for one that is shorter as a whole.

    Args:
        blocks: (n,) samples at 16 kHz, from the start.
    """
    levels, start, total = np.zeros((2, 0), np.float32), 0, 0
    rest = np.zeros(0, np.float32)
    for block in blocks:
        total += len(block)
        joined = np.concatenate([rest, block])
        whole = len(joined) // _WINDOW * _WINDOW
        levels, rest = np.concatenate([levels, _levels(joined[:whole])], axis=1), joined[whole:]
        while levels.shape[1] > (LONGEST_S + _LAST_S) * _LEVELS_S:
            cut = _quietest(levels[1])
            yield _stretch(levels[:, :cut], start)
            start, levels = start + cut, levels[:, cut:]
    if len(rest):
        levels = np.concatenate([levels, _levels(np.pad(rest, (0, _WINDOW - len(rest))))], axis=1)
    if levels.shape[1] > LONGEST_S * _LEVELS_S:
        cut = _quietest(levels[1])
        yield _stretch(levels[:, :cut], start)
        start, levels = start + cut, levels[:, cut:]
    if levels.shape[1]:
        yield Stretch(start / _LEVELS_S, total / RATE_HZ, levels[0], levels[1])


def _levels(samples: Samples) -> _Array:
    """Peak and root mean square of each window, (2, n)."""
    windows = samples.reshape(-1, _WINDOW)
    return np.stack([np.abs(windows).max(1), np.sqrt(np.mean(windows**2, 1))]).astype(np.float32)


def _stretch(levels: _Array, start: int) -> Stretch:
    return Stretch(start / _LEVELS_S, (start + levels.shape[1]) / _LEVELS_S, levels[0], levels[1])


def _quietest(loudness: _Array) -> int:
    """Where to cut: the quietest place within reach, rather near the usual length."""
    last = min(LONGEST_S * _LEVELS_S, len(loudness) - _LAST_S * _LEVELS_S)
    wide = int(_QUIET_S * _LEVELS_S)
    around = loudness[SHORTEST_S * _LEVELS_S - wide // 2 : last + wide - wide // 2 - 1]
    power = np.convolve(around**2, np.full(wide, 1 / wide), "valid")
    at = np.arange(SHORTEST_S * _LEVELS_S, SHORTEST_S * _LEVELS_S + len(power))
    cost = 10 * np.log10(power + 1e-8) + _PER_S_DB * np.abs(at / _LEVELS_S - USUAL_S)
    return int(at[np.argmin(cost)])
