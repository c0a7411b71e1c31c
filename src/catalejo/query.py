"""What to look for, in words, by a picture, in a place and a time; checked before anything is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from catalejo.errors import BadQuery

KINDS = ("image", "text", "audio", "video")  # of files; a scanned page is text


@dataclass(frozen=True)
class Query:
    """What to look for.

    Attributes:
        terms: texts that all matter the same.
        without: texts to keep away from: what matches one of them, better than chance, is left out.
        image: a picture to look like.
        k: hits wanted.
        under: only files in this folder.
        since, until: only items dated from the first to the second day, both included; ISO dates,
            a year or a month will do. Items are dated by EXIF, else by their file.
        min_score: only hits with at least this score.
        kinds: ``image``, ``text``, ``audio``, ``video``; none named: all.

    Raises:
        BadQuery: nothing asked, or a value that makes no sense.
    """

    terms: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    image: str | None = None
    k: int = 10
    under: str | None = None
    since: str | None = None
    until: str | None = None
    min_score: float | None = None
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not any(text.strip() for text in self.terms) and not self.image:
            raise BadQuery('say what to look for: catalejo search "un perro en la nieve", or --image FILE')
        if self.k < 1:
            raise BadQuery(f"-k is {self.k}; it must be at least 1")
        if self.min_score is not None and not -1 <= self.min_score <= 1:
            raise BadQuery(f"--min-score is {self.min_score:g}; scores are cosines, from -1 to 1")
        for kind in self.kinds:
            if kind not in KINDS:
                raise BadQuery(f"--kind is {kind!r}; it can be {', '.join(KINDS[:-1])} or {KINDS[-1]}")
        self.dates()

    def means(self, kind: str) -> bool:
        """Whether files of a kind are looked for; a picture is not looked for among texts and sounds."""
        return kind in (self.kinds or KINDS) and not (kind in ("text", "audio") and self.image)

    @property
    def question(self) -> str:
        """Its words, as they are asked of texts and sounds; empty where a picture is asked with."""
        return "" if self.image else " ".join(text for text in self.terms if text.strip())

    @property
    def words(self) -> str:
        """The query in one line."""
        parts = [" + ".join(self.terms), f"image {self.image}" if self.image else ""]
        parts += [f"not {text}" for text in self.without]
        return ", ".join(part for part in parts if part)

    @property
    def folder(self) -> str | None:
        """``under`` as an absolute path with its final separator."""
        return os.path.join(os.path.abspath(os.path.expanduser(self.under)), "") if self.under else None

    def dates(self) -> str | None:
        """The SQL condition for ``since`` and ``until``."""
        parts = []
        if self.since:
            parts.append(f"dated >= timestamp '{_period('since', self.since)[0].isoformat()} 00:00:00'")
        if self.until:
            parts.append(f"dated < timestamp '{_period('until', self.until)[1].isoformat()} 00:00:00'")
        return " AND ".join(parts) or None


def _period(name: str, text: str) -> tuple[date, date]:
    """First day of a year, month or day, and the day after its last."""
    for form, days in (("%Y-%m-%d", 1), ("%Y-%m", 31), ("%Y", 366)):
        try:
            first = datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
        if not 1800 <= first.year <= 2999:
            break
        after = first + timedelta(days=days)
        return first, after if days == 1 else after.replace(day=1) if days == 31 else date(first.year + 1, 1, 1)
    raise BadQuery(f"--{name} is {text!r}; write a date as 2024-03-31, 2024-03 or 2024")
