"""A recording or a film -> TRANSCRIPT, without a catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalejo.errors import UnknownName
from catalejo.perceivers.speech import SpeechPerceiver
from catalejo.records import Limits
from catalejo.transcripts import Transcript


def transcribe(
    path: str | Path,
    *,
    language: str | None = None,
    limits: Limits | None = None,
    perceiver: SpeechPerceiver | None = None,
    progress: Callable[[float, float | None], None] | None = None,
) -> Transcript:
    """What is said in a file.

    Args:
        path: of a recording or a film, in any container that PyAV reads.
        language: ISO 639-1; None: found out.
        limits: what to refuse; see ``Limits``.
        perceiver: one that was made before; its model stays loaded.
        progress: called with the seconds that were heard, and of how many, if known.

    Raises:
        MissingExtra, MissingWeights: see ``SpeechPerceiver``.
        UnknownName: no such language.
        CannotRead, OverLimit: the file cannot be read, has no sound, or passes a limit.

    Example:
        >>> transcribe("jfk.flac").text  # doctest: +SKIP
        'And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country.'
    """
    perceiver = perceiver or SpeechPerceiver()  # before the file: what is missing is missing for all files
    from catalejo.readers.audio import sound_of

    if language is not None and language not in (known := perceiver.languages()):
        raise UnknownName("language", language, known)
    sound = sound_of(path, limits)

    def told(seconds: float) -> None:
        if progress:
            progress(seconds, sound.duration_s)

    return perceiver.transcribe(sound, language, told)
