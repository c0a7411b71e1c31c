"""What the documents of a catalog say: two Lance tables beside the items.

    passages.lance/   one row a passage: where it stands, its text, the stems of its words (full text index)
    sentences.lance/  one row a sentence: of which passage, where it stands, its stems, its vector

Both are written before the items of their file, sentences first, so that what is seen is whole;
what a killed run left is dropped by the next (``keep``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from catalejo.store import Store  # before Lance, which it tells how to behave

# isort: split
import lance
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalejo import upkeep
from catalejo.numbered import Numbered
from catalejo.ranking import Lines
from catalejo.records import ModelCard
from catalejo.tables import is_in, stored_card, vector_columns
from catalejo.texts import Passage, Span

if TYPE_CHECKING:
    from lance import LanceDataset

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Key = tuple[str, int, int]  # the file's hash, the page from 0, the passage's number on it

_PLACE = [
    pa.field("id", pa.int64(), nullable=False),  # of the passage, made from what follows
    pa.field("hash", pa.string(), nullable=False),
    pa.field("page", pa.int32(), nullable=False),
    pa.field("number", pa.int32(), nullable=False),
    pa.field("start", pa.int32(), nullable=False),
    pa.field("end", pa.int32(), nullable=False),
    pa.field("start_s", pa.float64()),
    pa.field("end_s", pa.float64()),
    pa.field("dated", pa.timestamp("s")),
    pa.field("language", pa.string()),
    pa.field("words", pa.string()),
]
_PASSAGES = pa.schema([*_PLACE, pa.field("length", pa.int32()), pa.field("text", pa.string())])  # length in words
_LINES = "catalejo.lines"  # in the table's configuration
_DROP = 1_000  # hashes a deletion names
_PROBES, _REFINE = 64, 10


@dataclass(frozen=True)
class PassageRow:
    """A passage with all that is saved of it.

    Attributes:
        key: hash of the file, page from 0, number on the page.
        passage: text and place.
        words: its stems.
        sentences: where its sentences stand.
        stems: of each of them.
        vectors: (n, width) float32, theirs.
        dated: the date it is filed under.
    """

    key: Key
    passage: Passage
    words: tuple[str, ...]
    sentences: tuple[Span, ...]
    stems: tuple[tuple[str, ...], ...]
    vectors: Array
    dated: datetime | None = None

    @property
    def id(self) -> int:
        """A number of its own, always the same."""
        return int.from_bytes(hashlib.sha256("{}-{}-{}".format(*self.key).encode()).digest()[:8]) >> 1


@dataclass(frozen=True)
class Sentences:
    """Sentences of some passages.

    Attributes:
        ids: (n,) of the passage each stands in.
        starts: (n,) the character of the page each begins at.
        languages: of the passages; empty where not known.
        stems: of each, as often as it has them.
        vectors: (n, width) float32.
        places: a row each, where it stands; few of them are ever asked for.
    """

    ids: Numbers
    starts: Numbers
    languages: list[str]
    stems: list[list[str]]
    vectors: Array
    places: pa.Table

    def span(self, row: int) -> Span:
        """Where one stands."""
        return _span(self.places.slice(row, 1).to_pylist()[0])


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
        vector = pa.field("vector", pa.list_(pa.float32(), card.width), metadata=stored_card(card))
        with self._store.writing():
            passages = lance.write_dataset(_PASSAGES.empty_table(), self._uri("passages"), mode="overwrite")
            upkeep.index_words(passages, "words")
            lance.write_dataset(pa.schema([*_PLACE, vector]).empty_table(), self._uri("sentences"), mode="create")

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
        columns = ["id", "language", "words", "vector", *_SPAN]
        with self._store.reading():
            table = self._sentences.take(rows.tolist(), columns=columns)
        return Sentences(
            np.asarray(table["id"], np.int64),
            np.asarray(table["start"], np.int64),
            [language or "" for language in table["language"].to_pylist()],
            [words.split() for words in table["words"].to_pylist()],
            _matrix(table["vector"], self.card.width),
            table.select(_SPAN),
        )

    def texts(self, ids: Numbers) -> dict[int, tuple[Key, Passage]]:
        """Passages by their numbers."""
        columns = ["id", "hash", "number", *_SPAN, "language", "text"]
        wanted = self._rows("_passages").rows(ids).tolist()
        with self._store.reading():
            rows = self._passages.take(wanted, columns=columns).to_pylist()
        return {row["id"]: ((row["hash"], row["page"], row["number"]), _passage(row)) for row in rows}

    def vectors(self, most: int | None = None) -> Array:
        """(n, width) the vectors of all sentences, or of about ``most`` of them chosen at random (always the same)."""
        with self._store.reading():
            rows = int(self._sentences.count_rows())
            if most is None or rows <= most:
                table = self._sentences.to_table(["vector"])
            else:
                chosen = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
                table = self._sentences.take(chosen.tolist(), columns=["vector"])
        return _matrix(table["vector"], self.card.width)

    def hashes(self) -> set[str]:
        """The hashes of all files that have passages, or sentences without any."""
        with self._store.reading():
            tables = (data.to_table(["hash"]) for data in (self._passages, self._sentences))
            return {hash for table in tables for hash in table["hash"].unique().to_pylist()}

    def of(self, hash: str) -> dict[int, list[Passage]]:
        """What a file says: page from 0 -> its passages."""
        columns = ["number", *_SPAN, "language", "text"]
        with self._store.reading():
            rows = self._passages.to_table(columns, filter=is_in("hash", [hash])).to_pylist()
        found: dict[int, list[Passage]] = {}
        for row in sorted(rows, key=lambda row: (row["page"], row["number"])):
            found.setdefault(row["page"], []).append(_passage(row))
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

    def torn(self) -> set[str]:
        """Hashes of files with sentences of no passage, passages without any, or vectors that are not of length 1."""
        found: set[str] = set()
        with self._store.reading():
            known = dict(_numbered(self._passages.to_table(["id", "hash"])))
            held: set[int] = set()
            for batch in self._sentences.to_batches(columns=["id", "hash", "vector"]):
                table = pa.Table.from_batches([batch])
                lengths = np.linalg.norm(_matrix(table["vector"], self.card.width), axis=1)
                for (id, hash), right in zip(_numbered(table), np.abs(lengths - 1) < 1e-3, strict=True):
                    held.add(id)
                    found |= {hash} if not right or id not in known else set()
        return found | {hash for id, hash in known.items() if id not in held}

    # -- writing ------------------------------------------------------------------

    def write(self, rows: Sequence[PassageRow]) -> None:
        """Save passages of files that have none yet; all of a file together."""
        if not rows:
            return
        with self._store.writing():
            for name, table in (("_sentences", self._sentence_table(rows)), ("_passages", _passage_table(rows))):
                data = getattr(self, name)
                before = data.version
                self.__dict__[name] = lance.write_dataset(table, data, mode="append")
                upkeep.settle(self.__dict__[name], before)

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

    def _sentence_table(self, rows: Sequence[PassageRow]) -> pa.Table:
        schema = self._sentences.schema
        spread = [(row, n) for row in rows for n in range(len(row.sentences))]
        columns = _places([row for row, _ in spread], [row.sentences[n] for row, n in spread])
        columns["words"] = [" ".join(row.stems[n]) for row, n in spread]
        width = schema.field("vector").type.list_size
        flat = np.concatenate([row.vectors.reshape(-1, width) for row in rows]).astype(np.float32).ravel()
        return pa.table(columns | {"vector": pa.FixedSizeListArray.from_arrays(pa.array(flat), width)}, schema=schema)


_SPAN = ["page", "start", "end", "start_s", "end_s"]


def _places(rows: Sequence[PassageRow], spans: Sequence[Span]) -> dict[str, Any]:
    """Columns that both tables have, but for the words."""
    return {
        "id": [row.id for row in rows],
        "hash": [row.key[0] for row in rows],
        "page": [row.key[1] for row in rows],
        "number": [row.key[2] for row in rows],
        "dated": [row.dated for row in rows],
        "language": [row.passage.language for row in rows],
    } | {name: [getattr(span, name) for span in spans] for name in _SPAN[1:]}


def _numbered(table: pa.Table) -> Iterator[tuple[int, str]]:
    """Number and hash of each row."""
    return zip(table["id"].to_pylist(), table["hash"].to_pylist(), strict=True)


def _matrix(column: pa.ChunkedArray, width: int) -> Array:
    return np.asarray(column.combine_chunks().flatten(), np.float32).reshape(-1, width)


def _span(row: Mapping[str, Any]) -> Span:
    return Span(row["page"] + 1, *(row[name] for name in _SPAN[1:]))


def _passage(row: Mapping[str, Any]) -> Passage:
    return Passage(row["text"], _span(row), row["language"] or "")


def _passage_table(rows: Sequence[PassageRow]) -> pa.Table:
    columns = _places(rows, [row.passage.span for row in rows])
    columns |= {
        "text": [row.passage.text for row in rows],
        "words": [" ".join(row.words) for row in rows],
        "length": [len(row.words) for row in rows],
    }
    return pa.table(columns, schema=_PASSAGES)
