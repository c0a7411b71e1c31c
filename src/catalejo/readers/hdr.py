"""Films with a high dynamic range (PQ, HLG) in sRGB: a picture to look at, on a screen that has none.

FFmpeg can do it too, and takes eight seconds to prepare for each film; this takes none. Sources: PQ, SMPTE ST 2084; HLG
and its display, ITU-R BT.2100; what is white, BT.2408 (203 cd/m2); primaries, BT.2087; sRGB, IEC 61966-2-1.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

PQ, HLG = 16, 18  # how ITU-T H.273 numbers them
_BT_2020 = 9
_WHITE, _HLG_PEAK = 203.0, 1000.0  # cd/m2
_KNEE = 0.8  # of white; what is brighter is pressed into the rest
_GREY = np.array([0.2627, 0.6780, 0.0593], np.float32)
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32)


def to_srgb(pixels: npt.NDArray[np.uint16], transfer: int, primaries: int) -> npt.NDArray[np.uint8]:
    """What a frame looks like.

    Args:
        pixels: (high, wide, 3) RGB, 0 to 65,535, as the film has them.
        transfer: ``PQ`` or ``HLG``.
        primaries: of the film, as H.273 numbers them.

    Returns:
        (high, wide, 3), sRGB.
    """
    made = np.empty(pixels.shape, np.uint8)
    rows = max(1, 1_000_000 // max(1, pixels.shape[1]))
    for top in range(0, len(pixels), rows):  # floats of a large frame would be four times its size
        made[top : top + rows] = _part(pixels[top : top + rows], transfer, primaries)
    return made


def _part(pixels: npt.NDArray[np.uint16], transfer: int, primaries: int) -> npt.NDArray[np.uint8]:
    light = _light(transfer)[pixels]
    if transfer == HLG:  # of the scene until here; the display makes bright parts brighter still
        light *= (light @ _GREY)[..., None] ** 0.2 * (_HLG_PEAK / _WHITE)
    if primaries == _BT_2020:
        light = light @ _TO_709.T
    light = np.clip(light, 0.0, None)
    bright = light.max(-1, keepdims=True)  # together, so that colours stay
    pressed = _KNEE + (1 - _KNEE) * (1 - np.exp(-(bright - _KNEE) / (1 - _KNEE)))
    light *= np.where(bright > _KNEE, pressed / np.maximum(bright, _KNEE), 1.0)
    srgb: npt.NDArray[np.uint8] = _numbers()[(light * 65535 + 0.5).astype(np.uint16)]
    return srgb


@cache
def _light(transfer: int) -> npt.NDArray[np.float32]:
    """(65536,): numbers -> light; PQ's as a multiple of white, HLG's from 0 to 1."""
    signal = np.arange(65536) / 65535
    if transfer == PQ:
        power = signal ** (1 / 78.84375)
        light = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        return (light * 10_000 / _WHITE).astype(np.float32)
    bright = (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.where(signal <= 0.5, signal**2 / 3, bright).astype(np.float32)


@cache
def _numbers() -> npt.NDArray[np.uint8]:
    """(65536,): light from 0 to 1 -> sRGB."""
    light = np.arange(65536) / 65535
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * shown).astype(np.uint8)
