"""Another encoder's vectors for what a catalog holds: all of it, whatever happens to the files and to us."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pytest
from making import Counting, Other, child, counting_encoder, open_to_all, paths, pictures, save, save_pages, stamp  # noqa: F401
from PIL import Image
from tiny_models import FOLDER, PICTURES, expected

from catalejo import Catalog, encoding, upkeep
from catalejo.encoders import Encoded
from catalejo.errors import (
    BadModel,
    BadQuery,
    CatalogBusy,
    DamagedWeights,
    NoCatalog,
    NotEncoded,
    WrongEncoder,
)
from catalejo.lock import WriterLock
from catalejo.records import Limits
from catalejo.reports import EncodeReport

TINY = FOLDER / "clip-transformersjs"

pytestmark = pytest.mark.usefixtures("counting")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine pictures in three folders, and a TIFF with three pages."""
    pictures(tmp_path / "pictures", 9)
    save_pages(tmp_path / "pictures" / "pages.tif", [31, 32, 33])
    return tmp_path / "pictures"


@pytest.fixture
def catalog(tmp_path: Path, folder: Path) -> Catalog:
    """Of those, made with ``counting``, meaning ``other``, which it has nothing of yet."""
    Catalog(tmp_path / "c", encoder="counting").add(folder)
    return Catalog(tmp_path / "c", encoder="other")


def encode(catalog: Catalog, **options: Any) -> EncodeReport:
    (report,) = Catalog(catalog.path, encoder=catalog._named).encode(**options)
    return report


def stored(catalog: Catalog, column: str = "other") -> dict[tuple[str, int], tuple[float, ...] | None]:
    """Hash and page -> vector, of all rows."""
    rows = lance.dataset(str(catalog.path / "items.lance")).to_table(["hash", "page", column]).to_pylist()
    assert len({(row["hash"], row["page"]) for row in rows}) == len(rows)
    return {(row["hash"], row["page"]): row[column] and tuple(row[column]) for row in rows}


def waiting(catalog: Catalog) -> dict[str, int]:
    """Encoder -> items that still wait for it."""
    status = catalog.status()
    return {space.encoder: status.items - space.items for space in status.spaces}


def of_file(catalog: Catalog, path: Path) -> list[tuple[float, ...] | None]:
    """The vectors of a file's pages, in their order."""
    hash = paths(catalog.path)[str(path)]
    return [vector for (at, _), vector in sorted(stored(catalog).items()) if at == hash]


def right(path: Path) -> list[tuple[float, ...]]:
    """The vectors a file's pages should have."""
    with Image.open(path) as opened:
        found = []
        for page in range(getattr(opened, "n_frames", 1)):
            opened.seek(page)
            found.append(tuple(Other().encode_images([opened.convert("RGB")])[0].vector.tolist()))
    return found


# -- what it makes ---------------------------------------------------------------------


def test_vectors_are_those_of_the_reference_library(tmp_path: Path) -> None:
    """The tiny model's own pictures, as transformers encodes them; see the fixture's README."""
    Catalog(tmp_path / "c", encoder="counting").add(FOLDER / "pictures")
    catalog = Catalog(tmp_path / "c", encoder=str(TINY))
    assert encode(catalog).encoded == len(PICTURES)
    found, known = stored(catalog, "clip_transformersjs"), paths(catalog.path)
    for name, vector in zip(PICTURES, expected("clip-transformersjs")["image_vectors"], strict=True):
        mine = found[known[str(FOLDER / "pictures" / name)] or "", 0]
        assert mine is not None
        assert np.abs(np.array(mine) - vector).max() <= 1e-4


