"""How many tokens a picture, a recording or a film is to a model: the providers' formulas, as of November 2026.

A provider counts them from sizes alone, so nothing is decoded here. The constants are theirs and may change any day;
what an answer says it used (``usage``) is the last word. Sources: platform.openai.com/docs/guides/images-vision,
docs.anthropic.com/en/docs/build-with-claude/vision, ai.google.dev/gemini-api/docs/tokens, github.com/QwenLM/Qwen3-VL.
"""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from catalejo import files
from catalejo.context import models
from catalejo.context.language_model import LanguageModel
from catalejo.context.tokens import Count
from catalejo.errors import CannotRead, DoesNotFit, brief
from catalejo.records import Limits

DATE = "2026-11-22"
DETAILS = ("low", "medium", "high", "ultra")
_MOST_PX = 1_000_000


@dataclass(frozen=True)
class Size:
    """Pixels of a picture as it is shown."""

    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        if not (1 <= self.width_px <= _MOST_PX and 1 <= self.height_px <= _MOST_PX):
            raise DoesNotFit(f"no picture has {self.width_px} x {self.height_px} pixels")

    @property
    def longer(self) -> int:
        return max(self.width_px, self.height_px)

    @property
    def shorter(self) -> int:
        return min(self.width_px, self.height_px)


