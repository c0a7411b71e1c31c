"""Films: shots with key frames, upright and in proportion; their sound; frames at a second; what they say."""

from __future__ import annotations

import gc
import io
from concurrent.futures import CancelledError
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import films
import numpy as np
import pytest
from films import SCENES, film, recording, scene, still, tone, two_scenes
from PIL import Image

from catalejo.errors import CannotRead, OverLimit
from catalejo.pages import PageReader
from catalejo.readers import Page
from catalejo.readers.video import VideoReader, about, frames_at
from catalejo.records import Limits


def read(data: bytes, side_px: int = 1000) -> list[Page]:
    return list(VideoReader().read(io.BytesIO(data), "a/film", Limits(), side_px))


def off(picture: Image.Image, wanted: Image.Image) -> float:
    """Mean difference of two pictures, of 255, at the size of the second."""
    got = np.asarray(picture.resize(wanted.size, Image.Resampling.BOX), np.float32)
    return float(np.abs(got - np.asarray(wanted, np.float32)).mean())


@pytest.mark.parametrize(
    ("format", "codec"),
    [
        *(("mp4", "libx264"), ("mov", "mpeg4"), ("matroska", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")),
        *(("mpegts", "libx264"), ("flv", "libx264"), ("matroska", "ffv1")),
    ],
)
def test_containers(format: str, codec: str) -> None:
    data = film(still("chelsea.png", 1.5) + still("rocket.jpg", 1.5), format=format, codec=codec)
    first, second = read(data)
    assert (first.kind, second.kind) == ("video", "video")
    assert first.end_s == second.start_s == pytest.approx(1.5, abs=0.11)
    assert second.end_s == pytest.approx(3.0, abs=0.2)
    assert off(first.picture, scene("chelsea.png")) < 10
    assert off(second.picture, scene("rocket.jpg")) < 10


def test_every_scene_is_a_shot() -> None:
    pages = read(film(picture for name in SCENES for picture in still(name, 1.2)))
    assert [page.start_s for page in pages] == [pytest.approx(1.2 * n, abs=0.01) for n in range(len(SCENES))]
    for page, name in zip(pages, SCENES, strict=True):
        assert min(SCENES, key=lambda other: off(page.picture, scene(other))) == name
    assert [page.page for page in pages] == list(range(len(SCENES)))


def test_the_sound_follows_the_shots() -> None:
    pages = read(two_scenes())
    assert [(page.page, page.kind) for page in pages] == [(0, "video"), (1, "video"), (2, "audio")]
    assert (pages[2].start_s, pages[2].end_s) == (0.0, pytest.approx(3.0, abs=0.02))


def test_a_film_of_sound_alone() -> None:
    assert [page.kind for page in read(recording(tone(1.0), "mp4"))] == ["audio"]


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((0, 1, -1, 0), Image.Transpose.ROTATE_270),  # a telephone held upright
        ((-1, 0, 0, -1), Image.Transpose.ROTATE_180),
        ((0, -1, 1, 0), Image.Transpose.ROTATE_90),
        ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
        ((0, 1, 1, 0), Image.Transpose.TRANSPOSE),
    ],
)
def test_films_are_upright(matrix: tuple[int, int, int, int], turn: Image.Transpose, tmp_path: Path) -> None:
    data = films.rotated(film(still("chelsea.png", 0.5)), *matrix)
    page = read(data)[0]
    wanted = scene("chelsea.png").transpose(turn)
    assert page.picture.size == wanted.size == (page.width_px, page.height_px)
    assert off(page.picture, wanted) < 10
    (tmp_path / "a.mp4").write_bytes(data)
    assert off(next(frames_at(tmp_path / "a.mp4", [0.2])), wanted) < 10
    size = next(fact.value for fact in about(tmp_path / "a.mp4") if fact.kind == "size")
    assert size == f"{wanted.width} x {wanted.height}"


@pytest.mark.parametrize("matrix", [(0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)])
def test_turns_are_those_of_ffmpeg(matrix: tuple[int, int, int, int]) -> None:
    """Against ``av_display_rotation_get``: degrees against the clock."""
    data = films.rotated(film(still("chelsea.png", 0.5)), *matrix)
    with films.av.open(io.BytesIO(data)) as container:
        frame = next(container.decode(video=0))
        wanted = frame.to_image().rotate(frame.rotation, expand=True)
    assert off(read(data)[0].picture, wanted) < 2