def test_six_photographs_and_a_tiff_get_what_an_add_with_that_encoder_gives(samples: Path, tmp_path: Path) -> None:
    pages = save_pages(tmp_path / "p" / "pages.tif", [1, 2, 3, 4])
    Catalog(tmp_path / "c", encoder="counting").add(samples, pages)
    beside = Catalog(tmp_path / "c", encoder=str(TINY))
    report = encode(beside)
    assert (report.encoder, report.encoded, report.already, report.skipped) == ("clip-transformersjs", 10, 0, ())
    assert not report.stopped
    alone = Catalog(tmp_path / "d", encoder=str(TINY))
    alone.add(samples, pages)
    both = stored(beside, "clip_transformersjs"), stored(alone, "clip_transformersjs")
    assert both[0].keys() == both[1].keys()
    for key, vector in both[0].items():
        assert vector is not None
        assert np.allclose(vector, both[1][key] or (), atol=1e-6)
    assert len({vector for (_, page), vector in both[0].items()}) == 10, "each page has its own"
    assert beside.search("a cat").hits[0].hash == alone.search("a cat").hits[0].hash
    assert beside.doctor() == []


def test_each_page_has_its_own_vector(catalog: Catalog, folder: Path) -> None:
    assert encode(catalog).encoded == 12
    for path in (folder / "pages.tif", folder / "part 0" / "picture 003.bmp"):
        found = of_file(catalog, path)
        assert len(found) == len(right(path))
        for mine, wanted in zip(found, right(path), strict=True):
            assert mine == pytest.approx(wanted, abs=1e-6)


def test_the_first_space_is_as_before(catalog: Catalog) -> None:
    before = stored(catalog, "counting"), Catalog(catalog.path).search("x", k=20)
    encode(catalog)
    after = Catalog(catalog.path).search("x", k=20)
    assert stored(catalog, "counting") == before[0]
    assert after.hits == before[1].hits
    assert after.line == before[1].line
    assert [space.encoder for space in catalog.status().spaces] == ["counting", "other"]
    assert Catalog(catalog.path).encoder.card.name == "counting"


def test_a_second_run_encodes_nothing(catalog: Catalog) -> None:
    encode(catalog)
    Other.reset()
    report = encode(catalog)
    assert (report.encoded, report.already, Other.seen) == (0, 12, [])


def test_files_added_later_wait_and_only_they_are_encoded(catalog: Catalog, folder: Path) -> None:
    encode(catalog)
    before = stored(catalog)
    save(folder / "new.png", 70)
    (folder / "copy.png").write_bytes((folder / "part 0" / "picture 003.bmp").read_bytes())
    Catalog(catalog.path).add(folder)
    assert waiting(catalog) == {"counting": 0, "other": 1}, "a copy has its vector already"
    Other.reset()
    report = encode(catalog)
    assert (report.encoded, report.already, len(Other.seen)) == (1, 12, 1)
    assert waiting(catalog) == {"counting": 0, "other": 0}
    assert {key: vector for key, vector in stored(catalog).items() if key in before} == before


def test_anew_encodes_all_of_it_again(catalog: Catalog) -> None:
    encode(catalog)
    before = stored(catalog)
    Other.reset()
    report = encode(catalog, anew=True)
    assert (report.encoded, report.already) == (12, 0)
    assert len(Other.seen) == 12 + 1, "and the picture it was tried on"
    assert stored(catalog) == before


def test_several_encoders_one_after_the_other(catalog: Catalog) -> None:
    both = Catalog(catalog.path, encoder=["other", str(TINY)])
    told: list[tuple[str, int, int]] = []
    reports = both.encode(progress=lambda *now: told.append(now))
    assert [(r.encoder, r.encoded) for r in reports] == [("other", 12), ("clip-transformersjs", 12)]
    assert [space.encoder for space in both.status().spaces] == ["counting", "other", "clip-transformersjs"]
    assert {name for name, _, _ in told} == {"other", "clip-transformersjs"}


def test_the_encoder_the_catalog_was_made_with_has_nothing_to_do(catalog: Catalog) -> None:
    Counting.reset()
    report = encode(Catalog(catalog.path))
    assert (report.encoder, report.encoded, report.already, Counting.seen) == ("counting", 0, 12, [])
    with pytest.raises(BadQuery, match=r"made with counting.*new catalog"):
        Catalog(catalog.path, encoder="counting").encode(anew=True)
    with pytest.raises(BadQuery, match="made with counting"):
        Catalog(catalog.path, encoder="other,counting").encode(anew=True)
    assert len(stored(catalog, "counting")) == 12


