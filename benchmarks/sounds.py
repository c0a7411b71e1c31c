"""Sounds and captions of the Tux Paint stamps (GPL-2): does what is heard find the caption of what makes it?

For each of the 53 sounds, all captions of pictures with a sound are ranked by the cosine of ``SoundEncoder``; a
caption that stands for several is one. Some cannot be found by ear: two recordings are silent, three are letters read
aloud, the sound of a school crossing is laughter. Random: 5 of 52 among the first five, .10. Weights were chosen on
these sounds, from ranges nearly as good.

usage: python benchmarks/sounds.py --data DIR/stamps
Last line: JSON. Target: the right caption among the first five for .40 of the sounds, in both languages.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from _report import machine, report
from _stamps import stamps

from catalejo.encoders.sounds import SoundEncoder
from catalejo.perceivers.sounds import SoundPerceiver
from catalejo.readers.audio import sound_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with captions.csv and sounds/")
    given = parser.parse_args()
    perceiver, encoder = SoundPerceiver(), SoundEncoder()
    made = [one for one in stamps(given.data) if one.sound]
    frames, seconds, started = [], 0.0, time.perf_counter()
    for one in made:
        sound = sound_of(one.sound)
        heard = perceiver.listen(sound).frames
        frames.append(heard)
        seconds += sum(len(block) for block in sound.blocks()) / 16_000
    took = time.perf_counter() - started
    vectors = np.stack([encoder.encode_sound(heard.scores).vector for heard in frames])
    background = encoder.background.mean(axis=0)
    results: dict[str, float | int] = {"sounds": len(made), "times_real_time": round(seconds / took, 1)}
    for language in ("en", "es"):
        captions = [one.captions[language] for one in made]
        different = list(dict.fromkeys(captions))
        texts = encoder.encode_texts(different)
        scores = vectors @ texts.T
        right = np.array([different.index(caption) for caption in captions])
        own = scores[np.arange(len(made)), right]
        ranks = (scores > own[:, None]).sum(axis=1) + 1
        for k in (1, 5):
            results[f"{language}_r{k}"] = round(float(np.mean(ranks <= k)), 3)
        results[f"{language}_median"] = float(np.median(ranks))
        centred = [x - background for x in (vectors, texts)]
        cosines = np.divide(*(centred[0] @ centred[1].T, np.outer(*(np.linalg.norm(x, axis=1) for x in centred))))
        losses = {
            scale: float(
                np.mean(np.log(np.exp(scale * cosines).sum(axis=1)) - scale * cosines[np.arange(len(made)), right])
            )
            for scale in range(1, 31)
        }
        best = min(losses, key=lambda scale: losses[scale])
        results[f"{language}_scale"] = best
        print(
            f"{language}: {len(different)} captions, the right one first {results[f'{language}_r1']}, among five "
            f"{results[f'{language}_r5']}, median rank {results[f'{language}_median']:g}; softmax scale {best}"
        )
    report("sounds", results, machine())


if __name__ == "__main__":
    main()
