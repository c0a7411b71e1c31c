"""Recordings: what can be heard, in stretches of about half a minute. Needs the extra ``media``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from catalejo import files
from catalejo.errors import CannotRead
from catalejo.facts import Fact
from catalejo.perceivers import Samples
from catalejo.readers import Page, containers, headers, samples, tags
from catalejo.readers.stretches import stretches
from catalejo.records import Limits

if TYPE_CHECKING:
    from av.container import InputContainer


class AudioReader:
    """Gives one page a stretch, of kind ``audio``; its picture is the waveform, for people to look at."""

    def read(self, file: BinaryIO, path: str, limits: Limits, side_px: int) -> Iterator[Page]:
        """See ``Reader``. A cover in the file is not a picture of the recording."""
        with containers.opened(file, path, limits) as container:
            yield from pages(container, path, limits)


def pages(container: InputContainer, path: str, limits: Limits, first: int = 0) -> Iterator[Page]:
    """The stretches of what an open recording or film sounds like.

    Args:
        first: number of the first page.

    Raises:
        CannotRead: it has no sound.
    """
    stream = _sound(container, path)
    made = tags.read(container.metadata, stream.metadata)
    for number, one in enumerate(stretches(samples.blocks(container, stream, path, limits)), first):
        yield Page(
            one.drawn(),
            number,
            "audio",
            0,
            0,
            made.taken,
            made.camera,
            made.latitude,
            made.longitude,
            round(one.start_s, 3),
            round(max(one.end_s, one.start_s + 0.001), 3),
        )


@dataclass(frozen=True)
class FileSound:
    """What a file sounds like (see ``perceivers.Sound``); the file is open only while blocks are taken."""

    path: str
    limits: Limits
    duration_s: float | None

    def blocks(self) -> Iterator[Samples]:
        """See ``perceivers.Sound``."""
        with files.opened(self.path, self.limits) as file, containers.opened(file, self.path, self.limits) as container:
            yield from samples.blocks(container, _sound(container, self.path), self.path, self.limits)


def sound_of(path: str | Path, limits: Limits | None = None) -> FileSound:
    """The sound of a recording or a film, for perceivers.

    Raises:
        MissingExtra: PyAV is not installed.
        CannotRead: it cannot be opened, or has no sound.
        OverLimit: it passes ``max_seconds``, ``max_streams`` or ``max_media_mb``.
    """
    name, limits = os.fspath(path), limits or Limits()
    with files.opened(name, limits) as file, containers.opened(file, name, limits) as container:
        _sound(container, name)
        return FileSound(name, limits, containers.duration_s(container))


def about(path: str | Path, limits: Limits | None = None) -> tuple[Fact, ...]:
    """What a recording says of itself, by ``file``: duration, when, where and with what it was made.

    Raises:
        MissingExtra, CannotRead, OverLimit: see ``headers.read``.
    """
    return tuple(headers.read(path, limits).facts())


def _sound(container: InputContainer, path: str) -> containers.Stream:
    stream = containers.sound(container)
    if stream is None:
        raise CannotRead(path, "it has no sound" if containers.film(container) else "it has neither pictures nor sound")
    return stream
