"""Recordings and films: opening one that anybody may have made, and its frames in the order of time. FFmpeg, by PyAV.

Only containers that people keep are opened (``FORMATS``), and only from the file itself: FFmpeg also knows lists of
other files and addresses, which it would go and read. Damaged packets are passed over; where a file breaks off, what
came before counts.
"""

from __future__ import annotations

import errno
import importlib.util
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from catalejo.errors import CannotRead, CatalejoError, MissingExtra, OverLimit
from catalejo.records import Limits

if TYPE_CHECKING:
    from av.container import InputContainer

Stream = Any  # of av: a video or an audio stream
Frame = Any

# FFmpeg's names of the containers and bare streams that are opened.
FORMATS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "ogg", "mxf", "rm", "dv", "wtv", "nut"),
    *("mpegvideo", "m4v", "h264", "hevc", "av1", "ivf", "mjpeg", "yuv4mpegpipe"),
    *("mp3", "wav", "w64", "flac", "aac", "aiff", "amr", "ac3", "eac3", "dts", "caf", "au", "ape", "wv", "mpc", "mpc8"),
    *("tta", "voc", "gsm", "amrnb", "amrwb", "truehd", "loas", "aa", "aax", "dsf", "tak"),
)
_LEAST_BITS = 200  # a second; fewer, and the duration in the header is not of this file
_SLACK_S = 60.0  # a frame may come this much after the duration in the header; a damaged stamp is further off
_MOST_RESTARTS = 1000  # reading goes on behind this many damaged places
_MOST_STREAMS = 10_000
_THREADS = 4  # each holds a frame


