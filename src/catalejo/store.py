"""Two Lance tables in the catalog's folder, thumbnails beside them. ``space`` searches a vector column.

    catalog/
      catalejo.json     marks the folder as a catalog: its format, and the encoder it was made with
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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

# Lance reads ahead up to 2 GB unless told otherwise; with 32 MB an index over 200,000 rows peaks 150 MB lower.
os.environ.setdefault("LANCE_DEFAULT_IO_BUFFER_SIZE", str(32 << 20))
os.environ.setdefault("LANCE_LOG", "error")  # its warnings would stand on standard error
os.environ.setdefault("LANCE_INCLUDE_VECTOR_CENTROIDS", "false")  # in the statistics of an index

import lance
import pyarrow as pa
from pyarrow.compute import min_max

from catalejo import upkeep
from catalejo.disk import no_room, refusal, size_of
from catalejo.errors import CannotRead, CannotWrite, CatalogDamaged, NoCatalog, WrongFormat, brief
from catalejo.records import Item, ModelCard, SpaceStatus, to_json
from catalejo.reports import Status
from catalejo.tables import (
    FILES,
    TIMES,
    FileRow,
    ItemRow,
    card_of,
    escape,
    file_rows,
    files_table,
    is_in,
    item_of,
    items_schema,
    items_table,
    kinds_of,
    unescape,
    vector_columns,
)

if TYPE_CHECKING:
    from lance import LanceDataset

FORMAT = 1
MARK = "catalejo.json"


class Store:
    """The tables of one catalog. Writing methods need the caller to hold ``WriterLock``.

    Args:
        folder: the catalog's folder.

    Raises:
        NoCatalog: on reading, when nothing was ever added.
        WrongFormat: another version of catalejo made it.
        CatalogDamaged: the tables cannot be read.
        CannotWrite: on writing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # -- opening ----------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether there is a catalog here."""
        return (self.folder / MARK).is_file()

    def create(self, card: ModelCard, anew: bool = False) -> None:
        """Make an empty catalog, or finish one whose making was cut short.

        Args:
            card: of the encoder whose vectors its first column will hold.
            anew: in an existing catalog too, put an empty table where one is missing.
        """
        if self.exists and not anew:
            return
        with self.writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, schema in (("items", items_schema(card)), ("files", FILES)):
                if not any((self.folder / f"{name}.lance" / "_versions").glob("*.manifest")):
                    lance.write_dataset(schema.empty_table(), self._uri(name), mode="create")
            if not self.exists:
                self.mark(card)

    def widen(self) -> None:
        """Give an items table that an earlier version made the columns that came later."""
        with self.writing():
            self.dataset = upkeep.widen(self.dataset, pa.schema(TIMES))

    def mark(self, card: ModelCard) -> None:
        """Mark the folder as a catalog made with this encoder."""
        with self.writing():
            scratch = self.folder / f".{MARK}"
            mark = {"format": FORMAT, "card": to_json(card)}
            scratch.write_text(json.dumps(mark) + "\n", encoding="utf-8")
            scratch.replace(self.folder / MARK)

    def _uri(self, name: str) -> str:
        return str(self.folder / f"{name}.lance")

    def _open(self, name: str) -> LanceDataset:
        self.check_format()
        try:
            return lance.dataset(self._uri(name))
        except (OSError, ValueError, RuntimeError) as error:
            raise CatalogDamaged(self.folder, f"{name} cannot be opened ({brief(error)})") from error

    def check_format(self) -> None:
        """Raise ``NoCatalog``, ``CatalogDamaged`` or ``WrongFormat`` unless the folder bears our mark."""
        try:
            found = json.loads((self.folder / MARK).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NoCatalog(self.folder) from error
        except NotADirectoryError as error:
            raise CannotRead(str(self.folder), "it is a file; -c takes the folder of a catalog") from error
        except (OSError, ValueError) as error:
            raise CatalogDamaged(self.folder, f"{MARK} cannot be read ({brief(error)})") from error
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise WrongFormat(self.folder, found.get("format") if isinstance(found, dict) else found, FORMAT)

    @cached_property
    def dataset(self) -> LanceDataset:
        """The items table."""
        return self._open("items")

    def cards(self) -> list[ModelCard]:
        """The encoders whose vectors are here; the first is the one ``add`` uses."""
        return list(self.columns().values())

    def columns(self) -> dict[str, ModelCard]:
        """Column of vectors -> whose they are, in the order they were made."""
        return vector_columns(self.dataset.schema)

    def first_card(self) -> ModelCard | None:
        """The card of the encoder this catalog was made with, even where its tables are damaged; None: unknown."""
        try:
            return self.cards()[0]
        except (CatalogDamaged, IndexError):
            try:
                stored = json.loads((self.folder / MARK).read_text(encoding="utf-8"))
                return card_of(stored["card"])
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                return None

    @cached_property
    def _files(self) -> LanceDataset:
        return self._open("files")

    def reopen(self) -> None:
        """Forget the open tables; what is on disk is opened anew when needed."""
        self.__dict__.pop("dataset", None)
        self.__dict__.pop("_files", None)

    def refresh(self) -> None:
        """See what other processes wrote since; files first, so that every file seen has its item."""
        for name in ("_files", "dataset"):
            if name in self.__dict__:
                try:
                    self.__dict__[name] = upkeep.newest(self.__dict__[name])
                except (OSError, ValueError, RuntimeError) as error:
                    raise CatalogDamaged(self.folder, brief(error)) from error

    @property
    def version(self) -> tuple[int, int]:
        """Changes with every write."""
        return int(self.dataset.version), int(self._files.version)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turns what Lance raises into ``CannotWrite`` or ``CatalogDamaged``."""
        try:
            yield
        except (OSError, RuntimeError, pa.ArrowException) as error:
            self.reopen()
            _unless_interrupted(error)
            reason = no_room(self.folder) or refusal(error)
            if reason is None:  # Lance also reads while it writes, and met a file that is gone or cut
                raise CatalogDamaged(self.folder, brief(error)) from error
            raise CannotWrite(self.folder, reason) from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turns what Lance raises into ``CatalogDamaged``."""
        try:
            yield
        except (OSError, RuntimeError, ValueError, pa.ArrowException) as error:  # ValueError: no such column
            _unless_interrupted(error)
            raise CatalogDamaged(self.folder, brief(error)) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Rust's, of a file cut short; no Exception, and not exported
                raise
            raise CatalogDamaged(self.folder, brief(RuntimeError(str(error)))) from error

    # -- files ------------------------------------------------------------------

    def known(self, paths: Sequence[str]) -> dict[str, FileRow]:
        """The rows of those of these paths that we know."""
        if not paths or not self._files.count_rows():
            return {}
        with self.reading():
            table = self._files.to_table(filter=is_in("path", [escape(p) for p in paths]))
        return {row.path: row for row in file_rows(table)}

    def files(self, where: str | None = None) -> Iterator[FileRow]:
        """All file rows, or those under an SQL condition, in batches."""
        with self.reading():
            for batch in self._files.to_batches(filter=where):
                yield from file_rows(pa.Table.from_batches([batch]))

    def paths(self, hashes: Iterable[str]) -> dict[str, list[str]]:
        """hash -> the paths that hold those bytes, sorted."""
        wanted = sorted(set(hashes))
        found: dict[str, list[str]] = {}
        if wanted:
            with self.reading():
                table = self._files.to_table(columns=["path", "hash"], filter=is_in("hash", wanted))
            for row in table.to_pylist():
                found.setdefault(row["hash"], []).append(unescape(row["path"]))
        return {key: sorted(value) for key, value in found.items()}

    def hashes_under(self, folder: str) -> set[str]:
        """The hashes of the files in a folder, given with its final separator."""
        prefix = escape(folder).replace("'", "''")
        with self.reading():
            table = self._files.to_table(columns=["hash"], filter=f"starts_with(path, '{prefix}') AND hash IS NOT NULL")
        return set(table["hash"].to_pylist())

    def hashes(self) -> set[str]:
        """The hashes of all items."""
        with self.reading():
            return set(self.dataset.to_table(columns=["hash"])["hash"].to_pylist())

    def hashes_of(self, kinds: Sequence[str]) -> list[str]:
        """The hashes of items of these kinds, each once, in the order of the table."""
        with self.reading():
            table = self.dataset.to_table(columns=["hash"], filter=is_in("kind", kinds))
        return list(dict.fromkeys(table["hash"].to_pylist()))

    def items_of(self, hashes: Sequence[str]) -> dict[str, list[tuple[Item, datetime]]]:
        """hash -> its items by page, each with the date it is filed under; labels are left out."""
        names = [name for name in self.fields if name != "labels"]
        with self.reading():
            table = self.dataset.to_table(columns=[*names, "dated"], filter=is_in("hash", hashes))
        found: dict[str, list[tuple[Item, datetime]]] = {}
        for row in sorted(table.to_pylist(), key=lambda row: int(row["page"])):
            dated = row.pop("dated")
            found.setdefault(row["hash"], []).append((item_of(row), dated))
        return found

    # -- writing ----------------------------------------------------------------

    def write(
        self,
        card: ModelCard,
        items: Sequence[ItemRow],
        fresh: Sequence[FileRow],
        changed: Sequence[FileRow] = (),
    ) -> None:
        """Save items, then the files that hold them.

        Args:
            card: of the encoder that made the items' vectors.
            items: whose hash is not in the table yet; all pages of a file together.
            fresh: rows of paths not in the table.
            changed: rows that replace those of the same path.
        """
        with self.writing():
            if items:
                before = self.dataset.version
                self.dataset = lance.write_dataset(items_table(items, card), self.dataset, mode="append")
                upkeep.settle(self.dataset, before)
            if fresh:
                before = self._files.version
                self._files = lance.write_dataset(files_table(fresh), self._files, mode="append")
                upkeep.settle(self._files, before)
            if changed:
                before = self._files.version
                merge = self._files.merge_insert("path").when_matched_update_all().when_not_matched_insert_all()
                merge.execute(files_table(changed))
                upkeep.settle(self._files, before)

    def forget(self, paths: Sequence[str]) -> None:
        """Drop the rows of these paths; their items go with ``sweep`` if no other path holds them."""
        with self.writing():
            for start in range(0, len(paths), 1000):
                self._files.delete(is_in("path", [escape(p) for p in paths[start : start + 1000]]))

    def sweep(self) -> list[str]:
        """Drop items no file holds, and their thumbnails; returns their hashes."""
        with self.reading():
            held = set(self._files.to_table(columns=["hash"])["hash"].to_pylist())
        orphans = sorted(self.hashes() - held)
        with self.writing():
            for start in range(0, len(orphans), 1000):
                self.dataset.delete(is_in("hash", orphans[start : start + 1000]))
        for hash in orphans:
            for path in self.thumbnail(hash, 0).parent.glob(f"{hash}-*.webp"):
                path.unlink(missing_ok=True)
        return orphans

    def maintain(self) -> None:
        """Compact what many small writes left, build and extend indices, remove old versions."""
        with self.writing():
            vectors = dict.fromkeys(self.columns(), "IVF")
            upkeep.maintain(self.dataset, vectors | {"hash": "BTREE"})
            upkeep.maintain(self._files, {"path": "BTREE", "hash": "BTREE"})

    def tidy(self) -> None:
        """Remove old versions of the items, and what Lance remembers of them: 3 MB each at 200,000 items."""
        with self.writing():
            upkeep.clean(self.dataset)
        self.reopen()

    def count(self, kinds: Sequence[str] = ()) -> int:
        """Items in the table, or those of these kinds."""
        with self.reading():
            return int(self.dataset.count_rows(is_in("kind", kinds) if kinds else None))

    def having(self, column: str) -> int:
        """Items with a vector in this column."""
        with self.reading():
            return int(self.dataset.count_rows(f"`{column}` IS NOT NULL"))

    def summary(self) -> Status:
        """What is in the catalog."""
        with self.reading():
            dates = self.dataset.to_table(columns=["dated"])["dated"].drop_null()
            files, skipped = (self._files.count_rows(f"{column} IS NOT NULL") for column in ("hash", "reason"))
        low_high = (min_max(dates).as_py() or {}) if len(dates) else {}
        spaces = tuple(self._space(column, card) for column, card in self.columns().items())
        return Status(
            str(self.folder),
            spaces,
            self.count(),
            int(files),
            int(skipped),
            round(sum(size_of(table) for table in self.folder.glob("*.lance")) / 1e6, 1),
            round(size_of(self.folder / "thumbnails") / 1e6, 1),
            upkeep.has_index(self.dataset, next(iter(self.columns()))),
            low_high.get("min"),
            low_high.get("max"),
            pictures=self.count(["image"]),
            texts=self.count(["text"]),
            scans=self.count(["scan"]),
            stretches=self.count(["audio"]),
            shots=self.count(["video"]),
        )

    def _space(self, column: str, card: ModelCard) -> SpaceStatus:
        there = self.having(column)
        return SpaceStatus(card.name, there, self.count(kinds_of(card)) - there)

    @property
    def fields(self) -> list[str]:
        """The columns of an ``Item``."""
        return [name for name in self.dataset.schema.names if name not in {*self.columns(), "dated"}]

    def items(self) -> list[Item]:
        """All items, in the order of the table."""
        names = [name for name in self.fields if name != "labels"]
        with self.reading():
            return [item_of(row) for row in self.dataset.to_table(columns=names).to_pylist()]

    # -- thumbnails -------------------------------------------------------------

    def thumbnail(self, hash: str, page: int) -> Path:
        """Where an item's thumbnail is, or will be."""
        return self.folder / "thumbnails" / hash[:2] / f"{hash}-{page}.webp"


def _unless_interrupted(error: Exception) -> None:
    """Raise the KeyboardInterrupt again that came while Lance was reading from us, and that it wrapped."""
    if "KeyboardInterrupt" in str(error):
        raise KeyboardInterrupt from error
