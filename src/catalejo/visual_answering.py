"""QUESTION, PICTURE -> ANSWER by one of the visual answerers, chosen by name: ``facts``, ``endpoint``, ``blip2``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from catalejo import plugins
from catalejo.abstaining import CANNOT_TELL, EncodeTexts
from catalejo.alignment import align, supposed
from catalejo.answerers import Answer, Turn
from catalejo.answerers.vision import Asking, Part, ask_vision
from catalejo.errors import CannotRead, MissingExtra, UnknownName
from catalejo.language import language_of
from catalejo.pages import PageReader
from catalejo.records import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

    from catalejo.answerers.blip2 import Blip2
    from catalejo.encoders import Encoder

ANSWERERS = ("facts", "endpoint", "blip2")
_DOUBTED = 3  # samples, at least, of a doubted question
_NOT_SEEN = {
    "en": "nothing like “{thing}” was recognised in the picture",
    "es": "no se reconoce nada como «{thing}» en la imagen",
}
_ALL = {"en": "all samples agree all the same", "es": "aun así, todas las muestras coinciden"}
_SOME = {"en": "and the samples do not all agree", "es": "y no todas las muestras coinciden"}
FRAMES = 8  # pictures of a file with several, at most
_SIDE_PX = 2048  # shorter side that JPEGs are decoded to, at least where they have as much

Ask = Callable[..., Answer]  # question, path, turns=()


@dataclass(frozen=True)
class How:
    """How to answer.

    Attributes:
        samples: how often a model that samples is asked; see ``ask_vision``.
        gate: whether a question that takes something for granted which is not seen is doubted: then a model is asked
            three times at least, and all answers must agree.
        brief: an answer of a few words, as people gave for reference.
        model: for ``blip2``: a folder, or a fetched model's name; None: the one that ``catalejo fetch`` brings.
        asking: for ``endpoint``: whom, and how far to go.
        limits: what to refuse.
        shown, say: see ``ask_vision``.
    """

    samples: int = 1
    gate: bool = True
    brief: bool = False
    model: str | None = None
    asking: Asking = field(default_factory=Asking)
    limits: Limits = field(default_factory=Limits)
    shown: Callable[[str], None] | None = None
    say: Callable[[str], None] | None = None


def answerer(name: str, how: How | None = None) -> Ask:
    """A function of a question, the path of a picture or film and the turns before, that answers.

    Args:
        name: one of ``ANSWERERS``.
        how: see there.

    Raises:
        UnknownName: there is no such answerer.
        MissingExtra, MissingWeights, BadModel: ``blip2`` cannot be loaded.

    The function raises CannotRead, OverLimit for a file that is no picture, and what ``ask_vision`` raises.
    """
    how = how or How()
    if name == "facts":
        from catalejo.answerers.facts import answer_file

        return partial(answer_file, limits=how.limits)
    if name == "endpoint":
        return partial(_by_endpoint, how=how)
    if name == "blip2":
        try:
            from catalejo.answerers.blip2 import Blip2
        except ModuleNotFoundError as error:
            raise MissingExtra("the answerer 'blip2'", (error.name or "torch").partition(".")[0], "torch") from error
        return partial(_by_blip2, blip2=Blip2(how.model), how=how)
    raise UnknownName("visual answerer", name, ANSWERERS)


def pictures_of(path: str, limits: Limits | None = None, most: int = FRAMES) -> list[tuple[str, Image]]:
    """The pictures of a file, upright, each with words for where it stands; the words are empty of a lone picture.

    Args:
        path: of a picture or a film, of which the key frames are taken.
        limits: what to refuse.
        most: how many at most.

    Raises:
        CannotRead, OverLimit: it is none, or cannot be read.
    """
    suffix = os.path.splitext(path)[1]
    if plugins.document_for(suffix):
        raise CannotRead(path, "a document, not a picture: ask about documents without --with")
    reader = PageReader(limits or Limits(), _SIDE_PX)
    with reader.opened(path) as (file, _):
        pages = (page for page in reader.pages(file, path) if page.kind != "audio")
        found = [(page.page, page.start_s, page.picture) for page in islice(pages, most)]
    if not found:
        raise CannotRead(path, "there is no picture in it, only sound: ask about it with --with facts")
    name = os.path.basename(path)
    words = [
        f"{name}, at {start:.0f} s" if start is not None else f"{name}, page {page + 1}" for page, start, _ in found
    ]
    return [("" if len(found) == 1 else said, picture) for said, (_, _, picture) in zip(words, found, strict=True)]


def _by_endpoint(question: str, path: str, turns: Sequence[Turn] = (), *, how: How) -> Answer:
    found = pictures_of(path, how.limits)
    parts: list[Part] = []
    for words, picture in found:
        parts += [words, picture] if words else [picture]
    doubt = _doubt(question, [picture for _, picture in found], how)
    samples = max(how.samples, _DOUBTED) if doubt else how.samples
    answer = ask_vision(
        parts,
        question,
        turns=turns,
        samples=samples,
        brief=how.brief,
        encode_texts=_sentences() if samples > 1 else None,
        asking=how.asking,
        shown=None if doubt else how.shown,
        say=how.say,
    )
    return _doubted(question, answer, doubt) if doubt else answer


def _by_blip2(question: str, path: str, turns: Sequence[Turn] = (), *, blip2: Blip2, how: How) -> Answer:
    ((_, picture),) = pictures_of(path, how.limits, 1)
    doubt = _doubt(question, [picture], how)
    answer = blip2.answer(picture, question, turns, samples=max(how.samples, _DOUBTED) if doubt else how.samples)
    return _doubted(question, answer, doubt) if doubt else answer


def _doubt(question: str, pictures: Sequence[Image], how: How) -> str:
    """What the question takes for granted and is not seen; empty where all is well."""
    if not how.gate or not supposed(question):  # most questions: no encoder is opened for them
        return ""
    return align(question, pictures, _encoder()).missing


def _doubted(question: str, answer: Answer, doubt: str) -> Answer:
    """An answer to a question that may concern another picture: it stands where all samples agree."""
    language = language_of(question) or "en"
    said = _NOT_SEEN[language].format(thing=doubt)
    if answer.declined:
        return replace(answer, notes=(*answer.notes, said))
    if answer.confidence == 1.0:
        return replace(answer, notes=(*answer.notes, f"{said}; {_ALL[language]}"))
    return replace(answer, text=CANNOT_TELL[language], declined=True, reason=f"{said}; {_SOME[language]}")


@cache
def _encoder() -> Encoder:
    from catalejo.encoders.opening import open_encoder

    return open_encoder(plugins.DEFAULT_ENCODER)


@cache
def _sentences() -> EncodeTexts:
    from catalejo.encoders.sentence import SentenceEncoder

    return SentenceEncoder().encode_texts
