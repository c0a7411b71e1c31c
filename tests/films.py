"""Films and recordings made on the spot, small and always the same, for the tests of what reads them."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from catalejo.demo import pictures

av = pytest.importorskip("av", reason="films and recordings need the extra `media`")

Array = npt.NDArray[Any]
RATE = 10  # frames a second of these films
SIZE = (160, 120)
SCENES = ("chelsea.png", "rocket.jpg", "coffee.png", "coins.png", "motorcycle_left.png", "camera.png")


@cache
def scene(name: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """A sample photograph at this size."""
    with Image.open(pictures() / name) as opened:
        return opened.convert("RGB").resize(size, Image.Resampling.BOX)


def tone(seconds: float, hertz: float = 440.0, rate: int = 16_000, level: float = 0.5) -> Array:
    """(n,) float32."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def still(name: str, seconds: float, rate: int = RATE, size: tuple[int, int] = SIZE) -> list[Image.Image]:
    """Frames of one photograph."""
    return [scene(name, size)] * round(seconds * rate)


def film(
    frames: Iterable[Image.Image],
    *,
    sound: Array | None = None,
    format: str = "mp4",
    codec: str = "libx264",
    rate: int = RATE,
    times: Sequence[float] | None = None,
    sound_rate: int = 16_000,
    metadata: dict[str, str] | None = None,
    prepare: Callable[[Any], None] = lambda stream: None,
    options: dict[str, str] | None = None,
) -> bytes:
    """A film as the bytes of a file.

    Args:
        frames: RGB, of one size.
        sound: (n,) float32, mono.
        times: seconds of the frames, where they are not even.
        prepare: is given the video stream before the first frame.
        options: of the container.
    """
    made = io.BytesIO()
    with av.open(made, "w", format, options=options or {}) as container:
        container.metadata.update(metadata or {})
        video = None
        for number, picture in enumerate(frames):
            if video is None:
                video = container.add_stream(codec, rate, options={"preset": "ultrafast"} if codec == "libx264" else {})
                video.width, video.height, video.pix_fmt = *picture.size, "yuv420p"
                if times is not None:
                    video.codec_context.time_base = Fraction(1, 1000)
                prepare(video)
                heard = _sound_stream(container, sound, sound_rate, format)
            frame = av.VideoFrame.from_image(picture)
            if times is None:
                frame.pts, frame.time_base = number, Fraction(1, rate)
            else:
                frame.pts, frame.time_base = round(times[number] * 1000), Fraction(1, 1000)
            container.mux(video.encode(frame))
        if video is None:
            heard = _sound_stream(container, sound, sound_rate, format)
        else:
            container.mux(video.encode(None))
        if heard is not None and sound is not None:
            _encode(container, heard, sound, sound_rate)
    return made.getvalue()


def recording(sound: Array, format: str = "wav", codec: str = "", rate: int = 16_000, **options: Any) -> bytes:
    """A recording as the bytes of a file; sound (n,) or (channels, n)."""
    made = io.BytesIO()
    with av.open(made, "w", format) as container:
        container.metadata.update(options.get("metadata", {}))
        heard = _sound_stream(container, sound, rate, format, codec)
        _encode(container, heard, sound, rate)
    return made.getvalue()


_CODECS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "flac": "flac",
    "ogg": "libopus",
    "webm": "libopus",
    "mpegts": "mp2",
}


def _sound_stream(container: Any, sound: Array | None, rate: int, format: str, codec: str = "") -> Any:
    if sound is None:
        return None
    layout = "stereo" if sound.ndim == 2 else "mono"
    return container.add_stream(codec or _CODECS.get(format, "aac"), rate, layout=layout)


def _encode(container: Any, stream: Any, sound: Array, rate: int) -> None:
    layout = "stereo" if sound.ndim == 2 else "mono"
    rows = np.atleast_2d(sound).astype(np.float32)
    resampler = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=stream.codec_context.rate)
    for at in range(0, rows.shape[1], rate):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(rows[:, at : at + rate]), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        for ready in resampler.resample(frame):
            container.mux(stream.encode(ready))
    for ready in resampler.resample(None):
        container.mux(stream.encode(ready))
    container.mux(stream.encode(None))