def test_progress_counts_items_and_comes_to_the_end(catalog: Catalog, folder: Path) -> None:
    (folder / "pages.tif").unlink()
    told: list[tuple[str, int, int]] = []
    encode(catalog, progress=lambda *now: told.append(now))
    done = [now for _, now, _ in told]
    assert len(told) == 10, "once a file"
    assert done == sorted(done)
    assert told[-1] == ("other", 12, 12), "a file that failed counts with all its pages"


def test_an_empty_catalog(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    Catalog(tmp_path / "c", encoder="counting").add(tmp_path / "empty")
    catalog = Catalog(tmp_path / "c", encoder="other")
    assert encode(catalog).encoded == 0
    assert catalog.search("x").nothing_matches
    save(tmp_path / "empty" / "a.png", 1)
    Catalog(catalog.path).add(tmp_path / "empty")
    assert encode(catalog).encoded == 1


def test_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(NoCatalog, match="add FOLDER"):
        Catalog(tmp_path / "c", encoder="other").encode()
    assert not (tmp_path / "c").exists()


def test_what_is_not_encoded_cannot_be_asked_and_the_line_says_how(catalog: Catalog) -> None:
    with pytest.raises(NotEncoded, match=r"no vectors of other \(it has: counting\).*encode --encoder other$"):
        catalog.search("x")


# -- files ---------------------------------------------------------------------------------


def gone(folder: Path) -> None:
    (folder / "part 0" / "picture 003.bmp").unlink()


def gone_pages(folder: Path) -> None:
    (folder / "pages.tif").unlink()


def changed(folder: Path) -> None:
    save(folder / "part 0" / "picture 003.bmp", 1_000)


def damaged(folder: Path) -> None:
    path = folder / "part 0" / "picture 003.bmp"
    os.truncate(path, path.stat().st_size // 2)


def emptied(folder: Path) -> None:
    os.truncate(folder / "part 0" / "picture 003.bmp", 0)


def a_folder(folder: Path) -> None:
    gone(folder)
    (folder / "part 0" / "picture 003.bmp").mkdir()


def fewer_pages(folder: Path) -> None:
    save_pages(folder / "pages.tif", [31, 32])


TROUBLE: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "gone": (gone, 1, "no such file or directory"),
    "three pages gone": (gone_pages, 3, "no such file or directory"),
    "changed": (changed, 1, "it has changed since it was added"),
    "damaged": (damaged, 1, ""),
    "emptied": (emptied, 1, "empty"),
    "a folder instead": (a_folder, 1, "directory"),
    "pages changed": (fewer_pages, 3, "it has changed since it was added"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_file_in_trouble_is_told_and_the_others_are_encoded(catalog: Catalog, folder: Path, trouble: str) -> None:
    do, items, reason = TROUBLE[trouble]
    do(folder)
    report = encode(catalog)
    (skipped,) = report.skipped
    assert skipped.path in (str(folder / "part 0" / "picture 003.bmp"), str(folder / "pages.tif"))
    assert reason in skipped.reason.lower() and skipped.reason
    assert (report.encoded, waiting(catalog)["other"]) == (12 - items, items)
    assert catalog.doctor() == [], "an item that waits is nothing wrong"
    assert len(catalog.search("x", k=50).hits) == 12 - items
    again = encode(catalog)
    assert (again.encoded, again.already, again.skipped) == (0, 12 - items, report.skipped), "and is tried again"


@pytest.mark.parametrize("trouble", ["gone", "changed", "pages changed"])
def test_adding_its_folder_again_puts_it_right(catalog: Catalog, folder: Path, trouble: str) -> None:
    TROUBLE[trouble][0](folder)
    encode(catalog)
    Catalog(catalog.path).add(folder, prune=True)
    assert encode(catalog).skipped == ()
    assert waiting(catalog) == {"counting": 0, "other": 0}
    assert None not in stored(catalog).values()


def test_a_file_that_moved_is_found_by_its_bytes_once_it_was_added_again(catalog: Catalog, folder: Path) -> None:
    old, new = folder / "part 0" / "picture 003.bmp", folder / "elsewhere.bmp"
    old.rename(new)
    assert encode(catalog).skipped[0].path == str(old)
    Catalog(catalog.path).add(folder)  # the old place is still known
    assert (encode(catalog).encoded, waiting(catalog)["other"]) == (1, 0)
    assert of_file(catalog, new)[0] == pytest.approx(right(new)[0], abs=1e-6)


@pytest.mark.parametrize("first", ["gone", "changed", "damaged", "emptied", "a folder instead"])
def test_a_copy_serves_where_the_first_file_cannot(catalog: Catalog, folder: Path, first: str) -> None:
    original = folder / "part 0" / "picture 003.bmp"
    for name in ("part 0/picture 003 copy.bmp", "z last.bmp"):
        shutil.copy2(original, folder / name)
    Catalog(catalog.path).add(folder)
    vector = right(original)
    TROUBLE[first][0](folder)
    changed_copy = folder / "part 0" / "picture 003 copy.bmp"
    save(changed_copy, 1_001)
    assert encode(catalog).skipped == ()
    assert of_file(catalog, folder / "z last.bmp")[0] == pytest.approx(vector[0], abs=1e-6)


def test_a_file_we_may_not_read(catalog: Catalog, open_folder: Path) -> None:
    """In a child, where permissions bind even when root runs the tests."""
    shutil.copytree(catalog.path, open_folder / "c")
    secret = save(open_folder / "p" / "secret.png", 5)
    Catalog(open_folder / "c", encoder="counting").add(open_folder / "p")
    for path in [open_folder / "c", *(open_folder / "c").rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    secret.chmod(0)
    code = """
from making import Counting, Other
from catalejo import Catalog, plugins
for made in (Counting, Other):
    plugins.ENCODERS[made.card.name] = plugins.Plugin("making:" + made.__name__)
    made.reset()
Catalog(sys.argv[2], encoder="other").encode()  # imports what it needs, while it may
become_somebody()
(report,) = Catalog(sys.argv[1], encoder="other").encode()
print(*[f"{s.path}: {s.reason}" for s in report.skipped if "secret" in s.path])
"""
    done = subprocess.run(
        child(code, open_folder / "c", catalog.path), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == f"{secret}: permission denied\n", done.stderr


def test_limits_are_named_and_can_be_raised(catalog: Catalog, folder: Path) -> None:
    report = encode(catalog, limits=Limits(max_pages=2))
    assert [Path(s.path).name for s in report.skipped] == ["pages.tif"]
    assert "--max-pages" in report.skipped[0].reason
    assert report.encoded == 9
    assert encode(catalog, limits=Limits(max_pages=3)).encoded == 3


def test_an_item_no_file_holds_is_passed_over(catalog: Catalog, folder: Path) -> None:
    """As an ``add`` leaves it that was killed between two writes; the next ``add`` sees to it."""
    files = lance.dataset(str(catalog.path / "files.lance"))
    files.delete("path LIKE '%picture 003.bmp'")
    told: list[tuple[str, int, int]] = []
    report = encode(catalog, progress=lambda *now: told.append(now))
    assert (report.encoded, report.skipped) == (11, ())
    assert told[-1] == ("other", 12, 12)
    Catalog(catalog.path).add(folder)
    assert encode(catalog).encoded == 1


def test_a_picture_the_model_chokes_on_is_told_and_tried_again(catalog: Catalog, folder: Path) -> None:
    save(folder / "odd.png", 99, (77, 33))
    Catalog(catalog.path).add(folder)
    Other.fails = (77, 33)
    report = encode(catalog)
    assert [(Path(s.path).name, s.reason) for s in report.skipped] == [
        ("odd.png", "the encoder failed (RuntimeError: no memory on the device)")
    ]
    assert report.encoded == 12
    Other.fails = None
    assert encode(catalog).encoded == 1


# -- forgetting ---------------------------------------------------------------------------------


def test_what_is_forgotten_is_forgotten_in_all_columns(catalog: Catalog, folder: Path) -> None:
    encode(catalog)
    before = stored(catalog)
    catalog.remove(folder / "part 1")
    (folder / "pages.tif").unlink()
    assert Catalog(catalog.path).add(folder / "part 0", prune=True).removed == 0
    assert stored(catalog).keys() < before.keys()
    assert len(stored(catalog)) == 12 - 3, "part 1 is forgotten"
    assert Catalog(catalog.path).add(folder, prune=True).removed == 1
    assert len(stored(catalog)) == 12 - 3, "part 1 came back with its folder, the three pages went"
    assert waiting(catalog)["other"] == 3, "what was forgotten and came back is encoded again"
    assert encode(catalog).encoded == 3
    assert stored(catalog) == {key: vector for key, vector in before.items() if key in stored(catalog)}
    assert catalog.doctor() == []


# -- what the encoder is -------------------------------------------------------------------------


class Narrow(Other):
    """Its card says more numbers than come out."""

    card = replace(Other.card, name="narrow", width=9)


class Cut(Other):
    """Its weights are damaged."""

    card = replace(Other.card, name="cut")

    def encode_images(self, pictures: Any) -> list[Encoded]:
        raise DamagedWeights("model.onnx", "it is cut short")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[Catalog, Any], Catalog]:
    """A catalog that means this encoder."""

    def means(catalog: Catalog, encoder: Any) -> Catalog:
        made = Catalog(catalog.path)
        made.__dict__["encoders"] = (encoder,)
        return made

    return means


@pytest.mark.parametrize("encoder", [Narrow, Cut])
def test_an_encoder_that_does_not_run_changes_nothing(
    catalog: Catalog, given: Callable[[Catalog, Any], Catalog], encoder: Any
) -> None:
    before = lance.dataset(str(catalog.path / "items.lance")).version
    with pytest.raises((BadModel, DamagedWeights), match=r"6 numbers, and its configuration says 9|cut short"):
        given(catalog, encoder()).encode()
    assert lance.dataset(str(catalog.path / "items.lance")).version == before
    assert [space.encoder for space in catalog.status().spaces] == ["counting"]


def test_anew_keeps_the_old_vectors_when_the_encoder_does_not_run(
    catalog: Catalog, given: Callable[[Catalog, Any], Catalog]
) -> None:
    encode(catalog)
    before = stored(catalog)
    broken = Cut()
    broken.card = Other.card
    with pytest.raises(DamagedWeights):
        given(catalog, broken).encode(anew=True)
    assert stored(catalog) == before


def test_another_version_must_be_made_anew(catalog: Catalog, given: Callable[[Catalog, Any], Catalog]) -> None:
    encode(catalog)
    before = stored(catalog)
    newer = Other()
    newer.card = replace(Other.card, version="2")
    for ask in (lambda c: c.encode(), lambda c: c.search("x"), lambda c: c.duplicates()):
        with pytest.raises(
            WrongEncoder, match=r"other version 1; this is other version 2.*encode --encoder other --anew"
        ):
            ask(given(catalog, newer))
    assert stored(catalog) == before
    (report,) = given(catalog, newer).encode(anew=True)
    assert report.encoded == 12
    assert given(catalog, newer).search("x").hits
    with pytest.raises(WrongEncoder):
        catalog.search("x")


# -- stopped, and two at once ---------------------------------------------------------------------------


def interrupting(after: int) -> Callable[..., None]:
    """Progress that is interrupted after so many files."""
    calls = iter(range(after))

    def progress(*_: Any) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("after", [0, 1, 5, 9])
def test_stopped_it_saves_what_is_done_and_goes_on_from_there(catalog: Catalog, after: int) -> None:
    report = encode(catalog, progress=interrupting(after), workers=1)
    assert report.stopped
    assert report.encoded >= after
    assert sum(vector is not None for vector in stored(catalog).values()) == report.encoded
    assert catalog.doctor() == []
    Other.reset()
    again = encode(catalog)
    assert (again.encoded, again.already, again.stopped) == (12 - report.encoded, report.encoded, False)
    assert len(Other.seen) == 12 - report.encoded
    assert None not in stored(catalog).values()


def test_stopped_in_the_first_the_second_is_not_begun(catalog: Catalog) -> None:
    both = Catalog(catalog.path, encoder=["other", str(TINY)])
    reports = both.encode(progress=interrupting(2))
    assert [(r.encoder, r.stopped) for r in reports] == [("other", True)]
    assert [space.encoder for space in catalog.status().spaces] == ["counting", "other"]


def test_stopped_while_it_tidies_all_is_saved(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(upkeep, "maintain", interrupted)
    report = encode(catalog)
    assert (report.stopped, report.encoded) == (True, 12)
    monkeypatch.undo()
    assert None not in stored(catalog).values()


def test_a_second_writer_is_told_and_changes_nothing(catalog: Catalog, folder: Path) -> None:
    before = lance.dataset(str(catalog.path / "items.lance")).version
    with WriterLock(catalog.path):
        with pytest.raises(CatalogBusy, match="searching works meanwhile"):
            catalog.encode()
        assert Catalog(catalog.path).search("x").hits
    assert lance.dataset(str(catalog.path / "items.lance")).version == before


def test_a_reader_that_stays_open_sees_the_new_space_grow(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_COMMIT_ROWS", 3)
    old, new = Catalog(catalog.path, encoder="counting"), Catalog(catalog.path, encoder="other")
    expected = old.search("x", k=20).hits
    grown: list[int] = []

    def progress(*_: Any) -> None:
        assert old.search("x", k=20).hits == expected
        found = new.search("x", k=20)
        grown.append(len(found))
        assert found.searched == 12
        assert [(s.encoder, s.items) for s in found.behind] == ([("other", len(found))] if len(found) < 12 else [])

    encode(catalog, progress=progress, workers=1)
    assert grown == sorted(grown)
    assert len(set(grown)) >= 3
    assert len(new.search("x", k=20)) == 12
    assert new.search("x").behind == ()


# -- many small commits ------------------------------------------------------------------------------------


def test_many_commits_move_no_item_and_leave_nothing_behind(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_COMMIT_ROWS", 1)
    monkeypatch.setattr(encoding, "_TIDY_S", 0.0)
    monkeypatch.setattr(upkeep, "KEPT", timedelta(0))
    items = catalog.path / "items.lance"
    before = [fragment.fragment_id for fragment in lance.dataset(str(items)).get_fragments()]
    versions: list[int] = []
    files: list[int] = []

    def progress(*_: Any) -> None:
        versions.append(int(lance.dataset(str(items)).version))
        files.append(len(list((items / "data").iterdir())))

    encode(catalog, progress=progress, workers=1)
    assert len(set(versions)) >= 9, "it did commit often"
    assert max(files) <= 4, "and tidied on the way"
    data = lance.dataset(str(items))
    assert [fragment.fragment_id for fragment in data.get_fragments()] == before
    assert len(list((items / "data").iterdir())) == sum(len(f.data_files()) for f in data.get_fragments())
    assert None not in stored(catalog).values()
    assert catalog.doctor() == []


def test_slow_commits_come_less_often(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where saving takes long, as in a large catalog, a fixed part of the time goes there."""
    from catalejo.space import Space

    clock, commits, fill = [0.0], [], Space.fill

    def slow(self: Space, keys: Any, vectors: Any) -> None:
        fill(self, keys, vectors)
        clock[0] += 1.0
        commits.append(clock[0])

    def progress(*_: Any) -> None:
        clock[0] += 4.0

    monkeypatch.setattr(Space, "fill", slow)
    monkeypatch.setattr(encoding.time, "monotonic", lambda: clock[0])
    encode(catalog, progress=progress, workers=1)
    gaps = [b - a for a, b in pairwise(commits)]
    assert len(gaps) >= 1
    assert all(gap >= 20 for gap in gaps[:-1])


def test_stamps_are_left_alone(catalog: Catalog, folder: Path) -> None:
    """Encoding reads files and changes nothing of them."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    encode(catalog)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
