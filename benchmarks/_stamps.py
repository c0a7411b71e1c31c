"""The stamps of Tux Paint (GPL-2): cut-out pictures, their captions in two languages, sounds, captions read aloud.

A folder with ``captions.csv``: path, caption_en, caption_es, sound, speech_es.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stamp:
    """One picture's captions by language, and its recordings, if it has them."""

    captions: dict[str, str]
    sound: Path | None
    speech_es: Path | None


def stamps(data: Path) -> list[Stamp]:
    """All of them, by the path of their picture."""
    with (data / "captions.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["path"])
    return [
        Stamp(
            {"en": row["caption_en"], "es": row["caption_es"]},
            data / row["sound"] if row["sound"] else None,
            data / row["speech_es"] if row["speech_es"] else None,
        )
        for row in rows
    ]
