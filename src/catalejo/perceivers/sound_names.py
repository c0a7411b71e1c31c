"""The words for AudioSet's 521 classes as YAMNet orders them: names, and what makes the sound, in both languages.

``sounds.tsv`` has one line a class: index, AudioSet's name, then names and sources (nearest first), each in English and
Spanish, several separated by ``;``. The words are written for this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class SoundClass:
    """One class of sound.

    Attributes:
        audioset: its name in AudioSet's ontology.
        names: language -> what the sound is called, the most usual first.
        sources: language -> what makes it, and what kind of thing that is.
    """

    audioset: str
    names: dict[str, tuple[str, ...]]
    sources: dict[str, tuple[str, ...]]


@cache
def classes() -> tuple[SoundClass, ...]:
    """All 521, in YAMNet's order."""
    found = []
    for line in files("catalejo.perceivers").joinpath("sounds.tsv").read_text(encoding="utf-8").splitlines():
        _, audioset, *fields = line.split("\t")
        names_en, names_es, sources_en, sources_es = (tuple(field.split("; ")) for field in fields)
        found.append(SoundClass(audioset, {"en": names_en, "es": names_es}, {"en": sources_en, "es": sources_es}))
    return tuple(found)
