"""Any pixel layout to 8-bit sRGB on white."""

from __future__ import annotations

import io
import threading
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_transforms = threading.local()  # an lcms transform may not be shared between threads
_MOST_TRANSFORMS = 16


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to RGB, 8 bits a channel, sRGB, transparency laid on white.

    Args:
        picture: in any mode Pillow opens.
        profile: the ICC profile that came with it; a damaged one is ignored.

    Returns:
        mode ``RGB``, same size.
    """
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture = _to_8_bits(picture)
    if picture.mode in ("P", "PA"):
        picture = picture.convert("RGBA" if "transparency" in picture.info or picture.mode == "PA" else "RGB")
    elif picture.mode in ("L", "RGB") and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    elif picture.mode in ("1", "La", "RGBa", "LA"):
        picture = picture.convert({"1": "L", "La": "RGBA", "RGBa": "RGBA", "LA": "RGBA"}[picture.mode])
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    if alpha is not None:
        picture = picture.convert("RGB")
    picture = _apply_profile(picture, profile)
    if alpha is not None and alpha.getextrema() != (255, 255):
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=alpha)
        picture = white
    return picture


def _to_8_bits(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture)
    if picture.mode.startswith("I;16"):
        scaled = values.astype(np.float32) / 257
    elif picture.mode == "I" and values.size and 0 <= values.min() and 255 < values.max() <= 65535:
        scaled = values.astype(np.float32) / 257
    else:  # no standard range: what is there, from darkest to lightest
        finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        if picture.mode == "I" and 0 <= low and high <= 255:
            low, high = 0.0, 255.0
        scaled = ((finite - low) * (255 / (high - low) if high > low else 0)).astype(np.float32)
    return Image.fromarray(np.clip(scaled + 0.5, 0, 255).astype(np.uint8))


def _apply_profile(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile and picture.mode in ("RGB", "L", "CMYK"):
        transform = _transform(profile, picture.mode)
        if transform is not None:
            converted = ImageCms.applyTransform(picture, transform)
            if converted is not None:
                return converted
    if picture.mode == "LAB":
        transform = _transform(None, "LAB")
        converted = ImageCms.applyTransform(picture, transform) if transform is not None else None
        if converted is not None:
            return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _transform(profile: bytes | None, mode: str) -> Any:
    """The lcms transform from a profile to sRGB; None when it is sRGB already or cannot be used."""
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
        if profile is not None and "srgb" in ImageCms.getProfileDescription(source).lower().replace(" ", ""):
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
