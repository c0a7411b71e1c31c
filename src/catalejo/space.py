"""One vector column of the items table: an encoder's space. Nearest items, vectors, what is still to encode."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalejo import upkeep
from catalejo.encoders.opening import spec_of
from catalejo.errors import NotEncoded, WrongEncoder
from catalejo.records import Item, Label, ModelCard
from catalejo.store import Store
from catalejo.tables import FileRow, is_in, item_of, kinds_of, stored_card, vector_field, vectors_table

Array = npt.NDArray[np.float32]
Key = tuple[str, int]  # an item's hash and page

_PROBES, _REFINE = 64, 10
_LOOKUP = 1_000  # paths looked up at once


@dataclass(frozen=True)
class Near:
    """An item found, with its cosine similarity to the query."""

    item: Item
    score: float


class Space:
    """The vectors of one encoder in one catalog. Items without a vector in it are left out everywhere.

    Args:
        store: of the catalog.
        card: of the encoder.

    Raises:
        NotEncoded: nothing was encoded with it here.
        WrongEncoder: what is there comes from another version of it.
        NoCatalog, WrongFormat, CatalogDamaged: see ``Store``.
    """

    def __init__(self, store: Store, card: ModelCard) -> None:
        self._store, self.card = store, card
        stored = store.columns()
        column = _column(stored, card)
        if column is None:
            raise NotEncoded(store.folder, card.name, spec_of(card), [known.name for known in stored.values()])
        if stored[column].identity != card.identity:
            first, known = column == next(iter(stored)), stored[column]
            spec = card.name if known.folder == card.folder and not first else spec_of(card)
            raise WrongEncoder(store.folder, known, card, spec, first)
        self.column = column

    def count(self) -> int:
        """Items with a vector."""
        return self._store.having(self.column)

    # -- nearest ----------------------------------------------------------------

    def nearest(self, vector: Array, k: int, where: str | None = None, exact: bool = False) -> list[Near]:
        """The k items nearest to a unit vector (width,), best first.

        Args:
            vector: the query.
            k: how many.
            where: SQL condition on the items' columns, applied before the search.
            exact: leave the index aside.
        """
        query = {"column": self.column, "q": vector, "k": k, "metric": "cosine"}
        if exact:
            query["use_index"] = False
        else:
            query |= {"nprobes": _PROBES, "refine_factor": _REFINE}
        columns = [*self._store.fields, "_distance"]
        with self._store.reading():
            table = self._store.dataset.to_table(columns, nearest=query, filter=where, prefilter=True)
        scores = [1.0 - distance for distance in table["_distance"].to_pylist()]
        rows = table.drop_columns("_distance").to_pylist()
        return [Near(item_of(row), score) for row, score in zip(rows, scores, strict=True)]

    def best(self, score: Callable[[Array, list[str]], Array], k: int, where: str | None = None) -> list[Near]:
        """The k items with the highest scores, by looking at all of them, some thousands at a time.

        Args:
            score: (n, width) vectors and their n hashes -> (n,) scores; -inf leaves an item out.
            k: how many.
            where: SQL condition on the items' columns.
        """
        ids, scores = np.empty(0, np.int64), np.empty(0, np.float32)
        with self._store.reading():
            for batch in self._store.dataset.to_batches(
                [self.column, "hash"], filter=self._there(where), with_row_id=True
            ):
                table = pa.Table.from_batches([batch])
                new = score(self._matrix(table), table["hash"].to_pylist())
                ids = np.concatenate([ids, np.asarray(table["_rowid"], np.int64)])
                scores = np.concatenate([scores, new])
                kept = np.argsort(-scores, kind="stable")[:k]
                kept = kept[np.isfinite(scores[kept])]
                ids, scores = ids[kept], scores[kept]
            if not len(ids):
                return []
            table = self._store.dataset.to_table(self._store.fields, filter=_rows(ids), with_row_id=True)
        rows = {row.pop("_rowid"): row for row in table.to_pylist()}
        return [Near(item_of(rows[id]), float(s)) for id, s in zip(ids.tolist(), scores, strict=True)]

    # -- vectors ----------------------------------------------------------------

    def vectors(self, most: int | None = None) -> Array:
        """(n, width) the vectors of all items, or of about ``most`` of them chosen at random (always the same ones)."""
        rows = self.count()
        with self._store.reading():
            if most is None or rows <= most:
                return self._matrix(self._store.dataset.to_table([self.column], filter=self._there()))
            if rows == self._store.count():
                chosen = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
                return self._matrix(self._store.dataset.take(chosen.tolist(), columns=[self.column]))
            table = self._store.dataset.to_table([], filter=self._there(), with_row_id=True)
            ids = np.random.default_rng(0).choice(np.asarray(table["_rowid"]), most, replace=False)
            return self._matrix(self._store.dataset.to_table([self.column], filter=_rows(ids)))

    def keyed(self) -> Iterator[tuple[list[Key], Array]]:
        """Keys and vectors (n, width) of all items that have one, in batches."""
        with self._store.reading():
            columns = ["hash", "page", self.column]
            for batch in self._store.dataset.to_batches(columns, filter=self._there()):
                table = pa.Table.from_batches([batch])
                yield list(zip(table["hash"].to_pylist(), table["page"].to_pylist(), strict=True)), self._matrix(table)

    def by_path(self, paths: Sequence[str]) -> dict[str, Array]:
        """Path -> vector (width,) of the first page, for files that have the size and time they had when read."""
        hashes: dict[str, str] = {}
        for start in range(0, len(paths), _LOOKUP):
            for path, row in self._store.known(paths[start : start + _LOOKUP]).items():
                if row.hash and _unchanged(row):
                    hashes[path] = row.hash
        wanted, found = set(hashes.values()), {}
        for keys, vectors in self.keyed() if wanted else ():
            for (hash, page), vector in zip(keys, vectors, strict=True):
                if hash in wanted and not page:
                    found[hash] = vector.copy()  # a view would hold its whole batch in memory
        return {path: found[hash] for path, hash in hashes.items() if hash in found}

    def missing(self) -> list[Key]:
        """Items of its kinds without a vector, in the order of the table: so they lie together, as in their folders"""
        empty = f"`{self.column}` IS NULL AND {is_in('kind', kinds_of(self.card))}"
        with self._store.reading():
            table = self._store.dataset.to_table(["hash", "page"], filter=empty)
        return list(zip(table["hash"].to_pylist(), table["page"].to_pylist(), strict=True))

    def fill(self, keys: Sequence[Key], vectors: Array, labels: Sequence[Sequence[Label]] | None = None) -> None:
        """Save vectors (n, width) of items, and what was recognised in them. The caller holds ``WriterLock``.

        Args:
            keys: of n items.
            vectors: theirs; those they had in this space are replaced.
            labels: of each; None leaves what is there.
        """
        if not keys:
            return
        with self._store.writing():
            dataset = self._store.dataset
            before = dataset.version
            # whole rows rewritten would leave the other indices, read the whole table, and at 200,000 rows never end
            merge = dataset.merge_insert(["hash", "page"]).when_matched_update_all().write_mode("rewrite_columns")
            merge.execute(vectors_table(keys, vectors, self.column, labels))
            upkeep.settle(dataset, before)

    def _there(self, where: str | None = None) -> str:
        there = f"`{self.column}` IS NOT NULL"
        return f"({where}) AND {there}" if where else there

    def _matrix(self, table: pa.Table) -> Array:
        column = table[self.column].combine_chunks()
        return np.asarray(column.flatten(), np.float32).reshape(-1, self.card.width)


def _unchanged(row: FileRow) -> bool:
    try:
        info = os.stat(row.path)
    except (OSError, ValueError):
        return False
    return (info.st_size, info.st_mtime_ns) == (row.size, row.mtime_ns)


def _rows(ids: npt.NDArray[np.integer[Any]]) -> str:
    """The SQL condition that a row has one of these numbers."""
    return f"_rowid IN ({', '.join(map(str, ids))})"


def _column(stored: Mapping[str, ModelCard], card: ModelCard) -> str | None:
    """The column of an encoder's vectors, whatever version of it made them."""
    return next((column for column, known in stored.items() if known.name == card.name), None)


def add_column(store: Store, card: ModelCard, anew: bool = False) -> Space:
    """The space of an encoder in a catalog, made (empty) when it is not there yet. The caller holds ``WriterLock``.

    Args:
        store: of an existing catalog.
        card: of the encoder. Where its model is now is remembered.
        anew: throw away what is there.

    Raises:
        WrongEncoder: what is there comes from another version of it, and is not to be thrown away.
    """
    column = _column(store.columns(), card)
    with store.writing():
        if anew and column:
            store.dataset.drop_columns([column])
            column = None
        if column is None:
            store.dataset.add_columns(pa.schema([vector_field(card, store.dataset.schema.names)]))
    store.refresh()
    space = Space(store, card)
    if store.columns()[space.column].folder != card.folder:
        with store.writing():
            store.dataset.update_field_metadata({space.column: stored_card(card)})
        store.refresh()
    return space
