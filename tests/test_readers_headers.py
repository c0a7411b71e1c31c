"""What films and recordings say of themselves, before anything but one frame is decoded."""

from __future__ import annotations

from pathlib import Path

import films
import pytest
from films import film, recording, still, tone, two_scenes

from catalejo.errors import CannotRead, OverLimit
from catalejo.readers.headers import Header, read
from catalejo.records import Limits


def header(data: bytes, folder: Path, limits: Limits | None = None, count: bool = False) -> Header:
    (folder / "a.bin").write_bytes(data)
    return read(folder / "a.bin", limits, count)


def test_a_film(tmp_path: Path) -> None:
    found = header(two_scenes(), tmp_path)
    assert found == Header(pytest.approx(3.0, abs=0.05), True, 160, 120, 30, 10.0)
    assert found.film


def test_a_recording_and_one_with_a_cover(tmp_path: Path) -> None:
    for data in (recording(tone(3.0), "mp3"), films.with_cover()):
        found = header(data, tmp_path)
        assert found == Header(pytest.approx(3.0, abs=0.1), True)
        assert not found.film
        assert [fact.kind for fact in found.facts()] == ["duration"]


def test_a_silent_film_held_upright(tmp_path: Path) -> None:
    found = header(films.rotated(film(still("coffee.png", 1.0)), 0, 1, -1, 0), tmp_path)
    assert (found.sound, found.width_px, found.height_px) == (False, 120, 160)


@pytest.mark.parametrize("format", ["h264", "mpegts", "webm"])
def test_frames_are_counted_when_asked(format: str, tmp_path: Path) -> None:
    data = film(still("coffee.png", 2.0), format=format, codec="libvpx" if format == "webm" else "libx264")
    assert header(data, tmp_path, count=True).frames == 20
    assert header(data, tmp_path).duration_s == pytest.approx(2.0, abs=0.15)


def test_a_sound_that_does_not_say_how_long_it_lasts(tmp_path: Path) -> None:
    """AAC frames one after the other: FFmpeg estimates; the packets are what is there."""
    found = header(recording(tone(3.0), "adts", "aac"), tmp_path)
    assert found.duration_s == pytest.approx(3.0, abs=0.2)


def test_limits_hold_for_what_is_counted(tmp_path: Path) -> None:
    with pytest.raises(OverLimit, match="--max-seconds"):
        header(film(still("coffee.png", 3.0), format="h264"), tmp_path, Limits(max_seconds=2))


@pytest.mark.parametrize("data", [b"", b"hola\n" * 100, bytes(5000)], ids=["empty", "text", "zeros"])
def test_what_is_none(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(CannotRead):
        header(data, tmp_path)