@cache
def two_scenes(format: str = "mp4", codec: str = "libx264") -> bytes:
    """A cat for 1.5 s, a rocket for 1.5 s, and a tone."""
    frames = still("chelsea.png", 1.5) + still("rocket.jpg", 1.5)
    return film(frames, sound=tone(3.0), format=format, codec=codec)


def high_dynamic_range(picture: Image.Image, seconds: float = 0.5) -> bytes:
    """A film of a picture in BT.2020 and PQ, 10 bits, its white at 203 cd/m2, as telephones record it.

    Computed here: sRGB to light (IEC 61966-2-1), primaries (ITU-R BT.2087), PQ (SMPTE ST 2084), BT.2020's Y, Cb and Cr.
    """
    shown = np.asarray(picture, np.float64) / 255
    light = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    primaries = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    power = (np.clip(light @ primaries.T, 0, 1) * 203 / 10_000) ** 0.1593017578125
    pq = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    grey = pq @ np.array([0.2627, 0.6780, 0.0593])
    blue, red = (pq[..., 2] - grey) / 1.8814, (pq[..., 0] - grey) / 1.4746
    planes = 64 + 876 * grey, 512 + 896 * blue[::2, ::2], 512 + 896 * red[::2, ::2]
    made = io.BytesIO()
    with av.open(made, "w", "matroska") as container:
        stream = container.add_stream("ffv1", RATE)
        stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9
        for number in range(round(seconds * RATE)):
            frame = av.VideoFrame(*picture.size, "yuv420p10le")
            for plane, values in zip(frame.planes, planes, strict=True):
                rows = np.zeros((values.shape[0], plane.line_size // 2), np.uint16)
                rows[:, : values.shape[1]] = np.round(values)
                plane.update(rows.tobytes())
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made.getvalue()


# -- byte by byte, for what no muxer at hand writes ------------------------------------


def rotated(data: bytes, a: int, b: int, c: int, d: int) -> bytes:
    """An MP4 whose first track has this display matrix, as phones write it (ISO/IEC 14496-12, 8.3.2: tkhd)."""
    made = bytearray(data)
    at = made.index(b"tkhd") + 4 + 40
    made[at : at + 36] = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    return bytes(made)


def declared(data: bytes, units: int) -> bytes:
    """An MP4 that says it lasts this many units of its time scale (mvhd, tkhd, mdhd, version 0)."""
    made = bytearray(data)
    for box, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        at = made.index(box) + 4 + offset
        made[at : at + 4] = struct.pack(">I", units)
    return bytes(made)


def scratched(data: bytes, count: int, seed: int = 1, spared: int = 2000) -> bytes:
    """A file with this many bytes changed, behind its beginning."""
    made, chance = bytearray(data), random.Random(seed)
    for _ in range(count):
        made[chance.randrange(spared, len(made))] = chance.randrange(256)
    return bytes(made)


def with_cover() -> bytes:
    """An MP3 of 3 s with a cover in it."""
    made = io.BytesIO()
    with av.open(made, "w", "mp3") as container:
        heard = container.add_stream("libmp3lame", 16_000, layout="mono")
        cover = container.add_stream("mjpeg")
        cover.width, cover.height, cover.pix_fmt = *SIZE, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.start_encoding()
        frame = av.VideoFrame.from_image(scene("coffee.png")).reformat(format="yuvj420p")
        frame.pts = 0
        container.mux(cover.encode(frame))
        container.mux(cover.encode(None))
        _encode(container, heard, tone(3.0), 16_000)
    return made.getvalue()


def many_streams(count: int) -> bytes:
    """A Matroska file with this many sounds of a tenth of a second."""
    made = io.BytesIO()
    with av.open(made, "w", "matroska") as container:
        streams = [container.add_stream("pcm_s16le", 8000, layout="mono") for _ in range(count)]
        container.start_encoding()
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 8000, 0
            container.mux(stream.encode(frame))
    return made.getvalue()
