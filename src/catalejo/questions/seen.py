"""Questions about what a picture shows: things by its labels, and colours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from catalejo.facts import Fact
from catalejo.questions.replying import Asked, Reply
from catalejo.questions.things import (
    SEEN_LEAST,
    SURE,
    YES_LEAST,
    Belief,
    believed,
    deniable,
    finest,
    is_whole,
    members_of,
    named,
)
from catalejo.recognised import things, trusted

BREED_LEAST = 0.97  # breeds differ by little, and the classifier overstates itself there most
KIND_LEAST = 0.65
KIND_SHARE = 0.9  # of what the animals seen are, say, one must have this much to be the answer to "which animal"
_NEXT_LEAST = 0.3  # of what is named as the best where none does
_GREYS = frozenset(("black", "dark grey", "grey", "light grey", "white"))
_GREY_LEAST = 0.9  # of a picture without colour: what covers less than 5% is not told
_COLOUR_WORDS = {
    "red": "red|rojo|roja|colorado", "blue": "blue|azul|azulado", "green": "green|verde",
    "yellow": "yellow|amarillo|amarilla",
    "orange": "orange|naranja|anaranjado", "pink": "pink|rosa|rosado", "purple": "purple|violet|morado|violeta|lila",
    "brown": "brown|marron|cafe|castano", "black": "black|negro|negra", "white": "white|blanco|blanca",
    "grey": "grey|gray|gris", "beige": "beige", "turquoise": "turquoise|turquesa", "olive": "olive|oliva",
    "magenta": "magenta",
}  # fmt: skip
_BLACK_AND_WHITE = re.compile(r"black|blanco|mono|gr[ae]ysc|grises|b ?& ?w")
_IN_COLOUR = re.compile(r"colou?r")
_FRUIT = re.compile(r"\b(?:an? orange|oranges|una naranja|naranjas)\b(?! \w)")
_OTHER_COLOUR = 0.05  # what the perceiver does not tell covers less


def what(asked: Asked) -> Reply:
    """What is there, surest first; of a film, over its shots."""
    if lacking := asked.lacking("labels"):
        return lacking
    labels = trusted(asked.of("label"))
    found: dict[str, Fact] = {}
    for page in sorted({fact.page for fact in labels}):
        for thing in things([fact for fact in labels if fact.page == page]):
            if thing.wording != "possible":
                known = found.get(thing.label.value)
                if known is None or (known.confidence or 0) < (thing.label.confidence or 0):
                    found[thing.label.value] = thing.label
    told = sorted(found.values(), key=lambda fact: -(fact.confidence or 0.0))[:4]
    if not told:
        return asked.decline("nothing", best=asked.beside("best", _best(labels)))
    parts = [f"{asked.a(fact)} ({asked.sure(fact.confidence)})" for fact in told]
    return asked.say("sounds", told, told[0].confidence, list=asked.listed(parts))


def kind(asked: Asked) -> Reply:
    """Which animal, what kind of vehicle: the most particular label inside, if the thing is there at all."""
    if asked.question.thing and _colour(asked.question.thing):
        return colour(asked)
    wanted = named(asked.question.thing)
    if not wanted:
        return _no_word(asked)
    belief = _belief(asked, wanted)
    if isinstance(belief, Reply):
        return belief
    if belief.least < YES_LEAST:
        return _absent(asked, belief)
    facts = asked.of("label")
    least = max(KIND_LEAST, KIND_SHARE * belief.least)
    best = finest(wanted, facts, least, own=False)
    if best is None:
        first = finest(wanted, facts, _NEXT_LEAST, own=False)
        return asked.decline("kind-unsure", thing=asked.question.thing, best=asked.beside("best", first))
    group = finest(wanted, facts, least, several=True, own=False)
    if group and group is not best and members_of(best) < members_of(group):
        return asked.say(
            "kind-finer",
            (group, best),
            group.confidence,
            it=asked.a(group),
            sure=asked.sure(group.confidence),
            finer=asked.a(best),
            finer_sure=asked.sure(best.confidence),
        )
    return asked.say("kind", (best,), best.confidence, it=asked.a(best), sure=asked.sure(best.confidence))


def breed(asked: Asked) -> Reply:
    """The single class, and only where it is nearly certain."""
    wanted = named(asked.question.thing or "animal")
    if not wanted:
        return _no_word(asked)
    belief = _belief(asked, wanted)
    if isinstance(belief, Reply):
        return belief
    if belief.least < YES_LEAST:
        return _absent(asked, belief)
    best = finest(wanted, asked.of("label"), 0.0, single=True)
    if best is None or (best.confidence or 0.0) < BREED_LEAST:
        return asked.decline("breed-unsure", best=asked.beside("best", best))
    return asked.say("breed", (best,), best.confidence, it=asked.a(best), sure=asked.sure(best.confidence))


def exists(asked: Asked) -> Reply:
    """Yes, no, or neither: what is small can be missed, so that "no" needs something else that fills the picture."""
    thing = asked.question.thing
    if (name := _colour(thing)) and not _FRUIT.search(asked.question.text.lower()):
        return _has_colour(asked, name)
    wanted = named(thing)
    if not wanted:
        return _no_word(asked)
    belief = _belief(asked, wanted)
    if isinstance(belief, Reply):
        return belief
    if belief.least >= YES_LEAST and belief.label is not None:
        if not is_whole(thing):
            it, sure_of = asked.a(belief.label), asked.sure(belief.least)
            return asked.decline("part", facts=(belief.label,), thing=thing, it=it, sure=sure_of)
        name = "yes" if belief.least >= SURE else "probably"
        return asked.say(
            name, (belief.label,), belief.least, it=asked.a(belief.label), sure=asked.sure(belief.least)
        )  # fmt: skip
    if (
        belief.least == 0.0
        and 1 - belief.most >= SEEN_LEAST
        and belief.instead is not None
        and deniable(wanted)
        and is_whole(thing)
    ):
        sure = 1 - belief.most
        told = asked.a(belief.instead)
        return asked.say("no", (belief.instead,), sure, instead=told, sure=asked.sure(belief.instead.confidence))
    if belief.label is not None:
        return asked.decline("unsure", thing=thing, best=asked.beside("best", belief.label))
    return asked.decline("maybe-small", thing=thing, seen=asked.beside("seen", belief.instead))


def sure(asked: Asked) -> Reply:
    """How likely a thing is there; without one, how sure the surest label is."""
    if lacking := asked.lacking("labels"):
        return lacking
    wanted = named(asked.question.thing)
    if asked.question.thing and not wanted:
        return _no_word(asked)
    belief = _belief(asked, wanted) if wanted else None
    if isinstance(belief, Reply):
        return belief
    if belief is None:
        best = _best(trusted(asked.of("label")))
        if best is None:
            return asked.decline("nothing", best="")
        return asked.say("sure", (best,), best.confidence, it=asked.a(best), sure=asked.sure(best.confidence))
    if belief.label is not None:
        return asked.say("sure", (belief.label,), belief.least, it=asked.a(belief.label), sure=asked.sure(belief.least))
    return _absent(asked, belief)


def colour(asked: Asked) -> Reply:
    """The picture's colours; those of a thing in it are not known by themselves."""
    found = _colours(asked)
    if isinstance(found, Reply):
        return found
    thing = asked.question.thing
    if thing and not _colour(thing):
        wanted = named(thing)
        belief = _belief(asked, wanted) if wanted else None
        if isinstance(belief, Belief) and belief.least < YES_LEAST:
            return _absent(asked, belief)
        return asked.decline("colour-of", found, thing=thing, list=_listed(asked, found))
    return asked.say("main", found, found[0].confidence, list=_listed(asked, found) + ".")


