"""Answers to questions about pictures, recordings and films, from facts alone: no language model, no guesses.

A question is understood by patterns (``questions.understanding``) and looked up among the facts that the file
states and that perceivers found. The answer comes with its confidence and what it rests on; where facts cannot know,
it is declined with the reason.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from catalejo import plugins
from catalejo.abstaining import CANNOT_TELL
from catalejo.answerers import Answer, Citation, Turn
from catalejo.errors import BadQuery, MissingExtra, MissingWeights
from catalejo.facts import KINDS, Fact
from catalejo.questions import BEYOND, Question, seen, told
from catalejo.questions.replying import Asked, Reply
from catalejo.questions.understanding import understand
from catalejo.records import Limits
from catalejo.senses import Known, Missing, Sense, Senses, facts_of, senses
from catalejo.texts import Span

ROUTE = "facts"
_MOST_SOURCES = 6

_ANSWERS: dict[str, Callable[[Asked], Reply]] = {
    "what": seen.what,
    "kind": seen.kind,
    "breed": seen.breed,
    "exists": seen.exists,
    "is-it": seen.exists,
    "sure": seen.sure,
    "colour": seen.colour,
    "grey": seen.grey,
    "text": told.text,
    "has-text": told.has_text,
    "says": told.says,
    "speech": told.speech,
    "has-speech": told.has_speech,
    "language": told.language,
    "sound": told.sound,
    "when-heard": told.when_heard,
    "events": told.events,
    "count": told.count,
    "pages": told.pages,
    "adult": told.adult,
    "width": partial(told.side, which=0),
    "height": partial(told.side, which=1),
    "when": partial(told.stated, kind="taken"),
    "where": partial(told.stated, kind="place"),
    **{
        kind: partial(told.stated, kind=kind)
        for kind in ("camera", "size", "duration", "frames", "frame-rate", "shots")
    },
}
# Whom a question needs; the others need not look at the file for it.
_NEEDS = {
    "labels": ("what", "kind", "breed", "exists", "is-it", "sure", "colour", "events"),
    "colours": ("colour", "grey", "exists", "is-it", "kind"),
    "ocr": ("text", "has-text", "says", "count", "speech"),
    "speech": ("speech", "has-speech", "language", "when-heard", "events", "says", "text"),
    "sounds": ("sound", "when-heard", "events", "count"),
    "safety": ("adult",),
}


def answer(question: str, known: Known, turns: Sequence[Turn] = ()) -> Answer:
    """Answer a question from what is known of a file.

    Args:
        question: in Spanish or English; the answer is in the same.
        known: see ``senses.facts_of``; what perceivers that are needed and missing would say is told in the reason.
        turns: of the conversation before: "and a dog?" asks what they did.

    Returns:
        with ``confidence`` and what it rests on in ``notes``; or ``declined``, with the ``reason``.

    Raises:
        BadQuery: nothing is asked.
    """
    begun = time.monotonic()
    asked = Asked(_understood(question, turns), known)
    topic = asked.question.topic
    reply = asked.decline(topic) if topic in BEYOND else _ANSWERS[topic](asked)
    return replace(_answer(asked, reply), seconds=time.monotonic() - begun)


def answer_file(
    question: str,
    path: str | os.PathLike[str],
    turns: Sequence[Turn] = (),
    *,
    limits: Limits | None = None,
    known: Callable[[str, Sequence[str]], Known] | None = None,
) -> Answer:
    """Answer a question about a file; only those perceivers look at it that the question needs.

    Args:
        question, turns: see ``answer``.
        path: of a picture, a recording, a film or a scan.
        limits: what to refuse.
        known: what is known of a path by perceivers of these names; None: they look at it now.

    Raises:
        CannotRead, OverLimit: with the reason.
        BadQuery: nothing is asked.
    """
    path = os.fspath(path)
    look = known or _memory(limits)
    found = look(path, needs(_understood(question, turns)))
    return answer(question, _with_frames(found, limits), turns)


class Memory:
    """What is known of the files asked about last, so that the next question about one does not look again.

    Args:
        look: path and perceivers, made before -> what is known; such as ``senses.facts_of`` or one with a catalog.
        most: files.
    """

    def __init__(self, look: Callable[[str, Senses], Known], most: int = 16) -> None:
        self._look, self._most = look, most
        self._known: dict[tuple[str, int, int], tuple[frozenset[str], Known]] = {}

    def __call__(self, path: str, names: Sequence[str]) -> Known:
        """What is known of a file, at least by perceivers of these names.

        Raises:
            CannotRead, OverLimit: with the reason.
        """
        try:
            info = os.stat(path)
        except (OSError, ValueError):  # whoever reads it says what is wrong
            return self._look(path, _able(names))
        key = os.path.abspath(path), info.st_mtime_ns, info.st_size
        asked, known = self._known.pop(key, (frozenset(), None))
        new = [name for name in names if name not in asked]
        if known is None or new:
            more = self._look(path, _able(new))
            known = more if known is None else _joined(known, more)
        self._known[key] = asked | frozenset(new), known
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return known


def _joined(known: Known, more: Known) -> Known:
    return replace(
        known,
        facts=(*known.facts, *(fact for fact in more.facts if fact not in known.facts)),
        pages=(*known.pages, *more.pages),
        perceived=tuple(dict.fromkeys((*known.perceived, *more.perceived))),
        missing=(*known.missing, *more.missing),
        failed=(*known.failed, *more.failed),
    )


@cache
def _memory(limits: Limits | None) -> Memory:
    return Memory(lambda path, ready: facts_of(path, limits=limits, ready=ready))


def needs(question: Question) -> tuple[str, ...]:
    """The perceivers that may know the answer, of those there are."""
    there = plugins.table("perceivers")
    return tuple(name for name, topics in _NEEDS.items() if question.topic in topics and name in there)


_made: dict[str, Senses] = {}


def _able(names: Sequence[str]) -> Senses:
    """Perceivers of these names, each made once; those that cannot work here are told as missing."""

    able: list[Sense] = []
    missing: list[Missing] = []
    for name in names:
        if name not in _made:
            try:
                _made[name] = senses([name])
            except (MissingExtra, MissingWeights) as error:
                missing.append(Missing(name, str(error)))
                continue
        able += _made[name].able
    return Senses(tuple(able), tuple(missing))


def _understood(question: str, turns: Sequence[Turn]) -> Question:
    question = " ".join(question.split())
    if not question:
        raise BadQuery("nothing is asked")
    return understand(question, [turn.question for turn in turns])


def _answer(asked: Asked, reply: Reply) -> Answer:
    sources = tuple(_source(fact, asked.language) for fact in reply.facts[:_MOST_SOURCES])
    if not reply.text:
        refusal = CANNOT_TELL[asked.language]
        return Answer(
            refusal, (), ROUTE, declined=True, reason=reply.reason, notes=sources, sources=len(reply.facts)
        )  # fmt: skip
    read = [fact for fact in reply.facts if fact.kind in ("text", "speech")]
    return Answer(
        reply.text,
        tuple(_citation(fact, asked.known.path, number) for number, fact in enumerate(read, 1)),
        ROUTE,
        notes=sources if not read else (),
        sources=len(reply.facts),
        confidence=None if reply.confidence is None else round(min(1.0, reply.confidence), 4),
    )


def _citation(fact: Fact, path: str, number: int) -> Citation:
    span = Span(fact.page + 1, 0, len(fact.value), fact.start_s, fact.end_s, fact.box)
    return Citation(fact.value, path, span, True, number)


def _source(fact: Fact, language: str) -> str:
    """A fact in one line: who found it, what, how sure, where."""
    kind = KINDS.get(fact.kind, (fact.kind, fact.kind))[language == "es"]
    sure = "" if fact.confidence is None else f", {fact.confidence:.0%}"
    page = f", {'página' if language == 'es' else 'page'} {fact.page + 1}" if fact.page else ""
    when = "" if fact.start_s is None else f", {fact.start_s:.1f} s"
    box = "" if fact.box is None else ", {:.0f},{:.0f}-{:.0f},{:.0f}".format(*fact.box)
    return f"{fact.by}: {kind} {fact.said(language)}{sure}{page}{when}{box}"


def _with_frames(known: Known, limits: Limits | None) -> Known:
    """How many pictures a moving GIF, WebP or PNG has, which is read as its first."""
    if any(fact.kind == "frames" for fact in known.facts) or [item.kind for item in known.items] != ["image"]:
        return known
    from PIL import Image

    from catalejo.files import opened

    try:
        with opened(known.path, limits or Limits()) as file, Image.open(file) as picture:
            frames = int(getattr(picture, "n_frames", 1))
    except Exception:  # it was read before: then it is one picture
        return known
    return replace(known, facts=(*known.facts, Fact("frames", str(frames), None, "file", number=float(frames))))
