"""Query -> nearest items -> hits, where chance begins, and why each is there."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from catalejo.chance import Chance
from catalejo.encoders import Array, Encoder
from catalejo.errors import BadQuery, CannotRead
from catalejo.readers.image import ImageReader
from catalejo.records import Hit, Limits, SearchResult
from catalejo.store import Near, Store

NOT_WEIGHT = 0.5
_SAMPLE = 2_048  # items the line is estimated from
_EXACT_FROM = 1_000  # asked for more than this, an index loses its point


@dataclass(frozen=True)
class Query:
    """What to look for.

    Attributes:
        terms: texts that all matter the same.
        without: texts to keep away from.
        image: a picture to look like.
        k: hits wanted.
        under: only files in this folder.
        since, until: only items dated from the first to the second day, both included; ISO dates,
            a year or a month will do. Items are dated by EXIF, else by their file.
        min_score: only hits with at least this score.
    """

    terms: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    image: str | None = None
    k: int = 10
    under: str | None = None
    since: str | None = None
    until: str | None = None
    min_score: float | None = None

    @property
    def words(self) -> str:
        """The query in one line."""
        parts = [" + ".join(self.terms), f"image {self.image}" if self.image else ""]
        parts += [f"not {text}" for text in self.without]
        return ", ".join(part for part in parts if part)


class Searcher:
    """Answers queries from one store; keeps what it learned of the catalog's scores between them.

    Args:
        store: opened for reading.
        encoder: the one its vectors come from.
    """

    def __init__(self, store: Store, encoder: Encoder) -> None:
        self._store, self._encoder = store, encoder
        self._chance: tuple[tuple[int, int], Chance] | None = None

    def search(self, query: Query) -> SearchResult:
        """Find what is nearest to a query.

        Raises:
            BadQuery: nothing asked, or a value that makes no sense.
            CannotRead: the query's picture cannot be read.
            NoCatalog, CatalogDamaged, WrongEncoder: see ``Store``.
        """
        started = time.monotonic()
        _check(query)
        where = _dates(query)
        self._store.refresh()
        vector = self._vector(query)
        line = self._line(vector)
        hits = self._hits(query, vector, where, line)
        return SearchResult(query.words, tuple(hits), line, self._store.count(), round(time.monotonic() - started, 4))

    # -- the query ----------------------------------------------------------------

    def _vector(self, query: Query) -> Array:
        total = np.zeros(self._encoder.card.width, np.float32)
        if query.terms:
            total += _mean(self._encoder.encode_texts(query.terms))
        if query.image:
            total += self._image_vector(query.image)
        if query.without:
            total -= NOT_WEIGHT * _mean(self._encoder.encode_texts(query.without))
        return _unit(total)

    def _image_vector(self, path: str) -> Array:
        try:
            with open(path, "rb") as file:
                page = next(ImageReader().read(file, path, Limits(), self._encoder.side_px))
        except OSError as error:
            raise CannotRead(path, (error.strerror or str(error)).lower()) from error
        return self._encoder.encode_images([page.picture])[0].vector

    def _line(self, vector: Array) -> float | None:
        count = self._store.count()
        if not count:
            return None
        version = self._store.version
        if self._chance is None or self._chance[0] != version:
            self._chance = version, Chance(self._store.vectors(most=_SAMPLE), self._encoder.background, count)
        return round(self._chance[1].line(vector), 4)

    # -- the hits -------------------------------------------------------------------

    def _hits(self, query: Query, vector: Array, where: str | None, line: float | None) -> list[Hit]:
        """Ask for a few more than wanted, and for many more as long as other folders take the places."""
        under = os.path.join(os.path.abspath(os.path.expanduser(query.under)), "") if query.under else None
        most = self._store.count()
        asked = query.k + 10
        while True:
            near = self._store.nearest(vector, asked, where, exact=asked > _EXACT_FROM) if most else []
            if query.min_score is not None:
                near = [n for n in near if n.score >= query.min_score]
            hits = self._with_paths(query, near, under, line)
            if len(hits) >= query.k or len(near) < asked:
                return hits[: query.k]
            asked *= 8

    def _with_paths(self, query: Query, near: Sequence[Near], under: str | None, line: float | None) -> list[Hit]:
        paths = self._store.paths(n.item.hash for n in near)
        found = []
        for n in sorted(near, key=lambda n: (-n.score, n.item.hash, n.item.page)):
            places = [p for p in paths.get(n.item.hash, []) if under is None or p.startswith(under)]
            if not places:
                continue
            places.sort(key=lambda p: not os.path.lexists(p)) if len(places) > 1 else None
            found.append(self._hit(query, n, places, line))
            if len(found) == query.k:
                break
        return found

    def _hit(self, query: Query, near: Near, places: Sequence[str], line: float | None) -> Hit:
        item, score = near.item, round(near.score, 4)
        return Hit(
            places[0],
            score,
            item.kind,
            self._encoder.why(" ".join(query.terms), item.labels),
            line is None or near.score > line,
            item.hash,
            item.page,
            tuple(places[1:]),
            item.width_px,
            item.height_px,
            item.taken,
            item.camera,
            item.latitude,
            item.longitude,
        )


def _check(query: Query) -> None:
    if not any(text.strip() for text in query.terms) and not query.image:
        raise BadQuery('say what to look for: catalejo search "un perro en la nieve", or --image FILE')
    if query.k < 1:
        raise BadQuery(f"-k is {query.k}; it must be at least 1")
    if query.min_score is not None and not -1 <= query.min_score <= 1:
        raise BadQuery(f"--min-score is {query.min_score:g}; scores are cosines, from -1 to 1")


def _dates(query: Query) -> str | None:
    """The SQL condition for ``since`` and ``until``."""
    parts = []
    if query.since:
        parts.append(f"dated >= timestamp '{_period('since', query.since)[0]:%Y-%m-%d} 00:00:00'")
    if query.until:
        parts.append(f"dated < timestamp '{_period('until', query.until)[1]:%Y-%m-%d} 00:00:00'")
    return " AND ".join(parts) or None


def _period(name: str, text: str) -> tuple[date, date]:
    """First day of a year, month or day, and the day after its last."""
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            first = datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
        if form == "%Y-%m-%d":
            return first, first + timedelta(days=1)
        if form == "%Y-%m":
            return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        return first, first.replace(year=first.year + 1)
    raise BadQuery(f"--{name} is {text!r}; write a date as 2024-03-31, 2024-03 or 2024")


def _mean(vectors: Array) -> Array:
    return _unit(vectors.mean(axis=0))


def _unit(vector: Array) -> Array:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)