def grey(asked: Asked) -> Reply:
    """Whether it is in colour, or black and white."""
    found = _colours(asked)
    if isinstance(found, Reply):
        return found
    without = sum(fact.confidence or 0.0 for fact in found if fact.value in _GREYS)
    in_colour = any(fact.value not in _GREYS for fact in found)
    if not in_colour and without < _GREY_LEAST:
        return asked.decline("colours-unknown")
    asked_grey = bool(_BLACK_AND_WHITE.search(asked.question.text.lower()))
    asked_colour = bool(_IN_COLOUR.search(asked.question.text.lower()))
    name = "is-colour" if in_colour else "is-grey"
    if asked_grey != asked_colour:
        name = (
            ("in-colour" if asked_colour else "not-grey") if in_colour else ("grey-no" if asked_colour else "grey-yes")
        )
    return asked.say(name, found, None if in_colour else without, list=_listed(asked, found))


# -- what they share ------------------------------------------------------------------------


def _belief(asked: Asked, wanted: frozenset[int]) -> Belief | Reply:
    """What labels say, of a film by the shot that shows it best; a refusal where nobody looked."""
    if lacking := asked.lacking("labels"):
        return lacking
    labels = asked.of("label")
    pages = sorted({fact.page for fact in labels}) or [0]
    beliefs = [believed(wanted, [fact for fact in labels if fact.page == page]) for page in pages]
    best = max(beliefs, key=lambda one: one.least)
    return Belief(best.least, max(one.most for one in beliefs), best.label, best.instead)


