"""Where somebody speaks in a recording: stretches of speech, packed into windows as long as a speech model hears.

Voice activity by Silero VAD v6, which comes with faster-whisper. Silence is left out, so that the model neither
spends time on it nor invents words for it; a window knows where each of its pieces was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from catalejo.perceivers import RATE_HZ, Samples

WINDOW_S = 29.0  # Whisper hears 30 s at once
_LOOK_S = 120.0  # of recording that is held
_OPEN_S = 1.0  # speech that ends nearer to the end of what is held may go on
_PAUSE_S = 0.5  # of silence that ends a stretch
_AROUND_S = 1.0  # of sound that is kept on both sides of a stretch: with less, languages of short phrases are mistaken
_THRESHOLD = 0.5
_SHORTEST_S = 0.1
_SILENT, _LOUD, _MOST_GAIN = 1e-4, 0.5, 50.0


@dataclass(frozen=True)
class Piece:
    """Samples [at, at + length) of a window were samples [start, start + length) of the recording."""

    at: int
    start: int
    length: int


@dataclass(frozen=True)
class Window:
    """Speech, at most ``WINDOW_S`` long: mono, 16 kHz, (n,) float32; and where each piece of it was."""

    samples: Samples
    pieces: tuple[Piece, ...]

    def piece_at(self, second: float) -> int:
        """The number of the piece that sounds at this second of the window."""
        sample = second * RATE_HZ
        return max(0, sum(piece.at <= sample for piece in self.pieces) - 1)

    def when(self, second: float, number: int) -> float:
        """The second of the recording for a second of the window, kept inside piece ``number``."""
        piece = self.pieces[number]
        inside = min(max(0.0, second * RATE_HZ - piece.at), piece.length)
        return round((piece.start + inside) / RATE_HZ, 3)


def windows(blocks: Iterable[Samples]) -> Iterator[Window]:
    """The speech of a recording, in order; nothing where nobody speaks. Holds two minutes at most.

    Args:
        blocks: of the recording; see ``perceivers.Sound``.
    """
    packed: list[tuple[int, Samples]] = []
    length = 0
    for start, samples in _speech(blocks):
        if packed and length + len(samples) > WINDOW_S * RATE_HZ:
            yield _pack(packed)
            packed, length = [], 0
        packed.append((start, samples))
        length += len(samples)
    if packed:
        yield _pack(packed)


def _pack(packed: list[tuple[int, Samples]]) -> Window:
    pieces, at = [], 0
    for start, samples in packed:
        pieces.append(Piece(at, start, len(samples)))
        at += len(samples)
    return Window(np.concatenate([samples for _, samples in packed]), tuple(pieces))


def _speech(blocks: Iterable[Samples]) -> Iterator[tuple[int, Samples]]:
    """Stretches of speech: the recording's sample each begins at, and its samples."""
    held, begin = np.empty(0, np.float32), 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= _LOOK_S * RATE_HZ:
            look = held[: int(_LOOK_S * RATE_HZ)]
            found = _spans(look)
            done = len(look)
            if found and found[-1][1] > len(look) - _OPEN_S * RATE_HZ:
                done = found.pop()[0]  # it may go on: again with what follows
            for start, end in found:
                yield begin + start, look[start:end].copy()
            held, begin = held[done:], begin + done
    for start, end in _spans(held):
        yield begin + start, held[start:end]


def _spans(samples: Samples) -> list[tuple[int, int]]:
    """Where somebody speaks, as samples [start, end)."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    if len(samples) < RATE_HZ * _SHORTEST_S:
        return []
    loud = float(np.abs(samples).max())
    if _SILENT < loud < _LOUD:  # Silero takes what is recorded low for silence
        samples = samples * np.float32(min(_LOUD / loud, _MOST_GAIN))
    options = VadOptions(
        threshold=_THRESHOLD,
        min_speech_duration_ms=int(_SHORTEST_S * 1000),
        max_speech_duration_s=WINDOW_S,
        min_silence_duration_ms=int(_PAUSE_S * 1000),
        speech_pad_ms=int(_AROUND_S * 1000),
    )
    return [(int(span["start"]), int(span["end"])) for span in get_speech_timestamps(samples, options)]
