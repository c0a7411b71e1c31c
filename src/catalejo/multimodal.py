"""QUESTION, FILES of any kind -> ANSWER: one prompt for one language model, what it takes and costs foreseen.

Files keep the order they were named in, a film's frames and words the order of time. Every piece has a number, as
passages have, so that an answer can name what it rests on; what it quotes of texts, transcripts and notes is looked up
in them. Where it is too much, documents and transcripts are cut down to the passages that answer best, then films to
fewer key frames, and the answer says so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from catalejo.abstaining import CANNOT_TELL
from catalejo.answerers import NOT_TEXT, Answer, Citation, language_for
from catalejo.answerers.capabilities import takes
from catalejo.answerers.citations import Shown, check, parse, says_unanswerable
from catalejo.answerers.connection import Timeouts
from catalejo.answerers.endpoint import Endpoint, Reply
from catalejo.answerers.learned import Learned
from catalejo.answering import MAX_OUTPUT
from catalejo.context.pack import Prompt
from catalejo.errors import BadQuery, CannotAsk, CannotRead, CatalejoError
from catalejo.giving import Giver
from catalejo.packing import Made, Packer
from catalejo.pieces import Given
from catalejo.records import Limits, Skipped
from catalejo.route import FRAMES, named
from catalejo.speaking import Speaker

ROUTE = "multimodal"


@dataclass(frozen=True, eq=False)
class Gathered:
    """Files read for a model.

    Attributes:
        given: what it gets of each, in the order they were named.
        skipped: those that cannot be read, and why.
    """

    given: tuple[Given, ...]
    skipped: tuple[Skipped, ...] = ()


def gather(paths: Sequence[str], giver: Giver) -> Gathered:
    """Read files for a model, folders in a fixed order; one that cannot be read takes no other with it."""
    given: list[Given] = []
    skipped: list[Skipped] = []
    for path in named(paths):
        try:
            if isinstance(path, CatalejoError):
                raise path
            given.append(giver.give(path))
        except CannotRead as error:
            skipped.append(Skipped(error.path, error.reason))
        except CatalejoError as error:
            skipped.append(Skipped(str(path), str(error)))
    return Gathered(tuple(given), tuple(skipped))


def ask(
    question: str,
    paths: Sequence[str],
    *,
    endpoint: str | None = None,
    model: str | None = None,
    frames: int = FRAMES,
    detail: str = "high",
    max_output: int = MAX_OUTPUT,
    max_cost: float | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    shown: Callable[[str], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Answer:
    """Answer a question from files of any kind with a language model.

    Args:
        question: in Spanish or English; the answer is in the same.
        paths: files and folders; the model gets them in this order.
        endpoint, model: see ``Endpoint`` and ``Speaker``; None: ``CATALEJO_ENDPOINT``, ``CATALEJO_MODEL``.
        frames: key frames of a film, at most.
        detail: of pictures: see ``media.image``.
        max_output: tokens of the answer, at most.
        max_cost: US dollars it may cost.
        timeouts: see ``Timeouts``.
        limits: what readers refuse.
        shown: called with pieces of the answer as they come.
        say: called with lines for people.

    Returns:
        route ``multimodal``; ``left_out`` has all that was not sent, files that cannot be read among it.

    Raises:
        BadQuery: nothing is asked.
        CannotAsk: none of the files can be read.
        NoEndpoint: none is named.
        EndpointFailed, PromptTooLong, TooCostly, MissingExtra: see ``Endpoint.chat``, ``Speaker.foresee``.
    """
    start = time.monotonic()
    question = " ".join(question.split())
    if not question:
        raise BadQuery("nothing is asked")
    from catalejo.weights import data_folder

    say = say or (lambda line: None)
    with closing(Endpoint(endpoint, timeouts, say)) as opened:
        learned = Learned(data_folder() / "asking" / "tokens.json", say)
        speaker = Speaker(opened, model or os.environ.get("CATALEJO_MODEL"), max_output, max_cost, learned, say)
        hosted = bool(opened.address.secure and speaker.record and speaker.record.prices)
        able = takes(opened, speaker.model, speaker.record, hosted)
        language = language_for(question, ())
        giver = Giver(bool(able.image), bool(able.audio), language, frames, limits or Limits(), say)
        gathered = gather(paths, giver)
        if not gathered.given:
            reasons = "; ".join(f"{one.path}: {one.reason}" for one in gathered.skipped)
            raise CannotAsk(f"none of the files named can be read: {reasons}")
        packer = Packer(question, gathered.given, speaker, language, detail)
        prompt, reply = _send(packer, shown)
        assert packer.made is not None
        answer = _answer(reply, packer.made, language, speaker.model)
    foreseen, used = speaker.totals()
    left = (*(f"{one.path}: {one.reason}" for one in gathered.skipped), *prompt.left_out)
    return replace(
        answer,
        foreseen=foreseen,
        used=used,
        left_out=left,
        notes=tuple(dict.fromkeys(speaker.notes)),
        sources=len(packer.made.pieces),
        seconds=time.monotonic() - start,
    )


def _send(packer: Packer, shown: Callable[[str], None] | None) -> tuple[Prompt, Reply]:
    held = Shown()

    def feed(text: str) -> None:
        assert shown is not None
        if said := held.feed(text):
            shown(said)

    alone = all(piece.media is None for one in packer.given for piece in one.pieces)
    prompt, reply = packer.speaker.send(packer.make, feed if shown else None, text_alone=alone)
    if shown and (said := held.close()):
        shown(said)
    return prompt, reply


def _answer(reply: Reply, made: Made, language: str, model: str) -> Answer:
    if says_unanswerable(reply.text):
        reason = "the model says that the files do not answer"
        return Answer(CANNOT_TELL[language], (), ROUTE, model, declined=True, reason=reason, cut=reply.cut)
    parsed = parse(reply.text)
    citations = tuple(_seen(one, made) for one in check(parsed, made.prompt.sources))
    return Answer(parsed.body, citations, ROUTE, model, cut=reply.cut)


def _seen(citation: Citation, made: Made) -> Citation:
    """Of a picture or a sound nothing can be looked up: that is said, and not called invented."""
    number = citation.number
    if citation.verified or not 0 < number <= len(made.pieces) or made.pieces[number - 1].media is None:
        return citation
    source = made.pieces[number - 1].source
    return replace(citation, path=source.path, span=source.passage.span, problem=NOT_TEXT, nearest="")
