"""Any pixel layout to 8-bit sRGB on white."""

from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_transforms = threading.local()  # an lcms transform may not be shared between threads
_MOST_TRANSFORMS = 16
_MOST_PROFILE_BYTES = 8_000_000  # the largest of press profiles have 3 MB
_BAND_PIXELS = 1 << 20
_SAME = 3  # levels of 255 by which profiles that mean sRGB differ from it


def plain(picture: Image.Image, white: int = 65535, inverted: bool = False) -> Image.Image:
    """Lay the samples out so that neighbours can be averaged.

    Args:
        picture: in any mode Pillow opens.
        white: for 16-bit samples, the value that means white.
        inverted: for more than 8 bits, whether the least value means white.

    Returns:
        mode ``L``, ``LA``, ``RGB``, ``RGBA`` or ``CMYK``, 8 bits a channel, same size.
    """
    mode = picture.mode
    key = picture.info.get("transparency")
    if key is not None and mode in ("1", "L", "P", "RGB"):
        if mode == "RGB" and isinstance(key, tuple) and max(key) > 255:  # of 16 bits, as the samples were
            picture.info["transparency"] = tuple(value >> 8 for value in key)
        return picture.convert("RGBA")
    if mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return picture
    if mode in ("I", "F") or mode.startswith("I;16"):
        grey = _to_8_bits(picture, white, inverted)
        if isinstance(key, int):
            grey.putalpha(Image.fromarray(np.where(np.asarray(picture) == key, 0, 255).astype(np.uint8)))
        return grey
    if mode == "LAB":
        return _apply(picture, _transform(None, "LAB"))
    return picture.convert({"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"}.get(mode, "RGB"))


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to RGB, 8 bits a channel, sRGB, transparency laid on white.

    Args:
        picture: as ``plain`` gives it.
        profile: the ICC profile that came with it; a damaged one is ignored.

    Returns:
        mode ``RGB``, same size.
    """
    alpha = picture.getchannel("A") if picture.mode in ("LA", "RGBA") else None
    if alpha is not None:
        picture = picture.convert(picture.mode[:-1])
    usable = profile if profile and len(profile) <= _MOST_PROFILE_BYTES else None
    picture = _apply(picture, _transform(usable, picture.mode) if usable else None)
    if alpha is not None and alpha.getextrema() != (255, 255):
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=alpha)
        picture = white
    return picture


def _to_8_bits(picture: Image.Image, white: int, inverted: bool) -> Image.Image:
    """Scale the range a format defines; where it defines none, what is there, from darkest to lightest."""
    values = np.asarray(picture)  # (high, wide)
    rows = max(1, _BAND_PIXELS // max(1, values.shape[1]))
    bands = [values[top : top + rows] for top in range(0, values.shape[0], rows)]
    low, high = 0.0, float(white)
    if not picture.mode.startswith("I;16"):
        ends = [
            (float(finite.min()), float(finite.max())) for band in bands if (finite := band[np.isfinite(band)]).size
        ]
        low, high = min((e[0] for e in ends), default=0.0), max((e[1] for e in ends), default=0.0)
        if picture.mode == "I" and low >= 0 and high <= 65535:
            low, high = 0.0, 255.0 if high <= 255 else 65535.0
    out = np.empty(values.shape, np.uint8)
    for number, band in enumerate(bands):  # band by band: float64 would be eight times the picture
        scaled = (np.nan_to_num(band.astype(np.float64), nan=low, posinf=high, neginf=low) - low) * (
            255 / (high - low) if high > low else 0.0
        )
        out[number * rows : (number + 1) * rows] = np.clip(scaled + 0.5, 0, 255)
    return Image.fromarray(255 - out if inverted else out)


def _apply(picture: Image.Image, transform: Any) -> Image.Image:
    if transform is not None:
        try:
            converted = ImageCms.applyTransform(picture, transform)
        except ImageCms.PyCMSError:
            converted = None
        if converted is not None:
            return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _transform(profile: bytes | None, mode: str) -> Any:
    """The lcms transform from a profile (None: CIE L*a*b*) to sRGB; None when it is sRGB or cannot be used."""
    cache: dict[tuple[bytes | None, str], Any] = _transforms.__dict__.setdefault("cache", {})
    key = (profile, mode)
    if key not in cache:
        if len(cache) >= _MOST_TRANSFORMS:
            cache.clear()
        cache[key] = _build_transform(profile, mode)
    return cache[key]


def _build_transform(profile: bytes | None, mode: str) -> Any:
    try:
        source = ImageCms.createProfile("LAB") if profile is None else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "RGB" and _changes_little(transform):
            return None  # most pictures carry sRGB itself, under many names; converting would only cost time
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    return transform


def _changes_little(transform: Any) -> bool:
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    changed = np.asarray(_apply(Image.fromarray(cube), transform), np.int16)
    return int(np.abs(changed - cube).max()) <= _SAME
