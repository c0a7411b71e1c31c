"""Does a catalog hold together? Check it, and repair what can be repaired.

Nothing here is needed after a crash: the next ``add`` puts right what a run that was killed
left. It is for what other programs and broken disks do. What cannot be read any more is
moved to the catalog's folder ``damaged``, or dropped when the next ``add`` can make it again.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalejo.store import MARK, Store  # before Lance, which it tells how to behave

# isort: split
import lance
import numpy as np
from PIL import Image

from catalejo import upkeep
from catalejo.errors import CatalogDamaged
from catalejo.factbook import Factbook
from catalejo.passage_rows import TEXT
from catalejo.passages import Passages
from catalejo.reading import stray_thumbnails
from catalejo.records import ModelCard
from catalejo.reports import Finding
from catalejo.tables import SEEN, is_in, kinds_of, vector_columns

if TYPE_CHECKING:
    from lance import LanceDataset

_EXAMPLES = 3
_CHUNK = 1000


def check(store: Store, card: ModelCard, repair: bool = False) -> list[Finding]:
    """What is wrong with a catalog; empty when nothing is.

    Args:
        store: of an existing catalog. To repair, the caller holds the writer's lock.
        card: of the encoder the catalog was made with; a lost table is made anew for it.
        repair: mend what is found. What is lost by it is read again by the next ``add``.
    """
    findings = [*_marked(store, card, repair), *_openable(store, card, repair)]
    findings += [finding for step in (_readable, _indices) for finding in step(store, repair)]
    if findings and not repair:
        return findings  # what follows reads the tables from end to end
    files_lost = any("files.lance" in finding.examples for finding in findings)
    store.reopen()
    if any(set(_TEXTS) & set(finding.examples) for finding in findings):
        _drop_texts(store)
    for step in (_texts, _facts, _twice, _pages, _vectors, _files_without_items, _items_without_files, _thumbnails):
        if not (files_lost and step is _items_without_files):  # the next add finds their files by content
            findings += step(store, repair)
    if repair:
        if (texts := Passages(store)).exists:
            texts.keep(store.hashes())  # what was dropped takes its passages along
        Factbook(store).keep(store.hashes())
        for uri in _uris(store):
            upkeep.clean(lance.dataset(str(uri)))
    return findings


def _finding(problem: str, examples: Sequence[str], remedy: str, repair: bool) -> Finding:
    return Finding(f"{len(examples):,} {problem}", tuple(examples[:_EXAMPLES]), remedy, repair)


_TEXTS = ("passages.lance", "sentences.lance")
_FACTS = "facts.lance"
_KEYS = {
    "items.lance": ["hash", "page"],
    "files.lance": ["path"],
    "passages.lance": ["hash", "page", "number", "signal"],
    "sentences.lance": ["hash", "page", "number", "signal", "start"],
}


def _uris(store: Store) -> list[Path]:
    """The tables; those of texts and facts where there are any."""
    texts = _TEXTS if Passages(store).exists else ()
    facts = (_FACTS,) if Factbook(store).exists else ()
    return [store.folder / name for name in ("items.lance", "files.lance", *texts, *facts)]


def _drop_texts(store: Store) -> None:
    """Forget all texts: of tables that lost a part nobody knows which; the next ``add`` reads and perceives again."""
    for name in (*_TEXTS, _FACTS):
        if (store.folder / name).exists():
            shutil.rmtree(store.folder / name)
    _drop(store, sorted({item.hash for item in store.items() if item.kind in ("text", "scan")}))


def _marked(store: Store, card: ModelCard, repair: bool) -> Iterator[Finding]:
    """Can the file be read that says what the folder is? Another format is no damage, and stops here."""
    try:
        store.check_format()
    except CatalogDamaged:
        if repair:
            columns = vector_columns(lance.dataset(str(uri)).schema) if _opens_table(uri := _uris(store)[0]) else {}
            store.mark(next(iter(columns.values()), card))
        yield _finding("files that cannot be read", [MARK], "write it anew", repair)


# -- tables as files --------------------------------------------------------------


def _openable(store: Store, card: ModelCard, repair: bool) -> Iterator[Finding]:
    """Does each table's newest version open? If not, go back to the newest that does."""
    closed = [uri for uri in _uris(store) if not _opens_table(uri)]
    if closed and repair:
        for uri in closed:
            if uri.name in (*_TEXTS, _FACTS):
                if uri.exists():
                    _set_aside(uri)
            else:
                _go_back(uri)
        store.create(card, anew=True)
    if closed:
        names = [uri.name for uri in closed]
        yield _finding("tables that do not open", names, "go back to their last version that does", repair)


