"""Opening recordings and films: what is none, what is damaged, what is too much. One clear line each."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Callable
from typing import Any

import films
import pytest
from films import film, recording, still, tone, two_scenes
from fixtures import pictures as make

from catalejo.errors import CannotRead, MissingExtra, OverLimit
from catalejo.readers import Page
from catalejo.readers.audio import AudioReader
from catalejo.readers.video import VideoReader
from catalejo.records import Limits


def read(data: bytes | io.BytesIO, limits: Limits | None = None, reader: Any = None) -> list[Page]:
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    return list((reader or VideoReader()).read(file, "a/file", limits or Limits(), 100))


def reason(data: bytes | io.BytesIO, reader: Any = None) -> str:
    with pytest.raises(CannotRead) as caught:
        read(data, reader=reader)
    assert "\n" not in caught.value.reason
    return caught.value.reason


@pytest.mark.parametrize("reader", [AudioReader(), VideoReader()], ids=["audio", "video"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty file"),
        (b"Hola, mundo.\n" * 40, "looks like text"),
        (b"<html><body>Please log in</body></html>", "looks like text"),
        (bytes(100_000), "or its beginning is damaged"),
        (make.saved(make.gradient(), "PNG"), "not a recording or film"),
        (make.saved(make.gradient(), "JPEG"), "not a recording or film"),
        (make.saved(make.gradient(), "GIF"), "not a recording or film"),
        (b"%PDF-1.7\n" + bytes(4000), "not a recording or film"),
        (b"PK\3\4" + bytes(400), "not a recording or film"),
    ],
    ids=["empty", "text", "html", "zeros", "png", "jpeg", "gif", "pdf", "zip"],
)
def test_what_is_none(reader: Any, data: bytes, said: str) -> None:
    assert said in reason(data, reader)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    ],
    ids=["HLS", "concat", "SDP"],
)
def test_lists_of_other_files_and_addresses_are_not_followed(playlist: str, tmp_path: Any) -> None:
    other = tmp_path / "otra.mp4"
    other.write_bytes(two_scenes())
    assert "looks like text" in reason(playlist.format(path=other).encode())


def test_an_mp4_cut_off_says_so() -> None:
    data = two_scenes()
    for tenth in (1, 5, 9):
        assert "cut off" in reason(data[: len(data) * tenth // 10])


def test_a_matroska_cut_off_is_read_up_to_there() -> None:
    data = two_scenes("matroska")
    pages = read(data[: len(data) // 2])
    assert [page.kind for page in pages] == ["video", "audio"]
    assert all(0.5 < (page.end_s or 0) < 1.6 for page in pages)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("format", "count"), [("mp4", 40), ("matroska", 200), ("mpegts", 200), ("avi", 300)])
def test_scratched_files_are_read_or_refused(format: str, count: int, seed: int) -> None:
    codec = "mpeg4" if format == "avi" else "libx264"
    try:
        pages = read(films.scratched(two_scenes(format, codec), count, seed))
    except CannotRead as error:
        assert error.reason.strip()
        assert "\n" not in error.reason
    else:
        assert pages
        assert all((page.end_s or 0) > (page.start_s or 0) for page in pages)


def test_a_scratch_costs_no_more_than_what_it_touches() -> None:
    pages = read(films.scratched(two_scenes("matroska"), 10))
    assert [page.kind for page in pages] == ["video", "video", "audio"]
    assert pages[1].end_s == pytest.approx(3.0, abs=0.2)


def test_a_sound_that_cannot_be_decoded_leaves_the_pictures() -> None:
    data = film(still("coffee.png", 1), sound=tone(1.0), format="matroska")
    damaged = data.replace(b"A_AAC", b"A_XYZ")
    assert damaged != data
    assert [page.kind for page in read(damaged)] == ["video"]


def test_pictures_that_cannot_be_decoded_leave_the_sound() -> None:
    data = film(still("coffee.png", 1), sound=tone(1.0), format="matroska", codec="mpeg4")
    damaged = data.replace(b"V_MPEG4/ISO/ASP", b"V_MPEG4/XXX/YYY")
    assert damaged != data
    assert [page.kind for page in read(damaged)] == ["audio"]


def test_a_disk_that_fails_says_so() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 30_000:
                raise OSError(5, os.strerror(5))
            return super().read(size)

    assert reason(Failing(two_scenes())) == os.strerror(5).lower()


def test_what_can_be_read_only_once_is_refused() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert "save it to a file" in reason(Pipe(two_scenes()))


@pytest.mark.parametrize(
    ("data", "limits", "said"),
    [
        (two_scenes, Limits(max_seconds=2), "it lasts 3 s, over the limit of 2 s (raise it with --max-seconds)"),
        (two_scenes, Limits(max_streams=1), "it has 2 streams, over the limit of 1 (raise it with --max-streams)"),
        (lambda: films.many_streams(120), Limits(), "it has 120 streams, over the limit of 100 (raise it with"),
        (two_scenes, Limits(max_megapixels=0.01), "frames of 160 x 120 pixels are 0.0192 megapixels"),
    ],
    ids=["long", "two streams", "many streams", "large"],
)
def test_limits(data: Callable[[], bytes], limits: Limits, said: str) -> None:
    with pytest.raises(OverLimit) as caught:
        read(data(), limits)
    assert said in caught.value.reason


def test_a_file_that_does_not_say_how_long_it_lasts_is_stopped_at_the_limit() -> None:
    endless = bytearray(recording(tone(3.0)))
    at = endless.index(b"data") + 4
    endless[4:8] = endless[at : at + 4] = b"\xff" * 4  # a WAV written to a pipe
    assert [page.end_s for page in read(bytes(endless), reader=AudioReader())] == [3.0]
    raw = film(still("coffee.png", 3), format="h264")  # frames and nothing else
    with pytest.raises(OverLimit, match=r"it lasts more than 2 s, over the limit of 2 s .*--max-seconds"):
        read(raw, Limits(max_seconds=2))


def test_a_duration_that_cannot_be_true_is_not_believed() -> None:
    data = films.declared(film(still("coffee.png", 1)), 0xFFFF_FF00)
    assert [page.end_s for page in read(data)] == [1.0]


def test_a_time_stamp_years_ahead() -> None:
    frames, times = still("coffee.png", 0.5), [0, 0.1, 0.2, 4e7, 4e7 + 0.1]
    with pytest.raises(OverLimit, match="--max-seconds"):
        read(film(frames, times=times, format="matroska"))


def test_no_sound_no_pictures() -> None:
    assert reason(film(still("coffee.png", 0.5)), AudioReader()) == "it has no sound"
    assert reason(recording(tone(1.0))[:44])  # a header, and nothing after it


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "av" else there(name, *rest))
    with pytest.raises(MissingExtra, match=r'pip install "catalejo\[media\]"'):
        read(two_scenes())
