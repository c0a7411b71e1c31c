"""When not to answer: the model says it cannot tell, its samples do not agree, or the question is about something else.

Vision-language models notice questions that cannot be answered two times in three at best (TUBench, arXiv 2410.04107),
and asked for their confidence they overstate it; how many of several samples agree says more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalejo.language import language_of
from catalejo.visual_answers import normal, yes_no
from catalejo.words import folded

EncodeTexts = Callable[[Sequence[str]], npt.NDArray[np.float32]]

CANNOT_TELL = {"en": "I cannot tell from this.", "es": "No puedo saberlo con esto."}
UNANSWERABLE = {"en": "UNANSWERABLE", "es": "SIN RESPUESTA"}
ALIKE = 0.8  # cosine of sentences that say the same, where their numbers and polarity agree too
_MOST_REFUSAL = 240  # characters; a longer text is an answer that also says what it does not know

_MARKED = re.compile(r"^\W*(?:unanswerable|sin respuesta|incontestable)\b\W*", re.I)
_REFUSES = re.compile(
    r"(?:^|\b(?:i|we|you|one)\s+)(?:can ?not|can't|could ?n[o']t|am unable to|are unable to|am not able to)\s+"
    r"(?:\w+ ){0,2}?(?:tell|say|determine|know|see|answer|identify|provide)\b"
    r"|\b(?:can ?not|can't|could ?n[o']t) be (?:told|said|determined|known|seen|answered|identified)\b"
    r"|\b(?:is not|isn't|not|im)\s?possible to (?:tell|say|determine|know|see|answer|identify)\b"
    r"|\b(?:does ?n[o']t|do not|doesn't) (?:show|contain|provide|include) (?:any |enough )?(?:information|details?)"
    r"|\bnot (?:enough|sufficient) information|\bunanswerable\b|\bi do(?:n't| not) know\b"
    r"|\bno (?:se )?(?:puedo|podemos|puede|es posible|podria|se)\s+(?:\w+ )?"
    r"(?:saber|decir|determinar|ver|responder|identificar|sabe|distinguir)\w*"
    r"|\bno lo se\b|\bno hay (?:suficiente )?informacion|\bimposible (?:saber|determinar|decir)",
    re.I,
)
_DECIMAL = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))")  # 10,5 is 10.5, and no 105
_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*")
_DENIALS = "no not none never nothing cannot without ningun ninguna ninguno nunca nada nadie tampoco sin"
_SAID_NO = frozenset(_DENIALS.split())


@dataclass(frozen=True)
class Agreement:
    """How far several answers to one question agree.

    Attributes:
        text: one of those that most give: the first of them.
        share: of the answers that agree with it, 0 to 1.
        groups: how many answer each way, most first.
        answers: the first of each of these groups.
    """

    text: str
    share: float
    groups: tuple[int, ...]
    answers: tuple[str, ...]


def declines(reply: str) -> tuple[bool, str]:
    """Whether a model says that it cannot answer, and the reason it gives, if any.

    By the word it was asked to use, or in words of its own where the reply is short.

    >>> declines("UNANSWERABLE: the picture shows no clock.")
    (True, 'the picture shows no clock.')
    """
    body = " ".join(reply.split())
    if marked := _MARKED.match(body):
        return True, body[marked.end() :].strip()
    if len(body) <= _MOST_REFUSAL and _REFUSES.search(folded(body)):
        return True, body
    return False, ""


def agreement(texts: Sequence[str], encode_texts: EncodeTexts | None = None) -> Agreement:
    """Sort answers into those that say the same.

    The same are: answers equal after normalisation; and sentences with the same numbers and the same polarity of which
    one's words are among the other's, or whose vectors are closer than ``ALIKE``.

    Args:
        texts: answers to one question, at least one.
        encode_texts: texts -> (n, width) float32 unit rows; None: words alone decide.

    Raises:
        ValueError: there are no answers.

    >>> agreement(["Two dogs.", "two dogs", "Three dogs"]).groups
    (2, 1)
    """
    if not texts:
        raise ValueError("no answers, so nothing agrees")
    said = [_said(text) for text in texts]
    rows = encode_texts(list(texts)) if encode_texts and len(set(said)) > 1 else None
    groups: list[list[int]] = []
    for number, one in enumerate(said):
        for group in groups:
            first = group[0]
            close = rows is not None and float(rows[first] @ rows[number]) >= ALIKE
            if _same(said[first], one, close):
                group.append(number)
                break
        else:
            groups.append([number])
    groups.sort(key=lambda group: (-len(group), group[0]))
    first_of_each = tuple(texts[group[0]] for group in groups)
    return Agreement(first_of_each[0], len(groups[0]) / len(texts), tuple(map(len, groups)), first_of_each)


@dataclass(frozen=True)
class _Said:
    """An answer as it is compared: its words, its numbers, whether it denies."""

    words: str
    numbers: tuple[str, ...]
    denies: bool


def _said(text: str) -> _Said:
    language = language_of(text) or "en"
    if declines(text)[0]:
        return _Said("", (), False)
    words = re.sub(r"[.,:;!?'\"]+(?=\s|$)", "", normal(_DECIMAL.sub(".", text), language))
    denies = yes_no(text) == "no" or any(word in _SAID_NO for word in folded(words).split())
    return _Said(words, tuple(sorted(_NUMBERS.findall(words))), denies)


def _same(one: _Said, other: _Said, close: bool) -> bool:
    if one == other:
        return True
    if not one.words or not other.words or (one.numbers, one.denies) != (other.numbers, other.denies):
        return False
    words, others = set(one.words.split()), set(other.words.split())
    return close or words <= others or others <= words