def _opens_table(uri: Path) -> bool:
    try:
        lance.dataset(str(uri))
    except BaseException as error:  # Lance raises anything, from OSError to a Rust panic
        _unless_asked_to_stop(error)
        return False
    return True


def _go_back(uri: Path) -> None:
    """Set aside the newest versions until one opens; the whole table when none does."""
    versions = sorted((uri / "_versions").glob("*.manifest"), key=upkeep.version_of)
    while versions and not _opens_table(uri):
        _set_aside(versions.pop())
    if uri.exists() and not _opens_table(uri):
        _set_aside(uri)


def _set_aside(path: Path) -> None:
    table = path if path.suffix == ".lance" else path.parent.parent
    folder = table.parent / "damaged"
    folder.mkdir(exist_ok=True)
    number = 1
    while (aside := folder / f"{number}-{table.name}{'' if path is table else '-' + path.name}").exists():
        number += 1
    path.rename(aside)


def _readable(store: Store, repair: bool) -> Iterator[Finding]:
    """Can each table be read to its end? If not, drop the fragments that cannot."""
    for uri in _uris(store):
        if not _opens_table(uri):
            continue
        dataset = lance.dataset(str(uri))
        bad = [fragment.fragment_id for fragment in dataset.get_fragments() if not _reads(fragment)]
        if not bad:
            continue
        if repair:
            gone = lance.LanceOperation.Delete([], bad, "true")
            lance.LanceDataset.commit(str(uri), gone, read_version=dataset.version)
        problem = f"of {len(dataset.get_fragments()):,} data files that cannot be read"
        yield Finding(f"{len(bad):,} {problem}", (uri.name,), "drop them; the next add reads their files again", repair)


def _reads(fragment: object) -> bool:
    try:
        for _ in fragment.to_batches():  # type: ignore[attr-defined]
            pass
    except BaseException as error:
        _unless_asked_to_stop(error)
        return False
    return True


def _indices(store: Store, repair: bool) -> Iterator[Finding]:
    """Can each index be loaded? If not, drop it; ``add`` builds it anew."""
    for uri in _uris(store):
        if not _opens_table(uri):
            continue
        dataset = lance.dataset(str(uri))
        bad = [index.name for index in dataset.describe_indices() if not _loads(dataset, index.name)]
        for name in bad if repair else ():
            dataset.drop_index(name)
        if bad:
            yield _finding(f"damaged indices of {uri.name}", bad, "drop them; the next add builds them anew", repair)


def _loads(dataset: LanceDataset, index: str) -> bool:
    try:
        dataset.prewarm_index(index)
    except BaseException as error:
        _unless_asked_to_stop(error)
        return False
    return True


def _unless_asked_to_stop(error: BaseException) -> None:
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        raise error


# -- rows -------------------------------------------------------------------------


def _texts(store: Store, repair: bool) -> Iterator[Finding]:
    """Documents without their tables; passages of no item, as a run that was killed leaves."""
    texts = Passages(store)
    if not texts.exists:
        lost = sorted({item.hash for item in store.items() if item.kind == "text"})
        if lost:
            if repair:
                _drop_texts(store)
            yield _finding("documents whose passages are lost", lost, "read their files again", repair)
        return
    stray = sorted(texts.hashes() - store.hashes())
    if stray:
        if repair:
            texts.keep(store.hashes())
        yield _finding("documents whose passages belong to no item", stray, "drop them", repair)
    broken, facts, known = texts.torn(), Factbook(store), store.hashes()
    read = {(hash, by) for by in {by for _, by in broken} - {TEXT} for hash in facts.done(by)}
    again = sorted((hash, by) for hash, by in broken & read if hash in known)  # without a mark, it is not finished
    if again:
        for hash, by in again if repair else ():
            facts.drop([hash], by)
            texts.drop([hash], by)
        yield _finding("files with damaged texts that were perceived", [h for h, _ in again], "perceive again", repair)
    torn = sorted({hash for hash, by in broken if by == TEXT} & known)
    if torn:
        if repair:
            _drop(store, torn)
            texts.keep(store.hashes())
        yield _finding("documents with damaged passages", torn, "read their files again", repair)


