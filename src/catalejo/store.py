"""VECTORS -> NEAREST. Two Lance tables in the catalog's folder, thumbnails beside them.

    catalog/
      catalejo.json     marks the folder as a catalog and says its format
      items.lance/      one row a page of content: hash, fields, one vector column an encoder
      files.lance/      one row a path: size, time, hash; or the reason it was skipped
      thumbnails/       ab/abcd...-0.webp by hash and page
      writer.lock

Items are written before the files that point to them, so whatever moment a
process dies at, what is there is complete: a file without its row is read again,
an item without a file is never shown and is swept away by the next run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

# Lance reads ahead up to 2 GB unless told otherwise; with 32 MB an index over 200,000 rows peaks 150 MB lower.
os.environ.setdefault("LANCE_DEFAULT_IO_BUFFER_SIZE", str(32 << 20))

import lance
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow.compute import min_max

from catalejo import upkeep
from catalejo.errors import CannotWrite, CatalogDamaged, NoCatalog, WrongEncoder, WrongFormat
from catalejo.records import Item, ModelCard, Status
from catalejo.tables import (
    FILES,
    FileRow,
    ItemRow,
    escape,
    file_rows,
    files_table,
    is_in,
    item_of,
    items_schema,
    items_table,
    unescape,
)

if TYPE_CHECKING:
    from lance import LanceDataset

Array = npt.NDArray[np.float32]

FORMAT = 1
MARK = "catalejo.json"
_PROBES, _REFINE = 64, 10
_NO_ROOM = (
    *("No space left on device", "Read-only file system", "Permission denied", "File too large"),
    *("Disk quota exceeded", "Input/output error", "Too many open files"),
)


@dataclass(frozen=True)
class Near:
    """An item found, with its cosine similarity to the query."""

    item: Item
    score: float


class Store:
    """The tables of one catalog. Writing methods need the caller to hold ``WriterLock``.

    Args:
        folder: the catalog's folder.
        card: of the encoder whose vectors are meant.

    Raises:
        NoCatalog: on reading, when nothing was ever added.
        WrongFormat: another version of catalejo made it.
        WrongEncoder: the vectors there come from another encoder or version.
        CatalogDamaged: the tables cannot be read.
        CannotWrite: on writing.
    """

    def __init__(self, folder: Path, card: ModelCard) -> None:
        self.folder, self.card = folder, card

    # -- opening ----------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether there is a catalog here."""
        return (self.folder / MARK).is_file()

    def create(self, anew: bool = False) -> None:
        """Make an empty catalog, or finish one whose making was cut short.

        Args:
            anew: in an existing catalog too, put an empty table where one is missing.
        """
        if self.exists and not anew:
            return
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, schema in (("items", items_schema(self.card)), ("files", FILES)):
                if not any((self.folder / f"{name}.lance" / "_versions").glob("*.manifest")):
                    lance.write_dataset(schema.empty_table(), self._uri(name), mode="create")
            if not self.exists:
                scratch = self.folder / f".{MARK}"
                scratch.write_text(json.dumps({"format": FORMAT}) + "\n", encoding="utf-8")
                scratch.replace(self.folder / MARK)

    def _uri(self, name: str) -> str:
        return str(self.folder / f"{name}.lance")

    def _open(self, name: str) -> LanceDataset:
        self._check_format()
        try:
            return lance.dataset(self._uri(name))
        except (OSError, ValueError, RuntimeError) as error:
            raise CatalogDamaged(self.folder, f"{name} cannot be opened ({_brief(error)})") from error

    def _check_format(self) -> None:
        try:
            found = json.loads((self.folder / MARK).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NoCatalog(self.folder) from error
        except (OSError, ValueError) as error:
            raise CatalogDamaged(self.folder, f"{MARK} cannot be read ({_brief(error)})") from error
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise WrongFormat(self.folder, found.get("format") if isinstance(found, dict) else found, FORMAT)

    @cached_property
    def _items(self) -> LanceDataset:
        dataset = self._open("items")
        column = self.card.name
        if column not in dataset.schema.names:
            names = [f.name for f in dataset.schema if f.metadata and b"card" in f.metadata]
            raise WrongEncoder(self.folder, ", ".join(names) or "no encoder", column)
        stored = json.loads(dataset.schema.field(column).metadata[b"card"])
        if any(stored.get(key) != value for key, value in self.card.identity.items()):
            raise WrongEncoder(
                self.folder,
                f"{stored.get('name')} version {stored.get('version')}",
                f"{self.card.name} version {self.card.version}",
            )
        return dataset

    @cached_property
    def _files(self) -> LanceDataset:
        return self._open("files")

    def reopen(self) -> None:
        """Forget the open tables; what is on disk is opened anew when needed."""
        self.__dict__.pop("_items", None)
        self.__dict__.pop("_files", None)

    def refresh(self) -> None:
        """See what other processes wrote since; files first, so that every file seen has its item."""
        for name in ("_files", "_items"):
            if name in self.__dict__:
                try:
                    getattr(self, name).checkout_latest()
                except (OSError, ValueError, RuntimeError) as error:
                    raise CatalogDamaged(self.folder, _brief(error)) from error

    @property
    def version(self) -> tuple[int, int]:
        """Changes with every write."""
        return int(self._items.version), int(self._files.version)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, pa.ArrowException) as error:
            reason = _reason(error)
            if reason is None:  # Lance also reads while it writes, and met a file that is gone or cut
                raise CatalogDamaged(self.folder, _brief(error)) from error
            raise CannotWrite(self.folder, reason) from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, pa.ArrowException) as error:
            raise CatalogDamaged(self.folder, _brief(error)) from error

    # -- files ------------------------------------------------------------------

    def known(self, paths: Sequence[str]) -> dict[str, FileRow]:
        """The rows of those of these paths that we know."""
        if not paths or not self._files.count_rows():
            return {}
        with self._reading():
            table = self._files.to_table(filter=is_in("path", [escape(p) for p in paths]))
        return {row.path: row for row in file_rows(table)}

    def files(self, where: str | None = None) -> Iterator[FileRow]:
        """All file rows, or those under an SQL condition, in batches."""
        with self._reading():
            for batch in self._files.to_batches(filter=where):
                yield from file_rows(pa.Table.from_batches([batch]))

    def paths(self, hashes: Iterable[str]) -> dict[str, list[str]]:
        """hash -> the paths that hold those bytes, sorted."""
        wanted = sorted(set(hashes))
        found: dict[str, list[str]] = {}
        if wanted:
            with self._reading():
                table = self._files.to_table(columns=["path", "hash"], filter=is_in("hash", wanted))
            for row in table.to_pylist():
                found.setdefault(row["hash"], []).append(unescape(row["path"]))
        return {key: sorted(value) for key, value in found.items()}

    def hashes_under(self, folder: str) -> set[str]:
        """The hashes of the files in a folder, given with its final separator."""
        prefix = escape(folder).replace("'", "''")
        with self._reading():
            table = self._files.to_table(columns=["hash"], filter=f"starts_with(path, '{prefix}') AND hash IS NOT NULL")
        return set(table["hash"].to_pylist())

    def hashes(self) -> set[str]:
        """The hashes of all items."""
        with self._reading():
            return set(self._items.to_table(columns=["hash"])["hash"].to_pylist())

    # -- writing ----------------------------------------------------------------

    def write(self, items: Sequence[ItemRow], fresh: Sequence[FileRow], changed: Sequence[FileRow] = ()) -> None:
        """Save items, then the files that hold them.

        Args:
            items: whose hash is not in the table yet; all pages of a file together.
            fresh: rows of paths not in the table.
            changed: rows that replace those of the same path.
        """
        with self._writing():
            if items:
                self._items = lance.write_dataset(items_table(items, self.card), self._items, mode="append")
            if fresh:
                self._files = lance.write_dataset(files_table(fresh), self._files, mode="append")
            if changed:
                merge = self._files.merge_insert("path").when_matched_update_all().when_not_matched_insert_all()
                merge.execute(files_table(changed))

    def forget(self, paths: Sequence[str]) -> None:
        """Drop the rows of these paths; their items go with ``sweep`` if no other path holds them."""
        with self._writing():
            for start in range(0, len(paths), 1000):
                self._files.delete(is_in("path", [escape(p) for p in paths[start : start + 1000]]))

    def sweep(self) -> list[str]:
        """Drop items no file holds, and their thumbnails; returns their hashes."""
        with self._reading():
            held = set(self._files.to_table(columns=["hash"])["hash"].to_pylist())
        orphans = sorted(self.hashes() - held)
        with self._writing():
            for start in range(0, len(orphans), 1000):
                self._items.delete(is_in("hash", orphans[start : start + 1000]))
        for hash in orphans:
            for path in self.thumbnail(hash, 0).parent.glob(f"{hash}-*.webp"):
                path.unlink(missing_ok=True)
        return orphans

    def maintain(self) -> None:
        """Compact what many small writes left, build and extend indices, remove old versions."""
        with self._writing():
            upkeep.maintain(self._items, {self.card.name: "IVF_RQ", "hash": "BTREE"})
            upkeep.maintain(self._files, {"path": "BTREE", "hash": "BTREE"})

    def summary(self) -> Status:
        """What is in the catalog."""
        with self._reading():
            dates = self._items.to_table(columns=["dated"])["dated"].drop_null()
            files, skipped = (self._files.count_rows(f"{column} IS NOT NULL") for column in ("hash", "reason"))
        low_high = (min_max(dates).as_py() or {}) if len(dates) else {}
        return Status(
            str(self.folder),
            self.card.name,
            self.count(),
            int(files),
            int(skipped),
            round(sum(_size(table) for table in self.folder.glob("*.lance")) / 1e6, 1),
            round(_size(self.folder / "thumbnails") / 1e6, 1),
            upkeep.has_index(self._items, self.card.name),
            low_high.get("min"),
            low_high.get("max"),
        )

    # -- nearest ----------------------------------------------------------------

    def count(self) -> int:
        """Items in the table."""
        return int(self._items.count_rows())

    def nearest(self, vector: Array, k: int, where: str | None = None, exact: bool = False) -> list[Near]:
        """The k items nearest to a unit vector (width,), best first.

        Args:
            vector: the query.
            k: how many.
            where: SQL condition on the items' columns, applied before the search.
            exact: leave the index aside.
        """
        query = {"column": self.card.name, "q": vector, "k": k, "metric": "cosine"}
        if exact:
            query["use_index"] = False
        else:
            query |= {"nprobes": _PROBES, "refine_factor": _REFINE}
        with self._reading():
            table = self._items.to_table([*self._fields, "_distance"], nearest=query, filter=where, prefilter=True)
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
        with self._reading():
            for batch in self._items.to_batches([self.card.name, "hash"], filter=where, with_row_id=True):
                table = pa.Table.from_batches([batch])
                new = score(_matrix(table[self.card.name], self.card.width), table["hash"].to_pylist())
                ids = np.concatenate([ids, np.asarray(table["_rowid"], np.int64)])
                scores = np.concatenate([scores, new])
                kept = np.argsort(-scores, kind="stable")[:k]
                kept = kept[np.isfinite(scores[kept])]
                ids, scores = ids[kept], scores[kept]
            if not len(ids):
                return []
            chosen = f"_rowid IN ({', '.join(map(str, ids))})"
            table = self._items.to_table(self._fields, filter=chosen, with_row_id=True)
        rows = {row.pop("_rowid"): row for row in table.to_pylist()}
        return [Near(item_of(rows[id]), float(s)) for id, s in zip(ids.tolist(), scores, strict=True)]

    @property
    def _fields(self) -> list[str]:
        """The columns of an ``Item``."""
        return [name for name in self._items.schema.names if name not in ("dated", self.card.name)]

    def vectors(self, most: int | None = None) -> Array:
        """(n, width) the vectors of all items, or of ``most`` of them chosen at random (always the same ones)."""
        rows = self.count()
        with self._reading():
            if most is None or rows <= most:
                table = self._items.to_table(columns=[self.card.name])
            else:
                chosen = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
                table = self._items.take(chosen.tolist(), columns=[self.card.name])
        return _matrix(table[self.card.name], self.card.width)

    def items(self) -> list[Item]:
        """All items, in the order of ``vectors()``."""
        names = [name for name in self._fields if name != "labels"]
        with self._reading():
            return [item_of(row) for row in self._items.to_table(columns=names).to_pylist()]

    # -- thumbnails -------------------------------------------------------------

    def thumbnail(self, hash: str, page: int) -> Path:
        """Where an item's thumbnail is, or will be."""
        return self.folder / "thumbnails" / hash[:2] / f"{hash}-{page}.webp"


def _matrix(column: pa.ChunkedArray, width: int) -> Array:
    return np.asarray(column.combine_chunks().flatten(), np.float32).reshape(-1, width)


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _size(folder: Path) -> int:
    """Bytes of all files below a folder; those a writer removes meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _reason(error: Exception) -> str | None:
    """Why nothing can be written, in a few words; Lance puts it inside a long sentence. None: for another reason."""
    text = _brief(error)
    for known in _NO_ROOM:
        if known.lower() in text.lower():
            return known.lower()
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else None
