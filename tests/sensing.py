"""Stand-ins for perceivers and for the encoder of sounds, and recordings for them."""

from __future__ import annotations

import threading
import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from making import Counting, stamp
from PIL import Image

from catalejo import plugins
from catalejo.encoders import Encoded
from catalejo.errors import MissingWeights
from catalejo.facts import Fact, Frames, Perceived
from catalejo.perceivers import RATE_HZ, Sound
from catalejo.plugins import Plugin
from catalejo.records import Label
from catalejo.texts import Cue, TextPage

Array = npt.NDArray[np.float32]

WORDS = ("letrero", "farmacia", "panadería", "estación", "museo", "salida", "peligro", "abierto")


class Signs:
    """Reads a word in every picture, by its size, and a label.

    Class attributes, to be reset by the test: ``seen`` sizes of the pictures shown; ``gate`` is passed before
    each; ``fails`` is the size of one that cannot be read.
    """

    name, version = "signs", "1"
    seen: list[tuple[int, int]] = []  # noqa: RUF012
    gate: Any = threading.Event()
    fails: tuple[int, int] | None = None

    @classmethod
    def reset(cls) -> None:
        cls.seen, cls.fails, cls.gate = [], None, threading.Event()
        cls.gate.set()

    def look(self, picture: Image.Image, page: int = 0) -> Perceived:
        assert self.gate.wait(60)
        self.seen.append(picture.size)
        if picture.size == self.fails:
            raise RuntimeError("cannot see that")
        word = WORDS[picture.width % 8]
        text = f"El {word} del número {picture.width} por {picture.height}."
        box = (1.0, 2.0, float(picture.width), 12.0)
        facts = (
            Fact("text", text, 0.9, self.name, page, box=box),
            Fact("label", "sign", 0.75, self.name, page, es="letrero", number=float(picture.width)),
        )
        return Perceived(facts, (TextPage(text, page + 1, cues=(Cue(0, len(text), box=box),)),))


class Newer(Signs):
    """The same, in another version that reads another word."""

    version = "2"

    def look(self, picture: Image.Image, page: int = 0) -> Perceived:
        found = super().look(picture, page)
        (said,) = found.pages
        text = said.text.replace("El ", "Otro ")
        return Perceived(found.facts[:1], (TextPage(text, said.number, cues=(Cue(0, len(text)),)),))


class Voices:
    """Hears a sentence every ten seconds, and what sounds like one of eight things, another every ten seconds."""

    name, version = "voices", "1"

    def listen(self, sound: Sound) -> Perceived:
        seconds = sum(len(block) for block in sound.blocks()) / RATE_HZ
        text, cues, facts = "", [], []
        for number in range(int(seconds // 10)):
            said = f"Ahora habla del {WORDS[number % 8]} número {number}."
            start_s = number * 10.0 + 2
            cues.append(Cue(len(text), len(text) + len(said), start_s, start_s + 3))
            facts.append(Fact("speech", said, 0.8, self.name, start_s=start_s, end_s=start_s + 3))
            text += said + " "
        frames = np.eye(8, dtype=np.float32)[np.arange(int(seconds)) // 10 % 8]
        return Perceived(tuple(facts), (TextPage(text.rstrip(), 1, cues=tuple(cues)),), Frames(frames, 1.0))


class Absent:
    """A perceiver whose model was not fetched."""

    name, version = "absent", "1"

    def __init__(self) -> None:
        raise MissingWeights("absent is not on this machine. Fetch it: catalejo fetch absent")


class Noises:
    """A space of eight sounds: a text of n words is the n-th of them."""

    card = replace(Counting.card, name="noises", space="noises", takes=("audio",))
    prompted = False

    @property
    def background(self) -> Array:
        return np.eye(8, dtype=np.float32)

    def encode_sound(self, scores: Array) -> Encoded:
        vector = scores.mean(axis=0) + 1e-3
        return Encoded(np.asarray(vector / np.linalg.norm(vector), np.float32), (Label(int(vector.argmax()), 0.5),))

    def encode_texts(self, texts: Sequence[str]) -> Array:
        return np.eye(8, dtype=np.float32)[[(len(text.split()) - 1) % 8 for text in texts]]

    def why(self, text: str, labels: Iterable[Label]) -> str:
        return ", ".join(f"noise {one.index}" for one in labels)


PERCEIVERS = {
    "signs": Plugin("sensing:Signs", kinds=("image", "video", "scan")),
    "voices": Plugin("sensing:Voices", kinds=("audio", "video")),
    "absent": Plugin("sensing:Absent", kinds=("image",)),
}
SOUNDS = {"noises": Plugin("sensing:Noises")}


@pytest.fixture(name="sensing")
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our stand-ins are all perceivers there are."""
    monkeypatch.setitem(plugins._OURS, "perceivers", PERCEIVERS)
    monkeypatch.setitem(plugins._OURS, "sound_encoders", SOUNDS)
    plugins.table.cache_clear()
    Signs.reset()
    yield
    plugins.table.cache_clear()


def save_sound(path: Path, seconds: float, seed: int = 0) -> Path:
    """A recording of tones, with half a second of silence every ten seconds; its time depends on the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    loud = np.sin(2 * np.pi * (220 + 20 * seed) * at) * (at % 10 > 0.5) * 0.3
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((loud * 32767).astype("<i2").tobytes())
    stamp(path, seed)
    return path
