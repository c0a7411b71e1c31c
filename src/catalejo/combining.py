"""QUESTION, FILES of any kind -> ANSWER without a language model: facts of each, and the sentences that answer best.

Pictures, recordings and films are asked for their facts (``answerers.facts``), each by itself; documents, what was said
and what was read in pictures are searched together for the sentences that answer (``answerers.extractive``). Every line
says which file it is of; what no file can answer is declined with the reason of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from catalejo.abstaining import CANNOT_TELL
from catalejo.answerers import Answer, Citation, language_for, sources_of
from catalejo.answerers.extractive import Extractive
from catalejo.answerers.facts import ROUTE, Memory, answer_file
from catalejo.answering import PASSAGES, Documents
from catalejo.context.counting import pages_of, shown
from catalejo.errors import BadQuery, CannotAsk, CannotRead, CatalejoError
from catalejo.questions import BEYOND
from catalejo.questions.understanding import understand
from catalejo.recordings import kind_of
from catalejo.records import Limits
from catalejo.route import named
from catalejo.senses import Known, Senses, facts_of
from catalejo.texts import TextPage

Look = Callable[[str, Sequence[str]], Known]

_WORDS_IN = ("speech", "ocr")  # whoever finds texts that can be searched
_MOST_REASONS = 4


@dataclass
class _Files:
    """What was read of the files so far."""

    look: Look
    limits: Limits
    searched: bool  # whether what is said and read in pictures and recordings is searched too
    texts: list[tuple[str, list[TextPage]]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def known(self, path: str, names: Sequence[str]) -> Known:
        """What is known of a file; its texts are kept for the search."""
        more = [name for name in _WORDS_IN if self.searched and name not in names]
        found = self.look(path, [*names, *more])
        pages = [page for page in found.pages if page.text.strip()]
        if self.searched and pages:
            self.texts.append((path, pages))
        self.left += [f"{path}: {one.name}: {one.why}" for one in (*found.missing, *found.failed)]
        return found


def combine(
    question: str,
    paths: Sequence[str],
    *,
    limits: Limits | None = None,
    look: Look | None = None,
    say: Callable[[str], None] | None = None,
) -> Answer:
    """Answer a question from files of any kind, without a language model.

    Args:
        question: in Spanish or English; the answer is in the same.
        paths: files and folders.
        limits: what readers refuse.
        look: what is known of a path by perceivers of these names; None: they look at it now.
        say: called with a line for people.

    Returns:
        route ``facts``: a line for each file that answers; ``declined``, with the reasons, where none does.

    Raises:
        BadQuery: nothing is asked.
        CannotAsk: none of the files can be read.
    """
    start = time.monotonic()
    question = " ".join(question.split())
    if not question:
        raise BadQuery("nothing is asked")
    limits, say = limits or Limits(), say or (lambda line: None)
    beyond = understand(question).topic in BEYOND
    files = _Files(look or Memory(partial(_perceived, limits)), limits, searched=beyond)
    answers: list[tuple[str, Answer]] = []
    read = 0
    for path in named(paths):
        try:
            if isinstance(path, CatalejoError):
                raise path
            path = shown(path)
            say(f"{path}: reading")
            if kind_of(path) == "text":
                files.texts.append((path, pages_of(path, limits)))
            else:
                answers.append((path, answer_file(question, path, limits=limits, known=files.known)))
            read += 1
        except CannotRead as error:
            files.left.append(f"{error.path}: {error.reason}")
        except CatalejoError as error:
            files.left.append(f"{path}: {error}")
    if not read:
        raise CannotAsk(f"none of the files named can be read: {'; '.join(files.left)}")
    if files.texts:
        answers += _quoted(question, files.texts)
    return replace(_joined(question, answers, files.left, beyond), seconds=time.monotonic() - start)


def _perceived(limits: Limits, path: str, ready: Senses) -> Known:
    return facts_of(path, limits=limits, ready=ready)


def _quoted(question: str, texts: Sequence[tuple[str, list[TextPage]]]) -> list[tuple[str, Answer]]:
    """The sentences of all texts that answer best, one answer a file; or one that declines, of no file."""
    found = Extractive().answer(question, sources_of(Documents(texts).best_sentences(question, PASSAGES)))
    if found.declined or not found.citations:
        return [(", ".join(path for path, _ in texts), found)]
    lines: dict[str, list[Citation]] = {}
    for one in found.citations:
        lines.setdefault(one.path, []).append(one)
    return [
        (path, replace(found, text=" ".join(" ".join(one.quote.split()) for one in mine), citations=tuple(mine)))
        for path, mine in lines.items()
    ]


def _joined(question: str, answers: Sequence[tuple[str, Answer]], left: Sequence[str], beyond: bool) -> Answer:
    """One answer of several: a line a file, its citations numbered through.

    Args:
        beyond: whether the question is none that facts answer; then that is no news of each file.
    """
    given = [(path, one) for path, one in answers if not one.declined]
    left = tuple(dict.fromkeys(left))
    if not given:
        reasons = list(dict.fromkeys(one.reason for _, one in answers if one.reason))
        if len(reasons) > 1:
            reasons = [f"{path}: {one.reason}" if path else one.reason for path, one in answers if one.reason]
        more = f"; and {len(reasons) - _MOST_REASONS} more" if len(reasons) > _MOST_REASONS else ""
        reason = "; ".join(reasons[:_MOST_REASONS]) + more
        text = CANNOT_TELL[language_for(question, ())]
        return Answer(text, (), ROUTE, declined=True, reason=reason, left_out=left)
    lines: list[str] = []
    citations: list[Citation] = []
    notes: list[str] = []
    for path, one in given:
        numbers = range(len(citations) + 1, len(citations) + len(one.citations) + 1)
        citations += [replace(citation, number=number) for citation, number in zip(one.citations, numbers, strict=True)]
        marks = "".join(f" [{number}]" for number in numbers)
        lines.append((f"{path}: " if len(answers) > 1 else "") + one.text + marks)
        notes += [f"{path}: {note}" if len(answers) > 1 else note for note in one.notes]
    declined = [f"{path}: {one.reason}" for path, one in answers if one.declined and path and not beyond]
    sure = [one.confidence for _, one in given if one.confidence is not None]
    return Answer(
        "\n".join(lines),
        tuple(citations),
        ROUTE,
        left_out=left,
        notes=tuple(dict.fromkeys([*notes, *declined])),
        sources=sum(one.sources for _, one in given),
        confidence=min(sure, default=None),
    )
