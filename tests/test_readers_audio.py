"""Recordings: in stretches cut where it is quiet, drawn; and as samples in step with the file's clock."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import films
import numpy as np
import pytest
from films import film, recording, still, tone

from catalejo.errors import CannotRead, OverLimit
from catalejo.perceivers import RATE_HZ
from catalejo.readers import Page
from catalejo.readers.audio import AudioReader, about, sound_of
from catalejo.records import Limits

RNG = np.random.default_rng(5)


def read(data: bytes) -> list[Page]:
    return list(AudioReader().read(io.BytesIO(data), "a/file", Limits(), 100))


def samples(data: bytes, folder: Path, name: str = "a.wav") -> Any:
    (folder / name).write_bytes(data)
    blocks = list(sound_of(folder / name).blocks())
    assert all(len(block) <= 30 * RATE_HZ and block.dtype == np.float32 for block in blocks)
    return np.concatenate(blocks)


def talk(*pauses: float, seconds: float = 100.0) -> films.Array:
    """Noise, with half a second of silence at each of these seconds."""
    made = RNG.uniform(-0.5, 0.5, round(seconds * RATE_HZ)).astype(np.float32)
    for pause in pauses:
        made[round((pause - 0.25) * RATE_HZ) : round((pause + 0.25) * RATE_HZ)] = 0
    return made


@pytest.mark.parametrize(
    ("format", "codec"),
    [
        ("wav", ""),
        ("flac", ""),
        ("mp3", ""),
        ("ogg", ""),
        ("adts", "aac"),
        ("mp4", ""),
        ("matroska", "aac"),
        ("aiff", ""),
    ],
)
def test_containers(format: str, codec: str) -> None:
    pages = read(recording(tone(3.0), format, codec or ("pcm_s16be" if format == "aiff" else "")))
    assert [(page.kind, page.page, page.start_s, page.width_px) for page in pages] == [("audio", 0, 0.0, 0)]
    assert pages[0].end_s == pytest.approx(3.0, abs=0.1)


def test_stretches_end_in_pauses() -> None:
    pages = read(recording(talk(27.0, 55.0, 83.5)))
    ends = [page.end_s for page in pages]
    assert [page.start_s for page in pages] == [0.0, *ends[:-1]]
    assert ends == [pytest.approx(27.0, abs=0.3), pytest.approx(55.0, abs=0.3), pytest.approx(83.5, abs=0.3), 100.0]
    assert [page.page for page in pages] == [0, 1, 2, 3]


def test_stretches_without_pauses_are_about_half_a_minute() -> None:
    lengths = [(page.end_s or 0) - (page.start_s or 0) for page in read(recording(talk(seconds=200.0)))]
    assert all(20 <= length <= 40 for length in lengths)
    assert 5 <= len(lengths) <= 8


@pytest.mark.parametrize("seconds", [0.05, 10.0, 39.9, 40.1, 49.0, 51.0])
def test_no_stretch_is_a_remainder(seconds: float) -> None:
    pages = read(recording(talk(seconds=seconds)))
    lengths = [(page.end_s or 0) - (page.start_s or 0) for page in pages]
    assert sum(lengths) == pytest.approx(seconds, abs=0.01)
    assert len(pages) == (1 if seconds < 40 else 2)
    assert len(pages) == 1 or min(lengths) >= 9.9


def test_silence_is_drawn_as_a_line_and_noise_as_an_area() -> None:
    """The left half of 20 s is silent."""
    sound = np.concatenate([np.zeros(10 * RATE_HZ, np.float32), talk(seconds=10.0)])
    picture = read(recording(sound))[0].picture
    inked = np.asarray(picture.convert("L")) < 200
    assert inked[:, :250].sum(0).max() <= 2
    assert inked[:, 260:].sum(0).min() > 20
    assert picture.size == (512, 192)


def test_a_cover_is_no_picture_of_a_recording(tmp_path: Path) -> None:
    pages = read(films.with_cover())
    assert [page.kind for page in pages] == ["audio"]
    (tmp_path / "a.mp3").write_bytes(films.with_cover())
    assert {fact.kind for fact in about(tmp_path / "a.mp3")} == {"duration"}


def test_samples_are_those_of_the_file(tmp_path: Path) -> None:
    sound = talk(seconds=25.0)
    got = samples(recording(sound), tmp_path)
    assert got.shape == sound.shape
    assert np.abs(got - sound).max() < 1e-4  # 16 bits


def test_samples_of_another_rate_and_two_channels(tmp_path: Path) -> None:
    """Against the tone itself at 16 kHz: left and right are mixed in equal parts."""
    left = tone(4.0, 300.0, 48_000, 0.6)
    got = samples(recording(np.stack([left, 0 * left]), rate=48_000), tmp_path)
    wanted = tone(4.0, 300.0, level=0.3)
    middle = slice(RATE_HZ, 3 * RATE_HZ)
    assert len(got) == pytest.approx(4 * RATE_HZ, abs=50)
    best = max(float(np.corrcoef(got[middle], np.roll(wanted, lag)[middle])[0, 1]) for lag in range(-20, 21))
    assert best > 0.999
    assert np.abs(got[middle]).max() == pytest.approx(0.3, abs=0.005)


def test_two_channels_alike_are_as_loud_as_one(tmp_path: Path) -> None:
    both = np.stack([tone(2.0, level=0.9)] * 2)
    assert np.abs(samples(recording(both, "flac"), tmp_path)).max() == pytest.approx(0.9, abs=0.01)


def test_a_sound_that_begins_late_keeps_its_place(tmp_path: Path) -> None:
    """Pictures from second 0; the sound's own stamps begin at second 2."""
    data = late_sound(2.0)
    got = samples(data, tmp_path, "a.mkv")
    loud = np.flatnonzero(np.abs(got) > 0.1)
    assert loud[0] / RATE_HZ == pytest.approx(2.0, abs=0.05)
    assert len(got) / RATE_HZ == pytest.approx(3.0, abs=0.1)