@pytest.mark.parametrize("side_px", [1000, 60])
def test_a_high_dynamic_range_is_brought_to_srgb(side_px: int) -> None:
    """Shown as it is, the same film is off by 36 of 255."""
    wanted = scene("coffee.png", (320, 240))
    page = read(films.high_dynamic_range(wanted), side_px)[0]
    assert off(page.picture, wanted.resize(page.picture.size, Image.Resampling.BOX)) < 8


def test_high_films_that_do_not_say_have_the_colours_of_hd() -> None:
    """Red and green panels at 720 lines, encoded by BT.709; by BT.601 green comes out 20 of 255 off."""
    pixels = np.zeros((720, 1280, 3), np.uint8)
    pixels[:, :640], pixels[:, 640:] = (180, 30, 30), (30, 180, 30)
    wanted = Image.fromarray(pixels)
    frame = films.av.VideoFrame.from_image(wanted).reformat(format="yuv444p", dst_colorspace="ITU709")
    frame.colorspace = 2
    made = io.BytesIO()
    with films.av.open(made, "w", "matroska") as container:
        stream = container.add_stream("ffv1", 10)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv444p"
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert off(read(made.getvalue())[0].picture, wanted) < 3


def stretched(ratio: Fraction) -> Any:
    def prepare(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = ratio

    return prepare


@pytest.mark.parametrize(
    ("ratio", "size"), [(Fraction(2), (320, 120)), (Fraction(1, 2), (160, 240)), (Fraction(1, 1000), (160, 120))]
)
def test_pixels_are_square(ratio: Fraction, size: tuple[int, int]) -> None:
    page = read(film(still("chelsea.png", 0.5), prepare=stretched(ratio)))[0]
    assert (page.width_px, page.height_px) == page.picture.size == size


def test_frames_that_are_not_even() -> None:
    """Three slides of a recorded screen: a frame where something changes, and none in between."""
    names, times = ("chelsea.png", "rocket.jpg", "coffee.png"), (0.0, 7.0, 40.0, 52.0)
    pages = read(film([scene(name) for name in (*names, "coffee.png")], times=times, format="matroska"))
    assert [page.start_s for page in pages] == [0.0, 7.0, 40.0]
    assert pages[-1].end_s >= 52.0  # type: ignore[operator]


def test_a_film_that_begins_late_in_its_file() -> None:
    data = film(still("chelsea.png", 1.0), times=[2 + n / 10 for n in range(10)], sound=tone(4.0), format="matroska")
    pages = read(data)
    assert (pages[0].start_s, pages[0].end_s) == (2.0, pytest.approx(3.0, abs=0.05))
    assert pages[1].start_s == 0.0


def test_the_key_frame_is_sharp_and_shows_the_shot() -> None:
    """Of a shot that comes out of black and ends in a blur, something between."""
    sharp = scene("motorcycle_left.png")
    blurred = sharp.reduce(8).resize(sharp.size)
    black = Image.new("RGB", sharp.size)
    pages = read(
        film([black] * 6 + [Image.blend(black, sharp, n / 5) for n in range(5)] + [sharp] * 15 + [blurred] * 15)
    )
    assert len(pages) == 1
    assert off(pages[0].picture, sharp) < 10


def test_memory_does_not_grow_with_length() -> None:
    """No frame is kept: not by a list of ours, and not by itself until the garbage collector comes."""
    data = film((Image.new("RGB", films.SIZE, (n % 250, 90, 90)) for n in range(300)), format="matroska")
    gc.collect()
    gc.disable()
    try:
        alive = [sum(isinstance(one, films.av.VideoFrame) for one in gc.get_objects()) for _ in read(data)]
        kept = sum(isinstance(one, films.av.VideoFrame) for one in gc.get_objects())
    finally:
        gc.enable()
    assert max(*alive, kept) <= 20


def test_reduced_pictures_keep_the_shorter_side() -> None:
    page = read(two_scenes(), 50)[0]
    assert page.picture.size == (67, 50)
    assert (page.width_px, page.height_px) == (160, 120)


def test_what_the_file_says(tmp_path: Path) -> None:
    said = {
        "com.apple.quicktime.creationdate": "2023-05-01T20:15:30+0200",
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.model": "iPhone 12",
        "com.apple.quicktime.location.ISO6709": "+41.3818+002.1767+012.3/",
    }
    flags = {"movflags": "use_metadata_tags"}
    data = film(still("chelsea.png", 2.0), sound=tone(2.0), format="mov", metadata=said, options=flags)
    for page in read(data):
        assert page.taken == datetime(2023, 5, 1, 20, 15, 30)
        assert page.camera == "Apple iPhone 12"
        assert (page.latitude, page.longitude) == (41.3818, 2.1767)
    (tmp_path / "a.mov").write_bytes(data)
    facts = {fact.kind: (fact.value, fact.es, fact.number) for fact in about(tmp_path / "a.mov", shots=1)}
    assert facts == {
        "duration": ("2.0 s", "2,0 s", pytest.approx(2.0, abs=0.05)),
        "size": ("160 x 120", "", None),
        "frames": ("20", "", 20.0),
        "frame-rate": ("10.00", "10,00", 10.0),
        "taken": ("2023-05-01T20:15:30", "", None),
        "camera": ("Apple iPhone 12", "", None),
        "place": ("41.38180,2.17670", "", None),
        "shots": ("1", "", 1.0),
    }


@pytest.mark.parametrize("format", ["matroska", "webm", "mpegts", "h264"])
def test_frames_are_counted_where_no_header_says(format: str, tmp_path: Path) -> None:
    codec = "libvpx" if format == "webm" else "libx264"
    path = tmp_path / "a.mkv"
    path.write_bytes(film(still("chelsea.png", 2.0), format=format, codec=codec))
    facts = {fact.kind: fact for fact in about(path)}
    assert facts["frames"].number == 20
    assert facts["duration"].number == pytest.approx(2.0, abs=0.15)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 12 s whose frames are as light as their number says, with a key frame every 4 s."""
    frames = [Image.new("RGB", films.SIZE, (2 * n, 2 * n, 2 * n)) for n in range(120)]

    def prepare(stream: Any) -> None:
        stream.codec_context.gop_size = 40

    path = tmp_path_factory.mktemp("films") / "n.mp4"
    path.write_bytes(film(frames, prepare=prepare))
    return path


def numbers(path: Path, seconds: list[float]) -> list[float]:
    return [float(np.asarray(picture, np.float32).mean()) / 2 for picture in frames_at(path, seconds)]


def test_the_frame_on_show_at_a_second(numbered: Path) -> None:
    seconds = [0.0, 0.1, 0.199, 3.05, 3.1, 11.9]
    assert numbers(numbered, seconds) == [pytest.approx(n, abs=0.8) for n in (0, 1, 2, 30, 31, 119)]


def test_seconds_in_any_order_and_beyond_the_end(numbered: Path) -> None:
    seconds = [11.0, 0.5, 1e6, 4.0, 3.95, -2.0]
    assert numbers(numbered, seconds) == [pytest.approx(n, abs=0.8) for n in (110, 5, 119, 40, 39, 0)]


@pytest.mark.parametrize("format", ["matroska", "mpegts", "flv", "avi", "h264"])
def test_frames_of_files_that_are_hard_to_search(format: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", films.SIZE, (2 * n, 2 * n, 2 * n)) for n in range(120)]
    path = tmp_path / "n.mkv"
    path.write_bytes(film(frames, format=format, codec="mpeg4" if format == "avi" else "libx264"))
    assert numbers(path, [11.05, 1.05]) == [pytest.approx(110.5, abs=2.0), pytest.approx(10.5, abs=2.0)]


def test_frames_of_no_film(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(recording(tone(1.0), "mp4"))
    with pytest.raises(CannotRead, match="without moving pictures"):
        next(frames_at(path, [0.0]))
    path.write_bytes(two_scenes())
    with pytest.raises(OverLimit, match="--max-megapixels"):
        next(frames_at(path, [0.0], Limits(max_megapixels=0.001)))


def test_a_film_can_be_left_in_the_middle_of_a_shot(tmp_path: Path) -> None:
    """As Ctrl-C does to ``add``: a shot that goes on for minutes is not waited for."""
    path = tmp_path / "a.mkv"
    path.write_bytes(film(still("coffee.png", 60.0), format="matroska"))
    asked = iter([False] * 2)
    with PageReader(Limits(), 100).opened(str(path)) as (file, _), pytest.raises(CancelledError):
        list(PageReader(Limits(), 100).pages(file, str(path), lambda: next(asked, True)))
    assert next(asked, None) is None
