"""Query -> each encoder's nearest pictures, and the passages that answer it -> hits, and why each is there.

Pictures and texts share no scale, so they are joined as several encoders are, by rank; what is better than chance
comes first, so that neither kind stands in the way of the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from catalejo.asking import Asker, Ranking
from catalejo.encoders import Encoder
from catalejo.errors import BadQuery
from catalejo.fusion import Fused, fuse
from catalejo.query import Query
from catalejo.records import Hit, Item, SearchResult, SpaceStatus
from catalejo.shelf import Ranked, Shelf
from catalejo.space import Key, Near
from catalejo.store import Store
from catalejo.tables import kinds_of

_DEEP = 100  # items each encoder ranks when several are fused


class Searcher:
    """Answers queries from one store.

    Args:
        store: opened for reading.
        encoders: whose spaces are asked; hits of several are fused by rank.
        shelf: its documents.
    """

    def __init__(self, store: Store, encoders: Sequence[Encoder], shelf: Shelf) -> None:
        self._store, self._encoders, self._shelf = store, encoders, shelf
        self._askers = [Asker(store, encoder) for encoder in encoders]

    def search(self, query: Query) -> SearchResult:
        """Find what is nearest to a query.

        Raises:
            BadQuery: a least score was asked of several encoders, whose scores do not compare.
            CannotRead: the query's picture cannot be read.
            NoCatalog, CatalogDamaged, NotEncoded, WrongEncoder: see ``Store`` and ``Space``.
        """
        started = time.monotonic()
        if len(self._askers) > 1 and query.min_score is not None:
            raise BadQuery("--min-score is a cosine, and those of several encoders do not compare: name one of them")
        self._store.refresh()
        # a few more than asked: an item may just have lost its last file
        depth = query.k + 10 if len(self._askers) == 1 else max(_DEEP, 2 * query.k)
        askers = self._askers if query.means("image") else []
        asked = [asker.rank(query, query.dates(), depth) for asker in askers]
        rankings = [ranking for ranking in asked if ranking]
        texts = self._texts(query, depth)
        if texts:
            rankings.append(Ranking("sentence", [near for near, _ in texts.values()], -inf))
        if query.min_score is not None:
            rankings = [replace(r, near=[n for n in r.near if n.score >= query.min_score]) for r in rankings]
        hits = self._hits(query, rankings, {key: ranked for key, (_, ranked) in texts.items()})
        line = round(rankings[0].line, 4) if len(rankings) == len(askers) == 1 and not texts else None
        behind = tuple(status for status in map(self._status, self._encoders, askers) if status.waiting > 0)
        seconds = round(time.monotonic() - started, 4)
        return SearchResult(query.words, tuple(hits), line, self._store.count(), seconds, behind)

    def _status(self, encoder: Encoder, asker: Asker) -> SpaceStatus:
        waiting = self._store.count(kinds_of(encoder.card)) - asker.encoded
        return SpaceStatus(encoder.card.name, asker.encoded, waiting)

    def _texts(self, query: Query, depth: int) -> dict[Key, tuple[Near, Ranked]]:
        """Pages of documents that answer the words of a query, best first, each with its best passage."""
        question = " ".join(text for text in query.terms if text.strip())
        if not question or not query.means("text"):
            return {}
        self._shelf.refresh()
        hashes = self._store.hashes_under(query.folder) if query.folder else None
        found: dict[Key, tuple[Near, Ranked]] = {}
        away = {ranked.key for text in query.without for ranked in self._shelf.rank(text, depth) if ranked.matches}
        for ranked in self._shelf.rank(question, depth, dated=query.dates(), hashes=hashes):
            key = ranked.key[0], ranked.key[1]
            if key not in found and ranked.key not in away:
                found[key] = Near(Item(*key, "text", 0, 0), ranked.score), ranked
        return found

    def _hits(self, query: Query, rankings: Sequence[Ranking], texts: Mapping[Key, Ranked]) -> list[Hit]:
        found = fuse(rankings)
        if texts and len(rankings) > 1:
            found.sort(key=lambda f: not _matches(f, texts))
        paths = self._store.paths(f.item.hash for f in found)
        hits, several = [], len(rankings) > 1 or len(self._encoders) > 1
        for f in found:
            places = [p for p in paths.get(f.item.hash, []) if query.folder is None or p.startswith(query.folder)]
            if not places:
                continue
            if len(places) > 1:  # a file that has moved stands at its old place until the next --prune
                places.sort(key=lambda p: not os.path.lexists(p))
            hits.append(self._hit(query, f, places, several, texts.get((f.item.hash, f.item.page))))
        return hits[: query.k]

    def _hit(self, query: Query, found: Fused, places: Sequence[str], fused: bool, text: Ranked | None) -> Hit:
        item, asked = found.item, " ".join(query.terms)
        reasons = (encoder.why(asked, item.labels) for encoder in self._encoders)
        return Hit(
            places[0],
            round(found.score, 6 if fused else 4),
            item.kind,
            _spoken(text) if text else next((why for why in reasons if why), ""),
            text.matches if text else any(vote.matches for vote in found.votes),
            item.hash,
            item.page,
            tuple(places[1:]),
            item.width_px,
            item.height_px,
            item.taken,
            item.camera,
            item.latitude,
            item.longitude,
            tuple(replace(vote, matches=text.matches) if text else vote for vote in found.votes) if fused else (),
            text.passage.text if text else "",
            text.passage.span if text else None,
            text.sentence if text else None,
        )


def _matches(found: Fused, texts: Mapping[Key, Ranked]) -> bool:
    text = texts.get((found.item.hash, found.item.page))
    return text.matches if text else any(vote.matches for vote in found.votes)


def _spoken(text: Ranked) -> str:
    """How a text answers: the share of the question's words that it has, and how near its best sentence is."""
    return f"words {text.words:.0%}, meaning {text.cosine:.2f}"
