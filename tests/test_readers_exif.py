"""Date, camera and place from EXIF; what is damaged is left out, and never costs the picture."""

from __future__ import annotations

import io
import struct
from datetime import datetime
from typing import Any

import pytest
from fixtures import pictures as make
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from catalejo.readers import Page
from catalejo.readers.image import ImageReader
from catalejo.records import Limits

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")
MAKE, MODEL, DATE, EXIF, TAKEN, GPS = 0x010F, 0x0110, 0x0132, 0x8769, 0x9003, 0x8825
MADRID = {1: "N", 2: (40.0, 25.0, 0.12), 3: "W", 4: (3.0, 42.0, 13.5)}


def read(data: bytes) -> Page:
    (page,) = ImageReader().read(io.BytesIO(data), "a/file", Limits(), 64)
    assert page.picture.getpixel((2, 2)) == pytest.approx((255, 0, 0), abs=30)
    return page


def with_tags(tags: dict[int, Any], format: str = "PNG") -> Page:
    """A picture with these tags; the values of EXIF and GPS are tags too."""
    exif = Image.Exif()
    for tag, value in tags.items():
        if isinstance(value, dict):
            exif.get_ifd(tag).update(value)
        else:
            exif[tag] = value
    return read(make.saved(make.quarters(), format, exif=exif.tobytes()))


@pytest.mark.parametrize("format", FORMATS)
def test_everything_from_every_format(format: str) -> None:
    page = with_tags({MAKE: "Acme", MODEL: "One", EXIF: {TAKEN: "2019:07:20 21:17:40"}, GPS: MADRID}, format)
    assert page.taken == datetime(2019, 7, 20, 21, 17, 40)
    assert page.camera == "Acme One"
    assert page.latitude == pytest.approx(40 + 25 / 60 + 0.12 / 3600, abs=1e-6)
    assert page.longitude == pytest.approx(-(3 + 42 / 60 + 13.5 / 3600), abs=1e-6)


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_from_a_picture_without_exif(format: str) -> None:
    page = read(make.saved(make.quarters(), format))
    assert (page.taken, page.camera, page.latitude, page.longitude) == (None, None, None, None)


def test_exif_behind_the_pixels_of_a_png() -> None:
    exif = Image.Exif()
    exif[MAKE], exif[0x0112] = "Acme", 3
    late = make.chunk(b"eXIf", exif.tobytes()[6:])
    data = make.png(2, 1, 8, 0, b"\0\7\x09", after=late)
    (page,) = ImageReader().read(io.BytesIO(data), "x", Limits(), 64)
    assert page.camera == "Acme"
    assert page.picture.getpixel((0, 0)) == (9, 9, 9)


def test_each_page_of_a_tiff_has_its_own() -> None:
    pages = []
    for name in ("One", "Two"):
        picture = Image.new("RGB", (8, 8))
        picture.encoderinfo = {"tiffinfo": {MODEL: name}}
        pages.append(picture)
    data = make.saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], tiffinfo={MODEL: "One"})
    assert [p.camera for p in ImageReader().read(io.BytesIO(data), "x", Limits(), 64)] == ["One", "Two"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2019:07:20 21:17:40", datetime(2019, 7, 20, 21, 17, 40)),
        ("2019:07:20 21:17:40\0\0", datetime(2019, 7, 20, 21, 17, 40)),
        ("2019:07:20 21:17:40.25", datetime(2019, 7, 20, 21, 17, 40)),
        ("2020:02:29 00:00:00", datetime(2020, 2, 29)),
        ("2019:02:29 00:00:00", None),
        ("0000:00:00 00:00:00", None),
        ("1900:01:01 00:00:00", None),
        ("2019:13:01 00:00:00", None),
        ("2019:07:20 25:00:00", None),
        ("    :  :     :  :  ", None),
        ("yesterday", None),
        ("2019", None),
    ],
)
def test_dates(written: str, expected: datetime | None) -> None:
    assert with_tags({EXIF: {TAKEN: written}}).taken == expected


def test_the_date_of_the_shot_goes_before_the_date_of_the_file() -> None:
    assert with_tags({DATE: "2021:01:01 00:00:00", EXIF: {TAKEN: "2019:01:01 00:00:00"}}).taken == datetime(2019, 1, 1)
    assert with_tags({DATE: "2021:01:01 00:00:00", EXIF: {TAKEN: "junk"}}).taken == datetime(2021, 1, 1)
    assert with_tags({DATE: 7}).taken is None


@pytest.mark.parametrize(
    ("maker", "model", "expected"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("Acme", "One", "Acme One"),
        ("Acme", None, "Acme"),
        (None, "One", "One"),
        (" Acme  Corp\0", "One\n\x1b[31m", "Acme Corp One [31m"),
        ("", "\0\0", None),
        ("M" * 500_000, None, "M" * 120),
    ],
)
def test_cameras(maker: Any, model: Any, expected: str | None) -> None:
    tags = {tag: value for tag, value in ((MAKE, maker), (MODEL, model)) if value is not None}
    assert with_tags(tags).camera == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (40.416700, -3.703750)),
        ({1: "S", 3: "E"}, (-40.416700, 3.703750)),
        ({1: "s\0", 3: "east"}, (-40.416700, 3.703750)),
        ({2: (40.4167, 0.0, 0.0)}, (40.4167, -3.703750)),
        ({2: (90.0, 0.0, 0.0), 4: (180.0, 0.0, 0.0)}, (90.0, -180.0)),
        ({2: (90.0, 1.0, 0.0)}, None),
        ({4: (181.0, 0.0, 0.0)}, None),
        ({2: (40.0, 25.0)}, None),
        ({2: 40.0}, None),
        ({2: None}, None),
        ({1: None}, None),
        ({3: "N"}, None),
        ({1: ""}, None),
        ({1: 7}, None),
        ({2: (IFDRational(0, 0), IFDRational(0, 0), IFDRational(0, 0))}, None),
        ({2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}, None),
        ({2: (0.0, 0.0, 0.0)}, (0.0, -3.703750)),
    ],
)
def test_places(change: dict[int, Any], expected: tuple[float, float] | None) -> None:
    """Both numbers and both letters, each possible, or no place at all."""
    gps = {tag: value for tag, value in (MADRID | change).items() if value is not None}
    page = with_tags({GPS: gps})
    found = None if page.latitude is None or page.longitude is None else (page.latitude, page.longitude)
    assert (page.latitude is None) == (page.longitude is None)
    assert found == (expected if expected is None else pytest.approx(expected, abs=1e-5))


@pytest.mark.parametrize(
    "block",
    [
        b"junk",
        b"Exif\0\0junkjunk",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(100),
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", EXIF, 4, 1, 0xFFFFFFF0) + bytes(4),
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", EXIF, 4, 1, 8) + bytes(4),
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 2, 2, 0x36) + bytes(4),
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", MAKE, 2, 0x7FFFFFFF, 26) + bytes(4),
    ],
    ids=["junk", "no header", "far", "endless", "far inside", "loop", "orientation '6'", "two gigabytes"],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_block_does_not_cost_the_picture(block: bytes, format: str) -> None:
    page = read(make.saved(make.quarters(), format, exif=block))
    assert page.picture.size == (96, 64)
    assert (page.taken, page.latitude, page.longitude) == (None, None, None)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF"])
def test_megabytes_of_exif(format: str) -> None:
    exif = Image.Exif()
    exif[MAKE], exif[0x927C] = "Acme", bytes(8_000_000)
    assert read(make.saved(make.quarters(), format, exif=exif.tobytes())).camera == "Acme"
