"""The rows of a catalog's passages and sentences, and their form in Arrow.

Columns that came later (``signal``, ``box``) are empty in rows made before; see ``upkeep.widen``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalejo.records import ModelCard
from catalejo.tables import BOX, stored_card
from catalejo.texts import Box, Passage, Span

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Key = tuple[str, int, int]  # the file's hash, the page from 0, the passage's number on it

TEXT = "text"  # the signal of what a document itself says; of other texts, the name of who read or heard them

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
    pa.field("signal", pa.string()),
    pa.field("box", BOX),
]
PASSAGES = pa.schema([*_PLACE, pa.field("length", pa.int32()), pa.field("text", pa.string())])  # length in words
SPAN = ["page", "start", "end", "start_s", "end_s", "box"]


def sentences_schema(card: ModelCard) -> pa.Schema:
    """The table of sentences, with vectors of this encoder."""
    return pa.schema([*_PLACE, pa.field("vector", pa.list_(pa.float32(), card.width), metadata=stored_card(card))])


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
        signal: who read or heard it; ``text`` where the file itself says it.
    """

    key: Key
    passage: Passage
    words: tuple[str, ...]
    sentences: tuple[Span, ...]
    stems: tuple[tuple[str, ...], ...]
    vectors: Array
    dated: datetime | None = None
    signal: str = TEXT

    @property
    def id(self) -> int:
        """A number of its own, always the same."""
        name = "{}-{}-{}".format(*self.key) + (f"-{self.signal}" if self.signal != TEXT else "")
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1


class Saved(NamedTuple):
    """A passage as it is kept, and the signal it came by."""

    key: Key
    passage: Passage
    signal: str


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
        return span_of_row(self.places.slice(row, 1).to_pylist()[0])


def sentence_table(rows: Sequence[PassageRow], schema: pa.Schema) -> pa.Table:
    """The sentences of passages as Arrow."""
    spread = [(row, n) for row in rows for n in range(len(row.sentences))]
    columns = _places([row for row, _ in spread], [row.sentences[n] for row, n in spread])
    columns["words"] = [" ".join(row.stems[n]) for row, n in spread]
    width = schema.field("vector").type.list_size
    flat = np.concatenate([row.vectors.reshape(-1, width) for row in rows]).astype(np.float32).ravel()
    return pa.table(columns | {"vector": pa.FixedSizeListArray.from_arrays(pa.array(flat), width)}, schema=schema)


def _places(rows: Sequence[PassageRow], spans: Sequence[Span]) -> dict[str, Any]:
    """Columns that both tables have, but for the words."""
    return {
        "id": [row.id for row in rows],
        "hash": [row.key[0] for row in rows],
        "page": [row.key[1] for row in rows],
        "number": [row.key[2] for row in rows],
        "dated": [row.dated for row in rows],
        "language": [row.passage.language for row in rows],
        "signal": [row.signal for row in rows],
    } | {name: [getattr(span, name) for span in spans] for name in SPAN[1:]}


def numbered_signals(table: pa.Table) -> Iterator[tuple[int, tuple[str, str]]]:
    """Number of each row, and its hash and signal."""
    signals = table["signal"].to_pylist() if "signal" in table.column_names else [None] * len(table)
    for id, hash, signal in zip(table["id"].to_pylist(), table["hash"].to_pylist(), signals, strict=True):
        yield id, (hash, signal or TEXT)


def matrix(column: pa.ChunkedArray, width: int) -> Array:
    """(n, width) a column of vectors."""
    return np.asarray(column.combine_chunks().flatten(), np.float32).reshape(-1, width)


def span_of_row(row: Mapping[str, Any]) -> Span:
    """Where a row stands; columns that its table does not have yet are empty."""
    start, end, start_s, end_s, box = (row.get(name) for name in SPAN[1:])
    return Span(row["page"] + 1, start or 0, end or 0, start_s, end_s, box_of(box))


def box_of(stored: Sequence[float] | None) -> Box | None:
    """A box from its four numbers, to a tenth of a pixel."""
    if stored is None:
        return None
    left, top, right, bottom = (round(number, 1) for number in stored)
    return left, top, right, bottom


def passage_of(row: Mapping[str, Any]) -> Passage:
    """A passage from its row."""
    return Passage(row["text"], span_of_row(row), row["language"] or "")


def passage_table(rows: Sequence[PassageRow], schema: pa.Schema) -> pa.Table:
    """Passages as Arrow."""
    columns = _places(rows, [row.passage.span for row in rows])
    columns |= {
        "text": [row.passage.text for row in rows],
        "words": [" ".join(row.words) for row in rows],
        "length": [len(row.words) for row in rows],
    }
    return pa.table(columns, schema=schema)
