"""FACTS of a recording or a film -> a caption and a text for people who cannot hear or see it.

What is said and heard in it, with its second; of a film, what each shot shows, as sure as of a picture.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalejo import grammar
from catalejo.alt_texts import AltText, alt_text
from catalejo.facts import Fact
from catalejo.records import Item
from catalejo.transcripts import clock

_SPOKEN = {
    "en": {"en": "English", "es": "inglés"},
    "es": {"en": "Spanish", "es": "español"},
    "fr": {"en": "French", "es": "francés"},
    "de": {"en": "German", "es": "alemán"},
    "it": {"en": "Italian", "es": "italiano"},
    "pt": {"en": "Portuguese", "es": "portugués"},
    "ca": {"en": "Catalan", "es": "catalán"},
}
_WORDS = {
    "en": {
        "film": "a film",
        "recording": "a recording",
        "lasts": "{what} of {time}",
        "shots": "in {shots}",
        "shot": "shot",
        "shows": "{start} to {end}: {text}",
        "speech": "speech: {text}",
        "speech in": "speech in {language}: {text}",
        "sounds": "sounds: {list}",
        "silent": "nothing was recognised in its sound",
        "not heard": "nobody listened to its sound",
        "no sound": "it has no sound",
        "perhaps": "perhaps {sound}",
        "people": "people, and what they do, are not recognised",
        "quotes": "“{}”",
    },
    "es": {
        "film": "un vídeo",
        "recording": "una grabación",
        "lasts": "{what} de {time}",
        "shots": "en {shots}",
        "shot": "plano",
        "shows": "{start} a {end}: {text}",
        "speech": "voz: {text}",
        "speech in": "voz en {language}: {text}",
        "sounds": "sonidos: {list}",
        "silent": "no se ha reconocido nada en su sonido",
        "not heard": "nadie ha escuchado su sonido",
        "no sound": "no tiene sonido",
        "perhaps": "quizá {sound}",
        "people": "no se reconocen las personas ni lo que hacen",
        "quotes": "«{}»",
    },
}
_QUOTED_CHARS = {"short": 120, "long": 1_000}
_SHOTS = {"short": 3, "long": 20}
_SOUNDS = {"short": 3, "long": 6}
_SURE, _LEAST = 0.6, 0.3  # of sounds; the scores of a classifier of 521


def recording_text(
    facts: Sequence[Fact], items: Sequence[Item], language: str, length: str = "short", heard: bool = True
) -> AltText:
    """Say what is known of a recording or a film.

    Args:
        facts: of all of it.
        items: its shots and stretches.
        language: ``en`` or ``es``.
        length: ``short``: a sentence or two; ``long``: all shots, and more of what is said.
        heard: whether anybody listened to it.
    """
    words = _WORDS[language]
    shots = [item for item in items if item.kind == "video"]
    told = {item.page: alt_text(_of(facts, item.page), language, "short") for item in shots}
    head = _head(facts, len(shots), language)
    speech, sounds = _speech(facts, language, length), _sounds(facts, language, length)
    parts = [head, *_shown(shots, told, language, length), speech, sounds]
    if not speech and not sounds:
        sounding = any(item.kind == "audio" for item in items)
        parts.append(words["no sound" if not sounding else "silent" if heard else "not heard"])
    if shots and length == "long":
        parts.append(words["people"])
    seen = list(dict.fromkeys(one.caption for one in told.values() if one.recognised))
    what = grammar.listed([text[:1].lower() + text[1:] for text in seen[:3]], language) if seen else speech or sounds
    caption = f"{head}: {what}" if what else head
    sure = any(one.sure for one in told.values()) or bool(speech)
    return AltText(caption[:1].upper() + caption[1:], " ".join(grammar.sentence(part) for part in parts if part), sure)


def _of(facts: Sequence[Fact], page: int) -> list[Fact]:
    return [fact for fact in facts if fact.page == page and fact.kind in ("label", "text", "colour", "size")]


def _head(facts: Sequence[Fact], shots: int, language: str) -> str:
    words = _WORDS[language]
    said = words["film" if shots else "recording"]
    lasting = next((fact.number for fact in facts if fact.kind == "duration" and fact.number), None)
    if lasting:
        said = words["lasts"].format(what=said, time=spoken_time(lasting, language))
    if shots > 1:
        said += ", " + words["shots"].format(shots=grammar.counted(shots, words["shot"], language))
    return said


def spoken_time(seconds: float, language: str) -> str:
    """A length of time in words.

    >>> spoken_time(11.2, "en"), spoken_time(61, "es"), spoken_time(7380, "es")
    ('11 seconds', '1 minuto y 1 segundo', '2 horas y 3 minutos')
    """
    whole = max(1, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    names = {"en": ("hour", "minute", "second"), "es": ("hora", "minuto", "segundo")}[language]
    parts = [
        f"{number} {name if number == 1 else name + 's'}"
        for number, name in zip((hours, minutes, 0 if hours else rest), names, strict=True)
        if number
    ]
    return grammar.listed(parts, language)


def _shown(shots: Sequence[Item], told: dict[int, AltText], language: str, length: str) -> list[str]:
    """What each shot shows; in short texts only what was recognised, the same once."""
    lines, before = [], ""
    for item in shots:
        one = told[item.page]
        if length == "short" and (not one.recognised or one.caption == before):
            continue
        before = one.caption
        text = one.caption if length == "short" else one.text.rstrip(".")
        start, end = clock(item.start_s or 0.0), clock(item.end_s or 0.0)
        lines.append(_WORDS[language]["shows"].format(start=start, end=end, text=text[:1].lower() + text[1:]))
    return lines[: _SHOTS[length]]


def _speech(facts: Sequence[Fact], language: str, length: str) -> str:
    said = " ".join(" ".join(fact.value.split()) for fact in facts if fact.kind == "speech")
    if not said:
        return ""
    most = _QUOTED_CHARS[length]
    if len(said) > most:
        said = said[: most - 1].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
    words = _WORDS[language]
    spoken = next((fact.value for fact in facts if fact.kind == "language"), "")
    quoted = words["quotes"].format(said.rstrip(" ."))
    if spoken in _SPOKEN:
        return words["speech in"].format(language=_SPOKEN[spoken][language], text=quoted)
    return words["speech"].format(text=quoted)


def _sounds(facts: Sequence[Fact], language: str, length: str) -> str:
    best: dict[str, Fact] = {}
    for fact in facts:
        if fact.kind == "sound" and (fact.confidence or 0.0) >= _LEAST:
            known = best.get(fact.value)
            if known is None or (fact.confidence or 0.0) > (known.confidence or 0.0):
                best[fact.value] = fact
    if not best:
        return ""
    ordered = sorted(best.values(), key=lambda fact: -(fact.confidence or 0.0))[: _SOUNDS[length]]
    words = _WORDS[language]
    names = []
    for fact in ordered:
        name = fact.said(language).lower()
        names.append(name if (fact.confidence or 0.0) >= _SURE else words["perhaps"].format(sound=name))
    return words["sounds"].format(list=grammar.listed(names, language))
