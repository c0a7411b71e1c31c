"""What is said in a recording: windows of speech (``voices``), heard by Whisper (``whisper``), as utterances.

What is invented is left out: a window whose words the model itself finds unlikely, or that it takes for no speech, is
not said to hold any. The thresholds separate the spoken phrases of the Tux Paint stamps from their animals and noises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from catalejo.facts import Fact, Perceived
from catalejo.perceivers import RATE_HZ, Samples, Sound
from catalejo.perceivers.voices import Window, windows
from catalejo.perceivers.whisper import Heard, Whisper
from catalejo.texts import Cue, TextPage
from catalejo.transcripts import Transcript, Utterance, Word

_LONGEST_S, _LONGEST_CHARACTERS = 7.0, 84  # of an utterance: a subtitle of two lines
_PAUSE_S = 1.0  # between words: a new utterance
_LONGEST_WORD_S = 1.0  # Whisper begins the first word where the window does
# Languages this was measured in count more in short windows, where Whisper base takes Spanish for almost anything.
_SHORT_S, _SOME_S, _LEAN, _LEAN_SOME, _LEAN_BEFORE = 5.0, 15.0, 1000.0, 20.0, 5.0
_MEASURED = ("en", "es")
# What Whisper learned from the ends of subtitle files, and says over music and silence.
_CREDITS = re.compile(
    r"amara\.org|subt[ií]tul\w+ (?:realizados )?por|subtitles by|thanks? (?:you )?for watching|gracias por ver|"
    r"suscr[ií]b\w+ (?:al|a mi) canal|please subscribe",
    re.IGNORECASE,
)


class SpeechPerceiver:
    """Hears what is said, in Spanish and English among others. Loads when first used.

    Raises:
        MissingExtra: faster-whisper is not installed.
        MissingWeights, DamagedWeights: ``whisper-base`` was not fetched, or is not whole.
    """

    name = "speech"
    version = "1"

    def __init__(self) -> None:
        self._whisper = Whisper()

    def languages(self) -> frozenset[str]:
        """The languages it knows, ISO 639-1 (two have no such code, and three letters)."""
        return self._whisper.languages()

    def listen(self, sound: Sound) -> Perceived:
        """See ``Listener``: a fact of kind ``speech`` an utterance, one of kind ``language``, and a page of text.

        The page has an utterance a line, and a cue for each.
        """
        return perceived(self.transcribe(sound), self.name)

    def transcribe(
        self,
        sound: Sound,
        language: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Transcript:
        """All that is said in a recording.

        Args:
            sound: of any length.
            language: ISO 639-1; None: found out, window by window.
            progress: called with the seconds that were heard.

        Raises:
            CannotRead, OverLimit: the recording breaks off.
        """
        heard_s = 0.0

        def counted() -> Iterator[Samples]:
            nonlocal heard_s
            for block in sound.blocks():
                heard_s += len(block) / RATE_HZ
                yield block

        said: list[Utterance] = []
        votes: dict[str, float] = {}
        weight = 0.0
        before = ""
        for window in windows(counted()):
            seconds = len(window.samples) / RATE_HZ
            heard = self._whisper.hear(window.samples, language, _leaning(seconds, before))
            found = list(utterances(window, heard)) if believed(heard) else []
            if found:
                before = heard.language
                votes[before] = votes.get(before, 0.0) + seconds
                weight += seconds * heard.language_probability
                said += found
            if progress:
                progress(window.when(seconds, len(window.pieces) - 1))
        most = max(votes, key=lambda name: votes[name], default="")
        sure = weight / sum(votes.values()) if votes else 0.0
        return Transcript(tuple(said), most, round(sure, 4), round(heard_s, 3))


def perceived(transcript: Transcript, by: str) -> Perceived:
    """A transcript as facts and a page of text."""
    if not transcript.utterances:
        return Perceived()
    facts = [Fact("language", transcript.language, transcript.language_confidence, by)]
    cues, at = [], 0
    for one in transcript.utterances:
        facts.append(Fact("speech", one.text, one.confidence, by, start_s=one.start_s, end_s=one.end_s))
        cues.append(Cue(at, at + len(one.text), one.start_s, one.end_s))
        at += len(one.text) + 1
    return Perceived(tuple(facts), (TextPage(transcript.text, 1, cues=tuple(cues)),))


def believed(heard: Heard) -> bool:
    """Whether what was heard was said, rather than invented over something that is no speech."""
    likely, no_speech = heard.mean_log_probability, heard.no_speech
    text = " ".join(word.text for word in heard.words)
    if not text or heard.looping or no_speech > 0.6 or likely < -2.0 or (no_speech > 0.3 and likely < -1.2):
        return False
    return not (_CREDITS.search(text) and len(text) < 80)


def utterances(window: Window, heard: Heard) -> Iterator[Utterance]:
    """The words of a window, cut after sentences, at pauses, and where a subtitle is full, after a comma if it can."""
    group: list[Word] = []
    for word in _placed(window, heard.words):
        if group and (_ended(group) or word.start_s - group[-1].end_s > _PAUSE_S):
            yield _utterance(group, heard.language)
            group = []
        elif group and _too_long([*group, word]):
            cut = _best_cut(group)
            yield _utterance(group[:cut], heard.language)
            group = group[cut:]
        group.append(word)
    if group:
        yield _utterance(group, heard.language)


def _ended(group: list[Word]) -> bool:
    """After a sentence; an initial, as in "J. Verne", ends none."""
    return group[-1].text.endswith((".", "?", "!", "…")) and len(group[-1].text) > 2


def _too_long(group: list[Word]) -> bool:
    characters = sum(len(word.text) + 1 for word in group) - 1
    return characters > _LONGEST_CHARACTERS or group[-1].end_s - group[0].start_s > _LONGEST_S


def _best_cut(group: list[Word]) -> int:
    """How many words go into the utterance that is full; all, where nothing speaks for a place in its later parts."""
    later = range(max(1, len(group) // 3), len(group))
    commas = [i for i in later if group[i - 1].text.endswith((",", ";", ":"))]
    if commas:
        return commas[-1]
    gaps = {i: group[i].start_s - group[i - 1].end_s for i in later}
    widest = max(gaps, key=lambda i: gaps[i], default=0)
    return widest if widest and gaps[widest] > 0.1 else len(group)


def _placed(window: Window, words: tuple[Word, ...]) -> Iterator[Word]:
    """Words with the seconds of the recording, in order, none inside another."""
    last = 0.0
    for word in words:
        number = window.piece_at((word.start_s + word.end_s) / 2)
        start, end = window.when(word.start_s, number), window.when(word.end_s, number)
        start = max(last, start, end - _LONGEST_WORD_S)
        last = end = max(start, end)
        yield Word(word.text, start, end, round(word.probability, 4))


def _utterance(words: list[Word], language: str) -> Utterance:
    confidence = sum(word.probability for word in words) / len(words)
    text = " ".join(word.text for word in words)
    return Utterance(text, words[0].start_s, words[-1].end_s, language, round(confidence, 4), tuple(words))


def _leaning(seconds: float, before: str) -> dict[str, float]:
    """How much more likely some languages are, before a window of this length is heard."""
    lean = _LEAN if seconds < _SHORT_S else _LEAN_SOME if seconds < _SOME_S else 1.0
    found = dict.fromkeys(_MEASURED, lean)
    if before:
        found[before] = found.get(before, 1.0) * _LEAN_BEFORE
    return found
