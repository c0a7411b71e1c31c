"""Does a catalog hold together? Check it, and repair what can be repaired.

Nothing here is needed after a crash: every run leaves the tables whole. It is for what
other programs and broken disks do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import lance
import numpy as np
from PIL import Image

from catalejo.records import Finding
from catalejo.store import Store

_EXAMPLES = 3


def check(store: Store, repair: bool = False) -> list[Finding]:
    """What is wrong with a catalog; empty when nothing is.

    Args:
        store: of an existing catalog. To repair, the caller holds the writer's lock.
        repair: mend what is found. What is lost by it is read again by the next ``add``.
    """
    findings = [*_tables(store, repair)]
    if not findings or repair:
        for step in (_twice, _vectors, _files_without_items, _items_without_files, _thumbnails):
            findings += step(store, repair)
    if repair:
        for name in ("items", "files"):
            lance.dataset(str(store.folder / f"{name}.lance")).cleanup_old_versions(
                timedelta(minutes=10), delete_unverified=True
            )
    return findings


def _finding(problem: str, examples: Sequence[str], remedy: str, repair: bool) -> Finding:
    return Finding(f"{len(examples):,} {problem}", tuple(examples[:_EXAMPLES]), remedy, repair)


def _tables(store: Store, repair: bool) -> Iterator[Finding]:
    """Can both tables be read to the end? If not, go back to the newest version that can."""
    broken = [name for name in ("items", "files") if not _reads(store.folder / f"{name}.lance")]
    for name in broken:
        if repair:
            _go_back(store.folder / f"{name}.lance")
    if broken:
        if repair:
            store.create()
            store.reopen()
        yield _finding("damaged tables", broken, "go back to their last readable version", repair)


def _reads(uri: Path, version: int | None = None) -> bool:
    try:
        for _ in lance.dataset(str(uri), version=version).to_batches():
            pass
    except Exception:  # a damaged table raises anything, from OSError to a Rust panic
        return False
    return True


def _go_back(uri: Path) -> None:
    try:
        versions = [v["version"] for v in lance.dataset(str(uri)).versions()]
    except Exception:
        versions = []
    for version in sorted(versions, reverse=True):
        if _reads(uri, version):
            lance.dataset(str(uri), version=version).restore()
            return
    if uri.exists():
        number = 1
        while (aside := uri.with_name(f"{uri.name}.damaged-{number}")).exists():
            number += 1
        uri.rename(aside)


def _twice(store: Store, repair: bool) -> Iterator[Finding]:
    """The same path, or the same page of the same bytes, on two rows."""
    for name, keys in (("files", ["path"]), ("items", ["hash", "page"])):
        dataset = lance.dataset(str(store.folder / f"{name}.lance"))
        rows = dataset.to_table(columns=keys, with_row_id=True).to_pylist()
        first: set[tuple[object, ...]] = set()
        extra = [r for r in rows if (key := tuple(r[k] for k in keys)) in first or first.add(key)]  # type: ignore[func-returns-value]
        if extra:
            if repair:
                dataset.delete(f"_rowid IN ({', '.join(str(r['_rowid']) for r in extra)})")
                store.reopen()
            yield _finding(f"rows twice in {name}", [str(r[keys[0]]) for r in extra], "drop the second", repair)


def _vectors(store: Store, repair: bool) -> Iterator[Finding]:
    lengths = np.linalg.norm(store.vectors().astype(np.float64), axis=1)
    bad = np.flatnonzero(~(np.abs(lengths - 1) < 1e-3))  # NaN is not < either
    if len(bad):
        items = store.items()
        hashes = sorted({items[i].hash for i in bad})
        if repair:
            _drop(store, hashes)
        yield _finding("items with a vector that is not of length 1", hashes, "read their files again", repair)


def _files_without_items(store: Store, repair: bool) -> Iterator[Finding]:
    hashes = store.hashes()
    paths = [row.path for row in store.files("hash IS NOT NULL") if row.hash not in hashes]
    if paths:
        if repair:
            store.forget(paths)
        yield _finding("files whose items are missing", paths, "forget them; the next add reads them again", repair)


def _items_without_files(store: Store, repair: bool) -> Iterator[Finding]:
    held = {row.hash for row in store.files("hash IS NOT NULL")}
    orphans = sorted(store.hashes() - held)
    if orphans:
        if repair:
            store.sweep()
        yield _finding("items that no file holds", orphans, "drop them", repair)


def _thumbnails(store: Store, repair: bool) -> Iterator[Finding]:
    wanted = {store.thumbnail(i.hash, i.page): i.hash for i in store.items()}
    there = {p for p in (store.folder / "thumbnails").glob("*/*") if p.is_file()}
    missing = sorted({hash for path, hash in wanted.items() if path not in there or not _opens(path)})
    if missing:
        if repair:
            _drop(store, missing)
        yield _finding("items without a readable thumbnail", missing, "read their files again", repair)
    stray = sorted(there - set(wanted))
    if stray:
        for path in stray if repair else ():
            path.unlink(missing_ok=True)
        yield _finding("thumbnails of nothing", [str(p) for p in stray], "delete them", repair)


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            picture.load()
    except Exception:
        return False
    return True


def _drop(store: Store, hashes: Sequence[str]) -> None:
    """Forget the files of these items and the items themselves; the next ``add`` reads them again."""
    store.forget([path for paths in store.paths(hashes).values() for path in paths])
    store.sweep()

