"""What ``add`` does with each file: read once, again when it changed, never twice; and what it counts."""

from __future__ import annotations

import builtins
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from making import Counting, child, counting_encoder, holds, open_to_all, paths, pictures, save, save_pages, stamp  # noqa: F401
from PIL import Image
from test_walk import odd

from catalejo import Catalog, files, indexing, reading
from catalejo.errors import CannotRead, CannotWrite
from catalejo.indexing import Progress, Stopped
from catalejo.records import Limits
from catalejo.reports import AddReport
from catalejo.store import MARK

pytestmark = pytest.mark.usefixtures("counting")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return pictures(tmp_path / "pictures")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "c", encoder="counting")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the pictures opened from now on."""
    names: list[str] = []
    real = builtins.open

    def spy(file: Any, *arguments: Any, **options: Any) -> Any:
        names.append(os.path.basename(os.fsdecode(file)) if isinstance(file, (str, bytes, os.PathLike)) else str(file))
        return real(file, *arguments, **options)

    monkeypatch.setattr(files, "open", spy, raising=False)
    return names


def counts(report: AddReport) -> dict[str, int]:
    """What is not zero."""
    found = asdict(report)
    return {k: v for k, v in found.items() if k not in ("seconds", "stopped") and v}


# -- known files --------------------------------------------------------------------


def test_unchanged_files_are_not_opened(folder: Path, catalog: Catalog, opened: list[str]) -> None:
    assert counts(catalog.add(folder)) == {"added": 12, "encoded": 12}
    assert len(opened) == 12
    before = holds(catalog.path)
    opened.clear()
    Counting.reset()
    assert counts(catalog.add(folder)) == {"unchanged": 12}
    assert opened == []
    assert Counting.seen == []
    assert holds(catalog.path) == before


def test_an_add_without_news_writes_no_table(folder: Path, catalog: Catalog) -> None:
    catalog.add(folder)
    before = sorted(path.name for path in catalog.path.glob("*.lance/_versions/*"))
    catalog.add(folder)
    assert sorted(path.name for path in catalog.path.glob("*.lance/_versions/*")) == before


def test_a_changed_file_is_encoded_again_and_its_old_item_goes(folder: Path, catalog: Catalog) -> None:
    catalog.add(folder)
    file = folder / "part 0" / "picture 000.jpg"
    old = paths(catalog.path)[str(file)]
    save(file, 50, (90, 70))
    Counting.reset()
    assert counts(catalog.add(folder)) == {"updated": 1, "unchanged": 11, "encoded": 1}
    assert Counting.seen == [(90, 70)]
    found = holds(catalog.path)
    assert old not in {row["hash"] for row in found["items"]}
    assert len(found["items"]) == len(found["thumbnails"]) == 12
    assert catalog.doctor() == []


def test_the_same_size_and_another_time_is_looked_at(tmp_path: Path, catalog: Catalog) -> None:
    file = save(tmp_path / "p" / "a.bmp", 1, (40, 40))
    catalog.add(tmp_path / "p")
    size = file.stat().st_size
    save(file, 2, (40, 40))
    assert file.stat().st_size == size
    assert counts(catalog.add(tmp_path / "p")) == {"updated": 1, "encoded": 1}


def test_a_touched_file_is_read_but_not_encoded(folder: Path, catalog: Catalog, opened: list[str]) -> None:
    catalog.add(folder)
    stamp(folder / "part 0" / "picture 000.jpg", 999)
    opened.clear()
    assert counts(catalog.add(folder)) == {"unchanged": 12}
    assert opened == ["picture 000.jpg"]
    assert len(Counting.seen) == 12
    opened.clear()
    catalog.add(folder)
    assert opened == []


def test_a_moved_file_costs_no_encoding(folder: Path, catalog: Catalog) -> None:
    catalog.add(folder)
    shutil.move(folder / "part 0", folder / "elsewhere")
    Counting.reset()
    assert counts(catalog.add(folder, prune=True)) == {"added": 4, "unchanged": 8, "removed": 4}
    assert Counting.seen == []
    assert len(holds(catalog.path)["items"]) == len(paths(catalog.path)) == 12
    assert catalog.doctor() == []


def test_two_files_that_change_names_change_hashes(tmp_path: Path, catalog: Catalog) -> None:
    a, b = save(tmp_path / "p" / "a.png", 1), save(tmp_path / "p" / "b.png", 2)
    catalog.add(tmp_path / "p")
    before = paths(catalog.path)
    a.rename(tmp_path / "x")
    b.rename(a)
    (tmp_path / "x").rename(b)
    assert counts(catalog.add(tmp_path / "p")) == {"updated": 2}
    assert paths(catalog.path) == {str(a): before[str(b)], str(b): before[str(a)]}


# -- copies -------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 8])
def test_copies_make_one_item(tmp_path: Path, catalog: Catalog, workers: int) -> None:
    first = save_pages(tmp_path / "p" / "0.tif", [1, 2, 3])
    for number in range(1, 9):
        shutil.copy(first, tmp_path / "p" / f"{number}.tif")
        stamp(tmp_path / "p" / f"{number}.tif", 100 - number)
    assert counts(catalog.add(tmp_path / "p", workers=workers)) == {"added": 9, "encoded": 3}
    found = holds(catalog.path)
    assert [row["page"] for row in found["items"]] == [0, 1, 2]
    assert len({row["hash"] for row in found["files"]}) == 1
    assert {row["dated"].isoformat() for row in found["items"]} == {
        reading.file_date(first.stat().st_mtime_ns).isoformat()
    }
    (hit, *_) = catalog.search("x").hits
    assert hit.path == str(first)
    assert len(hit.copies) == 8


def test_the_date_of_copies_does_not_depend_on_who_was_read_first(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second copy is decoded first: the first waits at its door until the second is done."""
    a = save(tmp_path / "p" / "a.png", 5)
    b = tmp_path / "p" / "b.png"
    shutil.copy(a, b)
    stamp(b, 50)
    done = threading.Event()
    real = reading.FileReader.read

    def read(self: Any, found: Any) -> Any:
        if found.path == str(a):
            assert done.wait(60)
        outcome = real(self, found)
        done.set()
        return outcome

    monkeypatch.setattr(reading.FileReader, "read", read)
    catalog.add(tmp_path / "p", workers=2)
    (row,) = holds(catalog.path)["items"]
    assert row["dated"] == reading.file_date(a.stat().st_mtime_ns)


