"""QUESTION, PICTURE -> ANSWER by one of the visual answerers, chosen by name: ``facts``, ``endpoint``, ``blip2``."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from catalejo import plugins
from catalejo.answerers import Answer, Turn
from catalejo.answerers.vision import Asking, Part, ask_vision
from catalejo.errors import CannotRead, MissingExtra, UnknownName
from catalejo.pages import PageReader
from catalejo.records import Limits

if TYPE_CHECKING:
    from PIL.Image import Image

    from catalejo.answerers.blip2 import Blip2

ANSWERERS = ("facts", "endpoint", "blip2")
FRAMES = 8  # pictures of a file with several, at most
_SIDE_PX = 2048  # shorter side that JPEGs are decoded to, at least where they have as much

Ask = Callable[..., Answer]  # question, path, turns=()


@dataclass(frozen=True)
class How:
    """How to answer.

    Attributes:
        samples: how often a model that samples is asked; see ``ask_vision``.
        brief: an answer of a few words, as people gave for reference.
        model: for ``blip2``: a folder, or a fetched model's name; None: the one that ``catalejo fetch`` brings.
        asking: for ``endpoint``: whom, and how far to go.
        limits: what to refuse.
        shown, say: see ``ask_vision``.
    """

    samples: int = 1
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
        facts = importlib.import_module("catalejo.answerers.facts")
        return partial(facts.answer_file, limits=how.limits)
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
    parts: list[Part] = []
    for words, picture in pictures_of(path, how.limits):
        parts += [words, picture] if words else [picture]
    return ask_vision(
        parts,
        question,
        turns=turns,
        samples=how.samples,
        brief=how.brief,
        asking=how.asking,
        shown=how.shown,
        say=how.say,
    )


def _by_blip2(question: str, path: str, turns: Sequence[Turn] = (), *, blip2: Blip2, how: How) -> Answer:
    ((_, picture),) = pictures_of(path, how.limits, 1)
    return blip2.answer(picture, question, turns, samples=how.samples)
