"""What a recording or a film is: how long, how large, with or without sound. Its samples are not decoded."""

from __future__ import annotations

from dataclasses import dataclass

from catalejo.context import media
from catalejo.context.media import Size
from catalejo.records import Limits


@dataclass(frozen=True)
class Recording:
    """A recording or a film, by its header.

    Attributes:
        seconds: how long it lasts.
        size: of its pictures, upright; None for a recording.
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


def recording(path: str, kind: str, limits: Limits | None = None) -> Recording:
    """What a file is.

    Args:
        path: of the file.
        kind: ``audio`` or ``video``.
        limits: what to refuse.

    Raises:
        CannotRead, OverLimit: with the reason.
        MissingExtra: nothing that reads it is installed.
    """
    return Recording(media.seconds_of(path, limits))