def test_an_item_stays_while_a_copy_holds_it(tmp_path: Path, catalog: Catalog) -> None:
    a = save(tmp_path / "p" / "a.png", 1)
    b = tmp_path / "p" / "b.png"
    shutil.copy(a, b)
    catalog.add(tmp_path / "p")
    a.unlink()
    assert counts(catalog.add(tmp_path / "p", prune=True)) == {"unchanged": 1, "removed": 1}
    assert len(holds(catalog.path)["items"]) == 1
    b.unlink()
    save(tmp_path / "p" / "other.png", 2)
    catalog.add(tmp_path / "p", prune=True)
    (tmp_path / "p" / "other.png").unlink()
    catalog.remove(tmp_path / "p")
    found = holds(catalog.path)
    assert not found["items"] and not found["files"] and not found["thumbnails"]


def test_a_damaged_file_and_its_copies_are_all_listed(tmp_path: Path, catalog: Catalog) -> None:
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    assert counts(catalog.add(*tmp_path.glob("*.png"), workers=4)) == {"skipped": 4}
    assert len({one.reason for one in catalog.skipped()}) == 1


# -- what cannot be read --------------------------------------------------------------


def test_one_bad_file_never_stops_a_run(folder: Path, catalog: Catalog) -> None:
    (folder / "text.png").write_bytes(b"not a picture")
    (folder / "empty.gif").write_bytes(b"")
    whole = (folder / "part 1" / "picture 001.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "nowhere.jpg").symlink_to("gone.jpg")
    os.mkfifo(folder / "pipe.jpg")
    assert counts(catalog.add(folder)) == {"added": 12, "encoded": 12, "skipped": 5}
    reasons = {Path(one.path).name: one.reason for one in catalog.skipped()}
    assert reasons["empty.gif"] == "empty file"
    assert "looks like text" in reasons["text.png"]
    assert "damaged" in reasons["cut.png"]
    assert reasons["nowhere.jpg"] == "no such file or directory"
    assert reasons["pipe.jpg"] == "not a regular file"
    assert counts(catalog.add(folder)) == {"unchanged": 12, "skipped": 5}
    assert catalog.doctor() == []


def test_pages_before_a_damaged_one_leave_nothing(tmp_path: Path, catalog: Catalog) -> None:
    file = save_pages(tmp_path / "a.tif", [1, 2, 3, 4])
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 3 // 4])
    assert counts(catalog.add(file)) == {"skipped": 1}
    found = holds(catalog.path)
    assert not found["items"] and not found["thumbnails"]


def test_an_encoder_that_fails_on_one_picture(folder: Path, catalog: Catalog) -> None:
    save(folder / "odd.png", 1, (61, 67))
    Counting.fails = (61, 67)
    assert counts(catalog.add(folder)) == {"added": 12, "encoded": 12, "skipped": 1}
    assert "no memory on the device" in catalog.skipped()[0].reason
    Counting.fails = None
    assert counts(catalog.add(folder, retry=True)) == {"added": 1, "unchanged": 12, "encoded": 1}


def test_skipped_files_are_read_again_only_on_request_or_when_they_change(
    tmp_path: Path, catalog: Catalog, opened: list[str]
) -> None:
    file = tmp_path / "p" / "a.png"
    file.parent.mkdir()
    file.write_bytes(b"damaged")
    stamp(file, 1)
    assert counts(catalog.add(file.parent)) == {"skipped": 1}
    opened.clear()
    assert counts(catalog.add(file.parent)) == {"skipped": 1}
    assert opened == []
    assert counts(catalog.add(file.parent, retry=True)) == {"skipped": 1}
    assert opened == ["a.png"]
    save(file, 2)
    assert counts(catalog.add(file.parent)) == {"added": 1, "encoded": 1}
    assert catalog.skipped() == []


def test_a_raised_limit_is_enough_to_read_what_it_refused(tmp_path: Path, catalog: Catalog) -> None:
    save(tmp_path / "p" / "large.png", 1, (300, 200))
    (tmp_path / "p" / "damaged.png").write_bytes(b"x")
    small = Limits(max_megapixels=0.01)
    assert counts(catalog.add(tmp_path / "p", limits=small)) == {"skipped": 2}
    assert any("--max-megapixels" in one.reason for one in catalog.skipped())
    assert counts(catalog.add(tmp_path / "p", limits=small)) == {"skipped": 2}
    report = catalog.add(tmp_path / "p", limits=Limits(max_megapixels=200))
    assert counts(report) == {"added": 1, "encoded": 1, "skipped": 1}


def test_file_sizes_and_pages_have_limits(tmp_path: Path, catalog: Catalog) -> None:
    save_pages(tmp_path / "p.tif", [1, 2, 3])
    with open(tmp_path / "huge.jpg", "wb") as file:
        file.truncate(600 * 10**6)  # a hole: takes no room
    assert counts(catalog.add(tmp_path / "p.tif", tmp_path / "huge.jpg", limits=Limits(max_pages=2))) == {"skipped": 2}
    reasons = sorted(one.reason for one in catalog.skipped())
    assert "--max-pages" in reasons[0]
    assert reasons[1] == "the file has 600 MB, over the limit of 500 MB (raise it with --max-file-mb)"
    assert not holds(catalog.path)["thumbnails"]


def test_a_file_that_becomes_unreadable_for_the_system_keeps_what_was_known(tmp_path: Path, catalog: Catalog) -> None:
    """A link whose disk is unplugged for a while costs no encoding when it is back."""
    disk = tmp_path / "disk"
    save(disk / "a.png", 1)
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.png").symlink_to(disk / "a.png")
    catalog.add(tmp_path / "p")
    disk.rename(tmp_path / "unplugged")
    assert counts(catalog.add(tmp_path / "p")) == {"skipped": 1}
    assert [one.reason for one in catalog.skipped()] == ["no such file or directory"]
    assert len(holds(catalog.path)["items"]) == 1
    (tmp_path / "unplugged").rename(disk)
    assert counts(catalog.add(tmp_path / "p")) == {"unchanged": 1}
    assert catalog.skipped() == []
    assert len(Counting.seen) == 1


def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its items would not be those of its hash; a copy with the old bytes gets its own."""
    a = save(tmp_path / "p" / "a.png", 1, (50, 50))
    shutil.copy2(a, tmp_path / "p" / "b.png")
    real = reading.encode

    def encode(encoder: Any, page: Any, path: str) -> Any:
        if path == str(a):
            save(a, 77, (60, 60))
        return real(encoder, page, path)

    monkeypatch.setattr(reading, "encode", encode)
    assert counts(catalog.add(tmp_path / "p", workers=1)) == {"added": 1, "encoded": 1, "skipped": 1}
    assert "it changed while it was read" in catalog.skipped()[0].reason
    monkeypatch.undo()
    again = Catalog(catalog.path)
    again.__dict__["encoders"] = (Counting(),)
    assert counts(again.add(tmp_path / "p")) == {"added": 1, "unchanged": 1, "encoded": 1}
    assert again.doctor() == []


def test_times_before_and_after_all_calendars(tmp_path: Path, catalog: Catalog) -> None:
    for number, when in enumerate((-(2**62), -1, 0, 2**62, 2**63 - 1)):
        file = save(tmp_path / "p" / f"{number}.png", number)
        try:
            os.utime(file, ns=(when, when))
        except OSError:
            continue
    report = catalog.add(tmp_path / "p")
    assert report.added == 5
    assert counts(catalog.add(tmp_path / "p")) == {"unchanged": 5}


def test_reasons_are_one_line_of_valid_text(tmp_path: Path, catalog: Catalog) -> None:
    for path in odd(tmp_path):
        Path(path).write_bytes(b"\xff\xd8\xff\xe0damaged\x00\xff\n\r\x1b[31m" * 3)
    report = catalog.add(tmp_path)
    assert report.skipped == len(list(tmp_path.glob("*.[jJ]*")))
    for one in catalog.skipped():
        assert one.reason.isprintable()
        assert os.path.lexists(one.path)


def test_names_of_all_kinds_come_back_whole(tmp_path: Path, catalog: Catalog) -> None:
    data = save(tmp_path / "real.png", 1).read_bytes()
    (tmp_path / "p").mkdir()
    made = odd(tmp_path / "p")
    for number, path in enumerate(sorted(made)):
        Path(path).write_bytes(data)
        stamp(Path(path), number)
    assert counts(catalog.add(tmp_path / "p")) == {"added": len(made), "encoded": 1}
    assert counts(catalog.add(tmp_path / "p")) == {"unchanged": len(made)}
    (hit,) = catalog.search("x").hits
    assert {hit.path, *hit.copies} == made
    one = sorted(made)[3]
    os.unlink(one)
    assert counts(catalog.add(tmp_path / "p", prune=True)) == {"unchanged": len(made) - 1, "removed": 1}
    assert catalog.remove(*made - {one}) == len(made) - 1
    assert not holds(catalog.path)["items"]


UNREADABLE = """
import pathlib, tempfile
from making import Counting, save
from catalejo import Catalog, plugins
from catalejo.plugins import Plugin
Counting.reset()
plugins.ENCODERS["counting"] = Plugin("making:Counting")
with tempfile.TemporaryDirectory() as first:  # import all that an add needs while we may still read it
    save(pathlib.Path(first, "p", "a.png"), 1)
    Catalog(first + "/c", encoder="counting").add(first + "/p")
become_somebody()
catalog = Catalog(sys.argv[1], encoder="counting")
report = catalog.add(sys.argv[2], prune="prune" in sys.argv, retry="retry" in sys.argv)
print(report.added, report.unchanged, report.skipped, report.removed)
for one in catalog.skipped():
    print(one.path.rpartition("/")[2], one.reason)
"""


def test_files_and_folders_we_may_not_read(open_folder: Path) -> None:
    def go(*more: str) -> list[str]:
        command = child(UNREADABLE, open_folder / "c", open_folder / "p", *more)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    for name in ("a.png", "closed.png", "in/b.png", "in/deeper/c.png"):
        save(open_folder / "p" / name, len(name))
    (open_folder / "p" / "closed.png").chmod(0o000)
    assert go() == ["3 0 1 0", "closed.png permission denied"]
    (open_folder / "p" / "in").chmod(0o000)
    expected = ["0 1 2 0", "closed.png permission denied", "in unreadable folder: permission denied"]
    assert go() == expected
    assert go("prune") == expected, "files we may not see are not gone"
    (open_folder / "p" / "in").chmod(0o755)
    (open_folder / "p" / "closed.png").chmod(0o644)
    assert go() == ["0 3 1 0", "closed.png permission denied"]
    assert go("retry") == ["1 3 0 0"]


# -- what is gone ---------------------------------------------------------------------


def test_gone_files_are_forgotten_only_with_prune_and_only_below_the_paths(tmp_path: Path, catalog: Catalog) -> None:
    for name in ("x/a.png", "x/b.png", "xy/c.png"):
        save(tmp_path / name, len(name) + ord(name[-5]))
    catalog.add(tmp_path / "x", tmp_path / "xy")
    (tmp_path / "x" / "a.png").unlink()
    (tmp_path / "xy" / "c.png").unlink()
    assert counts(catalog.add(tmp_path / "x")) == {"unchanged": 1}
    assert len(paths(catalog.path)) == 3
    assert counts(catalog.add(tmp_path / "x", prune=True)) == {"unchanged": 1, "removed": 1}
    assert sorted(paths(catalog.path)) == [str(tmp_path / "x" / "b.png"), str(tmp_path / "xy" / "c.png")]
    (tmp_path / "x" / "b.png").unlink()
    (tmp_path / "x" / "b.png").mkdir()  # a folder now: no such picture
    save(tmp_path / "x" / "d.png", 9)
    assert counts(catalog.add(tmp_path / "x", prune=True)) == {"added": 1, "encoded": 1, "removed": 1}
    assert len(holds(catalog.path)["items"]) == 2


def test_an_empty_folder_is_more_likely_a_disk_that_is_not_there(tmp_path: Path, catalog: Catalog) -> None:
    a = save(tmp_path / "disk" / "a.png", 1)
    save(tmp_path / "home" / "b.png", 2)
    catalog.add(tmp_path)
    a.rename(tmp_path / "a.txt")
    report = catalog.add(tmp_path / "disk", tmp_path / "home", prune=True)
    assert (report.removed, report.not_pruned) == (0, (str(tmp_path / "disk"),))
    assert len(paths(catalog.path)) == 2
    (tmp_path / "a.txt").rename(a)
    assert counts(catalog.add(tmp_path / "disk", prune=True)) == {"unchanged": 1}


def test_a_limit_that_is_another_now_reads_again_and_the_same_one_does_not(tmp_path: Path, catalog: Catalog) -> None:
    save(tmp_path / "p" / "a.png", 1)
    low = Limits(max_megapixels=0.0001)
    assert counts(catalog.add(tmp_path / "p", limits=low)) == {"skipped": 1}
    hashed = catalog.skipped()
    assert counts(catalog.add(tmp_path / "p", limits=low)) == {"skipped": 1}
    assert catalog.skipped() == hashed
    assert counts(catalog.add(tmp_path / "p")) == {"added": 1, "encoded": 1}


def test_prune_with_many_paths_takes_no_time(tmp_path: Path, catalog: Catalog) -> None:
    catalog.add(pictures(tmp_path / "p", 3))
    listed = [str(tmp_path / "p" / f"gone {number}.png") for number in range(20_000)]
    begun = time.process_time()
    catalog.add(tmp_path / "p", listed=listed)
    report = catalog.add(listed=listed, prune=True)
    assert report.removed == 20_000
    assert time.process_time() - begun < 20
    assert len(paths(catalog.path)) == 3


# -- where ------------------------------------------------------------------------------


def test_a_missing_path_is_told_before_anything_is_written(folder: Path, catalog: Catalog) -> None:
    with pytest.raises(CannotRead, match="no such file or folder"):
        catalog.add(folder, folder / "gone")
    assert not catalog.path.exists()


def test_a_missing_path_of_a_list_is_listed(folder: Path, catalog: Catalog) -> None:
    listed = [folder / "gone.jpg", folder / "part 0" / "picture 000.jpg", "a\0b.jpg"]
    assert counts(catalog.add(listed=listed)) == {"added": 1, "encoded": 1, "skipped": 2}


def test_files_named_twice_are_added_once(folder: Path, catalog: Catalog) -> None:
    one = folder / "part 0" / "picture 000.jpg"
    report = catalog.add(one, folder, one, folder / "part 0", listed=[one, folder])
    assert counts(report) == {"added": 12, "encoded": 12}
    assert catalog.doctor() == []


def test_a_catalog_among_its_pictures(folder: Path) -> None:
    catalog = Catalog(folder / "part 0" / "catalog", encoder="counting")
    assert counts(catalog.add(folder)) == {"added": 12, "encoded": 12}
    assert counts(catalog.add(folder)) == {"unchanged": 12}
    other = Catalog(folder, encoder="counting")  # the pictures' folder itself
    assert counts(other.add(folder)) == {"added": 12, "encoded": 12}
    assert counts(other.add(folder)) == {"unchanged": 12}
    assert (folder / MARK).exists()


def test_progress_counts_every_file_and_then_knows_of_how_many(folder: Path, catalog: Catalog) -> None:
    (folder / "bad.png").write_bytes(b"x")
    seen: list[Progress] = []
    catalog.add(folder, progress=seen.append)
    assert [one.done for one in seen] == list(range(1, 14))
    assert seen[-1].skipped == 1
    assert {one.total for one in seen} <= {None, 13}


# -- being stopped ------------------------------------------------------------------------


def ctrl_c() -> None:
    """As the terminal sends it: the main thread gets it."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@contextmanager
def heard_stop() -> Iterator[threading.Event]:
    """The event by which the next run is told to stop."""
    stop = threading.Event()
    made = indexing._Run.__init__

    def init(self: Any, *arguments: Any) -> None:
        made(self, *arguments)
        self.stop = self._reader._stop = stop

    indexing._Run.__init__ = init  # type: ignore[method-assign]
    try:
        yield stop
    finally:
        indexing._Run.__init__ = made  # type: ignore[method-assign]


def test_ctrl_c_saves_what_was_finished_and_the_next_run_goes_on(
    tmp_path: Path,
) -> None:
    folder = pictures(tmp_path / "p", 40)
    catalog, whole = Catalog(tmp_path / "c", encoder="counting"), Catalog(tmp_path / "whole", encoder="counting")
    whole.add(folder)

    def interrupt(progress: Progress) -> None:
        if progress.done == 10:
            ctrl_c()
            assert stop.wait(60)

    with heard_stop() as stop, pytest.raises(Stopped) as stopped:
        catalog.add(folder, progress=interrupt)
    report = stopped.value.report
    assert report.stopped
    assert 10 <= report.added < 40
    assert len(paths(catalog.path)) == report.added
    assert catalog.doctor() == []
    again = catalog.add(folder)
    assert (again.added, again.unchanged) == (40 - report.added, report.added)
    assert holds(catalog.path) == holds(whole.path)


def test_ctrl_c_during_a_commit_writes_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the caller's own thread did the writing, this is where rows would double."""
    from catalejo.store import Store

    folder = pictures(tmp_path / "p", 24)
    monkeypatch.setattr(indexing, "_COMMIT_ROWS", 6)
    real = Store.write
    calls: list[int] = []

    def write(self: Store, *rows: Any) -> None:
        if len(calls) == 1:
            ctrl_c()
        real(self, *rows)
        if len(calls) == 1:
            ctrl_c()
        calls.append(len(rows))

    monkeypatch.setattr(Store, "write", write)
    catalog = Catalog(tmp_path / "c", encoder="counting")
    with pytest.raises(Stopped):
        catalog.add(folder)
    assert catalog.doctor() == []
    catalog.add(folder)
    assert catalog.doctor() == []
    assert len(holds(catalog.path)["files"]) == 24


def test_a_long_file_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    """Between two pages of a file a stop is heeded; the file is read by the next run."""
    file = save_pages(tmp_path / "long.tif", list(range(100)))
    catalog = Catalog(tmp_path / "c", encoder="counting")
    Counting.gate.clear()

    with heard_stop() as stop, pytest.raises(Stopped) as stopped:

        def interrupt() -> None:
            while not thread_named("catalejo_0"):
                time.sleep(0.001)
            ctrl_c()
            assert stop.wait(60)
            Counting.gate.set()

        threading.Thread(target=interrupt).start()
        catalog.add(file)
    assert stopped.value.report.added == 0
    assert len(Counting.seen) < 100
    assert not holds(catalog.path)["thumbnails"]
    assert counts(catalog.add(file)) == {"added": 1, "encoded": 100}


def thread_named(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


def test_no_thread_is_left(folder: Path, catalog: Catalog) -> None:
    catalog.add(folder, progress=lambda progress: None)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("catalejo")]


# -- no room ----------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["thumbnail", "table"])
def test_a_full_disk_stops_the_run_and_loses_nothing(
    folder: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    whole = Catalog(catalog.path.parent / "whole", encoder="counting")
    whole.add(folder)
    catalog.add(folder / "part 0")
    before = holds(catalog.path)
    full(monkeypatch, where, 1)
    with pytest.raises(CannotWrite, match=r"no space left on device.*What was saved before is safe"):
        catalog.add(folder)
    monkeypatch.undo()
    after = Catalog(catalog.path)
    after.__dict__["encoders"] = (Counting(),)
    found = holds(catalog.path)
    assert found["files"] == before["files"]
    assert set(before["thumbnails"]) <= set(found["thumbnails"])
    assert len(after.search("x").hits) == 4
    after.add(folder)
    assert holds(catalog.path) == holds(whole.path)
    assert after.doctor() == []


def full(monkeypatch: pytest.MonkeyPatch, where: str, at: int) -> None:
    """From the ``at``-th time on, there is no room."""
    import lance

    times = iter(range(1, 10**6))

    def short(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(times) >= at:
                raise OSError(28, "No space left on device")
            return real(*arguments, **options)

        return call

    if where == "thumbnail":
        monkeypatch.setattr(Image.Image, "save", short(Image.Image.save))
        monkeypatch.setattr("catalejo.store.Store.create", lambda self, card: None)
    else:
        monkeypatch.setattr(lance, "write_dataset", short(lance.write_dataset))
