"""What every reader promises, over all that are registered."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fixtures import pictures as make
from PIL import Image

from catalejo import plugins
from catalejo.errors import CannotRead, OverLimit
from catalejo.readers import Page, Reader
from catalejo.records import Limits


def _pictures() -> dict[str, bytes]:
    pages = [Image.new("RGB", (300 + i, 400), colour) for i, colour in enumerate(("red", "lime", "blue"))]
    large = make.gradient(1000, 700)
    return {
        "one page": make.saved(make.gradient(), "PNG"),
        "three pages": make.saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]),
        "large": make.saved(large, "JPEG"),
        "wide gamut": make.saved(large, "JPEG", icc_profile=make.rgb_profile(make.ADOBE, 2.2)),
        "transparent": make.saved(Image.new("RGBA", (700, 900), (9, 9, 9, 99)), "WEBP", lossless=True),
    }


def _recordings() -> dict[str, bytes]:
    import films

    return {
        "wav": films.recording(films.tone(3.0)),
        "mp3, long enough for two stretches": films.recording(films.tone(55.0), "mp3"),
        "opus": films.recording(films.tone(2.0), "ogg"),
    }


def _films() -> dict[str, bytes]:
    import films

    return {
        "mp4": films.two_scenes(),
        "webm": films.two_scenes("webm", "libvpx"),
        "silent": films.film(films.still("coffee.png", 1.0)),
    }


# One entry a reader: good files by name. A new reader adds its own here.
SAMPLES: dict[str, Callable[[], dict[str, bytes]]] = {"image": _pictures, "audio": _recordings, "video": _films}


@pytest.fixture(params=sorted(plugins.READERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def reader(name: str) -> Reader:
    if name in plugins.RECORDINGS:
        pytest.importorskip("av", reason="films and recordings need the extra `media`")
    made: Reader = plugins.load("readers", name)()
    return made


@pytest.fixture
def samples(name: str) -> dict[str, bytes]:
    assert name in SAMPLES, f"add good files of the reader {name!r} to SAMPLES"
    return SAMPLES[name]()


def read(reader: Reader, data: bytes, side_px: int = 260, limits: Limits | None = None) -> list[Page]:
    return list(reader.read(io.BytesIO(data), "a/file", limits or Limits(), side_px))


def test_pages(reader: Reader, samples: dict[str, bytes]) -> None:
    for label, data in samples.items():
        pages = read(reader, data)
        assert pages, label
        assert [p.page for p in pages] == sorted({p.page for p in pages}), label
        assert pages[0].page == 0, label
        for page in pages:
            assert page.kind, label
            assert page.picture.mode == "RGB", label
            if page.kind == "audio":  # a drawing of it, in no size of its own
                assert (page.width_px, page.height_px) == (0, 0), label
            else:
                assert page.width_px >= page.picture.width > 0, label
                assert page.height_px >= page.picture.height > 0, label
            lasts = page.kind in ("audio", "video")
            assert (page.start_s is not None, page.end_s is not None) == (lasts, lasts), label
            assert not lasts or 0 <= (page.start_s or 0.0) < (page.end_s or 0.0), label
            assert (page.latitude is None) == (page.longitude is None), label


@pytest.mark.parametrize("side_px", [16, 100, 260, 2000])
def test_no_picture_is_smaller_than_asked(reader: Reader, samples: dict[str, bytes], side_px: int) -> None:
    for label, data in samples.items():
        for page in read(reader, data, side_px):
            assert min(page.picture.size) >= min(side_px, page.width_px, page.height_px), label


def test_pages_keep_their_pixels_while_others_are_read(reader: Reader, samples: dict[str, bytes]) -> None:
    for label, data in samples.items():
        one_by_one = [
            np.asarray(page.picture).copy() for page in reader.read(io.BytesIO(data), "a/file", Limits(), 260)
        ]
        together = [np.asarray(page.picture) for page in read(reader, data)]
        assert all((a == b).all() for a, b in zip(one_by_one, together, strict=True)), label


def test_safe_from_several_threads(reader: Reader, samples: dict[str, bytes]) -> None:
    files = list(samples.values())
    alone = [[np.asarray(page.picture) for page in read(reader, data)] for data in files]
    with ThreadPoolExecutor(8) as pool:
        crowd = list(
            pool.map(lambda i: [np.asarray(p.picture) for p in read(reader, files[i % len(files)])], range(40))
        )
    for i, pages in enumerate(crowd):
        assert all((a == b).all() for a, b in zip(alone[i % len(files)], pages, strict=True))


@pytest.mark.parametrize("data", [b"", b"\0", b"plain text\n", bytes(5000)], ids=["empty", "a byte", "text", "zeros"])
def test_what_is_no_such_file_gets_one_line(reader: Reader, data: bytes) -> None:
    with pytest.raises(CannotRead) as caught:
        read(reader, data)
    assert caught.value.path == "a/file"
    assert caught.value.reason.strip()
    assert "\n" not in caught.value.reason
    assert "<" not in caught.value.reason


def test_cut_files_are_read_or_refused(reader: Reader, samples: dict[str, bytes]) -> None:
    """Cut anywhere: pages or CannotRead, nothing else."""
    for data in samples.values():
        for tenth in range(10):
            try:
                read(reader, data[: len(data) * tenth // 10])
            except CannotRead as error:
                assert error.reason.strip()
                assert "\n" not in error.reason


def test_limits_name_their_flag(reader: Reader, samples: dict[str, bytes]) -> None:
    refused = 0
    for data in samples.values():
        try:
            read(reader, data, limits=Limits(max_megapixels=0.0001, max_pages=1, max_seconds=0.5))
        except OverLimit as error:
            refused += 1
            assert "over the limit of" in error.reason
            assert "(raise it with --" in error.reason
    assert refused == len(samples)


def test_suffixes() -> None:
    suffixes = [suffix for plugin in plugins.READERS.values() for suffix in plugin.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(s.startswith(".") and s == s.lower() for s in suffixes)
    for name, plugin in plugins.READERS.items():
        assert plugin.suffixes
        assert all(plugins.reader_for(suffix.upper()) == name for suffix in plugin.suffixes)
