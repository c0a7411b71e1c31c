"""Date, camera and place from a picture's EXIF. Whatever is damaged is left out, never guessed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL.Image import Exif, Image

_MODEL, _MAKE, _DATE, _ORIENTATION = 0x0110, 0x010F, 0x0132, 0x0112
_EXIF_IFD, _GPS_IFD, _TAKEN = 0x8769, 0x8825, 0x9003
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4


@dataclass(frozen=True)
class Facts:
    """What EXIF says of a picture.

    Attributes:
        orientation: 1 to 8, as EXIF defines it; 1 where it is missing or makes no sense.
        taken: when, in the camera's local time; else when a device last wrote it.
        camera: maker and model in one line, without saying the maker twice.
        latitude, longitude: degrees, south and west negative; both or neither.
    """

    orientation: int = 1
    taken: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def read(picture: Image) -> Facts:
    """The facts of a loaded picture (a PNG may carry its EXIF behind its pixels)."""
    try:
        exif = picture.getexif()
    except Exception:  # a damaged block raises anything from SyntaxError to struct.error; the pixels are still good
        return Facts()
    first = {tag: _value(exif, tag) for tag in (_ORIENTATION, _DATE, _MAKE, _MODEL)}
    turn = first[_ORIENTATION]
    return Facts(
        turn if isinstance(turn, int) and 1 <= turn <= 8 else 1,
        _date(_directory(exif, _EXIF_IFD).get(_TAKEN)) or _date(first[_DATE]),
        _camera(_text(first[_MAKE]), _text(first[_MODEL])),
        *_place(_directory(exif, _GPS_IFD)),
    )


def _value(exif: Exif, tag: int) -> Any:
    try:
        return exif.get(tag)
    except Exception:  # values are decoded when asked for, and may be damaged one by one
        return None


def _directory(exif: Exif, tag: int) -> dict[int, Any]:
    try:
        return dict(exif.get_ifd(tag))
    except Exception:
        return {}


def _camera(make: str | None, model: str | None) -> str | None:
    if make and model and not model.lower().startswith(make.lower()):
        return f"{make} {model}"
    return model or make


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join("".join(c if c.isprintable() else " " for c in value[:1000]).split())[:120] or None


def _date(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.strptime(value.strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    return found if found.year > 1900 else None  # cameras without a clock write 0000 or 1900


def _place(gps: dict[int, Any]) -> tuple[float | None, float | None]:
    latitude = _degrees(gps.get(_LATITUDE), gps.get(_LATITUDE_REF), "NS", 90)
    longitude = _degrees(gps.get(_LONGITUDE), gps.get(_LONGITUDE_REF), "EW", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:  # 0, 0: no satellite was in sight
        return None, None
    return latitude, longitude


def _degrees(parts: Any, reference: Any, signs: str, most: float) -> float | None:
    """Degrees, minutes, seconds and a letter as one number; None unless each is possible."""
    try:
        degrees, minutes, seconds = (float(x) for x in parts)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0 <= value <= most or minutes < 0 or seconds < 0:
        return None
    text = reference.decode("ascii", "ignore") if isinstance(reference, bytes) else reference
    letter = text.strip("\0 ").upper()[:1] if isinstance(text, str) else ""
    if not letter or letter not in signs:
        return None
    return -value if letter == signs[1] else value
