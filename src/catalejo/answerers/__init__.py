"""FOUND PASSAGES -> ANSWER: what an answer, a citation and their price are; each answerer is a module here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from catalejo.language import language_of
from catalejo.texts import Cue, Passage, Span

ALTERED, INVENTED, NO_QUOTE, NO_PASSAGE = "altered", "invented", "no quote", "no such passage"
NOT_TEXT = "nothing to quote"  # a picture or a sound


@dataclass(frozen=True)
class Source:
    """A piece of a document an answer may rest on; its place in a list of them, from 1, is its number.

    Attributes:
        path: of the document.
        passage: the text and where it stands; a whole page where whole documents are sent.
        sentence: the sentence that answers best, where a search told one.
        score: how well it answers, where a search told it; 0 to 1.
        matches: whether that is better than chance.
        cues: when what stands on its page was said, for what was said.
    """

    path: str
    passage: Passage
    sentence: Span | None = None
    score: float = 0.0
    matches: bool = True
    cues: tuple[Cue, ...] = ()

    def quote(self, span: Span) -> str:
        """The characters of ``span``, which must lie in the passage."""
        start = self.passage.span.start
        return self.passage.text[span.start - start : span.end - start]


class Found(Protocol):
    """What a search for a question returns; ``retrieval.Found`` is one."""

    @property
    def path(self) -> str: ...
    @property
    def passage(self) -> Passage: ...
    @property
    def sentence(self) -> Span: ...
    @property
    def score(self) -> float: ...
    @property
    def matches(self) -> bool: ...


@dataclass(frozen=True)
class Citation:
    """What an answer rests on, looked up in the source.

    Attributes:
        quote: the source's own characters where ``verified``; else what the model claimed.
        path: of the document; empty where the model named no passage there is.
        span: page and characters of the quote; of the nearest true text or the passage where not verified.
        verified: whether the quote stands there word for word, white space, quotation marks and the composition
            of accents aside.
        number: of the passage the model named, from 1.
        problem: empty, ``altered``, ``invented``, ``no quote``, ``no such passage`` or, of a picture or a sound,
            ``nothing to quote``.
        nearest: the text of the source that comes nearest to an altered quote.
    """

    quote: str
    path: str
    span: Span | None
    verified: bool
    number: int = 0
    problem: str = ""
    nearest: str = ""


@dataclass(frozen=True)
class Usage:
    """What asking takes.

    Attributes:
        input_tokens, output_tokens: over all ``requests``; of what is foreseen, the output is the most there may be.
        requests: how often the endpoint is asked.
        cost: in US dollars; None where the model's price is not known; 0 on this machine.
        low, high: the range of the input tokens, where they are an estimate.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cost: float | None = None
    low: int = 0
    high: int = 0

    def __add__(self, other: Usage) -> Usage:
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.requests + other.requests,
            cost,
            self.low + other.low,
            self.high + other.high,
        )


@dataclass(frozen=True)
class Answer:
    """An answer, and what it rests on.

    Attributes:
        text: without the list of quotes; "The documents do not say." where ``declined``.
        citations: in the order the text refers to them.
        route: ``extract``, ``retrieval``, ``long-context`` or ``map-reduce``: the one that gave this answer; of a
            picture's, the answerer: ``facts``, ``endpoint`` or ``blip2``.
        model: that gave it; empty for ``extract``.
        declined: the documents do not say, or the picture cannot tell.
        reason: why it was declined, or why this route.
        foreseen: tokens and cost before asking; None for ``extract``. Over all routes tried, as ``used``.
        used: as the endpoint counted; None where it did not say.
        left_out: what did not fit and was not sent, one line each.
        cut: why the answer ends early; empty where it is whole.
        notes: what else one should know, one line each.
        sources: how many passages or pages were sent.
        seconds: wall time.
        confidence: that it is right, 0 to 1; None where the answerer has none to give.
    """

    text: str
    citations: tuple[Citation, ...]
    route: str
    model: str = ""
    declined: bool = False
    reason: str = ""
    foreseen: Usage | None = None
    used: Usage | None = None
    left_out: tuple[str, ...] = ()
    cut: str = ""
    notes: tuple[str, ...] = field(default=())
    sources: int = 0
    seconds: float = 0.0
    confidence: float | None = None

    @property
    def verified(self) -> bool:
        """Whether there are citations, and all of them are in the documents."""
        return bool(self.citations) and all(citation.verified for citation in self.citations)


@dataclass(frozen=True)
class Turn:
    """One question of a conversation, and what was answered."""

    question: str
    answer: str


class Answerer(Protocol):
    """Anything that answers a question from passages."""

    def answer(self, question: str, sources: Sequence[Source]) -> Answer:
        """An answer from these passages alone, or one that is ``declined``."""
        ...


def sources_of(found: Sequence[Found]) -> list[Source]:
    """What a search returned, as sources, in the same order."""
    return [Source(one.path, one.passage, one.sentence, one.score, one.matches) for one in found]


def language_for(question: str, sources: Sequence[Source]) -> str:
    """The language to answer in, ``en`` or ``es``: the question's; where it cannot be told, that of most documents."""
    told = language_of(question)
    votes = [language_of(source.passage.text) for source in sources[:16]] if not told else []
    return told or max(("en", "es"), key=votes.count)


DECLINED = {"en": "The documents do not say.", "es": "Los documentos no lo dicen."}
