"""The rows of the store's tables, and their form in Arrow.

Paths are stored as valid text, whatever bytes a file's name has.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalejo.records import Item, Label, ModelCard, to_json

Array = npt.NDArray[np.float32]

SEEN = ("image", "video")  # kinds of items that show something: pictures, and shots by their key frame
BOX = pa.list_(pa.float32(), 4)  # left, top, right, bottom
_LABEL = pa.struct([("index", pa.int16()), ("probability", pa.float32())])
TIMES = [pa.field("start_s", pa.float64()), pa.field("end_s", pa.float64())]  # of shots and stretches
FILES = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("hash", pa.string()),
        pa.field("reason", pa.string()),
    ]
)


def items_schema(card: ModelCard) -> pa.Schema:
    """The items table of a catalog made with this encoder."""
    fields = [
        pa.field("hash", pa.string(), nullable=False),
        pa.field("page", pa.int32(), nullable=False),
        pa.field("kind", pa.string()),
        pa.field("width_px", pa.int32()),
        pa.field("height_px", pa.int32()),
        pa.field("taken", pa.timestamp("s")),
        pa.field("dated", pa.timestamp("s")),
        pa.field("camera", pa.string()),
        pa.field("latitude", pa.float64()),
        pa.field("longitude", pa.float64()),
        pa.field("labels", pa.list_(_LABEL)),
        *TIMES,
    ]
    return pa.schema([*fields, vector_field(card, [field.name for field in fields])])


def vector_field(card: ModelCard, taken: Iterable[str]) -> pa.Field:
    """The column of an encoder's vectors, with its card in the metadata.

    Args:
        card: of the encoder.
        taken: names of the columns that are there.
    """
    return pa.field(column_free_for(card.name, taken), pa.list_(pa.float32(), card.width), metadata=stored_card(card))


def column_free_for(encoder: str, taken: Iterable[str]) -> str:
    """A column's name that is near an encoder's, and not taken yet.

    Lance extends no index of a column with other signs in its name than letters, digits and underscores.
    """
    plain = re.sub(r"[^a-z0-9]+", "_", encoder.lower()).strip("_") or "vectors"
    return next(name for name in chain([plain], (f"{plain}_{n}" for n in count(2))) if name not in set(taken))


def kinds_of(card: ModelCard) -> tuple[str, ...]:
    """The kinds of items that an encoder gives vectors; who takes pictures takes the key frames of shots."""
    return tuple(dict.fromkeys((*card.takes, *(SEEN if "image" in card.takes else ()))))


def stored_card(card: ModelCard) -> dict[str, str]:
    """A column's metadata: whose vectors it holds."""
    return {"card": json.dumps(to_json(card))}


def vector_columns(schema: pa.Schema) -> dict[str, ModelCard]:
    """Column -> card of its encoder, in the order they were made; fields this version does not know are left out."""
    return {
        field.name: card_of(json.loads(field.metadata[b"card"]))
        for field in schema
        if field.metadata and b"card" in field.metadata
    }


def card_of(stored: dict[str, Any]) -> ModelCard:
    """A card from its JSON; the lists of files stay behind, for only a card of ours says what to fetch."""
    known = {f.name for f in dataclasses.fields(ModelCard)} - {"files"}
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k in known}
    return ModelCard(**values)


@dataclass(frozen=True)
class FileRow:
    """A file we know: its size and time when read, and the hash of its bytes or why it was skipped."""

    path: str
    size: int
    mtime_ns: int
    hash: str | None
    reason: str | None = None


@dataclass(frozen=True)
class ItemRow:
    """An item with its vector (width,), a page of text without one, and its date (taken, else the file's own)."""

    item: Item
    dated: datetime
    vector: Array | None


def items_table(rows: Sequence[ItemRow], card: ModelCard) -> pa.Table:
    """Item rows as Arrow."""
    items = [row.item for row in rows]
    schema = items_schema(card)
    (column,) = vector_columns(schema)
    none = np.zeros(card.width, np.float32)
    vectors = np.stack([none if row.vector is None else row.vector for row in rows]).astype(np.float32).ravel()
    without = pa.array([row.vector is None for row in rows])
    made: dict[str, Any] = {
        "dated": [row.dated for row in rows],
        "labels": [_labels(item.labels) for item in items],
        column: pa.FixedSizeListArray.from_arrays(pa.array(vectors), card.width, mask=without),
    }
    columns = {name: made[name] if name in made else [getattr(i, name) for i in items] for name in schema.names}
    return pa.table(columns, schema=schema)


def _labels(labels: Sequence[Label]) -> list[dict[str, float]]:
    return [{"index": one.index, "probability": one.probability} for one in labels]


def vectors_table(
    keys: Sequence[tuple[str, int]], vectors: Array, column: str, labels: Sequence[Sequence[Label]] | None = None
) -> pa.Table:
    """Vectors (n, width) by hash and page, to be merged into a column of the items table; labels too, if there are."""
    flat = pa.array(np.asarray(vectors, np.float32).ravel())
    columns = {
        "hash": [hash for hash, _ in keys],
        "page": pa.array([page for _, page in keys], pa.int32()),
        column: pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
    }
    if labels is not None:
        columns["labels"] = pa.array([_labels(some) for some in labels], pa.list_(_LABEL))
    return pa.table(columns)


def escape(path: str) -> str:
    r"""A path as valid text: bytes that are not UTF-8 as ``\xNN``, the backslash doubled."""
    return "".join(
        "\\\\" if c == "\\" else f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in path
    )


def unescape(text: str) -> str:
    """The path ``escape`` was given."""
    return re.sub(r"\\(?:\\|x([0-9a-f]{2}))", lambda m: chr(0xDC00 + int(m[1], 16)) if m[1] else "\\", text)


def is_in(column: str, values: Iterable[str]) -> str:
    """The SQL condition that a text column has one of these values."""
    quoted = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{column} IN ({quoted})"


def files_table(rows: Sequence[FileRow]) -> pa.Table:
    """File rows as Arrow."""
    columns = {name: [getattr(row, name) for row in rows] for name in FILES.names}
    columns["path"] = [escape(path) for path in columns["path"]]
    return pa.table(columns, schema=FILES)


def file_rows(table: pa.Table) -> list[FileRow]:
    """File rows from Arrow."""
    return [FileRow(**(row | {"path": unescape(row["path"])})) for row in table.to_pylist()]


def item_of(row: dict[str, Any]) -> Item:
    """An item from a row of the items table; columns left out keep their defaults."""
    labels = tuple(Label(x["index"], x["probability"]) for x in row.get("labels") or ())
    return Item(**{k: v for k, v in row.items() if k != "labels"}, labels=labels)
