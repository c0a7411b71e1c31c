"""What a recording or a film says of itself, almost without decoding it: one frame, to see which way it stands."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from catalejo import files
from catalejo.errors import CannotRead
from catalejo.facts import Fact
from catalejo.readers import containers, tags
from catalejo.readers.frames import Screen
from catalejo.readers.tags import Made
from catalejo.records import Limits


@dataclass(frozen=True)
class Header:
    """A recording or a film, by its header.

    Attributes:
        duration_s: seconds.
        sound: whether it has any.
        width_px, height_px: of its pictures as they are shown, upright; 0 where it has none that move.
        frames: how many of those; 0 where it does not say and they were not counted.
        frame_rate: a second, on average; None where it does not say.
        made: when, where and with what.
    """

    duration_s: float
    sound: bool
    width_px: int = 0
    height_px: int = 0
    frames: int = 0
    frame_rate: float | None = None
    made: Made = field(default_factory=Made)

    @property
    def film(self) -> bool:
        """Whether it has pictures that move; a cover is none."""
        return self.width_px > 0

    def facts(self) -> Iterator[Fact]:
        """What it says, by ``file``."""
        yield Fact("duration", *_number(self.duration_s, 1, " s"))
        if self.film:
            yield Fact("size", f"{self.width_px} x {self.height_px}", None, "file")
        if self.frames:
            yield Fact("frames", f"{self.frames}", None, "file", number=float(self.frames))
        if self.frame_rate is not None:
            yield Fact("frame-rate", *_number(self.frame_rate, 2))
        made = self.made
        if made.taken is not None:
            yield Fact("taken", made.taken.isoformat(), None, "file")
        if made.camera is not None:
            yield Fact("camera", made.camera, None, "file")
        if made.latitude is not None and made.longitude is not None:
            yield Fact("place", f"{made.latitude:.5f},{made.longitude:.5f}", None, "file")


def read(path: str | Path, limits: Limits | None = None, count: bool = False) -> Header:
    """The header of a file.

    Args:
        path: of a recording or a film.
        limits: what to refuse.
        count: go through the file for the number of frames where its header does not say.

    Raises:
        MissingExtra: PyAV is not installed.
        CannotRead: it is none, damaged, or has neither pictures nor sound.
        OverLimit: it passes ``max_seconds``, ``max_streams``, ``max_megapixels`` or ``max_media_mb``.
    """
    name, limits = os.fspath(path), limits or Limits()
    with files.opened(name, limits) as file:
        header = _header(file, name, limits)
        if header.duration_s <= 0 or (count and header.film and not header.frames):
            seconds, number = _through(file, name, limits)
            number = header.frames or (number if header.film else 0)
            header = dataclasses.replace(header, duration_s=header.duration_s or seconds, frames=number)
        if header.duration_s > limits.max_seconds:
            raise containers.too_long(name, limits)
        return header


def _header(file: BinaryIO, path: str, limits: Limits) -> Header:
    """What the header says; a duration of 0 where it does not say."""
    with containers.opened(file, path, limits) as container:
        film, sound = containers.film(container), containers.sound(container)
        stream = film if film is not None else sound
        if stream is None:
            raise CannotRead(path, "it has neither pictures nor sound")
        size = (0, 0)
        if film is not None:
            first = next(containers.frames(container, film, path, limits))[1]
            containers.check_size(first.width, first.height, path, limits)
            size = Screen(film, first).size(first)
        seconds = containers.duration_s(container) or 0.0
        rate = float(film.average_rate) if film is not None and film.average_rate else None
        made = tags.read(container.metadata, stream.metadata)
        return Header(seconds, sound is not None, *size, _frames(film), rate, made)


def _frames(film: containers.Stream | None) -> int:
    """How many, as the stream has it, or the program that put it into a Matroska file."""
    if film is None:
        return 0
    said = next((value for name, value in film.metadata.items() if name.upper().startswith("NUMBER_OF_FRAMES")), "")
    return film.frames or (int(said) if said.isdecimal() and len(said) < 10 else 0)


def _through(file: BinaryIO, path: str, limits: Limits) -> tuple[float, int]:
    """Where its last packet ends, in seconds from the start, and how many there are; without decoding them."""
    end, count = 0.0, 0
    with containers.opened(file, path, limits) as container:
        stream = containers.film(container) or containers.sound(container)
        start_s, step_s = (container.start_time or 0) / 1e6, 0.0
        if stream is not None and stream.type == "video" and stream.average_rate:
            step_s = float(1 / stream.average_rate)
        for packet in containers.packets(container, stream):
            if packet.size:
                count += 1
                at = None if packet.pts is None or packet.time_base is None else packet.pts * packet.time_base
                lasts = float(packet.duration * packet.time_base) if packet.duration and packet.time_base else step_s
                end = max(end, end + lasts if at is None else float(at) - start_s + lasts)
    return end, count


def _number(value: float, digits: int, unit: str = "") -> tuple[str, None, str, int, str, float]:
    """Value, confidence, by whom, page, the value in Spanish, and as a number: what a fact of a quantity has."""
    text = f"{value:.{digits}f}"
    return f"{text}{unit}", None, "file", 0, f"{text.replace('.', ',')}{unit}", value
