"""QUESTION, FILES -> ANSWER by a visual answerer: one file, several, or one over a whole conversation.

Without a language model each kind of file is asked in its own way (pictures, recordings and films by their facts,
documents by their best sentences), and the answer says which file said what. Files that cannot tell are left aside
where others can.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from catalejo import plugins
from catalejo.abstaining import CANNOT_TELL
from catalejo.answerers import Answer, Turn
from catalejo.errors import BadQuery, CannotAsk, CannotRead
from catalejo.questions.understanding import understand

Ask = Callable[..., Answer]  # question, path, turns


def ask_files(question: str, paths: Sequence[str], ask: Ask, turns: Sequence[Turn] = ()) -> Answer:
    """Ask every file, and say together what they answer.

    Args:
        question: in Spanish or English.
        paths: of files, at least one, in the order they are told of.
        ask: one of ``visual_answering.answerer``; called with the question, a path and the turns.
        turns: of the conversation before.

    Returns:
        the one file's answer; of several files, a line for each that answers, with its name, all citations, and in
        ``left_out`` why the others do not. ``declined`` where none does.

    Raises:
        BadQuery: nothing is asked, or of nothing.
        CannotRead: there is one file, and it cannot be read.
        CannotAsk: no file can be read.
    """
    if not paths:
        raise BadQuery("no file is named to ask about")
    if len(paths) == 1:
        return ask(question, paths[0], turns)
    begun = time.monotonic()
    answers: list[tuple[str, Answer]] = []
    refused: list[str] = []
    for path in paths:
        try:
            answers.append((os.path.basename(path), ask(question, path, turns)))
        except CannotRead as error:
            refused.append(str(error))
    if not answers:
        raise CannotAsk(f"none of the {len(paths)} files can be read: {refused[0]}")
    return replace(_together(question, answers, refused), seconds=time.monotonic() - begun)


def by_kind(ask: Ask) -> Ask:
    """The same, but of a document with text the sentences that answer best are quoted."""

    def one(question: str, path: str, turns: Sequence[Turn] = ()) -> Answer:
        if plugins.document_for(os.path.splitext(path)[1]) is not None:
            from catalejo.answering import Documents
            from catalejo.answering import ask as answer_from
            from catalejo.gathering import gather

            if documents := gather([path]).documents:
                return answer_from(question, Documents((one.path, one.pages) for one in documents), route="extract")
        return ask(question, path, turns)

    return one


def _together(question: str, answers: Sequence[tuple[str, Answer]], refused: Sequence[str]) -> Answer:
    told = [(name, one) for name, one in answers if not one.declined]
    silent = [f"{name}: {one.reason or one.text}" for name, one in answers if one.declined]
    route = answers[0][1].route if len({one.route for _, one in answers}) == 1 else "facts"
    if not told:
        language = understand(question).language
        reason = "; ".join(silent)
        return Answer(CANNOT_TELL[language], (), route, declined=True, reason=reason, left_out=tuple(refused))
    if len(told) == 1 and len(answers) == 1:
        return replace(told[0][1], left_out=tuple(refused))
    citations = [one for _, answer in told for one in answer.citations]
    sure = [answer.confidence for _, answer in told if answer.confidence is not None]
    return Answer(
        "\n".join(f"{name}: {answer.text}" for name, answer in told),
        tuple(replace(one, number=number) for number, one in enumerate(citations, 1)),
        route,
        confidence=min(sure) if sure else None,
        left_out=(*silent, *refused),
        notes=tuple(f"{name}: {line}" for name, answer in told for line in answer.notes),
        sources=sum(answer.sources for _, answer in told),
    )


@dataclass
class Chat:
    """A conversation about files; what was asked before is remembered.

    Args:
        paths: of the files.
        ask: see ``ask_files``.
        most: turns that are remembered.

    Example:
        >>> chat = Catalog("photos.catalog").chat("cat.jpg")  # doctest: +SKIP
        >>> chat.ask("¿Hay un perro?").text, chat.ask("¿Y un gato?").text  # doctest: +SKIP
        ('No, no se reconoce; lo que sí: un gato, 99 %.', 'Sí: un gato, 99 %.')
    """

    paths: tuple[str, ...]
    ask_one: Ask
    most: int = 20
    turns: list[Turn] = field(default_factory=list)

    def ask(self, question: str) -> Answer:
        """The next answer.

        Raises:
            BadQuery: nothing is asked; it is no turn then.
            CatalejoError: see ``ask_files``.
        """
        found = ask_files(question, self.paths, self.ask_one, tuple(self.turns))
        self.turns.append(Turn(" ".join(question.split()), found.text))
        del self.turns[: -self.most]
        return found
