"""The nouns of speech: a word and when it was said, an utterance, a transcript; and a transcript as SRT and WebVTT."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE_CHARACTERS = 42  # of a subtitle; what broadcasters keep to


@dataclass(frozen=True)
class Word:
    """One word, with its punctuation, without spaces around it.

    Attributes:
        start_s, end_s: in seconds of the recording.
        probability: that this word was said, 0 to 1, by the model's own account.
    """

    text: str
    start_s: float
    end_s: float
    probability: float


@dataclass(frozen=True)
class Utterance:
    """What was said in one breath, or one sentence; as long as a subtitle.

    Attributes:
        start_s, end_s: in seconds of the recording.
        language: ISO 639-1.
        confidence: the mean probability of its words.
    """

    text: str
    start_s: float
    end_s: float
    language: str
    confidence: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """All that was said in a recording.

    Attributes:
        utterances: in the order of time; empty where nobody speaks.
        language: of most of it, ISO 639-1; empty where nobody speaks.
        language_confidence: that it is that one, 0 to 1; 1 where the user said so.
        duration_s: of the recording.
    """

    utterances: tuple[Utterance, ...]
    language: str
    language_confidence: float
    duration_s: float

    @property
    def text(self) -> str:
        """What was said, an utterance a line."""
        return "\n".join(one.text for one in self.utterances)


def srt(utterances: Iterable[Utterance]) -> str:
    """Subtitles as SubRip: numbered, times with a comma."""
    cues = (
        f"{number}\n{_time(one.start_s, ',')} --> {_time(one.end_s, ',')}\n{_lines(one.text)}\n"
        for number, one in enumerate(utterances, 1)
    )
    return "\n".join(cues)


def vtt(utterances: Iterable[Utterance]) -> str:
    """Subtitles as WebVTT (w3.org/TR/webvtt1): ``&`` and ``<`` escaped, as it wants."""
    cues = (
        f"\n{_time(one.start_s, '.')} --> {_time(one.end_s, '.')}\n{html.escape(_lines(one.text), quote=False)}\n"
        for one in utterances
    )
    return "WEBVTT\n" + "".join(cues)


def clock(seconds: float) -> str:
    """A time for people.

    >>> clock(7.26), clock(3725)
    ('0:07', '1:02:05')
    """
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _time(seconds: float, mark: str) -> str:
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{rest:03}"


def _lines(text: str) -> str:
    """A subtitle on two lines of about the same length, where it is too long for one."""
    text = re.sub(r"\s+", " ", text).strip().replace("-->", "→")
    if len(text) <= _LINE_CHARACTERS or " " not in text:
        return text
    middle = len(text) / 2
    at = min((m.start() for m in re.finditer(" ", text)), key=lambda place: abs(place - middle))
    return f"{text[:at]}\n{text[at + 1 :]}"
