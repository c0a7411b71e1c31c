"""FILES -> captions and alternative texts: from a vision-language model where one is configured, else from facts.

A description is checked by retrieval: asked of the catalog's encoder, it should find its own picture before all
others. The rank tells how well it fits, not how well it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from catalejo.alt_texts import alt_text
from catalejo.errors import CannotRead
from catalejo.facts import Fact
from catalejo.records import Limits, Skipped
from catalejo.senses import Known, Missing, facts_of
from catalejo.walk import sources, walk

FACTS = "facts"

Look = Callable[[str], Known]
Rank = Callable[[str, int, str], tuple[int, int] | None]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Description:
    """What is said of one picture, in one language.

    Attributes:
        path: of the file.
        page: of a file with several pictures, from 0.
        language: ``en`` or ``es``.
        caption: one line.
        alt_text: whole sentences.
        by: ``facts``, or the model that wrote it.
        sure: whether anything shown was recognised with confidence.
        facts: what it was made from.
        rank, among: where the caption finds its own picture among the catalog's, from 1; None without a catalog.
    """

    path: str
    page: int
    language: str
    caption: str
    alt_text: str
    by: str
    sure: bool
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
    """

    described: tuple[Description, ...]
    skipped: tuple[Skipped, ...] = ()
    missing: tuple[Missing, ...] = ()


def describe(
    paths: Iterable[str],
    languages: Sequence[str],
    *,
    length: str = "short",
    look: Look | None = None,
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
    described: list[Description] = []
    missing: dict[str, Missing] = {}
    for done, path in enumerate(files, 1):
        try:
            known = (look or _look(limits))(path)
        except CannotRead as error:
            skipped.append(Skipped(path, error.reason))
        else:
            missing |= {one.name: one for one in (*known.missing, *known.failed)}
            for one in told(known, languages, length):
                found = rank(one.path, one.page, one.caption)
                described.append(replace(one, rank=found[0], among=found[1]) if found else one)
        if progress:
            progress("pictures", done, len(files))
    if not described:
        raise CannotRead(skipped[0].path, skipped[0].reason + ("; nor can the others be read" if skipped[1:] else ""))
    return Descriptions(tuple(described), tuple(skipped), tuple(missing.values()))


def told(known: Known, languages: Sequence[str], length: str) -> list[Description]:
    """What the facts of one file say, page by page, in each language."""
    made = []
    for page in sorted({item.page for item in known.items if item.kind in ("image", "scan")}):
        facts = tuple(fact for fact in known.facts if fact.page == page)
        for language in languages:
            said = alt_text(facts, language, length)
            made.append(Description(known.path, page, language, said.caption, said.text, FACTS, said.sure, facts))
    return made


def _look(limits: Limits | None) -> Look:
    def look(path: str) -> Known:
        return facts_of(path, None, limits)

    return look
