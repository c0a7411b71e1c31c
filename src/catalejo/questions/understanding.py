"""TEXT -> what is asked, and about which thing; by patterns, the first that fits, what cannot be known before what can.

A question that no pattern takes is ``unknown``: it is declined, never answered by what sounds like it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from catalejo.conse.labels import language_of as by_vocabulary
from catalejo.language import language_of
from catalejo.questions import Question
from catalejo.words import folded

# Words for the file itself.
_IMAGE = (
    r"(?:pictures?|photos?|photographs?|images?|drawings?|pics?|snapshots?|shots?|scenes?|gif|tiff?|file|scan"
    r"|imagen|imagenes|fotos?|fotografias?|dibujos?|escenas?|archivo|fichero|instantanea"
    r"|videos?|clips?|films?|movies?|recordings?|audios?|grabacion|grabaciones|peliculas?|sonidos?)"
)
_WHOLE = rf"(?:(?:the|this|that|my|el|la|las|los|esta|este|mi|una?|an?) )*(?:whole )?{_IMAGE}"
_HERE = (
    rf"(?:in|on|at|en|sobre) (?:it|here|there|ella|este|esto|esta|aqui|{_WHOLE})"
    rf"|(?:of|de|del) (?:the|this|la|esta|esa) {_IMAGE}|here|there|aqui|ahi|alli|anywhere|somewhere|por algun lado"
)
_BE = r"(?:is|are|was|were|es|son|esta|estan|era)"


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Topics and what asks for them, from ``patterns.txt``, in its order."""
    found: list[list[str]] = []
    for line in files("catalejo.questions").joinpath("patterns.txt").read_text("utf-8").splitlines():
        topic, _, pattern = line.partition("\t")
        if topic.startswith("#") or not line:
            continue
        if topic:
            found.append([topic, ""])
        found[-1][1] += pattern
    names = {"<FILE>": _WHOLE, "<IMAGE>": _IMAGE, "<HERE>": _HERE, "<BE>": _BE}
    for one in found:
        for name, words in names.items():
            one[1] = one[1].replace(name, words)
    return tuple((topic, re.compile(pattern)) for topic, pattern in found)


_FOLLOWS = re.compile(r"^(?:and|but|so|then|ok|okay|well|what about|how about|y|pero|entonces|vale|bueno|ya)\b[ ,]*")
_POLITE = re.compile(
    r"^(?:(?:please|por favor|hey|hi|hello|hola|oye|would you say|do you think|can you tell me|could you tell me"
    r"|tell me|i want to know|i wonder|do you know|puedes decirme|podrias decirme|me puedes decir|dime|sabes"
    r"|crees que|dirias que|quiero saber)\b[ ,]*)+(?:(?:if|whether|that|si)\b )?"
)
_TAIL = re.compile(
    rf"(?:,? (?:{_HERE}|please|por favor|then|entonces|exactly|exactamente|you can see|que se vean?|visibles?|too"
    r"|tambien|at all|or not|o no|do you see|can you see|is it|is this|is that|are they|are these|es|ves|se ven?|hay"
    r"|aparecen?|salen?|are there|is there|are visible))+$"
)
_LEAD = re.compile(
    r"^(?:a|an|the|any|some|one|this|that|these|those|its|his|her|their|un|una|unos|unas|el|la|los|las|algun|alguna"
    r"|algunos|algunas|este|esta|ese|esa|su|sus|tipo de|kind of|piece of|picture of|mas|otro|otra|another|de)\s+"
)
_PRONOUNS = re.compile(
    r"^(?:main|dominant|predominant|principal|dominante|predominante|most common|you see|it|this|that|there|they|esto"
    rf"|eso|ella|el|aqui|{_WHOLE}|here|tienen?|hay|se ve|have|has)$"
)


def understand(text: str, before: Sequence[str] = ()) -> Question:
    """What a question asks.

    Args:
        text: in Spanish or English.
        before: the questions before it in the same conversation, oldest first: "and a dog?" asks what they did.

    >>> understand("¿Hay un perro en la foto?")
    Question(text='¿Hay un perro en la foto?', language='es', topic='exists', thing='perro')
    >>> understand("And a cat?", ["Is there a dog?"]).topic
    'exists'
    """
    earlier = None
    for one in before:
        earlier = _understood(one, earlier)
    return _understood(text, earlier)


def _understood(text: str, earlier: Question | None) -> Question:
    words = plain(text)
    language = _language(text, earlier)
    words = _POLITE.sub("", words) or words
    bare = _FOLLOWS.sub("", words)
    topic, thing = _matched(bare)
    if earlier is None:
        return Question(text, language, topic, thing)
    if topic == "unknown" and earlier.topic != "unknown" and (bare != words or len(bare.split()) <= 3):
        fragment = _thing(bare)
        return Question(text, language, _asked_of(earlier.topic), fragment or earlier.thing)
    if not thing and topic in ("sure", "count", "colour", "breed"):
        thing = earlier.thing if topic != "colour" else ""
    return Question(text, language, topic, thing)


_OF_FILE = ("when", "where", "duration", "width", "height", "size")  # else they would answer for a thing in it
_ABOUT_FILE = re.compile(
    rf"\b{_IMAGE}\b|\b(?:taken|shot|recorded|filmed|captured|tomad[oa]s?|tomo|hizo|hicieron|hech[oa]|saco|sacaron|sacada"
    r"|grab\w+|captur\w+|pixels?|pixel|pixeles|resoluti\w+|resolucion|megapixel\w*|lasts?|dura\w*)\b"
    r"|\b(?:this|it|these|esto|eso|aqui|here|tiene)$"
)


def _matched(words: str) -> tuple[str, str]:
    for topic, pattern in patterns():
        if found := pattern.search(words):
            thing = found.groupdict().get("x") or ""
            if topic in _OF_FILE and len(words.split()) > 3 and not _ABOUT_FILE.search(words):
                return "unknown", ""
            return topic, thing.strip() if topic == "says" else _thing(thing)
    return "unknown", ""


def _asked_of(topic: str) -> str:
    """What a fragment asks after a question: after "what is it?", "a dog?" asks whether there is one."""
    return (
        topic if topic in ("exists", "is-it", "count", "colour", "kind", "breed", "sound", "when-heard") else "exists"
    )


def plain(text: str) -> str:
    """A question as the patterns see it: small letters, no accents, no marks."""
    text = folded(" ".join(text.lower().replace("’", "'").split()))
    text = re.sub(r"[¿¡?!]+", " ", text).replace("what's", "what is").replace("there's", "there is")
    text = re.sub(r"\bisn't\b", "is", text).replace("who's", "who is")
    return " ".join(text.strip(" .,;:").split())


def _thing(words: str) -> str:
    """The noun of what is asked about: without articles before it and the place after it."""
    words = words.strip(" .,;:")
    for _ in range(4):
        words = _LEAD.sub("", _TAIL.sub("", words))
    return "" if _PRONOUNS.match(words) or len(words) < 2 else words.strip()


def _language(text: str, earlier: Question | None) -> str:
    told = language_of(text) or (by_vocabulary(text) or "")
    return told or (earlier.language if earlier else "en")
