"""FILES -> captions and alternative texts: from a vision-language model where one is configured, else from facts.

Recordings and films are told from facts: what is said, heard and shown in them.

A description is checked by retrieval: asked of the catalog's encoder, it should find its own picture before all
others. The rank tells how well it fits, not how well it is written; and where encoder and labels come from the same
classifier (``conse``) they are wrong together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from catalejo.alt_texts import alt_text, known_words
from catalejo.errors import CannotRead, EndpointFailed
from catalejo.facts import Fact
from catalejo.recording_texts import recording_text
from catalejo.records import Limits, Skipped
from catalejo.senses import AUTO, Known, Missing, facts_of, senses
from catalejo.walk import sources, walk

FACTS = "facts"
DESCRIBED, RECORDED = ("image", "scan"), ("video", "audio")  # kinds of items
NO_PICTURE = "there is no picture in it; documents answer questions: catalejo ask"
HEARERS = ("speech", "sounds")  # perceivers

Look = Callable[[str], Known]
Rank = Callable[[str, int, str], tuple[int, int] | None]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Description:
    """What is said of one picture, recording or film, in one language.

    Attributes:
        path: of the file.
        page: of a file with several pictures, from 0; of a film, 0.
        language: ``en`` or ``es``.
        caption: one line.
        alt_text: whole sentences.
        by: ``facts``, or the model that wrote it.
        sure: whether anything shown was recognised with confidence; of a model's text, None: it does not say.
        facts: what is known of the picture.
        rank, among: where the caption finds its own picture among the catalog's, from 1; None where it is not there.
    """

    path: str
    page: int
    language: str
    caption: str
    alt_text: str
    by: str
    sure: bool | None
    facts: tuple[Fact, ...] = ()
    rank: int | None = None
    among: int | None = None


@dataclass(frozen=True)
class Descriptions:
    """Many files, described.

    Attributes:
        described: in the order of the files, each in every language asked for.
        skipped: files that could not be, and why.
        missing: perceivers that would have said more, and what brings them.
        notes: what else people should know.
        stopped: True when it was interrupted; what was described by then is here.
    """

    described: tuple[Description, ...]
    skipped: tuple[Skipped, ...] = ()
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: bool = False


class Writer(Protocol):
    """Writes descriptions by looking at pictures; ``Description.by`` is its name."""

    name: str

    def write(self, path: str, page: int, language: str, length: str, known: str) -> str:
        """An alternative text.

        Args:
            path, page: of the picture.
            language: ``en`` or ``es``.
            length: ``short`` or ``long``.
            known: what the file and the text read in it say, in words.

        Raises:
            EndpointFailed: it does not answer.
        """


def describe(
    paths: Iterable[str],
    languages: Sequence[str],
    *,
    length: str = "short",
    look: Look | None = None,
    writer: Writer | None = None,
    rank: Rank = lambda path, page, caption: None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Descriptions:
    """Describe pictures.

    Args:
        paths: files, folders, patterns.
        languages: ``en``, ``es``, or both.
        length: ``short`` or ``long``.
        look: gives what is known of a file; None: it is looked at now.
        writer: writes the descriptions; None: they are put together from the facts. Once it fails, the others are too.
        rank: where a caption finds a picture, and among how many; None: not known.
        limits: what readers refuse.
        progress: called with what is being done, how much is done, and of how much.

    Raises:
        CannotRead: a path is not there, there is no picture in any, or none can be read.
    """
    tops = sources(paths)
    walked = list(walk(tops))
    files = [one.path for one in walked if one.reason is None]
    skipped = [Skipped(one.path, one.reason) for one in walked if one.reason is not None]
    if not files:
        raise CannotRead(", ".join(tops), skipped[0].reason if len(skipped) == 1 else "there is no picture there")
    look, describer = look or looker(limits), _Describer(languages, length, writer, rank)
    described: list[Description] = []
    missing: dict[str, Missing] = {}
    stopped = False
    try:
        for done, path in enumerate(files, 1):
            try:
                known = look(path)
            except CannotRead as error:
                skipped.append(Skipped(path, error.reason))
            else:
                missing |= {one.name: one for one in (*known.missing, *known.failed)}
                made = describer.of(known)
                described += made
                if not made:
                    skipped.append(Skipped(path, NO_PICTURE))
            if progress:
                progress("files", done, len(files))
    except KeyboardInterrupt:
        if not described:
            raise
        stopped = True
    if not described:
        told = skipped[0]
        raise CannotRead(told.path, told.reason + ("; nor can the others be described" if skipped[1:] else ""))
    return Descriptions(tuple(described), tuple(skipped), tuple(missing.values()), tuple(describer.notes), stopped)


def looker(limits: Limits | None) -> Look:
    """Perceives files, with whatever perceivers can work here."""
    ready = senses((AUTO,))
    return lambda path: facts_of(path, (AUTO,), limits, ready)


class _Describer:
    """Describes one file after the other."""

    def __init__(self, languages: Sequence[str], length: str, writer: Writer | None, rank: Rank) -> None:
        self._languages, self._length, self._writer, self._rank = languages, length, writer, rank
        self.notes: list[str] = []

    def of(self, known: Known) -> list[Description]:
        """Every picture of one file, in each language; a recording or a film as a whole."""
        if any(item.kind in RECORDED for item in known.items):
            return [self._recording(known, language) for language in self._languages]
        pages = sorted({item.page for item in known.items if item.kind in DESCRIBED})
        return [self._one(known, page, language) for page in pages for language in self._languages]

    def _recording(self, known: Known, language: str) -> Description:
        heard = any(name in HEARERS for name in known.perceived)
        said = recording_text(known.facts, known.items, language, self._length, heard)
        return Description(known.path, 0, language, said.caption, said.text, FACTS, said.sure, known.facts)

    def _one(self, known: Known, page: int, language: str) -> Description:
        facts = tuple(fact for fact in known.facts if fact.page == page)
        said = alt_text(facts, language, self._length)
        made = Description(known.path, page, language, said.caption, said.text, FACTS, said.sure, facts)
        text = self._written(known.path, page, language, facts)
        if text and self._writer:
            made = replace(made, caption=_first(text), alt_text=text, by=self._writer.name, sure=None)
        found = self._rank(made.path, made.page, made.caption)
        return replace(made, rank=found[0], among=found[1]) if found else made

    def _written(self, path: str, page: int, language: str, facts: Sequence[Fact]) -> str:
        if self._writer is None:
            return ""
        try:
            return self._writer.write(path, page, language, self._length, known_words(facts, language))
        except CannotRead as error:
            self.notes.append(f"{error}; it is described from facts")
            return ""
        except EndpointFailed as error:
            self.notes.append(f"{error}; the others are described from facts")
            self._writer = None
            return ""


def _first(text: str) -> str:
    """The first sentence, without its full stop."""
    for place in range(len(text) - 1):
        if text[place] in ".!?" and text[place + 1] == " " and place > 20:
            return text[:place]
    return text.rstrip(".")