def late_sound(start_s: float) -> bytes:
    made = io.BytesIO()
    with films.av.open(made, "w", "matroska") as container:
        video = container.add_stream("libx264", 10)
        video.width, video.height, video.pix_fmt = *films.SIZE, "yuv420p"
        heard = container.add_stream("pcm_s16le", RATE_HZ, layout="mono")
        for number, picture in enumerate(still("coffee.png", 3.0)):
            frame = films.av.VideoFrame.from_image(picture)
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        frame = films.av.AudioFrame.from_ndarray((tone(1.0) * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts = RATE_HZ, round(start_s * RATE_HZ)
        container.mux(heard.encode(frame))
    return made.getvalue()


def test_blocks_can_be_taken_twice_and_left_early(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(recording(talk(seconds=45.0)))
    sound = sound_of(path)
    assert sound.duration_s == pytest.approx(45.0)
    first = next(sound.blocks())
    again = list(sound.blocks())
    assert (again[0] == first).all()
    assert sum(map(len, again)) == 45 * RATE_HZ


def test_numbers_that_are_none_stay_within_bounds(tmp_path: Path) -> None:
    sound = tone(1.0)
    sound[100:200], sound[300:400] = np.nan, np.inf
    got = samples(recording(sound, codec="pcm_f32le"), tmp_path)
    assert np.isfinite(got).all()
    assert np.abs(got).max() <= 1


@pytest.mark.parametrize("rate", [1, 1_979_727_488])
def test_a_rate_that_no_sound_has(rate: int) -> None:
    data = bytearray(recording(tone(2.0)))
    data[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(CannotRead, match="damaged"):
        read(bytes(data))


def test_a_film_is_heard_too(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(films.two_scenes())
    assert len(np.concatenate(list(sound_of(tmp_path / "a.mp4").blocks()))) == pytest.approx(3 * RATE_HZ, rel=0.01)


def test_what_has_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(film(still("coffee.png", 0.5)))
    with pytest.raises(CannotRead, match="it has no sound"):
        sound_of(path)
    with pytest.raises(CannotRead, match="no such file"):
        sound_of(tmp_path / "nada.wav")


def test_the_size_of_a_recording_has_a_limit_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(recording(talk(seconds=10.0)))
    assert sound_of(path, Limits(max_file_mb=0.1)).duration_s == pytest.approx(10.0)
    with pytest.raises(OverLimit, match=r"over the limit of 0.1 MB \(raise it with --max-media-mb\)"):
        sound_of(path, Limits(max_media_mb=0.1))


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    import tracemalloc

    def peak(seconds: float) -> int:
        path = tmp_path / f"{seconds}.flac"
        path.write_bytes(recording(tone(seconds), "flac"))
        tracemalloc.start()
        with path.open("rb") as file:
            for _ in AudioReader().read(file, str(path), Limits(), 100):
                pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(30)  # imports
    assert peak(600) < 1.2 * peak(120)
