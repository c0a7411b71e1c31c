"""Where lines of text stand in a picture and what they say, by PP-OCRv6 as ``rapidocr`` brings it.

The detector marks lines as rectangles that may be turned; from their directions we know how the page stands.
Each line is cut upright out of the picture as it was given, and read. Nothing is downloaded: the graphs
(detector 10 MB, reader 21 MB, Apache-2.0) are in the package, and are named by their paths.
"""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from catalejo.perceivers import exclamations
from catalejo.texts import Box

if TYPE_CHECKING:
    from rapidocr import RapidOCR

Quads = npt.NDArray[np.float32]  # (n, 4, 2): corners in pixels

_DETECTOR, _READER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_PIXELS = 3_200_000  # at most, of what the detector sees: an A4 page at 170 dots an inch
_FEW_PIXELS = 1_000_000  # up to which small pictures are enlarged, for their small letters
_ENLARGED = 2.0  # at most: of letters too large it finds parts
_LONGEST = 4  # times its shorter side, what the detector sees: strips are laid on a ground
_EAST_ASIAN = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_HEIGHT_PX = 48  # of a line as the reader sees it
_UNLIKE = 24  # of 255, from the border's colour: something is there
_MARGIN_PX = 16  # kept around it
_LONG = 2.0  # times its height, a box is wide whose direction tells how the page stands
_TALL = 1.5  # times its width, a box is high whose line runs up or down the page
_TURNED = 5.0  # degrees from which lines are looked for again, in the turned picture
_SURE = 0.92  # mean confidence above which a page is not read upside down too
_TRIED = 6  # lines that are read both ways
# Of 71 lines read in photographs (COCO128), 26 with less than this were nearly all textures; above it they were words.
_LEAST = 0.6
# Shapes are taken for one or two large letters: a cat's eye for 0, a cup on its saucer for 8.
_LARGE, _LONE = 0.05, 0.9  # of the picture; confidence a lone character needs
# Full-width forms, which the reader also knows, as everybody else writes them.
_NARROW = {0xFF01 + i: chr(0x21 + i) for i in range(94)}


@dataclass(frozen=True)
class Line:
    """A line of text in a picture.

    Attributes:
        text: NFC.
        confidence: mean of its characters' probabilities, 0 to 1.
        box: around it, in pixels of the picture that was given.
        upright: around it on the page turned so that its lines run from left to right; for reading order.
    """

    text: str
    confidence: float
    box: Box
    upright: Box