def _facts(store: Store, repair: bool) -> Iterator[Finding]:
    """Facts of no item."""
    facts = Factbook(store)
    stray = sorted(facts.hashes() - store.hashes())
    if stray:
        if repair:
            facts.keep(store.hashes())
        yield _finding("files whose facts belong to no item", stray, "drop them", repair)


def _twice(store: Store, repair: bool) -> Iterator[Finding]:
    """The same path, or the same page of the same bytes, on two rows."""
    for uri in _uris(store):
        if uri.name not in _KEYS:
            continue
        dataset = lance.dataset(str(uri))
        keys = [key for key in _KEYS[uri.name] if key in dataset.schema.names]
        first: set[tuple[object, ...]] = set()
        extra: list[int] = []
        examples: list[str] = []
        for batch in dataset.to_batches(columns=keys, with_row_id=True):
            for row in batch.to_pylist():
                key = tuple(row[k] for k in keys)
                if key in first:
                    extra.append(row["_rowid"])
                    examples.append(str(key[0]))
                first.add(key)
        if extra:
            for start in range(0, len(extra) if repair else 0, _CHUNK):
                dataset.delete(f"_rowid IN ({', '.join(map(str, extra[start : start + _CHUNK]))})")
            store.reopen()
            yield _finding(f"rows twice in {uri.name}", examples, "drop the second", repair)


def _pages(store: Store, repair: bool) -> Iterator[Finding]:
    """Files of which the first page, or one between others, is missing."""
    pages: dict[str, set[int]] = defaultdict(set)
    for item in store.items():
        pages[item.hash].add(item.page)
    bad = sorted(hash for hash, numbers in pages.items() if max(numbers) + 1 != len(numbers))
    if bad:
        if repair:
            _drop(store, bad)
        yield _finding("items with pages missing", bad, "read their files again", repair)


def _vectors(store: Store, repair: bool) -> Iterator[Finding]:
    """Vectors that are none. In the first space every item has one; in the others it may still be missing."""
    for number, (column, card) in enumerate(store.columns().items()):
        hashes = sorted(_not_unit(store, column, card, must=number == 0))
        if not hashes:
            continue
        if repair and number == 0:
            _drop(store, hashes)
        elif repair:
            with store.writing():
                for start in range(0, len(hashes), _CHUNK):
                    store.dataset.update({column: "NULL"}, is_in("hash", hashes[start : start + _CHUNK]))
        again = f"catalejo encode --encoder {card.name} makes them again" if number else "read their files again"
        yield _finding(f"items with a vector of {card.name} that is not of length 1", hashes, again, repair)


def _not_unit(store: Store, column: str, card: ModelCard, must: bool) -> set[str]:
    """The hashes of items with a wrong vector in this column, or with none where there must be one."""
    found: set[str] = set()
    items = lance.dataset(str(store.folder / "items.lance"))
    for batch in items.to_batches(columns=["hash", column], filter=is_in("kind", kinds_of(card))):
        there = np.asarray(batch[column].is_valid())
        vectors = np.asarray(batch[column].fill_null([float("nan")] * card.width).flatten(), np.float64)
        lengths = np.linalg.norm(vectors.reshape(-1, card.width), axis=1)
        right = np.abs(lengths - 1) < 1e-3  # NaN is not < either
        if card.family == "symbolic":  # a picture without any concept
            right |= lengths == 0
        wrong = ~right & (there | must)
        found |= {hash for hash, is_wrong in zip(batch["hash"].to_pylist(), wrong, strict=True) if is_wrong}
    return found


def _files_without_items(store: Store, repair: bool) -> Iterator[Finding]:
    hashes = store.hashes()
    paths = [r.path for r in store.files() if (r.hash not in hashes if r.hash else r.reason is None)]
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


# -- thumbnails -------------------------------------------------------------------


def _thumbnails(store: Store, repair: bool) -> Iterator[Finding]:
    missing = sorted(
        {i.hash for i in store.items() if i.kind in (*SEEN, "audio") and not _opens(store.thumbnail(i.hash, i.page))}
    )
    if missing:
        if repair:
            _drop(store, missing)
        yield _finding("items without a readable thumbnail", missing, "read their files again", repair)
    stray = stray_thumbnails(store)
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
    for start in range(0, len(hashes), _CHUNK):
        found = store.paths(hashes[start : start + _CHUNK])
        store.forget([path for paths in found.values() for path in paths])
    store.sweep()
