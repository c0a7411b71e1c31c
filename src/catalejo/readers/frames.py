"""Frames of a film as pictures: upright, in their proportions, in sRGB's numbers."""

from __future__ import annotations

import math
import struct
from typing import Any

from PIL import Image

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


def turn(frame: Any) -> Image.Transpose | None:
    """How a frame must be turned or mirrored to be upright."""
    try:
        matrix = struct.unpack("9i", bytes(frame.side_data["DISPLAYMATRIX"])[:36])
    except (KeyError, struct.error):
        return None
    numbers = matrix[0], matrix[1], matrix[3], matrix[4]
    most = max(map(abs, numbers)) or 1
    return _TURNS.get(tuple(round(number / most) for number in numbers))


def shown_size(frame: Any, stream: Any) -> tuple[int, int]:
    """Width and height as the film is shown: pixels square, upright."""
    wide, high = _square(frame, stream)
    return (high, wide) if turn(frame) in _SIDEWAYS else (wide, high)


def picture(frame: Any, stream: Any, side_px: int | None = None) -> Image.Image:
    """A frame as RGB, upright, pixels square.

    Args:
        frame: decoded.
        stream: that it is of.
        side_px: what the shorter side is reduced to; None: its full size.
    """
    wide, high = _square(frame, stream)
    if side_px is not None and side_px < min(wide, high):
        scale = side_px / min(wide, high)
        wide, high = math.ceil(wide * scale), math.ceil(high * scale)
    drawn: Image.Image = rgb(frame, wide, high).to_image()
    way = turn(frame)
    return drawn if way is None else drawn.transpose(way)


def rgb(frame: Any, wide: int, high: int) -> Any:
    """A frame of av, in RGB of this size."""
    unsaid = frame.colorspace == _UNKNOWN_COLOURS and frame.height >= _HD_PX and not frame.format.is_rgb
    return frame.reformat(
        wide,
        high,
        "rgb24",
        src_colorspace="ITU709" if unsaid else None,
        interpolation="AREA" if wide < frame.width else "BICUBIC",
    )


def _square(frame: Any, stream: Any) -> tuple[int, int]:
    """The size with square pixels; never fewer of them than there are."""
    ratio = float(stream.sample_aspect_ratio or 1)
    if not 1 / _MOST_STRETCHED <= ratio <= _MOST_STRETCHED:
        ratio = 1.0
    if ratio >= 1:
        return max(1, round(frame.width * ratio)), frame.height
    return frame.width, max(1, round(frame.height / ratio))
