"""The "¡" that the reader has no word for, restored from the ink: its alphabet of 18,708 characters lacks that one.

Where a line has a "¡", the reader says nothing, or an "i". Here it is looked for in the picture of the line: a dot
above a stem that goes down below the other letters, where a word begins and no letter was read. Nothing is
added where nothing is drawn: a sentence written without its "¡" stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_OPENING = " (\"'«“‘[—–-¿"  # a word begins behind them
_TAKEN_FOR_IT = "iIlíì!|1"
_STEP_PX = 8  # from one column of the reader's output to the next, in pixels of the line
_ASIDE_PX = 10  # that a letter's column may be away from its middle


@dataclass(frozen=True)
class _Blob:
    """Ink that hangs together: its box."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def wide(self) -> int:
        return self.right - self.left

    @property
    def high(self) -> int:
        return self.bottom - self.top


def restored(text: str, columns: Sequence[int], line: npt.NDArray[np.uint8]) -> str:
    """A line's text with the "¡" that its picture shows.

    Args:
        text: as it was read.
        columns: of the reader's output, one for each character of ``text`` that is no space.
        line: (height, width) grey, the picture that was read.

    Returns:
        The same text where nothing shows one, or where ``columns`` do not fit it.

    Example:
        >>> restored("Hola!", [], np.zeros((48, 100), np.uint8))
        'Hola!'
    """
    places = [i for i, c in enumerate(text) if not c.isspace()]
    if len(places) != len(columns) or not places:
        return text
    middles = [(column + 0.5) * _STEP_PX for column in columns]
    blobs = _blobs(line)
    letters = [blob.bottom for blob in blobs if blob.high > 0.25 * line.shape[0]]
    if not letters:
        return text
    baseline = float(np.median(letters))
    found = list(text)
    for mark in _marks(blobs, line.shape[0]):
        if mark.bottom <= baseline + 0.05 * line.shape[0]:
            continue  # an i
        nearest = min(range(len(places)), key=lambda i: abs(middles[i] - mark.middle))
        if abs(middles[nearest] - mark.middle) < _ASIDE_PX and text[places[nearest]] in _TAKEN_FOR_IT:
            following = text[places[nearest] + 1 : places[nearest] + 2].strip()
            if following and following not in "jJ" and _begins(text, places[nearest]):  # a j has a dot and a stem too
                found[places[nearest]] = "¡"
            continue
        after = next((i for i, middle in enumerate(middles) if middle > mark.middle + 1), None)
        if after is None or not _begins(text, places[after]) or text[places[after]] in "jJ¡¿":
            continue
        quoted = after > 0 and places[after - 1] == places[after] - 1  # close behind a quotation mark or a dash
        if after == 0 or mark.middle - middles[after - 1] > (0 if quoted else _ASIDE_PX):
            found[places[after]] = "¡" + text[places[after]]
    return "".join(found)


def _begins(text: str, place: int) -> bool:
    return place == 0 or text[place - 1] in _OPENING


def _marks(blobs: Sequence[_Blob], height: int) -> list[_Blob]:
    """Boxes around each dot with a stem below it."""
    found = []
    for stem in blobs:
        if stem.high < 0.2 * height or stem.wide > 0.6 * stem.high:
            continue
        for dot in blobs:
            if dot.high > 0.5 * stem.high or dot.wide > 2 * dot.high or dot.high > 2.5 * dot.wide:
                continue
            over = dot.bottom <= stem.top + 1 and stem.top - dot.bottom < 0.4 * stem.high
            if over and abs(dot.middle - stem.middle) <= 0.3 * stem.high:
                found.append(
                    _Blob(min(dot.left, stem.left), dot.top, max(dot.right, stem.right), stem.bottom),
                )
    return found


def _blobs(line: npt.NDArray[np.uint8]) -> list[_Blob]:
    """Ink of a line: the shade there is less of, by Otsu's threshold."""
    import cv2

    _, dark = cv2.threshold(line, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    ink = dark if dark.mean() < 0.5 else 1 - dark
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    return [_Blob(x, y, x + wide, y + high) for x, y, wide, high, _ in stats[1:].tolist()]
