"""Query -> each encoder's nearest pictures and sounds, and the passages that answer it -> hits, and why each is there.

Pictures, sounds and texts share no scale, so they are joined as several encoders are, by rank; what is better than
chance comes first, so that no signal stands in the way of another. Texts are what documents say, what was read in
pictures and scans, and what was said in recordings.
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
from catalejo.passage_rows import TEXT
from catalejo.query import Query
from catalejo.records import Hit, Item, SearchResult, SpaceStatus
from catalejo.shelf import Ranked, Shelf
from catalejo.showing import Evidence, Files, hit_of, joined
from catalejo.space import Key
from catalejo.store import Store
from catalejo.tables import SEEN, is_in, kinds_of

_DEEP = 100  # items each encoder ranks when several are fused
_SIFTED = 4  # times as many are ranked where some are left out by the kind of their file


class Searcher:
    """Answers queries from one store.

    Args:
        store: opened for reading.
        encoders: whose spaces are asked; hits of several are fused by rank.
        shelf: its texts.
        sounds: the encoder of what recordings sound like, if the store has such vectors.
    """

    def __init__(self, store: Store, encoders: Sequence[Encoder], shelf: Shelf, sounds: Encoder | None = None) -> None:
        self._store, self._encoders, self._shelf = store, encoders, shelf
        self._askers = [Asker(store, encoder) for encoder in encoders]
        self._sounds = sounds
        self._listener = Asker(store, sounds) if sounds else None
        self._lasts: tuple[tuple[int, int] | None, bool] = None, False

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
        lasting = self._lasting()
        # a few more than asked: an item may just have lost its last file, and moments of a film become one hit
        depth = query.k + 10 if len(self._askers) == 1 and not lasting else max(_DEEP, 2 * query.k)
        askers = self._askers if query.means("image") or query.means("video") else []
        asked = [asker.rank(query, self._seen(query, lasting), depth) for asker in askers]
        rankings = [ranking for ranking in asked if ranking]
        sounds = self._heard(query, depth) if lasting else None
        texts = self._texts(query, depth)
        files = Files(self._store, texts, sounds.near if sounds else ())
        texts = {key: found for key, found in texts.items() if files.means(query, key)}
        if sounds:
            near = [one for one in sounds.near if files.means(query, (one.item.hash, one.item.page))]
            rankings.append(replace(sounds, near=near[:depth]))
        if texts:  # after those whose items know their labels
            rankings.append(Ranking("sentence", [files.near(key, ranked) for key, ranked in texts.items()], -inf))
        if query.min_score is not None:
            rankings = [replace(r, near=[n for n in r.near if n.score >= query.min_score]) for r in rankings]
        hits = self._hits(query, rankings, texts, files)
        line = round(rankings[0].line, 4) if len(rankings) == len(askers) == 1 and not texts else None
        behind = tuple(status for status in map(self._status, self._encoders, askers) if status.waiting > 0)
        seconds = round(time.monotonic() - started, 4)
        return SearchResult(query.words, tuple(hits), line, self._store.count(), seconds, behind)

    def _lasting(self) -> bool:
        """Whether there are recordings or films; asked once a version."""
        version, lasting = self._lasts
        if version != self._store.version:
            lasting = self._store.count(("audio", "video")) > 0
            self._lasts = self._store.version, lasting
        return lasting

    def _status(self, encoder: Encoder, asker: Asker) -> SpaceStatus:
        waiting = self._store.count(kinds_of(encoder.card)) - asker.encoded
        return SpaceStatus(encoder.card.name, asker.encoded, waiting)

    def _seen(self, query: Query, lasting: bool) -> str | None:
        """The condition for pictures and shots."""
        kinds = [kind for kind in SEEN if query.means(kind)]
        only = is_in("kind", kinds) if lasting and len(kinds) < len(SEEN) else None
        return " AND ".join(part for part in (query.dates(), only) if part) or None

    def _heard(self, query: Query, depth: int) -> Ranking | None:
        """The stretches that sound like what is asked."""
        if not self._listener or not self._sounds or not query.question:
            return None
        if not (query.means("audio") or query.means("video")):
            return None
        if self._sounds.card.name not in [card.name for card in self._store.cards()]:
            return None
        return self._listener.rank(query, query.dates(), depth * (_SIFTED if query.kinds else 1))

    def _texts(self, query: Query, depth: int) -> dict[Key, Ranked]:
        """Pages, shots and stretches whose text answers a query's words, best first, each with its best passage."""
        if not query.question:
            return {}
        self._shelf.refresh()
        passages = self._shelf.passages
        conditions = [query.dates()]
        if not query.means("text"):  # then only what was read or heard
            if not passages.exists or not passages.signals:
                return {}
            conditions.append(f"signal IS NOT NULL AND signal <> '{TEXT}'")
        where = " AND ".join(f"({part})" for part in conditions if part) or None
        hashes = self._store.hashes_under(query.folder) if query.folder else None
        found: dict[Key, Ranked] = {}
        away = {
            (ranked.key, ranked.signal)
            for text in query.without
            for ranked in self._shelf.rank(text, depth)
            if ranked.matches
        }
        many = depth * (_SIFTED if query.kinds and query.kinds != ("text",) else 1)
        for ranked in self._shelf.rank(query.question, many, dated=where, hashes=hashes):
            key = ranked.key[0], ranked.key[1]
            if key not in found and (ranked.key, ranked.signal) not in away:
                found[key] = ranked
        return found

    def _hits(self, query: Query, rankings: Sequence[Ranking], texts: Mapping[Key, Ranked], files: Files) -> list[Hit]:
        found = [(one, self._evidence(one, texts)) for one in fuse(rankings)]
        if len(rankings) > 1 and (texts or len(rankings) > len(self._askers)):
            found.sort(key=lambda pair: (not pair[1].matches, pair[1].faint))
        paths = self._store.paths(one.item.hash for one, _ in found)
        fused, asked = len(rankings) > 1 or len(self._encoders) > 1, " ".join(query.terms)
        hits = []
        for one, evidence in found:
            places = [p for p in paths.get(one.item.hash, []) if query.folder is None or p.startswith(query.folder)]
            if not places:
                continue
            if len(places) > 1:  # a file that has moved stands at its old place until the next --prune
                places.sort(key=lambda p: not os.path.lexists(p))
            hits.append(hit_of(one, evidence, places, files, fused, self._why(evidence.signal, asked, one.item)))
        return joined(hits)[: query.k]

    def _evidence(self, found: Fused, texts: Mapping[Key, Ranked]) -> Evidence:
        sounds = self._sounds.card.name if self._sounds else ""
        return Evidence.of(found.votes, texts.get((found.item.hash, found.item.page)), sounds)

    def _why(self, signal: str, asked: str, item: Item) -> str:
        encoders = ([self._sounds] if self._sounds else []) if signal == "sounds" else self._encoders
        reasons = (encoder.why(asked, item.labels) for encoder in encoders)
        return next((why for why in reasons if why), "")
