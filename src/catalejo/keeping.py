"""The verbs that keep a catalog in order: status, skipped, remove, duplicates, doctor. ``Catalog`` has them too."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalejo.errors import BadQuery, CannotRead, CannotWrite, NoCatalog
from catalejo.judge import Paths
from catalejo.records import Skipped
from catalejo.reports import DuplicateGroup, Finding, Status

if TYPE_CHECKING:
    from catalejo.encoders import Encoder
    from catalejo.shelf import Shelf
    from catalejo.store import Store


class Keeper:
    """Looks after one catalog; ``Catalog`` says which.

    Attributes:
        path: its folder.
    """

    path: Path

    @property
    def encoders(self) -> tuple[Encoder, ...]:
        """The encoders meant."""
        raise NotImplementedError

    @property
    def encoder(self) -> Encoder:
        """The first of them."""
        raise NotImplementedError

    @property
    def _store(self) -> Store:
        raise NotImplementedError

    @property
    def shelf(self) -> Shelf:
        """The documents."""
        raise NotImplementedError

    def skipped(self) -> list[Skipped]:
        """The files that could not be read, with their reasons, by path."""
        self._store.refresh()
        rows = self._store.files("reason IS NOT NULL")
        return sorted((Skipped(row.path, row.reason or "") for row in rows), key=lambda s: s.path)

    def status(self) -> Status:
        """How much is in the catalog, and how it is kept."""
        from catalejo.factbook import Factbook
        from catalejo.knowing import perceivers_of

        self._store.refresh()
        found = self._store.summary()
        return replace(found, facts=Factbook(self._store).count(), perceivers=perceivers_of(self._store))

    def remove(self, *paths: Paths) -> int:
        """Forget files, or all files in a folder; the files themselves are left alone.

        Returns:
            how many files were forgotten.

        Raises:
            CannotRead: none of our files is at, or in, one of the paths.
        """
        from catalejo.factbook import Factbook
        from catalejo.lock import WriterLock

        self._require()
        wanted = [os.path.abspath(os.path.expanduser(os.fspath(p))) for p in paths]
        with WriterLock(self.path) as lock:
            self._store.refresh()
            self._tidy(lock.unfinished)
            found = []
            rows = [row.path for row in self._store.files()]
            for path in wanted:
                inside = [row for row in rows if row == path or row.startswith(os.path.join(path, ""))]
                if not inside:
                    raise CannotRead(path, "the catalog knows no file there")
                found += inside
            found = sorted(set(found))
            self._store.forget(found)
            self._store.sweep()
            if self.shelf.passages.exists:
                self.shelf.refresh()
                self.shelf.passages.keep(self._store.hashes())
            Factbook(self._store).keep(self._store.hashes())
            self._store.maintain()
        return len(found)

    def duplicates(
        self,
        *,
        cosine: float | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[DuplicateGroup]:
        """Files that show the same picture: exact copies first, then near ones.

        Args:
            cosine: least similarity of near duplicates' vectors; None: ``duplicates.COSINE``.
            progress: called with items compared, and of how many.

        Raises:
            BadQuery: several encoders were named.
        """
        from catalejo import duplicates
        from catalejo.space import Space

        if len(self.encoders) > 1:
            raise BadQuery("duplicates are looked for with one encoder; name one")
        self._store.refresh()
        space = Space(self._store, self.encoder.card)
        return [
            *duplicates.exact(self._store),
            *duplicates.near(self._store, space, duplicates.COSINE if cosine is None else cosine, progress),
        ]

    def doctor(self, *, repair: bool = False) -> list[Finding]:
        """What is wrong with the catalog's files, repaired on request; empty when nothing is.

        Raises:
            CatalogBusy: another process is writing to this catalog.
            CannotWrite: to repair, when its folder cannot be written to.
        """
        from catalejo import health
        from catalejo.lock import WriterLock

        self._require()
        with ExitStack() as stack:
            try:
                stack.enter_context(WriterLock(self.path))
            except CannotWrite:  # nobody can be writing to it either
                if repair:
                    raise
            self._store.reopen()
            card = self._store.first_card() or self.encoder.card
            return health.check(self._store, card, repair)

    def _tidy(self, unfinished: bool) -> None:
        """Remove what a writer that died left behind; the next one cannot know of it."""
        from catalejo.reading import stray_thumbnails

        for path in stray_thumbnails(self._store) if unfinished else ():
            path.unlink(missing_ok=True)

    def _require(self) -> None:
        if not self._store.exists:
            raise NoCatalog(self.path)
