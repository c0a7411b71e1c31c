"""Films: one page a shot with its key frame, then the stretches of their sound. Needs the extra ``media``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from catalejo import files
from catalejo.errors import CannotRead
from catalejo.facts import Fact
from catalejo.readers import Page, audio, containers, headers, tags
from catalejo.readers.containers import Undecodable
from catalejo.readers.frames import Screen
from catalejo.readers.shots import SMALL_PX, Cutter, Sketch, sketch
from catalejo.records import Limits

if TYPE_CHECKING:
    from av.container import InputContainer

_LOOKED_AT = 31.0  # frames a second; more say nothing new about where shots begin
_TICK_S = 0.002  # seconds are kept in milliseconds
_SEEK_S = 5.0  # frames this near are decoded rather than looked for
_CANDIDATES, _APART_S = 6, 0.4  # key frames in hand for one shot; the least time between two


class VideoReader:
    """Gives the shots of a film, kind ``video``, and then the stretches of its sound, kind ``audio``."""

    def read(self, file: BinaryIO, path: str, limits: Limits, side_px: int) -> Iterator[Page]:
        """See ``Reader``. Where only the pictures or only the sound can be decoded, those are given."""
        number, problem = 0, None
        with containers.opened(file, path, limits) as container:
            sounds = containers.sound(container) is not None
            stream = containers.film(container)
            if stream is None and not sounds:
                raise CannotRead(path, "it has neither pictures nor sound")
            try:
                for page in _shots(container, stream, path, limits, side_px) if stream is not None else ():
                    number = page.page + 1
                    yield page
            except Undecodable as error:
                problem = error
        if not sounds:
            if problem is not None:
                raise problem
            return
        with containers.opened(file, path, limits) as container:
            try:
                yield from audio.pages(container, path, limits, number)
            except Undecodable:
                if not number:
                    raise


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A frame that may stand for its shot."""

    sketch: Sketch
    picture: Image.Image
    size: tuple[int, int]


class _Shot:
    """A shot being seen: when it began, and a few frames spread over it, however long it lasts."""

    def __init__(self, start_s: float | None, kept: Iterable[_Candidate] = ()) -> None:
        self.start_s = start_s  # None: with the first frame
        self.candidates = list(kept)
        self._apart_s = _APART_S

    def wants(self, second: float) -> bool:
        return not self.candidates or second - self.candidates[-1].sketch.second >= self._apart_s

    def keep(self, one: _Candidate) -> None:
        if self.start_s is None:
            self.start_s = one.sketch.second
        self.candidates.append(one)
        if len(self.candidates) > _CANDIDATES:
            self.candidates = self.candidates[::2]
            self._apart_s *= 2

    def split(self, second: float) -> _Shot:
        """End it here; the shot that follows, with what was already seen of it."""
        after = [one for one in self.candidates if one.sketch.second >= second]
        self.candidates = [one for one in self.candidates if one.sketch.second < second] or self.candidates[:1]
        return _Shot(second, after)

    def best(self) -> _Candidate:
        """Of the frames most like the shot as a whole, the sharpest."""
        middle = np.mean([one.sketch.layout for one in self.candidates], axis=0)
        off = [float(np.abs(one.sketch.layout - middle).mean()) + one.sketch.flat for one in self.candidates]
        near = [one for one, far in zip(self.candidates, off, strict=True) if far <= 1.5 * min(off) + 0.01]
        return max(near, key=lambda one: _sharpness(one.picture))


