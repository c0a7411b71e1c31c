"""FACTS -> NOTES: what was recognised in a picture or a recording, as lines that a language model reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalejo.facts import KINDS, Fact
from catalejo.transcripts import clock

LANGUAGES = ("en", "es")
_MOST = {"label": 5, "colour": 4, "sound": 40}  # of a kind, in the order they come
_LEAST = {"label": 0.05, "sound": 0.1, "colour": 0.02}  # less sure ones say nothing
# What the title or the text itself already says, or a pixel count that no question is about.
_ELSEWHERE = frozenset(("text", "speech", "size", "duration", "frames", "frame-rate", "shots"))


def notes(facts: Iterable[Fact], language: str) -> str:
    """What is known beyond texts, a line a kind, with how sure who recognised it is; empty where nothing is.

    Args:
        facts: of one picture, shot or recording.
        language: ``en`` or ``es``.

    >>> print(notes([Fact("label", "tabby cat", 0.62, "labels")], "en"))
    label: tabby cat (62%)
    """
    kinds: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.kind not in _ELSEWHERE and (fact.confidence is None or fact.confidence >= _LEAST.get(fact.kind, 0.0)):
            kinds.setdefault(fact.kind, []).append(fact)
    lines = []
    for kind, found in kinds.items():
        word = KINDS[kind][LANGUAGES.index(language)] if kind in KINDS else kind
        lines.append(f"{word}: {_listed(found[: _MOST.get(kind, 10)], language)}")
    return "\n".join(lines)


def _listed(facts: Sequence[Fact], language: str) -> str:
    return "; ".join(dict.fromkeys(_one(fact, language) for fact in facts))


def _one(fact: Fact, language: str) -> str:
    space = "\N{NO-BREAK SPACE}" if language == "es" else ""
    sure = "" if fact.confidence is None else f" ({fact.confidence:.0%})".replace("%", f"{space}%")
    return f"{when(fact.start_s, fact.end_s)}{fact.said(language)}{sure}"


def when(start_s: float | None, end_s: float | None = None) -> str:
    """``0:07 ``, ``0:07-0:12 ``; empty for what has no time."""
    if start_s is None:
        return ""
    until = "" if end_s is None or clock(end_s) == clock(start_s) else f"-{clock(end_s)}"
    return f"{clock(start_s)}{until} "
