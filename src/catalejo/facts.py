"""The nouns of perception: what somebody saw or heard in an item, how sure they are, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalejo.texts import Box, TextPage

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# What a fact may be about. A new kind is a line here, and a word for it in both languages.
KINDS = {
    "text": ("text", "texto"),  # a line read in a picture
    "speech": ("speech", "voz"),  # a stretch of what was said
    "language": ("language", "idioma"),  # of what was said, ISO 639-1
    "sound": ("sound", "sonido"),
    "label": ("label", "etiqueta"),
    "colour": ("colour", "color"),
    "safety": ("adult content", "contenido para adultos"),  # number: the score
    "size": ("size", "tamaño"),  # value: "4000 x 3000"
    "duration": ("duration", "duración"),  # number: seconds
    "frames": ("frames", "fotogramas"),  # number: how many
    "frame-rate": ("frames a second", "fotogramas por segundo"),
    "shots": ("shots", "planos"),
    "taken": ("taken", "fecha"),  # value: ISO 8601
    "place": ("place", "lugar"),  # value: "41.38,2.18"
    "camera": ("camera", "cámara"),
}


@dataclass(frozen=True)
class Fact:
    """Something known of an item.

    Attributes:
        kind: one of ``KINDS``.
        value: in English, or as it stands there.
        confidence: that it is so, 0 to 1; None for what the file itself says.
        by: who found it: the perceiver's name, or ``file``.
        page: of the item, from 0: of a document, a TIFF, a shot of a video.
        es: the value in Spanish, where it has a name there; empty: the same as ``value``.
        number: the value as a number, where it is a quantity.
        box: where in the picture.
        start_s, end_s: when, in seconds of the recording.
    """

    kind: str
    value: str
    confidence: float | None
    by: str
    page: int = 0
    es: str = ""
    number: float | None = None
    box: Box | None = None
    start_s: float | None = None
    end_s: float | None = None

    def said(self, language: str) -> str:
        """The value in a language: ``es`` or ``en``."""
        return self.es if language == "es" and self.es else self.value


@dataclass(frozen=True, eq=False)
class Frames:
    """What a recording sounds like, moment by moment.

    Attributes:
        scores: (n, classes) float32, the probability of each sound; row i begins at ``i * hop_s``.
        hop_s: seconds from one row to the next.
    """

    scores: npt.NDArray[np.float32]
    hop_s: float

    def between(self, start_s: float, end_s: float) -> npt.NDArray[np.float32]:
        """The rows (m, classes) that begin in a stretch; the nearest one where none does."""
        first = min(round(start_s / self.hop_s), max(0, len(self.scores) - 1))
        return self.scores[first : max(first + 1, round(end_s / self.hop_s))]


@dataclass(frozen=True)
class Perceived:
    """What one perceiver found in one file.

    Attributes:
        facts: all of them, in the order of pages and time.
        pages: what was read or heard as text, with cues that say where; searched like a document's.
        frames: of a recording, for the space that sounds are searched in; None from everybody else.
    """

    facts: tuple[Fact, ...] = ()
    pages: tuple[TextPage, ...] = ()
    frames: Frames | None = None
