"""Query -> nearest items -> hits, where chance begins, and why each is there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from catalejo.chance import Chance
from catalejo.encoders import Array, Encoder
from catalejo.errors import BadQuery, CannotRead, OverLimit
from catalejo.readers.image import ImageReader
from catalejo.records import Hit, Limits, SearchResult
from catalejo.store import Near, Store

_FEWEST_PICTURES = 30  # below it pictures say too little about each other; words are asked instead
_SAMPLE = 2_048  # items the line is estimated from


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
        self._learned: tuple[tuple[int, int], dict[bool, Chance]] | None = None

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
        chance = self._chance(by_image=not any(text.strip() for text in query.terms))
        hits = self._hits(query, vector, where, chance) if chance else []
        line = round(chance.line(vector), 4) if chance else None
        return SearchResult(query.words, tuple(hits), line, self._store.count(), round(time.monotonic() - started, 4))

    # -- the query ----------------------------------------------------------------

    def _vector(self, query: Query) -> Array:
        total = np.zeros(self._encoder.card.width, np.float32)
        terms = [text for text in query.terms if text.strip()]
        if terms:
            total += _mean(self._encoder.encode_texts(terms))
        if query.image:
            total += self._image_vector(query.image)
        return _unit(total)

    def _image_vector(self, path: str) -> Array:
        path = os.path.expanduser(path)
        try:
            with open(path, "rb") as file:
                page = next(ImageReader().read(file, path, Limits(), self._encoder.side_px))
        except OSError as error:
            raise CannotRead(path, (error.strerror or str(error)).lower()) from error
        except OverLimit as error:
            raise CannotRead(path, "too large to be asked with; make a smaller copy") from error
        return self._encoder.encode_images([page.picture])[0].vector

    def _chance(self, by_image: bool) -> Chance | None:
        """The null distribution for queries in words, or for pictures: those of the catalog asked of each other."""
        count = self._store.count()
        if not count:
            return None
        version = self._store.version
        if self._learned is None or self._learned[0] != version:
            self._learned = version, {}
        known = self._learned[1]
        if by_image not in known:
            sample = self._store.vectors(most=_SAMPLE)
            pictures = by_image and len(sample) >= _FEWEST_PICTURES
            known[by_image] = Chance(sample, None if pictures else self._encoder.background, count)
        return known[by_image]

    # -- the hits -------------------------------------------------------------------

    def _hits(self, query: Query, vector: Array, where: str | None, chance: Chance) -> list[Hit]:
        """Through the index; by looking at every item when the index cannot tell which ones count."""
        under = os.path.join(os.path.abspath(os.path.expanduser(query.under)), "") if query.under else None
        if under or query.without:
            near = self._store.best(self._judge(query, vector, under, chance), query.k, where)
        else:  # a few more than asked: an item may just have lost its last file
            near = self._store.nearest(vector, query.k + 10, where)
            if where and len(near) < query.k + 10:  # few pass the condition; they may lie where nobody looked
                near = self._store.nearest(vector, query.k + 10, where, exact=True)
        if query.min_score is not None:
            near = [n for n in near if n.score >= query.min_score]
        return self._with_paths(query, near, under, chance.line(vector))

    def _judge(
        self, query: Query, vector: Array, under: str | None, chance: Chance
    ) -> Callable[[Array, list[str]], Array]:
        inside = self._store.hashes_under(under) if under else None
        away = self._encoder.encode_texts(query.without) if query.without else np.empty((0, len(vector)), np.float32)
        lines = np.array([chance.line(text) for text in away])

        def score(vectors: Array, hashes: list[str]) -> Array:
            scores = vectors @ vector
            scores[(vectors @ away.T > lines).any(axis=1)] = -np.inf
            if inside is not None:
                scores[[hash not in inside for hash in hashes]] = -np.inf
            return scores

        return score

    def _with_paths(self, query: Query, near: Sequence[Near], under: str | None, line: float) -> list[Hit]:
        paths = self._store.paths(n.item.hash for n in near)
        found = []
        for n in sorted(near, key=lambda n: (-n.score, n.item.hash, n.item.page)):
            places = [p for p in paths.get(n.item.hash, []) if under is None or p.startswith(under)]
            if not places:
                continue
            if len(places) > 1:  # a file that has moved stands at its old place until the next --prune
                places.sort(key=lambda p: not os.path.lexists(p))
            found.append(self._hit(query, n, places, line))
        return found[: query.k]

    def _hit(self, query: Query, near: Near, places: Sequence[str], line: float) -> Hit:
        item, score = near.item, round(near.score, 4)
        return Hit(
            places[0],
            score,
            item.kind,
            self._encoder.why(" ".join(query.terms), item.labels),
            near.score > line,
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
        parts.append(f"dated >= timestamp '{_period('since', query.since)[0].isoformat()} 00:00:00'")
    if query.until:
        parts.append(f"dated < timestamp '{_period('until', query.until)[1].isoformat()} 00:00:00'")
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


def _mean(vectors: Array) -> Array:
    return _unit(vectors.mean(axis=0))


def _unit(vector: Array) -> Array:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), np.float32)
