"""The nouns of perception: what somebody saw or heard in an item, how sure they are, and where."""

from __future__ import annotations

from dataclasses import dataclass

from catalejo.texts import Box, TextPage

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


@dataclass(frozen=True)
class Perceived:
    """What one perceiver found in one file.

    Attributes:
        facts: all of them, in the order of pages and time.
        pages: what was read or heard as text, with cues that say where; searched like a document's.
    """

    facts: tuple[Fact, ...] = ()
    pages: tuple[TextPage, ...] = ()
