"""At how many pixels a picture is sent: no more than the model looks at, so that bytes and tokens are not wasted.

A provider that shrinks a picture before its model sees it gets the shrunk one; the tokens foreseen are then those of
what is sent. Limits and sources: ``media``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from catalejo.context import media
from catalejo.context.language_model import LanguageModel
from catalejo.context.media import Size

MOST_PX = 2048  # longer side, where the model's own limit is higher or not known
LEAST_PX = 224  # longer side, below which no picture is shrunk to make room
_PATCH_PX = 28  # of a side, a token: what most open models of 2026 come to
_LESS = 0.995  # of a side, each time a picture would cost more than the whole one does
_FEWEST = 64  # tokens of a picture to the thriftiest of them (SmolVLM2)

# Formula family -> longer side in pixels, and pixels in all, that the model looks at.
_LOOKS = {
    "openai-patches-1.62": (2048, 1536 * 1024),
    "openai-patches-1.72": (2048, 1536 * 1024),
    "openai-patches-2.46": (2048, 1536 * 1024),
    "gpt-5.4": (2048, 2500 * 1024),
    "gpt-5.5": (6000, 10_000 * 1024),
    "claude": (1568, 1568 * 784),
    "claude-4.7": (2576, 4784 * 784),
    "gemini-2": (3072, 3072 * 3072),
    "gemini-3": (3072, 3072 * 3072),
    "gemma-3": (896, 896 * 896),
    "blip-2": (2048, 2048 * 2048),  # squashed to a square of 224: its processor does it best itself
}
_TILES = ("gpt-4o", "gpt-4o-mini", "gpt-5", "o1")


@dataclass(frozen=True)
class Foreseen:
    """Tokens of a picture, with the range of an estimate."""

    tokens: int
    low: int
    high: int


def sent(size: Size, record: LanguageModel | None, detail: str = "high", most_px: int = MOST_PX) -> Size:
    """The size to send a picture at, in its proportions; never larger than it is.

    Args:
        size: of the picture as it is shown.
        record: what is known of the model; None: nothing.
        detail: see ``media.DETAILS``.
        most_px: longer side at most.

    >>> from catalejo.context import models
    >>> sent(Size(4000, 3000), models.find("gpt-4o"))
    Size(width_px=1024, height_px=768)
    """
    family = record.image if record else ""
    longest, area = _LOOKS.get(family, (most_px, most_px * most_px))
    scale = min(1.0, min(longest, most_px) / size.longer)
    if family in _TILES:
        scale = min(scale, 512 / size.longer if detail == "low" else 768 / size.shorter)
    scale = min(scale, math.sqrt(area / (size.width_px * size.height_px)))
    most = foreseen(size, record, detail).tokens
    while scale < 1 and foreseen(at(size, scale), record, detail).tokens > most:  # patches are counted whole
        scale *= _LESS
    return at(size, scale)


def at(size: Size, scale: float) -> Size:
    """A size in its proportions; no side below a pixel, none longer than it was."""
    return Size(*(min(side, max(1, math.floor(side * scale + 1e-6))) for side in (size.width_px, size.height_px)))


def foreseen(size: Size, record: LanguageModel | None, detail: str = "high") -> Foreseen:
    """The tokens of a picture that is sent at this size; estimated where no formula of the model is known."""
    count = media.image(size, record, detail) if record else None
    if count:
        return Foreseen(count.tokens, count.low, count.high)
    tokens = max(_FEWEST, math.ceil(size.width_px / _PATCH_PX) * math.ceil(size.height_px / _PATCH_PX))
    return Foreseen(tokens, min(_FEWEST, tokens), 2 * tokens)
