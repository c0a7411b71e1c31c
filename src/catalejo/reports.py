"""What commands report: counts and times, what is in a catalog, what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalejo.records import Skipped, SpaceStatus


@dataclass(frozen=True)
class PerceiveReport:
    """What the second stage of ``add`` did.

    Attributes:
        perceived: files that were looked at or heard.
        facts: found in them.
        waiting: files that are left, because it was stopped or because a perceiver could not work after all.
        away: files that are not where they were, or have changed since they were read.
        failed: what could not be perceived, and why.
        missing: perceivers that cannot work here, and what brings each.
        seconds: wall time.
        stopped: True when it was interrupted; the same command goes on from there.
    """

    perceived: int = 0
    facts: int = 0
    waiting: int = 0
    away: int = 0
    failed: tuple[Skipped, ...] = ()
    missing: tuple[str, ...] = ()
    seconds: float = 0.0
    stopped: bool = False


@dataclass(frozen=True)
class AddReport:
    """What ``add`` did: counts of files, and wall time.

    Attributes:
        added: new files, copies of known ones included.
        unchanged: known files with the same size and time; not read again.
        updated: known files whose content changed.
        removed: files forgotten because they have gone (``prune``).
        skipped: files that could not be read, this time or before; ``catalejo skipped`` lists them.
        encoded: items that went through the encoder.
        not_pruned: folders where ``prune`` found no picture at all, as where a disk is not mounted;
            their files were kept.
        seconds: wall time.
        stopped: True when it was interrupted; the same command goes on from there.
        perceiving: what the second stage did; None where nobody was asked to perceive anything.
    """

    added: int = 0
    unchanged: int = 0
    updated: int = 0
    removed: int = 0
    skipped: int = 0
    encoded: int = 0
    not_pruned: tuple[str, ...] = ()
    seconds: float = 0.0
    stopped: bool = False
    perceiving: PerceiveReport | None = None


@dataclass(frozen=True)
class EncodeReport:
    """What ``encode`` did.

    Attributes:
        encoder: whose vectors.
        encoded: items that got one.
        already: items that had one.
        skipped: files whose items got none, and why; the next run tries them again.
        seconds: wall time.
        stopped: True when it was interrupted; the same command goes on from there.
    """

    encoder: str
    encoded: int
    already: int
    skipped: tuple[Skipped, ...]
    seconds: float
    stopped: bool = False


@dataclass(frozen=True)
class DuplicateGroup:
    """Files that show the same picture.

    Attributes:
        kind: ``exact`` (the same bytes) or ``near``.
        paths: two or more; exact ones sorted, near ones with the largest picture first.
        similarity: the least cosine that joined the group; 1 for exact ones.
    """

    kind: str
    paths: tuple[str, ...]
    similarity: float


@dataclass(frozen=True)
class PerceiverStatus:
    """How much of a catalog a perceiver has looked at.

    Attributes:
        name: of the perceiver.
        files: it has looked at or heard.
        waiting: files it has not.
        failed: files it could not perceive; ``add --retry`` tries again.
        missing: why it cannot work here, and what brings it; empty when it can.
    """

    name: str
    files: int
    waiting: int = 0
    failed: int = 0
    missing: str = ""


@dataclass(frozen=True)
class Status:
    """What is in a catalog.

    Attributes:
        path: its folder.
        spaces: the encoders whose vectors it holds; the first is the one ``add`` uses.
        items: pieces of content; one a picture, one a page of a TIFF or of a document.
        files: paths that hold them.
        skipped: files that could not be read.
        tables_mb, thumbnails_mb: on disk, in 10^6 bytes.
        indexed: whether searches go through an index (from 20,000 items on).
        first, last: dates of the oldest and newest item.
        pictures, texts, scans: items by their kind: pictures, pages of text, and pages that only show something:
            text can be found in those once it was recognised (OCR).
        stretches, shots: of recordings and of what films sound like; of films.
        facts: that perceivers found.
        perceivers: who has looked at how much of it.
    """

    path: str
    spaces: tuple[SpaceStatus, ...]
    items: int
    files: int
    skipped: int
    tables_mb: float
    thumbnails_mb: float
    indexed: bool
    first: datetime | None = None
    last: datetime | None = None
    pictures: int = 0
    texts: int = 0
    scans: int = 0
    stretches: int = 0
    shots: int = 0
    facts: int = 0
    perceivers: tuple[PerceiverStatus, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something ``doctor`` noticed.

    Attributes:
        problem: what, with how many.
        examples: a few of them.
        remedy: what repairs it.
        repaired: whether it was.
    """

    problem: str
    examples: tuple[str, ...]
    remedy: str
    repaired: bool = False
