"""Date, camera and place from a picture's EXIF. Whatever is damaged is left out, never guessed."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from PIL.Image import Exif

_MODEL, _MAKE, _DATE, _ORIENTATION = 0x0110, 0x010F, 0x0132, 0x0112
_EXIF_IFD, _GPS_IFD, _TAKEN = 0x8769, 0x8825, 0x9003
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4


def orientation(exif: Exif) -> int:
    """1 to 8, as EXIF defines it; 1 where it is missing or makes no sense."""
    value = exif.get(_ORIENTATION)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def taken(exif: Exif) -> datetime | None:
    """When the picture was taken, in the camera's local time; else when it was last written by a device."""
    return _date(_ifd(exif, _EXIF_IFD).get(_TAKEN)) or _date(exif.get(_DATE))


def camera(exif: Exif) -> str | None:
    """Maker and model in one line, without saying the maker twice."""
    make, model = _text(exif.get(_MAKE)), _text(exif.get(_MODEL))
    if make and model and not model.lower().startswith(make.lower()):
        return f"{make} {model}"
    return model or make


def place(exif: Exif) -> tuple[float | None, float | None]:
    """Latitude and longitude in degrees; (None, None) unless both are there and possible."""
    gps = _ifd(exif, _GPS_IFD)
    latitude = _degrees(gps.get(_LATITUDE), gps.get(_LATITUDE_REF), "S", 90)
    longitude = _degrees(gps.get(_LONGITUDE), gps.get(_LONGITUDE_REF), "W", 180)
    return (latitude, longitude) if latitude is not None and longitude is not None else (None, None)


def _ifd(exif: Exif, tag: int) -> dict[int, Any]:
    try:
        return dict(exif.get_ifd(tag))
    except Exception:  # a damaged directory raises anything from SyntaxError to struct.error
        return {}


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:120] or None


def _date(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.strptime(value.strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    return found if found.year > 1900 else None  # cameras without a clock write 0000 or 1900


def _degrees(parts: Any, reference: Any, negative: str, most: float) -> float | None:
    try:
        degrees, minutes, seconds = (float(x) for x in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0 <= value <= most:
        return None
    ref = reference.decode("ascii", "ignore") if isinstance(reference, bytes) else str(reference)
    return -value if ref.strip("\0 ").upper().startswith(negative) else value
