"""Pictures: JPEG, PNG, WebP, GIF, BMP, TIFF (each page an item), AVIF, HEIC."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import BinaryIO

from PIL import (  # the plug-ins register their formats; Image.init() would import all forty
    AvifImagePlugin as _avif,  # noqa: F401
    BmpImagePlugin as _bmp,  # noqa: F401
    GifImagePlugin as _gif,  # noqa: F401
    Image,
    ImageSequence,
    JpegImagePlugin as _jpeg,  # noqa: F401
    MpoImagePlugin as _mpo,  # noqa: F401
    PngImagePlugin as _png,  # noqa: F401
    TiffImagePlugin as _tiff,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin as _webp,  # noqa: F401
)

from catalejo.errors import CannotRead, OverLimit
from catalejo.readers import Page, exif
from catalejo.readers.colour import to_srgb
from catalejo.records import Limits

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "HEIF")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Above this many megapixels only one picture is decoded at a time, whatever the number of threads.
_LARGE_MEGAPIXELS = 25.0
_large = threading.Lock()

Image.MAX_IMAGE_PIXELS = None  # ours are checked before any pixel is decoded, and say which flag raises them


class ImageReader:
    """Reads pictures upright, in sRGB, at reduced scale where the format allows it."""

    def read(self, file: BinaryIO, path: str, limits: Limits, side_px: int) -> Iterator[Page]:
        """See ``Reader``. JPEGs are decoded at 1/2, 1/4 or 1/8 when that still covers ``side_px``."""
        _prepare_heif(file)
        try:
            with Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN]) as picture:
                yield from _pages(picture, path, limits, side_px)
        except (CannotRead, MemoryError):
            raise
        except UnidentifiedImageError as error:
            raise CannotRead(path, _unknown(file)) from error
        except Exception as error:  # damaged files make decoders raise anything: struct.error, SyntaxError, ...
            raise CannotRead(path, f"damaged picture ({_brief(error)})") from error


def _pages(picture: Image.Image, path: str, limits: Limits, side_px: int) -> Iterator[Page]:
    if picture.format != "TIFF":
        yield _page(picture, 0, path, limits, side_px)
        return
    for number, frame in enumerate(ImageSequence.Iterator(picture)):
        if number >= limits.max_pages:
            raise OverLimit(path, f"more than {number} pages", f"{limits.max_pages} pages", "--max-pages")
        yield _page(frame, number, path, limits, side_px)


def _page(picture: Image.Image, number: int, path: str, limits: Limits, side_px: int) -> Page:
    meta = picture.getexif()
    turn = exif.orientation(meta)
    wide, high = picture.size if turn < 5 else picture.size[::-1]
    profile = picture.info.get("icc_profile")
    megapixels = _check(picture, path, limits, side_px)
    if megapixels > _LARGE_MEGAPIXELS:
        with _large:
            small = _decode(picture, side_px)
    else:
        small = _decode(picture, side_px)
    rgb = to_srgb(small, profile if isinstance(profile, bytes) else None)
    if turn != 1:
        rgb = rgb.transpose(_TURNS[turn])
    latitude, longitude = exif.place(meta)
    return Page(rgb, number, "image", wide, high, exif.taken(meta), exif.camera(meta), latitude, longitude)


def _check(picture: Image.Image, path: str, limits: Limits, side_px: int) -> float:
    """Choose a JPEG's scale, refuse what is too large to decode; give the megapixels held at once.

    A baseline JPEG is decoded row by row at reduced scale; it counts what it becomes, and at
    least an eighth, for the time its hidden pixels take. A progressive one is held whole.
    """
    wide, high = picture.size
    held = megapixels = wide * high / 1e6
    if picture.format in ("JPEG", "MPO") and not picture.info.get("progressive"):
        picture.draft(None, (side_px, side_px))
        held = max(picture.size[0] * picture.size[1] / 1e6, megapixels / 8)
    if held > limits.max_megapixels:
        what = f"{wide} x {high} pixels are {megapixels:.0f} megapixels"
        raise OverLimit(path, what, f"{limits.max_megapixels:g}", "--max-megapixels")
    return held


def _decode(picture: Image.Image, side_px: int) -> Image.Image:
    """Decode, then shrink by a whole factor while both sides stay above twice the side asked for."""
    picture.load()
    factor = min(picture.size) // (2 * side_px)
    if factor > 1 and picture.mode in ("RGB", "RGBA", "L", "LA", "CMYK"):
        info, mode = picture.info, picture.mode
        picture = picture.reduce(factor)
        picture.info = info
        if mode != picture.mode:
            picture = picture.convert(mode)
    return picture


def _prepare_heif(file: BinaryIO) -> None:
    """Register the HEIC decoder when a file first needs it; its import takes 50 ms."""
    head = file.read(12)
    file.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and "HEIF" not in Image.OPEN:
        import pillow_heif

        pillow_heif.register_heif_opener()


def _unknown(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(64)
    if not head:
        return "empty file"
    known = "not a picture in a format we read (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC)"
    if all(32 <= byte < 127 or byte in b"\t\r\n\f" for byte in head):
        return f"{known}; it looks like text"
    return f"{known}, or its beginning is damaged"


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text or type(error).__name__)[:160]
