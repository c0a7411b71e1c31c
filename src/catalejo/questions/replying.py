"""What an answer is made of: a sentence or the reason for none, how sure it is, and the facts it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalejo.facts import Fact
from catalejo.grammar import a, listed, sentence, share
from catalejo.questions import Question
from catalejo.questions.wording import SAID, WHY
from catalejo.senses import Known


@dataclass(frozen=True)
class Reply:
    """What facts say to a question.

    Attributes:
        text: the answer; empty where there is none.
        reason: why there is none.
        facts: what it rests on.
        confidence: that it is right, 0 to 1; None for what the file itself states.
    """

    text: str = ""
    reason: str = ""
    facts: tuple[Fact, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True)
class Asked:
    """One question about one file, and the words to answer it in."""

    question: Question
    known: Known

    @property
    def language(self) -> str:
        """Of the answer."""
        return self.question.language

    def of(self, *kinds: str) -> list[Fact]:
        """The facts of some kinds."""
        return [fact for fact in self.known.facts if fact.kind in kinds]

    def say(self, name: str, facts: Sequence[Fact] = (), confidence: float | None = None, **parts: str) -> Reply:
        """An answer in the words of ``wording.SAID``."""
        text = SAID[self.language][name].format_map(parts)
        return Reply(sentence(text), "", tuple(facts), confidence)

    def decline(self, name: str, facts: Sequence[Fact] = (), **parts: str) -> Reply:
        """No answer, for a reason of ``wording.WHY``."""
        return Reply("", WHY[self.language][name].format_map(parts), tuple(facts))

    def lacking(self, perceiver: str) -> Reply | None:
        """The refusal where a perceiver that would know did not look; None where it did."""
        if perceiver in self.known.perceived:
            return None
        for why, group in (("failed", self.known.failed), ("missing", self.known.missing)):
            for one in group:
                if one.name == perceiver:
                    return self.decline(why, who=perceiver, why=one.why)
        return None

    def beside(self, name: str, fact: Fact | None) -> str:
        """What was recognised instead, in brackets; empty where nothing was."""
        if fact is None:
            return ""
        return WHY[self.language][name].format(it=self.a(fact), sure=self.sure(fact.confidence))

    def a(self, fact: Fact) -> str:
        """What a label says, with its article."""
        return a(fact.said(self.language), self.language)

    def sure(self, confidence: float | None) -> str:
        """A confidence in percent."""
        return share(confidence or 0.0, self.language)

    def listed(self, texts: Sequence[str]) -> str:
        """Texts with commas and an ``and``."""
        return listed(texts, self.language)
