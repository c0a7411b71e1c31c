"""The colours a picture is mostly made of, by name: Spanish and English, with the share of the picture each covers.

Colours are named by lightness, chroma and hue in OKLab (Ottosson 2020, "A perceptual color space for image
processing"), where equal steps look about equal. The borders between names are ours; the CSS colours whose
names hold one of these words are called by it (tests/test_perceivers_colours.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from catalejo.facts import Fact, Perceived

if TYPE_CHECKING:
    from PIL.Image import Image

Array = npt.NDArray[np.float32]

# (English, Spanish); the order is that of the numbers ``_named`` gives
NAMES = (
    *(("black", "negro"), ("dark grey", "gris oscuro"), ("grey", "gris"), ("light grey", "gris claro")),
    *(("white", "blanco"), ("dark red", "rojo oscuro"), ("red", "rojo"), ("pink", "rosa"), ("brown", "marrón")),
    *(("orange", "naranja"), ("beige", "beige"), ("olive", "verde oliva"), ("yellow", "amarillo")),
    *(("dark green", "verde oscuro"), ("green", "verde"), ("light green", "verde claro")),
    *(("dark turquoise", "turquesa oscuro"), ("turquoise", "turquesa")),
    *(("dark blue", "azul oscuro"), ("blue", "azul"), ("light blue", "azul claro")),
    *(("dark purple", "morado oscuro"), ("purple", "morado"), ("light purple", "lila"), ("magenta", "magenta")),
)
_NUMBER = {english: number for number, (english, _) in enumerate(NAMES)}
_SIDE_PX = 128  # a picture is averaged down to about this: single pixels are noise
_LEAST = 0.05  # of the picture that a colour covers to be told of
_MOST = 6  # colours told of
# Linear sRGB -> cone responses -> lightness, green-red, blue-yellow (Ottosson 2020)
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


class Colours:
    """Names the dominant colours; see the module."""

    name = "colours"
    version = "1"

    def look(self, picture: Image, page: int = 0) -> Perceived:
        """See ``Looker``: a fact of kind ``colour`` for each, the largest first.

        ``number`` is the share of the picture that it covers, 0 to 1, and ``confidence`` the same: how sure it is
        that somebody asked for the picture's colours would name this one.
        """
        told = [(NAMES[number], share) for number, share in shares(picture) if share >= _LEAST][:_MOST]
        return Perceived(
            tuple(Fact("colour", en, share, self.name, page, es=es, number=share) for (en, es), share in told)
        )


def shares(picture: Image) -> list[tuple[int, float]]:
    """How much of a picture each colour covers.

    Args:
        picture: RGB, any size.

    Returns:
        (number into ``NAMES``, share 0 to 1), the largest first; without those that cover nothing.
    """
    factor = max(1, min(picture.size) // _SIDE_PX)
    pixels = np.asarray(picture.reduce(factor) if factor > 1 else picture).reshape(-1, 3)
    counts = np.bincount(named(pixels), minlength=len(NAMES))
    order = np.argsort(-counts, kind="stable")
    return [(int(i), round(float(counts[i] / len(pixels)), 4)) for i in order if counts[i]]


def named(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The name of each colour.

    Args:
        pixels: (n, 3) sRGB.

    Returns:
        (n,) numbers into ``NAMES``.
    """
    lightness, chroma, hue = oklch(pixels)
    rules: list[tuple[npt.NDArray[np.bool_], str]] = [
        # nearly no colour: the darker, the less chroma is seen
        (lightness < 0.22, "black"),
        ((chroma < 0.035) & (lightness < 0.45), "dark grey"),
        ((chroma < 0.035) & (lightness < 0.72), "grey"),
        ((chroma < 0.035) & (lightness < 0.94), "light grey"),
        ((chroma < 0.035) & (lightness >= 0.94), "white"),
        # around the circle, from red
        ((hue < 5) & (lightness > 0.62), "pink"),
        ((hue < 45) & (lightness > 0.72), "pink"),
        ((hue < 45) & (lightness < 0.42), "dark red"),
        ((hue < 34) & (chroma > 0.13), "red"),
        ((hue < 80) & (lightness > 0.58) & (chroma > 0.15), "orange"),
        ((hue < 80) & (lightness > 0.66) & (chroma > 0.1), "orange"),
        ((hue < 40) & (chroma > 0.13), "red"),
        ((hue < 115) & (lightness > 0.75) & (chroma < 0.1), "beige"),
        (hue < 80, "brown"),
        ((hue < 115) & (lightness > 0.72), "yellow"),
        ((hue < 95) & (lightness < 0.55), "brown"),
        (hue < 122, "olive"),
        ((hue < 165) & (lightness < 0.45), "dark green"),
        ((hue < 165) & (lightness > 0.82), "light green"),
        (hue < 165, "green"),
        ((hue < 215) & (lightness < 0.45), "dark turquoise"),
        (hue < 215, "turquoise"),
        ((hue < 290) & (lightness < 0.4), "dark blue"),
        ((hue < 290) & (lightness > 0.72), "light blue"),
        (hue < 290, "blue"),
        ((hue < 335) & (lightness < 0.35), "dark purple"),
        ((hue < 325) & (lightness > 0.72), "light purple"),
        ((hue < 335) & ((lightness < 0.65) | (chroma < 0.2)), "purple"),
        (hue < 340, "magenta"),
        (lightness > 0.62, "pink"),
        (lightness < 0.42, "dark red"),
    ]
    numbers = [_NUMBER[name] for _, name in rules]
    return np.asarray(np.select([rule for rule, _ in rules], numbers, _NUMBER["magenta"]), np.int64)


def oklch(pixels: npt.NDArray[np.uint8]) -> tuple[Array, Array, Array]:
    """Lightness 0 to 1, chroma from 0, and hue in degrees from 0 to 360 of (n, 3) sRGB pixels; each (n,)."""
    part = pixels / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    lightness, red, blue = (np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T).T.astype(np.float32)
    return lightness, np.hypot(red, blue), np.degrees(np.arctan2(blue, red)) % 360
