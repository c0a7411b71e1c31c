"""What can be heard in a recording besides words: AudioSet's 521 sounds, from barks to bassoons, moment by moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from catalejo.facts import Fact, Frames, Perceived
from catalejo.perceivers import RATE_HZ, Samples, Sound
from catalejo.perceivers.mel import PATCH_S, PATCH_SAMPLES, PATCH_STEP_S, PATCH_STEP_SAMPLES
from catalejo.perceivers.sound_names import classes
from catalejo.perceivers.yamnet import CLASSES, Yamnet

HEARD = 0.3  # probability from which a sound is a fact
_GAP = 4  # frames that a sound may pause and be the same: 2 s
_TOGETHER = 60  # frames that get one loudness: half a minute
# Sounds as loud as recordings usually are; what is recorded at full scale is taken for something else. Measured on the
# sounds of stamps: .1, .05, .03, .01 put the right caption among the first five in .41, .45, .41, .34.
_LOUDNESS, _MOST_GAIN, _QUIET = 0.05, 10.0, 1e-4
_BEAT = RATE_HZ // 10
_SILENCE = next(i for i, one in enumerate(classes()) if one.audioset == "Silence")


class SoundPerceiver:
    """Hears sounds. Loads when first used.

    Raises:
        MissingWeights, DamagedWeights: ``yamnet`` was not fetched, or is not whole.
    """

    name = "sounds"
    version = "1"

    def __init__(self) -> None:
        self._yamnet = Yamnet()

    def listen(self, sound: Sound) -> Perceived:
        """See ``Listener``: a fact of kind ``sound`` for each sound and each time it is heard, and the frames.

        The frames take 2 KB for each 0.48 s: 16 MB an hour.
        """
        length = 0

        def counted() -> Iterator[Samples]:
            nonlocal length
            for block in sound.blocks():
                length += len(block)
                yield block

        parts = [self._yamnet.hear(levelled(chunk)) for chunk in chunks(counted())]
        scores = np.concatenate(parts) if parts else np.empty((0, CLASSES), np.float32)
        return Perceived(tuple(facts(scores, length / RATE_HZ, self.name)), frames=Frames(scores, PATCH_STEP_S))


def chunks(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """A recording in pieces whose patches, one after the other, are those of the whole.

    A recording shorter than a patch is repeated until it fills one.
    """
    whole = PATCH_SAMPLES + (_TOGETHER - 1) * PATCH_STEP_SAMPLES
    done = _TOGETHER * PATCH_STEP_SAMPLES
    held, first = np.empty(0, np.float32), True
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= whole + PATCH_STEP_SAMPLES:  # so that what is left is a patch at least
            yield held[:whole]
            held, first = held[done:], False
    if first and 0 < len(held) < PATCH_SAMPLES:
        held = np.resize(held, PATCH_SAMPLES)
    if len(held):
        yield held


def levelled(samples: Samples) -> Samples:
    """The same sound at the usual loudness; silence stays silence.

    Args:
        samples: (n,), -1 to 1.

    Returns:
        (n,), -1 to 1, its louder parts at a root mean square of 0.05; not more than ten times as loud as it was.
    """
    beats = np.resize(samples, -(-len(samples) // _BEAT) * _BEAT).reshape(-1, _BEAT)
    power = np.mean(np.square(beats), axis=1)
    loud = float(np.sqrt(np.mean(power[power >= 0.01 * power.max()]))) if len(power) else 0.0
    if loud < _QUIET:
        return samples
    return np.asarray(np.clip(samples * np.float32(min(_LOUDNESS / loud, _MOST_GAIN)), -1, 1), np.float32)


def facts(scores: Samples, duration_s: float, by: str) -> Iterator[Fact]:
    """Each sound, each time it is heard, in the order of time, the surest first.

    Args:
        scores: (n, 521) probabilities, a row every 0.48 s.
        duration_s: of the recording.
        by: who heard.
    """
    found = []
    quiet = scores[:, _SILENCE] >= HEARD
    for index in map(int, np.flatnonzero((scores >= HEARD).any(axis=0))):
        heard = scores[:, index] >= HEARD
        if index != _SILENCE:
            heard &= ~quiet
        for start, end in runs(heard):
            confidence = round(float(scores[start:end, index].max()), 4)
            found.append((start, -confidence, index, end, confidence))
    for start, _, index, end, confidence in sorted(found):
        names = classes()[index].names
        yield Fact(
            "sound",
            names["en"][0],
            confidence,
            by,
            es=names["es"][0],
            start_s=round(start * PATCH_STEP_S, 2),
            end_s=round(min((end - 1) * PATCH_STEP_S + PATCH_S, duration_s), 2),
        )


def runs(heard: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Frames [start, end) that are heard together, short pauses included."""
    frames = np.flatnonzero(heard)
    if not len(frames):
        return
    breaks = np.flatnonzero(np.diff(frames) > _GAP)
    starts, ends = [0, *(breaks + 1)], [*breaks, len(frames) - 1]
    for start, end in zip(starts, ends, strict=True):
        yield int(frames[start]), int(frames[end]) + 1