def _shots(
    container: InputContainer, stream: containers.Stream, path: str, limits: Limits, side_px: int
) -> Iterator[Page]:
    made = tags.read(container.metadata, stream.metadata)
    shot, cutter, number = _Shot(None), Cutter(), 0
    looked_s, end_s = float("-inf"), 0.0
    screen: Screen | None = None

    def page(of: _Shot, end_s: float) -> Page:
        key = of.best()
        wide, high = key.size
        return Page(
            key.picture,
            number,
            "video",
            wide,
            high,
            made.taken,
            made.camera,
            made.latitude,
            made.longitude,
            round(of.start_s or 0.0, 3),
            round(end_s, 3),
        )

    for second, frame in containers.frames(container, stream, path, limits):
        end_s = second + containers.length_s(frame, stream)
        if second - looked_s < 1 / _LOOKED_AT:
            continue
        looked_s = second
        containers.check_size(frame.width, frame.height, path, limits)
        screen = screen or Screen(stream, frame)
        now = sketch(second, screen.small(frame, *SMALL_PX))
        began_s = cutter.see(now)
        if shot.wants(second):
            shot.keep(_Candidate(now, screen.picture(frame, side_px), screen.size(frame)))
        if began_s is not None:
            after = shot.split(began_s)
            yield page(shot, began_s)
            shot, number = after, number + 1
            if not shot.candidates:
                shot.keep(_Candidate(now, screen.picture(frame, side_px), screen.size(frame)))
    if (began_s := cutter.finish(end_s)) is not None:
        after = shot.split(began_s)
        if after.candidates:
            yield page(shot, began_s)
            shot, number = after, number + 1
    yield page(shot, end_s)


def _sharpness(picture: Image.Image) -> float:
    grey = np.asarray(picture.convert("L").reduce(max(1, min(picture.size) // 256)), np.float32)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())


def frames_at(path: str | Path, seconds: Iterable[float], limits: Limits | None = None) -> Iterator[Image.Image]:
    """What a film shows at some seconds, at its full size, upright.

    Args:
        path: of the film.
        seconds: from its start, in any order; in rising order is fastest. Beyond its end stands its last frame.
        limits: what to refuse.

    Raises:
        MissingExtra: PyAV is not installed.
        CannotRead: it has no moving pictures, or none that can be decoded.
        OverLimit: it passes ``max_seconds``, ``max_streams``, ``max_megapixels`` or ``max_media_mb``.
    """
    name, limits = os.fspath(path), limits or Limits()
    with files.opened(name, limits) as file, ExitStack() as stack:
        now = after = None
        screen: Screen | None = None
        coming: Iterator[tuple[float, Any]] = iter(())
        for second in seconds:
            wanted = second + _TICK_S
            if now is None or not now[0] <= wanted <= now[0] + _SEEK_S:
                for begin_s in (second, second - _SEEK_S, 0.0):  # some indexes lead behind what was asked for
                    stack.close()
                    container = stack.enter_context(containers.opened(file, name, limits))
                    stream = _film(container, name)
                    coming = containers.frames_from(container, stream, max(0.0, begin_s), name, limits)
                    now = next(coming, None)
                    if begin_s <= 0 or (now is not None and now[0] <= wanted):
                        break
                after = next(coming, None)
            while after is not None and after[0] <= wanted:
                now, after = after, next(coming, None)
            if now is None:
                raise Undecodable(name, "video")
            containers.check_size(now[1].width, now[1].height, name, limits)
            screen = screen or Screen(stream, now[1])
            yield screen.picture(now[1])


def about(path: str | Path, limits: Limits | None = None, shots: int | None = None) -> tuple[Fact, ...]:
    """What a film says of itself, by ``file``: duration, size, frames, frame rate, when, where and with what.

    Args:
        path: of the film.
        limits: what to refuse.
        shots: how many it has, by whoever has read it; told with the rest.

    Raises:
        MissingExtra, CannotRead, OverLimit: see ``headers.read``.
    """
    facts = tuple(headers.read(path, limits, count=True).facts())
    return facts if shots is None else (*facts, Fact("shots", f"{shots}", None, "file", number=float(shots)))


def _film(container: InputContainer, path: str) -> containers.Stream:
    stream = containers.film(container)
    if stream is None:
        heard = containers.sound(container) is not None
        raise CannotRead(path, "a recording, without moving pictures" if heard else "it has neither pictures nor sound")
    return stream