def _absent(asked: Asked, belief: Belief) -> Reply:
    if belief.label is not None:
        return asked.decline("unsure", thing=asked.question.thing, best=asked.beside("best", belief.label))
    return asked.decline("absent", thing=asked.question.thing, seen=asked.beside("seen", belief.instead))


def _no_word(asked: Asked) -> Reply:
    return asked.decline("no-word", thing=asked.question.thing)


def _best(labels: Sequence[Fact]) -> Fact | None:
    return max(labels, key=lambda fact: fact.confidence or 0.0, default=None)


def _colours(asked: Asked) -> list[Fact] | Reply:
    """The colours, largest share first; of a film those of its first shot."""
    found = asked.of("colour")
    if not found:
        return asked.lacking("colours") or asked.decline("colours-unknown")
    return [fact for fact in found if fact.page == found[0].page]


def _listed(asked: Asked, found: Sequence[Fact]) -> str:
    return asked.listed([f"{fact.said(asked.language)} ({asked.sure(fact.confidence)})" for fact in found])


def _colour(words: str) -> str:
    """The colour that a text is the name of, and of nothing else; empty if it is none."""
    stems = [
        word
        for word in _words(words)
        if word not in ("something", "anything", "algo", "dark", "light", "color", "colour")
    ]
    if len(stems) != 1:
        return ""
    return next((name for name, spelled in _COLOUR_WORDS.items() if stems[0].rstrip("s") in spelled.split("|")
                 or stems[0] in spelled.split("|")), "")  # fmt: skip


def _has_colour(asked: Asked, name: str) -> Reply:
    found = _colours(asked)
    if isinstance(found, Reply):
        return found
    having = [fact for fact in found if name in fact.value.split()]
    if having:
        total = min(1.0, sum(fact.confidence or 0.0 for fact in having))
        return asked.say("colour-yes", having, None, it=having[0].said(asked.language), sure=asked.sure(total))
    return asked.decline("colours-unknown") if not found else asked.say(
        "colour-no", found, 1 - _OTHER_COLOUR, it=_said_colour(name, asked.language), list=_listed(asked, found)
    )  # fmt: skip


def _said_colour(name: str, language: str) -> str:
    from catalejo.perceivers.colours import NAMES

    return dict(NAMES).get(name, name) if language == "es" else name


def _words(text: str) -> list[str]:
    from catalejo.questions.understanding import plain

    return plain(text).replace("-", " ").split()
