"""What a recording or a film is, by its header: how long, how large, with or without sound."""

from __future__ import annotations

import os
from dataclasses import dataclass

from catalejo import plugins
from catalejo.context import media
from catalejo.context.media import Size
from catalejo.errors import CannotRead, MissingExtra, OverLimit
from catalejo.records import Limits


@dataclass(frozen=True)
class Recording:
    """A recording or a film.

    Attributes:
        seconds: how long it lasts.
        size: of its pictures as they are shown; None for a recording.
        sound: whether it has any.
    """

    seconds: float
    size: Size | None = None
    sound: bool = True

    @property
    def what(self) -> str:
        """``62.0 s``, ``62.0 s, 1,920 x 1,080``."""
        pixels = f", {self.size.width_px:,} x {self.size.height_px:,}" if self.size else ""
        return f"{self.seconds:,.1f} s{pixels}"


def kind_of(path: str) -> str:
    """What a file is by its suffix: ``image``, ``audio``, ``video``; whatever else it is may be ``text``."""
    reader = plugins.reader_for(os.path.splitext(path)[1])
    if reader is None:
        return "text"
    return reader if reader in plugins.RECORDINGS else "image"


def recording(path: str, limits: Limits | None = None) -> Recording:
    """What a file is, without decoding it; WAV and FLAC without the extra ``media`` too.

    Raises:
        CannotRead, OverLimit: with the reason.
        MissingExtra: PyAV, which reads it, is not installed.
    """
    try:
        from catalejo.readers import headers

        found = headers.read(path, limits)
    except MissingExtra as missing:
        try:
            return Recording(media.seconds_of(path, limits))
        except OverLimit:
            raise
        except CannotRead:
            raise missing from None
    return Recording(found.duration_s, Size(found.width_px, found.height_px) if found.film else None, found.sound)