def _ceil(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def tiles(size: Size, detail: str, base: int, tile: int) -> int:
    """OpenAI up to 5.3: within 2048 x 2048, the shorter side at most 768, tiles of 512; ``low``: the base alone."""
    if detail == "low":
        return base
    scale = min(Fraction(1), Fraction(2048, size.longer))
    scale = min(scale, Fraction(768, size.shorter))
    across, down = (_ceil(side * scale / 512) for side in (size.width_px, size.height_px))
    return base + tile * across * down


def patches(size: Size, longest_px: int, most: int) -> int:
    """OpenAI from 5.4 (and the minis before): patches of 32 pixels, the picture shrunk until they are few enough."""
    scale = min(1.0, longest_px / size.longer)
    width, height = size.width_px * scale, size.height_px * scale
    if math.ceil(width / 32) * math.ceil(height / 32) > most:
        shrink = math.sqrt(32 * 32 * most / (width * height))
        across, down = width * shrink / 32, height * shrink / 32
        # one side is made a whole number of patches; below one patch nothing is left to shrink
        shrink *= min(max(math.floor(across), 1) / across, max(math.floor(down), 1) / down)
        width, height = width * shrink, height * shrink
    return min(math.ceil(round(width / 32, 9)) * math.ceil(round(height / 32, 9)), most)


def claude(size: Size, longest_px: int, most: int) -> int:
    """Claude: patches of 28 pixels, the picture shrunk in its proportions until they are few enough."""
    scale = min(Fraction(1), Fraction(longest_px, size.longer))
    width, height = size.width_px * scale, size.height_px * scale
    across, down = _ceil(width / 28), _ceil(height / 28)
    if across * down <= most:
        return across * down
    # The largest scale that fits ends where one side is a whole number of patches.
    best = 1
    for long in range(1, most + 1):
        other = _ceil(Fraction(long) * min(width, height) / max(width, height))
        if long * other > most:
            break
        best = long * other
    return max(best, _shorter_whole(width, height, most))


def _shorter_whole(width: Fraction, height: Fraction, most: int) -> int:
    best = 1
    for short in range(1, most + 1):
        other = _ceil(Fraction(short) * max(width, height) / min(width, height))
        if short * other > most:
            break
        best = short * other
    return best


def gemini_2(size: Size) -> int:
    """Gemini 1.5 to 2.5: 258 for a small picture, else 258 a tile."""
    if size.longer <= 384:
        return 258
    tile = min(max(math.floor(size.shorter / 1.5), 256), 768)
    return 258 * math.ceil(size.width_px / tile) * math.ceil(size.height_px / tile)


def qwen3_vl_seen(size: Size) -> Size:
    """What Qwen3-VL makes of a picture: sides of whole 32 pixels, 65,536 to 16,777,216 pixels in all."""
    width, height = (max(32, round(side / 32) * 32) for side in (size.width_px, size.height_px))
    pixels = size.width_px * size.height_px
    if width * height > 16_777_216:
        shrink = math.sqrt(pixels / 16_777_216)
        width, height = (max(32, math.floor(side / shrink / 32) * 32) for side in (size.width_px, size.height_px))
    elif width * height < 65_536:
        grow = math.sqrt(65_536 / pixels)
        width, height = (math.ceil(side * grow / 32) * 32 for side in (size.width_px, size.height_px))
    return Size(width, height)


def qwen3_vl(size: Size) -> int:
    """Qwen3-VL: 32 x 32 pixels a token."""
    seen = qwen3_vl_seen(size)
    return (seen.width_px // 32) * (seen.height_px // 32)


def _times(factor: str, number: int) -> int:
    return _ceil(Fraction(factor) * number)


_GEMINI_3 = {"low": 280, "medium": 560, "high": 1120, "ultra": 2240}

# Formula family -> tokens of a picture of a size at a detail. Exact for what the provider publishes as a formula.
IMAGES: dict[str, Callable[[Size, str], int]] = {
    "gpt-4o": lambda size, detail: tiles(size, detail, 85, 170),
    "gpt-4o-mini": lambda size, detail: tiles(size, detail, 2833, 5667),
    "gpt-5": lambda size, detail: tiles(size, detail, 70, 140),
    "o1": lambda size, detail: tiles(size, detail, 75, 150),
    "openai-patches-1.62": lambda size, _: _times("1.62", patches(size, 2048, 1536)),
    "openai-patches-1.72": lambda size, _: _times("1.72", patches(size, 2048, 1536)),
    "openai-patches-2.46": lambda size, _: _times("2.46", patches(size, 2048, 1536)),
    "gpt-5.4": lambda size, _: _times("1.2", patches(size, 2048, 2500)),
    "gpt-5.5": lambda size, _: _times("1.2", patches(size, 6000, 10_000)),
    "claude": lambda size, _: claude(size, 1568, 1568),
    "claude-4.7": lambda size, _: claude(size, 2576, 4784),
    "gemini-2": lambda size, _: gemini_2(size),
    "gemini-3": lambda _, detail: _GEMINI_3[detail],
    "gemma-3": lambda _size, _detail: 256,
    "blip-2": lambda _size, _detail: 32,  # its Q-Former's questions: see ``bridges``
    "qwen3-vl": lambda size, _: qwen3_vl(size),
}
_ABOUT = {"qwen3-vl": 0.05}  # the processor's limits can be set by whoever runs it

# Formula family -> tokens a second, and by how much that is off at most.
AUDIO = {"gemini": (32.0, 0.0), "openai": (10.0, 0.1)}
VIDEO = {"gemini-2": (263.0, 0.0), "gemini-3": (70.0, 0.0)}  # a frame a second; Gemini 2.x with its sound
TRANSCRIPT_PER_MINUTE = 200


def image(size: Size, model: str | LanguageModel, detail: str = "high") -> Count | None:
    """The tokens of a picture.

    Args:
        size: as it is shown.
        model: its name, or what ``models.find`` gave.
        detail: ``low``, ``medium``, ``high`` or ``ultra`` (Gemini 3); OpenAI's older formula knows ``low``.

    Returns:
        None where the model takes no pictures, or no formula is known.

    Raises:
        UnknownName: there is no such model.
        DoesNotFit: there is no such detail.
    """
    if detail not in DETAILS:
        raise DoesNotFit(f"a picture's detail is one of {', '.join(DETAILS)}, not {detail!r}")
    family = _model(model).image
    if family not in IMAGES:
        return None
    tokens = IMAGES[family](size, detail)
    return _count(tokens, _ABOUT.get(family, 0.0), f"{size.width_px} x {size.height_px} by the formula of {family}")


def audio(seconds: float, model: str | LanguageModel) -> Count | None:
    """The tokens of a recording; None where the model takes none, or no formula is known."""
    return _lasting(seconds, AUDIO, _model(model).audio)


def video(seconds: float, model: str | LanguageModel) -> Count | None:
    """The tokens of a film at one frame a second; None where the model takes none, or no formula is known."""
    return _lasting(seconds, VIDEO, _model(model).video)


def _lasting(seconds: float, rates: dict[str, tuple[float, float]], family: str) -> Count | None:
    if not (math.isfinite(seconds) and 0 <= seconds <= 1e7):
        raise DoesNotFit(f"nothing lasts {seconds:g} seconds")
    if family not in rates:
        return None
    rate, off = rates[family]
    return _count(math.ceil(seconds * rate), off, f"{seconds:,.0f} s at {rate:g} tokens a second ({family})")


def _count(tokens: int, off: float, how: str) -> Count:
    return Count(tokens, off == 0, math.floor(tokens * (1 - off)), math.ceil(tokens * (1 + off)), f"{how}, {DATE}")


def _model(model: str | LanguageModel) -> LanguageModel:
    return models.find(model) if isinstance(model, str) else model


def size_of(path: str | Path, limits: Limits | None = None) -> Size:
    """A picture's pixels as it is shown, turned as its EXIF says; it is not decoded.

    Raises:
        CannotRead: it is no picture, or cannot be opened.
        OverLimit: the file is larger than ``max_file_mb``.
    """
    from catalejo.readers import image as reader

    with files.opened(str(path), limits or Limits()) as file:
        return Size(*reader.size(file, str(path)))


def seconds_of(path: str | Path, limits: Limits | None = None) -> float:
    """How long a recording lasts, of a WAV or FLAC file, from its header.

    Raises:
        CannotRead: of any other file it cannot be told yet; or the header is damaged.
        OverLimit: the file is larger than ``max_file_mb``.
    """
    with files.opened(str(path), limits or Limits()) as file:
        head = file.read(42)
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            file.seek(0)
            try:
                with wave.open(file) as sound:
                    return float(sound.getnframes() / sound.getframerate())
            except (wave.Error, EOFError, ZeroDivisionError, struct.error) as error:
                raise CannotRead(path, f"a WAV file we cannot read: {brief(error)}") from error
    if head[:4] == b"fLaC" and len(head) == 42:
        packed = int.from_bytes(head[18:26], "big")  # samples a second 20 bits, channels 3, their bits 5, samples 36
        rate, samples = packed >> 44, packed & ((1 << 36) - 1)
        if rate and samples:
            return samples / rate
    raise CannotRead(path, "how long it lasts cannot be read from such a file yet; say it with --seconds")