class LineReader:
    """Finds and reads lines of text. Safe to call from several threads at once; one picture at a time, on all cores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def read(self, picture: Image.Image) -> list[Line]:
        """All lines of a picture, in no order.

        Args:
            picture: RGB, any size; the page in it may stand on its side, on its head, or askew.
        """
        with self._lock:
            quads = self._find(picture, 0.0)
            degrees = lean(quads)
            if abs(degrees) >= _TURNED:
                quads = self._find(picture, degrees)
                degrees = lean(quads, degrees)
            return self._both_ways(picture, quads, degrees)

    def _both_ways(self, picture: Image.Image, quads: Quads, degrees: float) -> list[Line]:
        """Read the page as it stands, or on its head should a few lines then be read better."""
        longest = np.argsort(-_sizes(quads)[:, 0], kind="stable")[:_TRIED]
        if not len(longest):
            return []
        tried = {flip: self._read(picture, quads[longest], degrees + flip) for flip in (0.0,)}
        if _mean(tried[0.0]) < _SURE:
            tried[180.0] = self._read(picture, quads[longest], degrees + 180)
        flip = max(tried, key=lambda flip: _mean(tried[flip]))
        others = np.setdiff1d(np.arange(len(quads)), longest)
        lines = [*tried[flip], *self._read(picture, quads[others], degrees + flip)]
        return [line for line in lines if is_text(line, picture.size)]

    def _find(self, picture: Image.Image, degrees: float) -> Quads:
        """The corners of lines, in the picture's pixels, looked for after turning it back by some degrees."""
        left, top, right, bottom = _written(picture)
        part = picture.crop((left, top, right, bottom))
        wide, high = part.size
        ground = max(wide, high / _LONGEST) * max(high, wide / _LONGEST)
        scale = max(min(_ENLARGED, math.sqrt(_FEW_PIXELS / ground)), min(1.0, math.sqrt(_PIXELS / ground)))
        size = max(1, round(wide * scale)), max(1, round(high * scale))
        seen = part if scale == 1 else part.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        if degrees:
            seen = seen.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_edge(seen))
        found = self._detector(_bgr(_grounded(seen)), use_det=True, use_cls=False, use_rec=False)
        if getattr(found, "boxes", None) is None:
            return np.empty((0, 4, 2), np.float32)
        placed = np.asarray(found.boxes, np.float32)
        if degrees:  # back by as much, about the centres of both
            middle = (placed - _point(seen.size) / 2) @ _turning(degrees)
            placed = (middle + _point(size) / 2).astype(np.float32)
        return placed * (_point(part.size) / _point(size)) + _point((left, top))

    def _read(self, picture: Image.Image, quads: Quads, degrees: float) -> list[Line]:
        upright = quads @ _turning(-degrees)
        return [self._line(picture, quads[i], upright[i]) for i in range(len(quads))]

    def _line(self, picture: Image.Image, quad: Quads, upright: Quads) -> Line:
        ways = [self._said(picture, quad[order]) for order in _orders(upright)]
        text, confidence = max(ways, key=lambda said: said[1])
        low, high = quad.min(0), quad.max(0)
        first, last = upright.min(0), upright.max(0)
        wide, tall = picture.size
        box = max(float(low[0]), 0.0), max(float(low[1]), 0.0), min(float(high[0]), wide), min(float(high[1]), tall)
        return Line(text, confidence, box, (float(first[0]), float(first[1]), float(last[0]), float(last[1])))

    def _said(self, picture: Image.Image, corners: Quads) -> tuple[str, float]:
        above, right, below, left = corners
        wide = max(math.dist(above, right), math.dist(left, below), 1.0)
        high = max(math.dist(above, left), math.dist(right, below), 1.0)
        places = tuple(float(x) for corner in (above, left, below, right) for x in corner)
        cut = picture.transform(
            (math.ceil(wide), math.ceil(high)), Image.Transform.QUAD, places, Image.Resampling.BICUBIC
        )
        small = cut.resize((max(1, round(_HEIGHT_PX * wide / high)), _HEIGHT_PX), Image.Resampling.BICUBIC)
        said = self._reader(_bgr(small), use_det=False, use_cls=False, use_rec=True, return_word_box=True)
        if not said.txts:
            return "", 0.0
        columns = [column for word in said.word_results[0].word_cols for column in word]
        text = exclamations.restored(said.txts[0], columns, np.asarray(small.convert("L")))
        if not _EAST_ASIAN.search(text):
            text = text.translate(_NARROW)
        return unicodedata.normalize("NFC", text.strip()), float(said.scores[0])

    @cached_property
    def _detector(self) -> RapidOCR:
        return _engine("Det", _DETECTOR)

    @cached_property
    def _reader(self) -> RapidOCR:
        return _engine("Rec", _READER)


def is_text(line: Line, size: tuple[int, int]) -> bool:
    """Whether a line is likelier text than a shape that looks like a letter or two.

    Args:
        line: as it was read.
        size: of the picture, in pixels.
    """
    if not line.text or line.confidence < _LEAST:
        return False
    if len(line.text) > 2:
        return True
    left, top, right, bottom = line.box
    large = (right - left) * (bottom - top) > _LARGE * size[0] * size[1]
    alone = len(line.text) == 1 and (line.confidence < _LONE or _EAST_ASIAN.search(line.text) is not None)
    return not large and not alone


def lean(quads: Quads, near: float = 0.0) -> float:
    """How far the lines of a page run downwards, in degrees: 0 as usual, 90 from top to bottom.

    The mean direction of long boxes, each by its length, and a line and its reverse are one.

    Args:
        quads: (n, 4, 2), corners of lines, one after the other around each.
        near: what a page without long boxes leans; the answer lies within 90 degrees of it.
    """
    sizes = _sizes(quads)
    long = quads[sizes[:, 0] >= _LONG * sizes[:, 1]]
    if not len(long):
        return near
    sides = long - np.roll(long, 1, axis=1)  # (n, 4, 2)
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    best = sides[np.arange(len(long)), lengths.argmax(1)].astype(np.float64)
    turned = (best[:, 0] + 1j * best[:, 1]) ** 2
    middle = np.angle((turned / np.sqrt(np.abs(turned))).sum())
    off = np.angle(turned * np.exp(-1j * middle))  # then the median, for what does not belong
    degrees = math.degrees(middle + float(np.median(off))) / 2
    return near + (degrees - near + 90) % 180 - 90


