"""One writer at a time."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from making import child, open_to_all  # noqa: F401

from catalejo.errors import CannotWrite, CatalogBusy
from catalejo.lock import WriterLock

HOLD = """
from pathlib import Path
from catalejo.lock import WriterLock
with WriterLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder: Path) -> subprocess.Popen[bytes]:
    """A process that holds the lock until its standard input is closed."""
    process = subprocess.Popen(child(HOLD, folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    first = hold(tmp_path)
    with pytest.raises(CatalogBusy, match=rf"number {first.pid}\).*{tmp_path}"), WriterLock(tmp_path):
        pass
    first.communicate(b"")
    with WriterLock(tmp_path) as lock:
        assert not lock.unfinished


def test_also_within_one_process(tmp_path: Path) -> None:
    with WriterLock(tmp_path), pytest.raises(CatalogBusy), WriterLock(tmp_path):
        pass
    with WriterLock(tmp_path):
        pass


def test_a_killed_holder_lets_go_and_leaves_word(tmp_path: Path) -> None:
    first = hold(tmp_path)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    with WriterLock(tmp_path) as lock:
        assert lock.unfinished
    with WriterLock(tmp_path) as lock:
        assert not lock.unfinished


def test_a_failed_holder_leaves_word(tmp_path: Path) -> None:
    with pytest.raises(KeyError), WriterLock(tmp_path):
        raise KeyError
    with pytest.raises(CatalogBusy), WriterLock(tmp_path) as lock:
        assert lock.unfinished
        with WriterLock(tmp_path):  # being refused changes nothing
            pass
    with WriterLock(tmp_path) as lock:
        assert lock.unfinished


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with WriterLock(tmp_path), pytest.raises(CatalogBusy), WriterLock(tmp_path):
            pass
        with pytest.raises(CannotWrite), WriterLock(tmp_path / "writer.lock"):
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    with WriterLock(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b" / "writer.lock").read_text().strip() == str(os.getpid())


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder, reason in (
        (tmp_path / "file", "it is a file, not a folder"),
        (tmp_path / "file" / "c", "not a directory"),
        (Path("/proc/catalejo/c"), "no such file or directory"),
        (tmp_path / ("x" * 300), "file name too long"),
    ):
        with pytest.raises(CannotWrite, match=f"{reason}. What was saved before is safe"), WriterLock(folder):
            pass
    assert (tmp_path / "file").read_text() == "x"


CLOSED = """
from pathlib import Path
from catalejo.errors import CannotWrite
from catalejo.lock import WriterLock
become_somebody()
try:
    with WriterLock(Path(sys.argv[1])):
        pass
except CannotWrite as error:
    print(error)
"""


def test_a_folder_that_is_not_ours(open_folder: Path) -> None:
    (open_folder / "c").mkdir(mode=0o555)
    done = subprocess.run(child(CLOSED, open_folder / "c"), capture_output=True, text=True, timeout=60, check=True)
    assert "permission denied" in done.stdout
