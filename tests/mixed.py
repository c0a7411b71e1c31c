"""Files of every kind, small, and stand-ins for those who look at them and listen."""

from __future__ import annotations

import shutil
from pathlib import Path

import films
import numpy as np
from PIL import Image

from catalejo.demo import pictures
from catalejo.facts import Fact, Perceived
from catalejo.giving import Giver
from catalejo.perceivers import Sound
from catalejo.senses import Missing, Sense, Senses
from catalejo.texts import Cue, TextPage

SAID = "Buenos días a todos. El museo abre a las nueve.\nLa entrada es gratuita los domingos."
FIRST = SAID.index("\n")


class Looks:
    """Sees a cat in everything, and reads the size of what it is shown."""

    name, version = "labels", "1"

    def __init__(self) -> None:
        self.shown: list[tuple[int, tuple[int, int]]] = []

    def look(self, picture: Image.Image, page: int = 0) -> Perceived:
        self.shown.append((page, picture.size))
        text = f"READ {picture.width}"
        cue = Cue(0, len(text), box=(1.0, 2.0, 30.0, 40.0))
        facts = (
            Fact("label", "tabby cat", 0.62, self.name, page, "gato atigrado"),
            Fact("text", text, 0.9, "ocr", page),
        )
        return Perceived(facts, (TextPage(text, page + 1, cues=(cue,)),))


class Hears:
    """Hears the same two utterances in everything, and a bell; says how many samples there were."""

    name, version = "speech", "1"

    def __init__(self) -> None:
        self.samples = 0

    def listen(self, sound: Sound) -> Perceived:
        self.samples = sum(len(block) for block in sound.blocks())
        cues = (Cue(0, FIRST, 0.2, 1.8), Cue(FIRST + 1, len(SAID), 40.0, 44.0))
        bell = Fact("sound", "Bell", 0.8, "sounds", es="Campana", start_s=0.5, end_s=1.0)
        return Perceived((bell, Fact("language", "es", 1.0, self.name)), (TextPage(SAID, 1, cues=cues),))


LOOKS = Sense("labels", "1", ("image", "video", "scan"), Looks())
HEARS = Sense("speech", "1", ("audio", "video"), Hears())


def giver(
    *able: Sense, pictures: bool = False, sound: bool = False, missing: tuple[Missing, ...] = (), **rest: object
) -> Giver:
    """Reads files with these perceivers and no others."""
    made = Giver(pictures, sound, **rest)  # type: ignore[arg-type]
    vars(made)["_senses"] = Senses(able, missing)
    return made


def files(folder: Path) -> dict[str, str]:
    """``foto.png``, ``nota.wav``, ``clip.mp4`` (three scenes and a tone), ``mudo.mp4``, ``informe.txt``; by name."""
    shutil.copy(pictures() / "chelsea.png", folder / "foto.png")
    (folder / "nota.wav").write_bytes(films.recording(films.tone(3.0)))
    scenes = [frame for name in films.SCENES[:3] for frame in films.still(name, 1.5)]
    (folder / "clip.mp4").write_bytes(films.film(scenes, sound=films.tone(4.5)))
    (folder / "mudo.mp4").write_bytes(films.film(films.still("rocket.jpg", 1.0)))
    (folder / "informe.txt").write_text("El museo abrió sus puertas en 1819.\n", encoding="utf-8")
    return {path.name: str(path) for path in folder.iterdir()}


def silence(seconds: float) -> bytes:
    """A WAV file of nothing."""
    return films.recording(np.zeros(round(seconds * 16_000), np.float32))
