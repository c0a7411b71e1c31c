"""Frames of a film as pictures: upright, in their proportions, in sRGB's numbers."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from catalejo.readers import hdr

# What a display matrix does to x and y (signs of a, b, c, d: x' = ax + cy, y' = bx + dy), and how Pillow does it.
_TURNS = {
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}
_SIDEWAYS = {turn for signs, turn in _TURNS.items() if signs[0] == 0}
_UNKNOWN_COLOURS, _HD_PX = 2, 720  # where a film does not say, high ones have the colours of BT.709
_MOST_STRETCHED = 8.0


class Screen:
    """How one film is shown.

    Args:
        stream: of its pictures.
        first: its first frame. Only this one is asked which way it stands: a frame that was asked holds on to itself.
    """

    def __init__(self, stream: Any, first: Any) -> None:
        from av.video.reformatter import VideoReformatter

        self._turn = _turn(first)
        ratio = float(stream.sample_aspect_ratio or 1)
        self._ratio = ratio if 1 / _MOST_STRETCHED <= ratio <= _MOST_STRETCHED else 1.0
        self._scaler: Any = VideoReformatter()  # each remembers one size
        self._small_scaler: Any = VideoReformatter()

    def size(self, frame: Any) -> tuple[int, int]:
        """Width and height as a frame is shown: pixels square, upright."""
        wide, high = self._square(frame)
        return (high, wide) if self._turn in _SIDEWAYS else (wide, high)

    def picture(self, frame: Any, side_px: int | None = None) -> Image.Image:
        """A frame as RGB, upright, pixels square; the shorter side reduced to ``side_px``, where that is given."""
        wide, high = self._square(frame)
        if side_px is not None and side_px < min(wide, high):
            scale = side_px / min(wide, high)
            wide, high = math.ceil(wide * scale), math.ceil(high * scale)
        unsaid = frame.colorspace == _UNKNOWN_COLOURS and frame.height >= _HD_PX and not frame.format.is_rgb
        deep = frame.color_trc in (hdr.PQ, hdr.HLG)  # which looks grey unless it is converted
        made = self._scaler.reformat(
            frame,
            wide,
            high,
            "rgb48le" if deep else "rgb24",
            src_colorspace="ITU709" if unsaid else None,
            interpolation="AREA" if wide < frame.width else "BICUBIC",
        )
        if deep:
            drawn = Image.fromarray(hdr.to_srgb(made.to_ndarray(), int(frame.color_trc), int(frame.color_primaries)))
        else:
            drawn = made.to_image()
        return drawn if self._turn is None else drawn.transpose(self._turn)

    def small(self, frame: Any, wide: int, high: int) -> npt.NDArray[np.uint8]:
        """A rough copy as it lies in the file, (high, wide, 3) RGB, quickly made."""
        made: npt.NDArray[np.uint8] = self._small_scaler.reformat(
            frame, wide, high, "rgb24", interpolation="FAST_BILINEAR"
        ).to_ndarray()
        return made

    def _square(self, frame: Any) -> tuple[int, int]:
        """The size with square pixels; never fewer of them than there are."""
        if self._ratio >= 1:
            return max(1, round(frame.width * self._ratio)), frame.height
        return frame.width, max(1, round(frame.height / self._ratio))


def _turn(frame: Any) -> Image.Transpose | None:
    """How a frame must be turned or mirrored to be upright."""
    try:
        matrix = struct.unpack("9i", bytes(frame.side_data["DISPLAYMATRIX"])[:36])
    except (KeyError, struct.error):
        return None
    numbers = matrix[0], matrix[1], matrix[3], matrix[4]
    most = max(map(abs, numbers)) or 1
    return _TURNS.get(tuple(round(number / most) for number in numbers))
