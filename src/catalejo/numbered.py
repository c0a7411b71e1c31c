"""Which rows of a table belong to which passage: read once a version, so that a question need not look them up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from lance import LanceDataset

Numbers = npt.NDArray[np.int64]
Addresses = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Numbered:
    """The rows of one version of a table, by number: 40 bytes a row.

    Attributes:
        version: of the table.
        ids: (n,) the number of the passage of each row, in the table's order.
        addresses: (n,) ascending, what Lance calls ``_rowid``.
        addressed: (n,) the row at each of them.
        known: (n,) the numbers, ascending.
        by_id: (n,) the row of each of those.
    """

    version: int
    ids: Numbers
    addresses: Addresses
    addressed: Numbers
    known: Numbers
    by_id: Numbers

    @classmethod
    def of(cls, data: LanceDataset) -> Numbered:
        """Read a table that has a column ``id``."""
        table = data.to_table(["id"], with_row_id=True)
        ids, addresses = np.asarray(table["id"], np.int64), np.asarray(table["_rowid"], np.uint64)
        order, by_id = np.argsort(addresses, kind="stable"), np.argsort(ids, kind="stable")
        return cls(int(data.version), ids, addresses[order], order, ids[by_id], by_id)

    def at(self, addresses: Addresses) -> Numbers:
        """The numbers at some of the addresses, in their order."""
        return self.ids[self.addressed[np.searchsorted(self.addresses, addresses)]]

    def has(self, ids: Numbers) -> npt.NDArray[np.bool_]:
        """(n,) whether any row has each of n numbers."""
        low, high = self._edges(ids)
        return low < high

    def rows(self, ids: Numbers) -> Numbers:
        """All rows of passages, ascending; numbers that no row has are passed over."""
        edges = zip(*map(np.ndarray.tolist, self._edges(np.unique(ids))), strict=True)
        return np.sort(np.concatenate([np.empty(0, np.int64), *(self.by_id[low:high] for low, high in edges)]))

    def _edges(self, ids: Numbers) -> tuple[Numbers, Numbers]:
        return np.searchsorted(self.known, ids, "left"), np.searchsorted(self.known, ids, "right")
