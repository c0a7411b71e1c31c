"""What the documents of a catalog say: two Lance tables beside the items.

    passages.lance/   one row a passage: where it stands, its text, the stems of its words (full text index)
    sentences.lance/  one row a sentence: of which passage, where it stands, its stems, its vector

Both are written before the items of their file, sentences first, so that what is seen is whole;
what a killed run left is dropped by the next (``keep``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

from catalejo.store import Store  # before Lance, which it tells how to behave

# isort: split
import lance
import numpy as np
import pyarrow as pa

from catalejo import upkeep
from catalejo.numbered import Numbered
from catalejo.passage_rows import (
    PASSAGES,
    SPAN,
    TEXT,
    Array,
    Numbers,
    PassageRow,
    Saved,
    Sentences,
    matrix,
    numbered_signals,
    passage_of,
    passage_table,
    sentence_table,
    sentences_schema,
)
from catalejo.ranking import Lines
from catalejo.records import ModelCard
from catalejo.tables import is_in, vector_columns
from catalejo.texts import Passage

if TYPE_CHECKING:
    from lance import LanceDataset

_LINES = "catalejo.lines"  # in the table's configuration
_PERCEIVED = f"signal IS NOT NULL AND signal <> '{TEXT}'"
_DROP = 1_000  # hashes a deletion names
_PROBES, _REFINE = 64, 10


class Passages:
    """The texts of one catalog. Writing methods need the caller to hold ``WriterLock``.

    Args:
        store: of the catalog; its folder, and how what goes wrong is told.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._average = (0, 0.0)  # of this version, words of a passage
        self._numbered: dict[str, Numbered] = {}

    @property
    def exists(self) -> bool:
        """Whether a document was ever added."""
        return any((self._store.folder / "sentences.lance" / "_versions").glob("*.manifest"))

    def create(self, card: ModelCard) -> None:
        """Make the empty tables, the sentences' last: then both are there.

        Args:
            card: of the encoder of the sentences.
        """
        if self.exists:
            return
        with self._store.writing():
            passages = lance.write_dataset(PASSAGES.empty_table(), self._uri("passages"), mode="overwrite")
            upkeep.index_words(passages, "words")
            lance.write_dataset(sentences_schema(card).empty_table(), self._uri("sentences"), mode="create")

    def _uri(self, name: str) -> str:
        return str(self._store.folder / f"{name}.lance")

    @cached_property
    def _passages(self) -> LanceDataset:
        with self._store.reading():
            return lance.dataset(self._uri("passages"))

    @cached_property
    def _sentences(self) -> LanceDataset:
        with self._store.reading():
            return lance.dataset(self._uri("sentences"))

    @property
    def card(self) -> ModelCard:
        """Of the encoder of the sentences."""
        return vector_columns(self._sentences.schema)["vector"]

    def refresh(self) -> None:
        """See what other processes wrote since."""
        for name in ("_passages", "_sentences"):
            if name in self.__dict__:
                try:
                    self.__dict__[name] = upkeep.newest(self.__dict__[name])
                except (OSError, ValueError, RuntimeError):  # it went; whoever asks opens it anew, or hears why not
                    del self.__dict__[name]

    def still(self) -> Passages:
        """These tables as they are now, whatever ``refresh`` brings."""
        for name in ("_passages", "_sentences"):
            self._rows(name)  # opened and read once, for all copies
        self.average_words()
        still = copy(self)
        still._numbered = dict(self._numbered)
        return still

    def _rows(self, name: str) -> Numbered:
        """Which rows of a table are whose, in this version."""
        data, rows = getattr(self, name), self._numbered.get(name)
        if rows is None or rows.version != data.version:
            with self._store.reading():
                rows = self._numbered[name] = Numbered.of(data)
        return rows

    @property
    def version(self) -> tuple[int, int]:
        """Changes with every write."""
        return int(self._passages.version), int(self._sentences.version)

    # -- reading ------------------------------------------------------------------

    def count(self, where: str | None = None) -> int:
        """Passages, or those under an SQL condition."""
        if where is None:
            return len(self._rows("_passages").ids)
        with self._store.reading():
            return int(self._passages.count_rows(where))

    def with_stem(self, stem: str) -> tuple[Numbers, Array]:
        """All passages that hold a stem: their numbers (n,), and what it adds to the BM25 score of each (n,)."""
        query = {"columns": ["words"], "query": stem}
        with self._store.reading():
            limit = max(1, self.count())
            table = self._passages.to_table(["_score"], full_text_query=query, limit=limit, with_row_id=True)
        ids = self._rows("_passages").at(np.asarray(table["_rowid"], np.uint64))
        return ids, np.asarray(table["_score"], np.float32)

    def average_words(self) -> float:
        """Words of a passage."""
        version, average = self._average
        if version != self._passages.version:
            with self._store.reading():
                lengths = np.asarray(self._passages.to_table(["length"])["length"], np.float64)
            version, average = int(self._passages.version), float(lengths.mean()) if len(lengths) else 0.0
            self._average = version, average
        return average

    def nearest(self, vector: Array, k: int, where: str | None = None) -> Numbers:
        """The passages of the k sentences nearest to a unit vector (width,): their numbers, best first, each once."""
        k = max(1, min(k, len(self._rows("_sentences").ids)))  # the index takes no number beyond 64 bits
        query = {"column": "vector", "q": vector, "k": k, "metric": "cosine"}
        query |= {"nprobes": _PROBES, "refine_factor": _REFINE}
        with self._store.reading():
            columns = ["_distance"]
            table = self._sentences.to_table(columns, nearest=query, filter=where, prefilter=True, with_row_id=True)
        ids = self._rows("_sentences").at(np.asarray(table["_rowid"], np.uint64))
        return ids[np.sort(np.unique(ids, return_index=True)[1])]

    def numbers(self, where: str) -> Numbers:
        """The passages under an SQL condition on ``hash``, ``page`` and ``dated``: their numbers."""
        with self._store.reading():
            return np.asarray(self._passages.to_table(["id"], filter=where)["id"], np.int64)

    def sentences(self, ids: Numbers) -> Sentences:
        """The sentences of passages, by their numbers; sentences without a passage are not given."""
        rows = self._rows("_sentences").rows(ids[self._rows("_passages").has(ids)])
        columns = self._there("_sentences", "id", "language", "words", "vector", *SPAN)
        with self._store.reading():
            table = self._sentences.take(rows.tolist(), columns=columns)
        return Sentences(
            np.asarray(table["id"], np.int64),
            np.asarray(table["start"], np.int64),
            [language or "" for language in table["language"].to_pylist()],
            [words.split() for words in table["words"].to_pylist()],
            matrix(table["vector"], self.card.width),
            table.select(self._there("_sentences", *SPAN)),
        )

    def texts(self, ids: Numbers) -> dict[int, Saved]:
        """Passages by their numbers."""
        columns = self._there("_passages", "id", "hash", "number", *SPAN, "language", "text", "signal")
        wanted = self._rows("_passages").rows(ids).tolist()
        with self._store.reading():
            rows = self._passages.take(wanted, columns=columns).to_pylist()
        return {
            row["id"]: Saved((row["hash"], row["page"], row["number"]), passage_of(row), row.get("signal") or TEXT)
            for row in rows
        }

    def vectors(self, most: int | None = None) -> Array:
        """(n, width) the vectors of all sentences, or of about ``most`` of them chosen at random (always the same)."""
        with self._store.reading():
            rows = int(self._sentences.count_rows())
            if most is None or rows <= most:
                table = self._sentences.to_table(["vector"])
            else:
                chosen = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
                table = self._sentences.take(chosen.tolist(), columns=["vector"])
        return matrix(table["vector"], self.card.width)

    def hashes(self) -> set[str]:
        """The hashes of all files that have passages, or sentences without any."""
        with self._store.reading():
            tables = (data.to_table(["hash"]) for data in (self._passages, self._sentences))
            return {hash for table in tables for hash in table["hash"].unique().to_pylist()}

    def of(self, hash: str) -> dict[int, list[Passage]]:
        """What a file says: page from 0 -> its passages."""
        columns = self._there("_passages", "number", *SPAN, "language", "text")
        with self._store.reading():
            rows = self._passages.to_table(columns, filter=is_in("hash", [hash])).to_pylist()
        found: dict[int, list[Passage]] = {}
        for row in sorted(rows, key=lambda row: (row["page"], row["number"])):
            found.setdefault(row["page"], []).append(passage_of(row))
        return found

    def _there(self, name: str, *columns: str) -> list[str]:
        """Those of these columns that a table has: one made by an earlier version may lack some."""
        known = set(getattr(self, name).schema.names)
        return [column for column in columns if column in known]

    @property
    def signals(self) -> bool:
        """Whether the tables say by what signal a text came; else all of it is the files' own."""
        return "signal" in self._passages.schema.names and "signal" in self._sentences.schema.names

    def by(self, signal: str) -> set[str]:
        """The hashes of files of which somebody read or heard something, even where it is not whole."""
        found: set[str] = set()
        for name in ("_passages", "_sentences"):
            if self._there(name, "signal"):
                with self._store.reading():
                    table = getattr(self, name).to_table(["hash"], filter=is_in("signal", [signal]))
                found |= set(table["hash"].unique().to_pylist())
        return found

    def perceived(self) -> set[str]:
        """All signals there are besides the files' own text."""
        found: set[str] = set()
        for name in ("_passages", "_sentences"):
            if self._there(name, "signal"):
                with self._store.reading():
                    table = getattr(self, name).to_table(
                        ["signal"], filter=f"signal IS NOT NULL AND signal <> '{TEXT}'"
                    )
                found |= set(table["signal"].unique().to_pylist())
        return found

    @property
    def judged(self) -> bool:
        """Whether ``keep_lines`` was called since there are passages to learn from."""
        with self._store.reading():
            return _LINES in self._passages.config()

    @property
    def lines(self) -> Lines:
        """Where chance begins, as ``keep_lines`` was told; what holds everywhere if it never was."""
        with self._store.reading():
            kept = self._passages.config().get(_LINES)
        return Lines(**json.loads(kept)) if kept else Lines()

    def torn(self) -> set[tuple[str, str]]:
        """Hash and signal of sentences of no passage, passages without any, or vectors that are not of length 1."""
        found: set[tuple[str, str]] = set()
        with self._store.reading():
            passages = self._passages.to_table(self._there("_passages", "id", "hash", "signal"))
            known = dict(numbered_signals(passages))
            held: set[int] = set()
            for batch in self._sentences.to_batches(
                columns=self._there("_sentences", "id", "hash", "signal", "vector")
            ):
                table = pa.Table.from_batches([batch])
                lengths = np.linalg.norm(matrix(table["vector"], self.card.width), axis=1)
                for (id, whose), right in zip(numbered_signals(table), np.abs(lengths - 1) < 1e-3, strict=True):
                    held.add(id)
                    found |= {whose} if not right or id not in known else set()
        return found | {whose for id, whose in known.items() if id not in held}

    # -- writing ------------------------------------------------------------------

    def write(self, rows: Sequence[PassageRow]) -> None:
        """Save passages of files that have none yet; all of a file together."""
        if not rows:
            return
        with self._store.writing():
            self._widen()
            for name, make in (("_sentences", sentence_table), ("_passages", passage_table)):
                data = getattr(self, name)
                before = data.version
                self.__dict__[name] = lance.write_dataset(make(rows, data.schema), data, mode="append")
                upkeep.settle(self.__dict__[name], before)

    def _widen(self) -> None:
        """Give tables that an earlier version made the columns that came later."""
        for name, schema in (("_passages", PASSAGES), ("_sentences", sentences_schema(self.card))):
            self.__dict__[name] = upkeep.widen(getattr(self, name), schema)

    def drop(self, hashes: Iterable[str], signal: str) -> None:
        """Drop what somebody read or heard in some files."""
        gone = sorted(set(hashes))
        with self._store.writing():
            for start in range(0, len(gone), _DROP):
                for name in ("_passages", "_sentences"):
                    if self._there(name, "signal"):
                        which = f"{is_in('signal', [signal])} AND {is_in('hash', gone[start : start + _DROP])}"
                        getattr(self, name).delete(which)

    def keep(self, hashes: set[str]) -> int:
        """Drop what belongs to no file of these hashes; how many files that was."""
        gone = sorted(self.hashes() - hashes)
        with self._store.writing():
            for start in range(0, len(gone), _DROP):
                for data in (self._passages, self._sentences):
                    data.delete(is_in("hash", gone[start : start + _DROP]))
        return len(gone)

    def keep_lines(self, lines: Lines) -> None:
        """Remember where chance begins in these passages."""
        with self._store.writing():
            self._passages.update_config({_LINES: json.dumps(asdict(lines))})

    def maintain(self) -> None:
        """Compact what many small writes left, build and extend indices, remove old versions."""
        with self._store.writing():
            upkeep.maintain(self._passages, {"words": "WORDS", "hash": "BTREE"})
            upkeep.maintain(self._sentences, {"vector": "IVF", "hash": "BTREE"})
