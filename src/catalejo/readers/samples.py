"""The sound of a recording as samples: mono, 16 kHz, in step with its clock. Memory does not grow with length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from catalejo.perceivers import RATE_HZ, Samples
from catalejo.readers import containers
from catalejo.readers.containers import Undecodable
from catalejo.records import Limits

if TYPE_CHECKING:
    from av.container import InputContainer

_BLOCK = 10 * RATE_HZ
_RATES_HZ = (1_000, 12_000_000)
_GAP_S = 0.2  # where the stamps leave more than this out, it was silent; less is how encoders count


def blocks(container: InputContainer, stream: Any, path: str, limits: Limits) -> Iterator[Samples]:
    """All of a stream from the file's start, (n,) float32, -1 to 1, in blocks of 10 s and a shorter last one.

    Silence stands where the file has no sound: before a track that begins late, and where some was lost.

    Raises:
        Undecodable, OverLimit: see ``containers.frames``.
    """
    parts: list[Samples] = []
    held = 0
    for part in _parts(container, stream, path, limits):
        while len(part):
            piece = part[: _BLOCK - held]
            parts.append(piece)
            held, part = held + len(piece), part[len(piece) :]
            if held == _BLOCK:
                yield np.concatenate(parts)
                parts, held = [], 0
    if held:
        yield np.concatenate(parts)


def _parts(container: InputContainer, stream: Any, path: str, limits: Limits) -> Iterator[Samples]:
    resampler = _resampler()
    count = 0
    for second, frame in containers.frames(container, stream, path, limits):
        if not _RATES_HZ[0] <= frame.sample_rate <= _RATES_HZ[1]:
            continue  # no sound has that: a damaged header
        missing = round((second - count / RATE_HZ) * RATE_HZ)
        while missing > _GAP_S * RATE_HZ:
            silence = np.zeros(min(missing, _BLOCK), np.float32)
            count, missing = count + len(silence), missing - len(silence)
            yield silence
        frame.pts = None  # the resampler has nothing to do with gaps
        try:
            made = resampler.resample(frame)
        except ValueError:  # the sound changes its rate or its channels
            rest = [_array(one) for one in resampler.resample(None)]
            count += sum(map(len, rest))
            yield from rest
            resampler = _resampler()
            made = resampler.resample(frame)
        for one in made:
            part = _array(one)
            count += len(part)
            yield part
    rest = [_array(one) for one in resampler.resample(None)]
    if not count and not any(map(len, rest)):
        raise Undecodable(path, "audio")
    yield from rest


def _resampler() -> Any:
    import av

    # To whole numbers: to floats FFmpeg mixes channels so that two that are alike become louder than either.
    return av.AudioResampler(format="s32", layout="mono", rate=RATE_HZ)


def _array(frame: Any) -> Samples:
    samples: Samples = frame.to_ndarray().reshape(-1).astype(np.float32) / np.float32(2**31)
    return samples
