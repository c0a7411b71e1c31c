"""Whisper (Radford et al. 2022, arXiv 2212.04356): up to 30 s of speech -> language and words with their times.

The weights are ``catalejo fetch whisper-base``, the arithmetic is CTranslate2's in int8. One pass of the encoder
serves the language, the words and their times. Decoding is a beam search without sampling: the same sound gives
the same words.
"""

from __future__ import annotations

import importlib.util
import math
import threading
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from catalejo import weights
from catalejo.encoders.batching import cores
from catalejo.errors import BadModel, MissingExtra
from catalejo.perceivers import RATE_HZ, Samples
from catalejo.transcripts import Word

NAME = "whisper-base"
BEAM = 5
_MOST_TOKENS = 440
_FRAMES = 3_000  # of 10 ms: what Whisper hears at once
# A text that repeats itself is invented where it also comes faster than anybody speaks, or is little but repetition; a
# chorus is neither. How many times it packs: Whisper's own threshold, and one no chorus reaches in half a minute.
_REPEATS, _LOOPS, _FASTEST = 2.4, 6.0, 25.0  # the last in characters a second


@dataclass(frozen=True)
class Heard:
    """What was heard in one window.

    Attributes:
        words: with seconds of the window.
        language: ISO 639-1.
        language_probability: 0 to 1; 1 where it was given.
        mean_log_probability: of the tokens.
        no_speech: probability that there is none, by the model's account.
        looping: whether the text repeats itself, as invented texts do.
    """

    words: tuple[Word, ...]
    language: str
    language_probability: float
    mean_log_probability: float
    no_speech: float
    looping: bool


class Whisper:
    """A speech model on the CPU. Loads when first used; safe to call from several threads, which wait for each other.

    Args:
        folder: a model as CTranslate2 has it; None: ``whisper-base``, as fetched.

    Raises:
        MissingExtra: faster-whisper is not installed.
        MissingWeights, DamagedWeights: the model was not fetched, or is not whole.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if importlib.util.find_spec("faster_whisper") is None:
            raise MissingExtra("speech", "faster-whisper", "speech")
        self._folder = folder or weights.model_folder(NAME)
        self._lock = threading.Lock()

    def hear(self, samples: Samples, language: str | None = None, leaning: dict[str, float] | None = None) -> Heard:
        """The words of one window.

        Args:
            samples: (n,) mono, 16 kHz, at most 30 s; what is longer is cut off.
            language: ISO 639-1; None: found out.
            leaning: languages that count more than others when the language is found out, and how many times.
        """
        from faster_whisper.audio import pad_or_trim

        with self._lock:
            model = self._model
            features = model.feature_extractor(samples)
            encoded = model.encode(pad_or_trim(features, _FRAMES))
            probability = 1.0
            if language is None:
                language, probability = _language(model.model.detect_language(encoded)[0], leaning or {})
            tokenizer = self._tokenizer(language)
            result, looping = self._generate(encoded, tokenizer, len(samples) / RATE_HZ)
            ids = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
            frames = min(features.shape[-1], _FRAMES)
            found = model.find_alignment(tokenizer, [ids], encoded, frames)[0] if ids else []
        words = _words(found)
        return Heard(words, language, probability, result.scores[0], result.no_speech_prob, looping)

    def languages(self) -> frozenset[str]:
        """The languages it knows, ISO 639-1 (two have no such code, and three letters)."""
        with self._lock:
            return frozenset(self._model.supported_languages)

    def _generate(self, encoded: Any, tokenizer: Any, seconds: float) -> tuple[Any, bool]:
        """The likeliest text; a second time, without repetitions, where it repeats itself."""
        for repeat in (0, 3):
            result = self._model.model.generate(
                encoded,
                [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
                beam_size=BEAM,
                max_length=_MOST_TOKENS,
                no_repeat_ngram_size=repeat,
                return_scores=True,
                return_no_speech_prob=True,
                suppress_blank=True,
                suppress_tokens=self._suppressed(tokenizer),
            )[0]
            looping = loops(tokenizer.decode(result.sequences_ids[0]).strip(), seconds)
            if not looping:
                break
        return result, looping

    def _suppressed(self, tokenizer: Any) -> tuple[int, ...]:
        """Tokens that are no speech: musical notes, brackets of noises, and those that steer the model."""
        steering = (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm)
        return tuple(sorted({*tokenizer.non_speech_tokens, *steering, tokenizer.no_speech}))

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language=language)

    @cached_property
    def _model(self) -> Any:
        from faster_whisper import WhisperModel

        try:
            return WhisperModel(
                str(self._folder), device="cpu", compute_type="int8", cpu_threads=cores(), local_files_only=True
            )
        except (RuntimeError, ValueError) as error:  # CTranslate2's own
            raise BadModel(self._folder, f"CTranslate2 cannot open it ({error})") from error


def loops(text: str, seconds: float) -> bool:
    """Whether a text repeats itself as nobody does who speaks for so many seconds."""
    packed = len(text.encode()) / len(zlib.compress(text.encode())) if text else 0.0
    return packed > _LOOPS or (packed > _REPEATS and len(text) > _FASTEST * seconds)


def _language(found: list[tuple[str, float]], leaning: dict[str, float]) -> tuple[str, float]:
    """The likeliest language, those one leans to counting more; and its probability then."""
    weighed = {token[2:-2]: p * leaning.get(token[2:-2], 1.0) for token, p in found}
    best = max(weighed, key=lambda name: weighed[name])
    return best, float(weighed[best] / sum(weighed.values()))


def _words(found: list[dict[str, Any]]) -> tuple[Word, ...]:
    """Words with the punctuation that belongs to them; a word begins with a space, or is the first."""
    words: list[Word] = []
    for one in found:
        text = str(one["word"])
        start, end, probability = float(one["start"]), float(one["end"]), float(np.mean(one["probability"]))
        if words and (not text.startswith(" ") or not any(map(str.isalnum, text)) or words[-1].text in "¿¡\"'(«“"):
            last = words[-1]
            spoken = any(map(str.isalnum, last.text))
            until = end if any(map(str.isalnum, text)) else last.end_s
            sure = min(last.probability, probability) if spoken and until == end else last.probability
            words[-1] = Word(last.text + text.strip(), last.start_s, until, sure if spoken else probability)
        elif text.strip():
            words.append(Word(text.strip(), start, end, probability))
    return tuple(w for w in words if any(map(str.isalnum, w.text)) and math.isfinite(w.start_s))
