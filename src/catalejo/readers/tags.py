"""When and where a recording was made, and with what, from the names and values in its container."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_PLACE = re.compile(
    r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:[+-]\d+(?:\.\d+)?)?(?:CRS[\w:]*)?/?$"
)  # ISO 6709
_CLOCK = re.compile(r"\d{2}:\d{2}:\d{2}$")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}$")
_OLDEST = 1971  # cameras without a clock count from 1904 or 1970


@dataclass(frozen=True)
class Made:
    """What a container says of how it was made.

    Attributes:
        taken: when, in local time: the recorder's, where it says so, else this computer's.
        camera: maker and model in one line, without saying the maker twice.
        latitude, longitude: degrees, south and west negative; both or neither.
    """

    taken: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def read(*tables: Mapping[str, str]) -> Made:
    """What these tables say: the container's first, then its streams'. What makes no sense is left out."""
    found: dict[str, str] = {}
    for table in tables:
        for name, value in table.items():
            found.setdefault(name.lower().removeprefix("com.apple.quicktime."), value)
    make = _text(found.get("make") or found.get("com.android.manufacturer"))
    model = _text(found.get("model") or found.get("com.android.model"))
    if make and model and not model.lower().startswith(make.lower()):
        model = f"{make} {model}"
    place = found.get("location.iso6709") or found.get("location") or found.get("location-eng") or ""
    return Made(_taken(found), model or make, *_place(place))


def _taken(found: Mapping[str, str]) -> datetime | None:
    day, created = found.get("date", "").strip(), found.get("creation_time", "").strip()
    if _CLOCK.match(created) and _DAY.match(day):  # a WAV of the broadcasters'
        created = f"{day}T{created}"
    # Apple's has the place's own time, and how far that is from UTC; the other is UTC.
    return _date(found.get("creationdate", "").strip()) or _date(created, here=True)


def _date(value: str, here: bool = False) -> datetime | None:
    try:
        when = datetime.fromisoformat(value)
        if when.year < _OLDEST:
            return None
        return (when.astimezone() if here and when.tzinfo else when).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError, OSError):
        return None


def _place(value: str) -> tuple[float | None, float | None]:
    match = _PLACE.match(value.strip())
    if not match:
        return None, None
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180 or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _text(value: str | None) -> str | None:
    return " ".join("".join(c if c.isprintable() else " " for c in (value or "")[:1000]).split())[:120] or None