def _sizes(quads: Quads) -> npt.NDArray[np.float32]:
    """(n, 2): the longer and the shorter side of each."""
    sides = np.linalg.norm(quads - np.roll(quads, 1, axis=1), axis=2)
    pairs = np.stack([sides[:, [0, 2]].max(1), sides[:, [1, 3]].max(1)], axis=1)
    return np.sort(pairs, axis=1)[:, ::-1]


def _orders(upright: Quads) -> list[npt.NDArray[np.int64]]:
    """How to go around a box from where its line begins above, with the clock: one way, or two for lines up and down.

    Args:
        upright: (4, 2), its corners on the page turned upright.
    """
    one, other = upright[1] - upright[0], upright[2] - upright[1]
    level = [abs(side[0]) / max(math.hypot(*side), 1e-6) for side in (one, other)]
    across, down = (one, other) if level[0] >= level[1] else (other, one)
    if math.hypot(*down) >= _TALL * math.hypot(*across):
        return [_around(upright, down), _around(upright, -down)]
    return [_around(upright, across if across[0] >= 0 else -across)]


def _around(corners: Quads, along: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    below = np.array([-along[1], along[0]])
    placed = corners - corners.mean(0)
    x, y = placed @ along, placed @ below
    return np.array([np.argmin(x + y), np.argmax(x - y), np.argmax(x + y), np.argmin(x - y)])


def _turning(degrees: float) -> npt.NDArray[np.float32]:
    """(2, 2), to multiply rows of points by: turned with the clock, as y runs down."""
    angle = math.radians(degrees)
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], np.float32)


def _point(size: tuple[int, int]) -> npt.NDArray[np.float32]:
    return np.array(size, np.float32)


def _written(picture: Image.Image) -> tuple[int, int, int, int]:
    """What is left without margins of one colour: small letters alone on a large sheet are not found otherwise."""
    unlike = ImageChops.difference(picture, Image.new("RGB", picture.size, _edge(picture))).convert("L")
    box = unlike.point(lambda value: 255 if value > _UNLIKE else 0).getbbox()
    if box is None:
        return 0, 0, *picture.size
    left, top, right, bottom = box
    wide, high = picture.size
    return (
        max(0, left - _MARGIN_PX),
        max(0, top - _MARGIN_PX),
        min(wide, right + _MARGIN_PX),
        min(high, bottom + _MARGIN_PX),
    )


def _grounded(picture: Image.Image) -> Image.Image:
    """A strip on a ground of its border's colour, in the upper left corner; others as they are."""
    wide, high = picture.size
    size = max(wide, math.ceil(high / _LONGEST)), max(high, math.ceil(wide / _LONGEST))
    if size == picture.size:
        return picture
    ground = Image.new("RGB", size, _edge(picture))
    ground.paste(picture)
    return ground


def _edge(picture: Image.Image) -> tuple[int, int, int]:
    """The usual colour of a picture's border, for what turning it adds."""
    pixels = np.asarray(picture)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(x) for x in np.median(border, axis=0))
    return red, green, blue


def _bgr(picture: Image.Image) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def _mean(lines: Sequence[Line]) -> float:
    return sum(line.confidence for line in lines) / len(lines)


def _engine(part: str, file: str) -> RapidOCR:
    """One half of RapidOCR, silent, its graph by path so that it never looks for one elsewhere."""
    import rapidocr

    path = Path(rapidocr.__file__).with_name("models") / file
    options: dict[str, Any] = {
        "Global.log_level": "critical",
        "Global.use_preprocess_img": False,
        "Global.use_vertical_padding": False,
        "Det.limit_side_len": 32,  # sizes are ours
        f"{part}.model_path": str(path),
    }
    return rapidocr.RapidOCR(params=options)