class Undecodable(CannotRead):
    """Nothing of a stream can be decoded; others of the same file may be whole."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(path, f"none of its {kind} can be decoded: it is damaged, or protected against copying")


@contextmanager
def opened(file: BinaryIO, path: str, limits: Limits) -> Iterator[InputContainer]:
    """A recording or a film, open.

    Args:
        file: open for reading, at any place.
        path: for messages.
        limits: ``max_seconds``, ``max_streams`` and ``max_megapixels`` hold.

    Raises:
        MissingExtra: PyAV is not installed.
        CannotRead: it is none, or damaged; whatever goes wrong inside the ``with`` becomes one too.
        OverLimit: it has too many streams, or says that it is too long or too large.
    """
    if importlib.util.find_spec("av") is None:
        raise MissingExtra("reading recordings and films", "av", "media")
    import av

    if not file.seekable():
        raise CannotRead(path, "it can be read only once, as a pipe; save it to a file first")
    size = file.seek(0, 2)
    file.seek(0)
    if not size:
        raise CannotRead(path, "empty file")
    # More streams than allowed are opened, so that a file with too many is told from one that is damaged.
    most = max(_MOST_STREAMS, int(limits.max_streams) + 1)
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "none", "max_streams": str(most)}
    try:
        try:
            container = av.open(file, "r", options=options, metadata_errors="replace")
        except (av.error.InvalidDataError, av.error.ArgumentError, av.error.MemoryError, av.error.EOFError) as error:
            raise CannotRead(path, _unknown(file, size)) from error
        with container:
            _check(container, size, path, limits)
            yield container
    except (CatalejoError, CancelledError, MemoryError):
        raise
    except Exception as error:  # damaged files make decoders raise anything
        raise CannotRead(path, _reason(error)) from error


def film(container: InputContainer) -> Stream | None:
    """The pictures that move, if it has any: a cover does not count."""
    import av

    still = av.stream.Disposition.attached_pic | av.stream.Disposition.still_image
    return _best([one for one in container.streams.video if not one.disposition & still])


def sound(container: InputContainer) -> Stream | None:
    """The sound, if it has any; of several, the one it would be played with."""
    return _best(list(container.streams.audio))


def duration_s(container: InputContainer) -> float | None:
    """Seconds, as its header has them; None where it does not say, or cannot be believed."""
    duration = container.duration
    if duration is None or duration <= 0:
        return None
    seconds = float(duration) / 1e6
    return seconds if container.size * 8 / seconds >= _LEAST_BITS else None


def frames(container: InputContainer, stream: Stream, path: str, limits: Limits) -> Iterator[tuple[float, Frame]]:
    """All frames of a stream that can be decoded, each with its second from the start of the file; these never go back.

    Raises:
        OverLimit: it lasts longer than ``max_seconds``.
        Undecodable: nothing in it can be decoded.
    """
    count = 0
    for found in frames_from(container, stream, None, path, limits):
        count += 1
        yield found
    if not count:
        raise Undecodable(path, stream.type)


def frames_from(
    container: InputContainer, stream: Stream, second: float | None, path: str, limits: Limits
) -> Iterator[tuple[float, Frame]]:
    """The same, from the last frame at or before a second that can be decoded by itself; None: from where it stands.

    Raises:
        OverLimit: it lasts longer than ``max_seconds``.
    """
    import av

    start_s = (container.start_time or 0) / 1e6
    if second:
        try:
            container.seek(round((start_s + second) * 1e6))
        except av.error.FFmpegError:  # nothing in it can be looked for; it stands where it stood
            second = None
    last_s, step_s = second or 0.0, 0.0
    declared = duration_s(container)
    latest_s = declared + _SLACK_S if declared is not None else float("inf")
    for number, frame in enumerate(_decoded(container, stream)):
        at = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base) - start_s
        if at is None or at > latest_s:
            at = last_s + step_s
        second = max(at, 0.0 if number == 0 else last_s)
        if second > limits.max_seconds:
            raise too_long(path, limits)
        last_s, step_s = second, length_s(frame, stream)
        yield second, frame


def too_long(path: str, limits: Limits) -> OverLimit:
    """What to say of a file that lasts longer than it may."""
    most = f"{limits.max_seconds:g} s"
    return OverLimit(path, f"it lasts more than {most}", most, "--max-seconds")


def packets(container: InputContainer, stream: Stream) -> Iterator[Any]:
    """The packets of one stream, from where the container stands; damaged places are passed over."""
    import av

    for other in container.streams:
        other.discard = av.stream.Discard.default if other.index == stream.index else av.stream.Discard.all
    for _ in range(_MOST_RESTARTS):
        try:
            yield from container.demux(stream)
            return
        except av.error.EOFError:
            return
        except av.error.FFmpegError:  # the container then stands behind the damage
            continue


def _decoded(container: InputContainer, stream: Stream) -> Iterator[Frame]:
    import av

    if not stream.codec_context.is_open:
        stream.thread_type, stream.codec_context.thread_count = "AUTO", _THREADS
    for packet in packets(container, stream):
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            continue  # the next may be whole
        yield from decoded


def length_s(frame: Frame, stream: Stream) -> float:
    """How long one frame lasts, in seconds."""
    if stream.type == "audio":
        return float(frame.samples / frame.sample_rate) if frame.sample_rate else 0.0
    if frame.duration and frame.time_base:
        return min(float(frame.duration * frame.time_base), _SLACK_S)
    return float(1 / stream.average_rate) if stream.average_rate else 0.04


def _best(streams: list[Stream]) -> Stream | None:
    """The default one that can be decoded, or the first."""
    import av

    known = [one for one in streams if one.codec_context is not None]
    default = [one for one in known if one.disposition & av.stream.Disposition.default]
    return (default or known or [None])[0]


def _check(container: InputContainer, size: int, path: str, limits: Limits) -> None:
    count = len(container.streams)
    if count > limits.max_streams:
        raise OverLimit(path, f"it has {count} streams", f"{limits.max_streams}", "--max-streams")
    seconds = duration_s(container)
    if seconds is not None and seconds > limits.max_seconds:
        raise OverLimit(path, f"it lasts {seconds:,.0f} s", f"{limits.max_seconds:g} s", "--max-seconds")
    moving = film(container)
    if moving is not None:
        check_size(moving.codec_context.width, moving.codec_context.height, path, limits)


def check_size(wide: int, high: int, path: str, limits: Limits) -> None:
    """Refuse frames that are too large.

    Raises:
        OverLimit: they have more than ``max_megapixels``.
    """
    megapixels = wide * high / 1e6
    if megapixels > limits.max_megapixels:
        what = f"frames of {wide} x {high} pixels are {megapixels:.4g} megapixels"
        raise OverLimit(path, what, f"{limits.max_megapixels:g}", "--max-megapixels")


def _unknown(file: BinaryIO, size: int) -> str:
    file.seek(0)
    head = file.read(64)
    if head[4:8] == b"ftyp" and not _has_index(file, size):
        return "a film or recording without its index (moov): it was cut off while it was made or copied"
    known = "not a recording or film in a format we read"
    if all(32 <= byte < 127 or byte in b"\t\r\n\f" for byte in head):
        return f"{known}; it looks like text"
    return f"{known}, or its beginning is damaged"


def _has_index(file: BinaryIO, size: int) -> bool:
    """Whether an MP4 has a ``moov`` box, whole."""
    at = 0
    for _ in range(1000):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return False
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if head[4:8] == b"moov":
            return at + length <= size
        if length < 8:
            return False
        at += length
    return False


def _reason(error: Exception) -> str:
    import av

    ours = isinstance(error, av.error.FFmpegError)  # these have the system's numbers too, and mean the file
    if isinstance(error, OSError) and not ours and error.strerror and error.errno != errno.EINVAL:
        return error.strerror.lower()  # the disk, not the recording
    return "damaged recording or film (its parts do not fit together)"
