"""What was perceived in a catalog's files: one Lance table beside the items.

    facts.lance/   one row a fact; and one a file and perceiver, a mark, which says that it looked and in what version

Facts and their mark are written in one piece, after the texts and vectors that came with them: where there is a
mark, all is there. What a killed run left without one is dropped by the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from catalejo.store import Store  # before Lance, which it tells how to behave

# isort: split
import lance
import pyarrow as pa

from catalejo import upkeep
from catalejo.facts import Fact
from catalejo.passage_rows import box_of
from catalejo.tables import BOX, is_in

if TYPE_CHECKING:
    from lance import LanceDataset

_MARK = "perceived"  # the kind of a mark: ``value`` is the version, ``reason`` why nothing could be perceived
_FACTS = pa.schema(
    [
        pa.field("hash", pa.string(), nullable=False),
        pa.field("page", pa.int32()),
        pa.field("kind", pa.string()),
        pa.field("value", pa.string()),
        pa.field("es", pa.string()),
        pa.field("confidence", pa.float64()),
        pa.field("by", pa.string()),
        pa.field("number", pa.float64()),
        pa.field("box", BOX),
        pa.field("start_s", pa.float64()),
        pa.field("end_s", pa.float64()),
        pa.field("reason", pa.string()),
    ]
)
_DROP = 1_000  # hashes a deletion names


@dataclass(frozen=True)
class Perception:
    """What one perceiver made of one file.

    Attributes:
        hash: of the file.
        by, version: of the perceiver.
        facts: what it found.
        reason: why it could not; empty when it could.
    """

    hash: str
    by: str
    version: str
    facts: tuple[Fact, ...] = ()
    reason: str = ""


class Factbook:
    """The facts of one catalog. Writing methods need the caller to hold ``WriterLock``.

    Args:
        store: of the catalog; its folder, and how what goes wrong is told.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def exists(self) -> bool:
        """Whether anything was ever perceived."""
        return any((self._store.folder / "facts.lance" / "_versions").glob("*.manifest"))

    @cached_property
    def _facts(self) -> LanceDataset:
        with self._store.reading():
            return lance.dataset(str(self._store.folder / "facts.lance"))

    def refresh(self) -> None:
        """See what other processes wrote since."""
        self.__dict__.pop("_facts", None)

    # -- reading ------------------------------------------------------------------

    def of(self, hash: str) -> list[Perception]:
        """What each perceiver made of a file, in the order they wrote."""
        if not self.exists:
            return []
        with self._store.reading():
            rows = self._facts.to_table(filter=is_in("hash", [hash])).to_pylist()
        marks = [row for row in rows if row["kind"] == _MARK]
        facts: dict[str, list[Fact]] = {}
        for row in rows:
            if row["kind"] != _MARK:
                facts.setdefault(row["by"], []).append(_fact(row))
        return [Perception(hash, m["by"], m["value"], tuple(facts.get(m["by"], ())), m["reason"] or "") for m in marks]

    def done(self, by: str, version: str | None = None, failed: bool | None = None) -> set[str]:
        """The hashes of the files a perceiver has looked at.

        Args:
            by: its name.
            version: only in this version.
            failed: only where it could not (True), or could (False).
        """
        if not self.exists:
            return set()
        where = f"kind = '{_MARK}' AND {is_in('by', [by])}"
        where += f" AND {is_in('value', [version])}" if version is not None else ""
        where += "" if failed is None else f" AND reason IS {'NOT ' if failed else ''}NULL"
        with self._store.reading():
            return set(self._facts.to_table(["hash"], filter=where)["hash"].to_pylist())

    def failed(self) -> list[Perception]:
        """What could not be perceived, and why."""
        if not self.exists:
            return []
        with self._store.reading():
            where = f"kind = '{_MARK}' AND reason IS NOT NULL"
            rows = self._facts.to_table(["hash", "by", "value", "reason"], filter=where).to_pylist()
        return [Perception(row["hash"], row["by"], row["value"], (), row["reason"]) for row in rows]

    def hashes(self) -> set[str]:
        """The hashes of all files that anybody has looked at."""
        if not self.exists:
            return set()
        with self._store.reading():
            return set(self._facts.to_table(["hash"], filter=f"kind = '{_MARK}'")["hash"].unique().to_pylist())

    def count(self) -> int:
        """Facts in the table."""
        if not self.exists:
            return 0
        with self._store.reading():
            return int(self._facts.count_rows(f"kind <> '{_MARK}'"))

    # -- writing ------------------------------------------------------------------

    def write(self, found: Sequence[Perception]) -> None:
        """Save what perceivers made of files that they have no mark on; all in one piece."""
        if not found:
            return
        with self._store.writing():
            if not self.exists:
                uri = str(self._store.folder / "facts.lance")
                self.__dict__["_facts"] = lance.write_dataset(_FACTS.empty_table(), uri, mode="create")
            before = self._facts.version
            self.__dict__["_facts"] = lance.write_dataset(_table(found), self._facts, mode="append")
            upkeep.settle(self._facts, before)

    def drop(self, hashes: Iterable[str], by: str) -> None:
        """Forget what a perceiver made of some files."""
        self._delete(hashes, f" AND {is_in('by', [by])}")

    def keep(self, hashes: set[str]) -> int:
        """Drop what belongs to no file of these hashes; how many files that was."""
        gone = self.hashes() - hashes
        self._delete(gone)
        return len(gone)

    def _delete(self, hashes: Iterable[str], more: str = "") -> None:
        gone = sorted(set(hashes))
        if not gone or not self.exists:
            return
        with self._store.writing():
            for start in range(0, len(gone), _DROP):
                self._facts.delete(is_in("hash", gone[start : start + _DROP]) + more)

    def maintain(self) -> None:
        """Compact what many small writes left, index the hashes, remove old versions."""
        if self.exists:
            with self._store.writing():
                upkeep.maintain(self._facts, {"hash": "BTREE"})


def _table(found: Sequence[Perception]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for one in found:
        for fact in one.facts:
            row = {name: getattr(fact, name) for name in _FACTS.names if name not in ("hash", "reason", "by")}
            rows.append(row | {"hash": one.hash, "by": one.by, "es": fact.es or None})
        rows.append({"hash": one.hash, "kind": _MARK, "value": one.version, "by": one.by, "reason": one.reason or None})
    return pa.Table.from_pylist(rows, schema=_FACTS)


def _fact(row: dict[str, Any]) -> Fact:
    return Fact(
        row["kind"],
        row["value"],
        row["confidence"],
        row["by"],
        row["page"] or 0,
        row["es"] or "",
        row["number"],
        box_of(row["box"]),
        row["start_s"],
        row["end_s"],
    )
