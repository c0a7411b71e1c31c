"""Questions about what a file says: its text, its sound, and what it states of itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from catalejo.conse.labels import fold
from catalejo.facts import KINDS, Fact
from catalejo.grammar import counted, dated, written
from catalejo.questions.replying import Asked, Reply
from catalejo.questions.wording import LANGUAGES
from catalejo.recognised import things
from catalejo.transcripts import clock

READ_LEAST = 0.6  # of a line of text, to be told
HEARD_LEAST = 0.5  # of a sound
_MOST_CHARACTERS = 1_500
_MOST_EVENTS = 12
_LINES = re.compile(r"^(?:text )?(?:lines?|lineas?|renglones|renglon)(?: (?:of|de) (?:text|texto))?$")
_WORDS = re.compile(r"^(?:words?|palabras?)$")
_SOUNDS = re.compile(r"^(?:different )?(?:sounds?|sonidos?|ruidos?)(?: distintos)?$")


# -- text ---------------------------------------------------------------------------------


def text(asked: Asked) -> Reply:
    """What was read, or, of what has no picture, what was said."""
    lines = _lines(asked)
    if isinstance(lines, Reply):
        return speech(asked) if asked.of("speech") or not _visible(asked) else lines
    return asked.say("text", lines, _mean(lines), it=_joined(lines))


def has_text(asked: Asked) -> Reply:
    """Whether any text was read."""
    if lacking := asked.lacking("ocr"):
        return lacking
    lines = asked.of("text")
    good = [fact for fact in lines if _sure(fact) >= READ_LEAST]
    if good:
        return asked.say("has-text", good, max(map(_sure, good)), it=_cut(good[0].value))
    if lines or "ocr" not in asked.known.perceived:
        return asked.decline("unread")
    return asked.say("no-text")


def says(asked: Asked) -> Reply:
    """Whether some words stand in what was read, or were said."""
    lines: list[Fact] | Reply = asked.of("speech") or _lines(asked)
    if isinstance(lines, Reply):
        return lines
    wanted = " ".join(fold(asked.question.thing))
    having = [fact for fact in lines if f" {wanted} " in f" {' '.join(fold(fact.value))} "]
    if having:
        return asked.say("says", having[:1], _sure(having[0]), it=_cut(having[0].value))
    whole = f" {' '.join(fold(' '.join(fact.value for fact in lines)))} "
    if wanted and f" {wanted} " in whole:  # over a line's end
        return asked.say("says", lines, _mean(lines), it=_cut(_joined(lines)))
    return asked.say("says-not", lines, _mean(lines), it=_cut(_joined(lines)))


def _lines(asked: Asked) -> list[Fact] | Reply:
    found = asked.of("text")
    if not found:
        return asked.lacking("ocr") or asked.decline("no-text-read")
    good = [fact for fact in found if _sure(fact) >= READ_LEAST]
    return good or asked.decline("unread")


# -- sound ----------------------------------------------------------------------------------


def speech(asked: Asked) -> Reply:
    """What is said."""
    said = asked.of("speech")
    if not said:
        if asked.of("text") and not _audible(asked):  # "transcribe it", of a page
            return text(asked)
        return _silent(asked, "speech", "no-speech-heard")
    return asked.say("speech", said, _mean(said), it=_cut(" ".join(fact.value for fact in said), _MOST_CHARACTERS))


def has_speech(asked: Asked) -> Reply:
    """Whether anybody speaks."""
    said = asked.of("speech")
    if said:
        return asked.say("has-speech", said[:1], max(map(_sure, said)), it=_cut(said[0].value))
    if not _audible(asked):
        return asked.decline("no-sound")
    return asked.lacking("speech") or asked.say("no-speech")


def language(asked: Asked) -> Reply:
    """In which language."""
    found = asked.of("language")
    if not found:
        return _silent(asked, "speech", "no-speech-heard")
    best = max(found, key=_sure)
    names = LANGUAGES.get(best.value, (best.value, best.value))
    return asked.say("language", (best,), best.confidence, it=names[asked.language == "es"])


def sound(asked: Asked) -> Reply:
    """What is heard, or whether something is."""
    heard = [fact for fact in asked.of("sound") if _sure(fact) >= HEARD_LEAST]
    if not heard:
        return _silent(asked, "sounds", "no-sounds-heard")
    stems = set(fold(asked.question.thing))
    if not stems:
        best = _by_value(heard)[:4]
        parts = [f"{fact.said(asked.language)} ({asked.sure(fact.confidence)})" for fact in best]
        return asked.say("sounds", best, best[0].confidence, list=asked.listed(parts))
    having = [fact for fact in heard if stems & {*fold(fact.value), *fold(fact.es)}]
    if having:
        best_one = max(having, key=_sure)
        return asked.say(
            "heard", having, best_one.confidence,
            it=best_one.said(asked.language), sure=asked.sure(best_one.confidence), when=_when(having),
        )  # fmt: skip
    return asked.decline("unsure", thing=asked.question.thing, best="")


def when_heard(asked: Asked) -> Reply:
    """At which seconds."""
    stems = set(fold(asked.question.thing))
    places = [*asked.of("sound"), *asked.of("speech")]
    having = [fact for fact in places if stems & {*fold(fact.value), *fold(fact.es)} and fact.start_s is not None]
    if not having:
        if not places:
            return _silent(asked, "sounds", "no-sounds-heard")
        return asked.decline("unsure", thing=asked.question.thing, best="")
    return asked.say(
        "when-heard", having, max(map(_sure, having)), it=having[0].said(asked.language), when=_when(having)
    )


def events(asked: Asked) -> Reply:
    """What a recording or film has, in the order of time; a picture has no events."""
    timed = [fact for fact in asked.known.facts if fact.start_s is not None and fact.kind in ("sound", "speech")]
    starts = {item.page: item.start_s for item in asked.known.items if item.kind == "video"}
    told = [(fact.start_s or 0.0, fact.said(asked.language), fact) for fact in timed if _sure(fact) >= HEARD_LEAST]
    for page, start in starts.items():
        best = [one.label for one in things([fact for fact in asked.of("label") if fact.page == page], 1)]
        told += [(start, asked.a(fact), fact) for fact in best if start is not None and _sure(fact) >= HEARD_LEAST]
    if not told:
        return asked.decline("still") if not (starts or _audible(asked)) else asked.decline("nothing", best="")
    told = sorted(told, key=lambda one: one[0])[:_MOST_EVENTS]
    lines = [f"{clock(start)} {what}" for start, what, _ in told]
    facts = [fact for _, _, fact in told]
    return asked.say("events", facts, _mean(facts), list="; ".join(lines).rstrip("."))


def _silent(asked: Asked, perceiver: str, why: str) -> Reply:
    if not _audible(asked):
        return asked.decline("no-sound")
    return asked.lacking(perceiver) or asked.decline(why)


def _audible(asked: Asked) -> bool:
    return any(item.kind == "audio" for item in asked.known.items) or bool(asked.of("sound", "speech"))


def _visible(asked: Asked) -> bool:
    return any(item.kind != "audio" for item in asked.known.items)


# -- what a file states ------------------------------------------------------------------------


def stated(asked: Asked, kind: str) -> Reply:
    """A fact that the file itself has: ``taken``, ``place``, ``camera``, ``size`` and others."""
    found = asked.of(kind)
    if not found:
        return asked.decline("not-stated", what=KINDS[kind][asked.language == "es"])
    fact = found[0]
    return asked.say(_AS[kind], (fact,), fact.confidence, it=_value(fact, asked.language))


_AS = {
    "taken": "when",
    "place": "where",
    "camera": "camera",
    "size": "size",
    "duration": "duration",
    "frames": "frames",
}
_AS |= {"frame-rate": "frame-rate", "shots": "shots"}


def side(asked: Asked, which: int) -> Reply:
    """Width (0) or height (1)."""
    found = asked.of("size")
    if not found:
        return stated(asked, "size")
    return asked.say(("width", "height")[which], found[:1], it=found[0].value.split(" x ")[which])


def pages(asked: Asked) -> Reply:
    """How many there are."""
    return asked.say("pages", it=_counted(len({item.page for item in asked.known.items}), "page", asked.language))


def count(asked: Asked) -> Reply:
    """Only what facts count: lines and words that were read, and sounds."""
    thing = asked.question.thing
    if _LINES.match(thing) or _WORDS.match(thing):
        if lacking := asked.lacking("ocr"):
            return lacking
        lines = asked.of("text")
        if any(_sure(fact) < READ_LEAST for fact in lines):
            return asked.decline("unread")
        if _LINES.match(thing):
            return asked.say("lines", lines, _mean(lines), it=_counted(len(lines), "line", asked.language))
        return asked.say(
            "words",
            lines,
            _mean(lines),
            it=_counted(sum(len(fact.value.split()) for fact in lines), "word", asked.language),
        )
    if _SOUNDS.match(thing):
        heard = _by_value([fact for fact in asked.of("sound") if _sure(fact) >= HEARD_LEAST])
        if heard:
            return asked.say("sounds", heard, _mean(heard), list=f"{len(heard)}: " + asked.listed(
                [fact.said(asked.language) for fact in heard]))  # fmt: skip
        return _silent(asked, "sounds", "no-sounds-heard")
    return asked.decline("counting")


def adult(asked: Asked) -> Reply:
    """Whether it looks like adult content; between the lines it is not said."""
    found = asked.of("safety")
    if not found:
        return asked.lacking("safety") or asked.decline("not-stated", what=KINDS["safety"][asked.language == "es"])
    score = max(fact.number if fact.number is not None else _sure(fact) for fact in found)
    if 0.2 < score < 0.8:
        return asked.decline("unsure", thing=KINDS["safety"][asked.language == "es"], best="")
    name, sure = ("adult-yes", score) if score >= 0.8 else ("adult-no", 1 - score)
    return asked.say(name, found, sure, sure=asked.sure(sure))


_NOUNS = {"page": ("page", "página"), "line": ("text line", "línea de texto"), "word": ("word", "palabra")}
_NOUNS |= {"frame": ("frame", "fotograma"), "shot": ("shot", "plano")}


def _counted(number: int, what: str, language: str) -> str:
    return counted(number, _NOUNS[what][language == "es"], language)


def _value(fact: Fact, language: str) -> str:
    if fact.kind == "taken":
        try:
            return dated(datetime.fromisoformat(fact.value), language)
        except ValueError:
            return fact.value
    if fact.kind == "duration" and fact.number is not None:
        return f"{clock(fact.number)} ({written(fact.number, language, 1)} s)"
    if fact.kind in ("frames", "shots") and fact.number is not None:
        return _counted(round(fact.number), fact.kind.removesuffix("s"), language)
    return fact.said(language)


def _joined(lines: Sequence[Fact]) -> str:
    return _cut("\n".join(fact.value for fact in lines), _MOST_CHARACTERS)


def _cut(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _mean(facts: Sequence[Fact]) -> float | None:
    sure = [fact.confidence for fact in facts if fact.confidence is not None]
    return sum(sure) / len(sure) if sure else None


def _when(facts: Sequence[Fact]) -> str:
    spans = [f"{clock(f.start_s)}-{clock(f.end_s if f.end_s is not None else f.start_s)}"
             for f in facts[:5] if f.start_s is not None]  # fmt: skip
    return ", ".join(spans)


def _by_value(facts: Sequence[Fact]) -> list[Fact]:
    best: dict[str, Fact] = {}
    for fact in facts:
        if fact.value not in best or _sure(best[fact.value]) < _sure(fact):
            best[fact.value] = fact
    return sorted(best.values(), key=lambda fact: -_sure(fact))


def _sure(fact: Fact) -> float:
    return 1.0 if fact.confidence is None else fact.confidence
