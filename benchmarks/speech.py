"""What is said, against what was written: word errors, words invented where nobody speaks, and speed.

- ``jfk.flac``: 11 s of English, public domain, from Whisper's tests.
- the Spanish captions of the Tux Paint stamps (GPL-2), read aloud: 201 phrases of a second, as ``es`` and with the
  language found out. Every other one, by path, was looked at while thresholds were chosen; the figure for the others
  stands beside.
- silence, noise, tones; the sounds of the stamps but those that hold words: nothing should be written down.
- speed: jfk.flac and all phrases with a second between them, read from memory; and the word errors of that.

A word error is a substitution, a deletion or an insertion between texts in lower case without punctuation (Levenshtein
distance over words, as jiwer counts); numbers are compared as they are written, accents count.

usage: python benchmarks/speech.py --data DIR [--quick]
Last line: JSON. Targets: jfk.flac 0; Spanish .35; nothing invented; 3 times faster than it is spoken.
"""

from __future__ import annotations

import argparse
import re
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _report import machine, report
from _stamps import stamps

from catalejo.perceivers import RATE_HZ, Samples
from catalejo.perceivers.speech import SpeechPerceiver
from catalejo.readers.audio import sound_of

JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
SPOKEN = ("dreydl", "xing_ped")  # sounds of stamps that are words: letters of a spinning top, a crossing's voice


@dataclass(frozen=True)
class Memory:
    """Samples as a sound."""

    samples: Samples
    duration_s: float | None = None

    def blocks(self) -> Iterator[Samples]:
        step = 10 * RATE_HZ
        yield from (self.samples[i : i + step] for i in range(0, len(self.samples), step))


def words(text: str) -> list[str]:
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", text.lower())).split()


def errors(heard: Sequence[str], said: Sequence[str]) -> int:
    """The Levenshtein distance of two sequences of words."""
    row = list(range(len(said) + 1))
    for i, one in enumerate(heard, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(said, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1]


def noises(seconds: int = 30) -> dict[str, Samples]:
    """Sounds in which nobody speaks."""
    random, t = np.random.default_rng(5), np.arange(seconds * RATE_HZ) / RATE_HZ
    notes = [sum(np.sin(2 * np.pi * f * k * t) / k for k in (1, 2, 3)) for f in (220, 277.2, 329.6, 440)]
    tune = sum(note * (np.floor(t * 2) % 4 == i) for i, note in enumerate(notes)) * np.exp(-3 * (t * 2 % 1))
    made = {
        "silence": np.zeros(len(t)),
        "faint noise": random.normal(0, 0.001, len(t)),
        "white noise": random.normal(0, 0.2, len(t)),
        "brown noise": np.cumsum(random.normal(0, 0.005, len(t))) * 0.02,
        "tone": 0.3 * np.sin(2 * np.pi * 440 * t),
        "beating tone": 0.3 * np.sin(2 * np.pi * 150 * t) * (1 + np.sin(2 * np.pi * 4 * t)) / 2,
        "tune": 0.2 * tune,
        "clicks": (np.arange(len(t)) % (RATE_HZ // 2) == 0) * 0.8,
    }
    return {name: np.clip(samples, -1, 1).astype(np.float32) for name, samples in made.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with jfk.flac and stamps/")
    parser.add_argument("--quick", action="store_true", help="a quarter of the phrases")
    given = parser.parse_args()
    perceiver = SpeechPerceiver()
    results: dict[str, float | int] = {}

    heard = perceiver.transcribe(sound_of(given.data / "jfk.flac"))
    results["jfk_wer"] = round(errors(words(heard.text), words(JFK)) / len(words(JFK)), 3)
    print(f"jfk.flac: {heard.language} {heard.language_confidence:.2f}, word error {results['jfk_wer']}")

    all_stamps = stamps(given.data / "stamps")
    phrases = [one for one in all_stamps if one.speech_es][:: 4 if given.quick else 1]
    for name, language in (("es", "es"), ("auto", None)):
        found = []
        for one in phrases:
            transcript = perceiver.transcribe(sound_of(one.speech_es), language)
            said = words(one.captions["es"])
            found.append((errors(words(transcript.text), said), len(said), transcript.language == "es"))
        for part, some in (("", found), ("_unseen", found[1::2])):
            results[f"stamps_{name}_wer{part}"] = round(sum(e for e, *_ in some) / sum(n for _, n, _ in some), 3)
        results[f"stamps_{name}_language"] = round(sum(right for *_, right in found) / len(found), 3)
        print(f"stamps, language {name}: " + ", ".join(f"{k} {v}" for k, v in results.items() if name in k))

    quiet = {name: Memory(samples) for name, samples in noises().items()}
    quiet |= {
        one.sound.name: sound_of(one.sound)
        for one in all_stamps
        if one.sound and not any(part in one.sound.name for part in SPOKEN)
    }
    invented = {name: text for name, sound in quiet.items() if (text := perceiver.transcribe(sound).text)}
    results |= {"quiet_recordings": len(quiet), "invented": len(invented)}
    print(f"{len(quiet)} recordings in which nobody speaks: text in {len(invented)} {invented or ''}")

    pause, said = np.zeros(RATE_HZ, np.float32), [JFK]
    parts = [*sound_of(given.data / "jfk.flac").blocks(), pause]
    for one in phrases:
        parts += [*sound_of(one.speech_es).blocks(), pause]
        said.append(one.captions["es"])
    long, reference = Memory(np.concatenate(parts)), words(" ".join(said))
    started = time.perf_counter()
    heard = perceiver.transcribe(long)
    took = time.perf_counter() - started
    results |= {
        "seconds": round(heard.duration_s, 1),
        "times_real_time": round(heard.duration_s / took, 2),
        "long_wer": round(errors(words(heard.text), reference) / len(reference), 3),
    }
    print(f"{heard.duration_s:.0f} s heard in {took:.0f} s: {results['times_real_time']} times real time")
    report("speech", results, machine())


if __name__ == "__main__":
    main()
