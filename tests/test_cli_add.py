"""``catalejo add`` as typed: lists, JSON, progress, Ctrl-C, full and read-only places. Real processes, real encoder."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from making import child, holds, mixed, paths, pictures, save
from test_walk import odd

Run = Callable[..., subprocess.CompletedProcess[str]]
KEYS = {
    "added",
    "unchanged",
    "updated",
    "removed",
    "skipped",
    "encoded",
    "not_pruned",
    "seconds",
    "stopped",
    "perceiving",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("pictures"), 6)


def test_json_is_one_object_with_all_counts(run: Run, folder: Path, tmp_path: Path) -> None:
    first = run("-c", tmp_path / "c", "add", folder, "--json")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.count("\n") == 1
    report = json.loads(first.stdout)
    assert set(report) == KEYS
    assert (report["added"], report["encoded"], report["stopped"]) == (6, 6, False)
    assert report["seconds"] > 0
    again = json.loads(run("-c", tmp_path / "c", "add", folder, "--json").stdout)
    assert (again["added"], again["unchanged"], again["encoded"]) == (0, 6, 0)


def test_words_for_people_and_no_progress_in_a_pipe(run: Run, folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8 damaged")
    done = run("-c", tmp_path / "c", "add", folder, bad)
    assert done.returncode == 0
    assert done.stdout.startswith("6 added, 0 updated, 0 unchanged, 0 removed, 1 skipped in ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == f"1 file could not be read; see: catalejo -c {tmp_path}/c skipped\n"
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


def test_progress_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "catalejo", "-c", str(tmp_path / "c"), "add", str(folder), "--json"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen += piece
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert b"reading" in seen
    assert b"6/6" in seen
    assert json.loads(out)["added"] == 6


def test_lists_on_standard_input(folder: Path, tmp_path: Path) -> None:
    def add(data: bytes, *more: str) -> dict[str, int]:
        command = [sys.executable, "-m", "catalejo", "-c", str(tmp_path / "c"), "add", "--json", *more, "-"]
        done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=True, cwd=folder)
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    names = [os.fsencode(path) for path in sorted(folder.glob("*/*"))]
    relative = [os.path.relpath(name, os.fsencode(folder)) for name in names]
    assert add(b"\n".join(relative[:2]))["added"] == 2
    assert add(b"\r\n".join(relative[:3]) + b"\r\n\r\n")["added"] == 1
    assert add(b"gone.jpg\n" + relative[0]) | {"seconds": 0} == add(b"gone.jpg\n" + names[0] + b"\n") | {"seconds": 0}
    strange = sorted(os.fsencode(path) for path in odd(tmp_path))
    for number, name in enumerate(strange):
        Path(os.fsdecode(name)).write_bytes(Path(os.fsdecode(names[number % 6])).read_bytes())
    assert add(b"\0".join(strange) + b"\0", "-0") ["added"] == len(strange)  # fmt: skip
    assert add(b"")["added"] == 0


def test_names_that_look_like_options_patterns_and_commands(run: Run, tmp_path: Path) -> None:
    for number, name in enumerate(("-rf.png", "--json.png", "*.png", "new\nline.png", "[x].png")):
        save(tmp_path / "p" / name, number)
    done = run("-c", tmp_path / "c", "add", "--json", "--", "-rf.png", "--json.png", "[x].png", cwd=tmp_path / "p")
    assert json.loads(done.stdout)["added"] == 3
    done = run("-c", tmp_path / "c", "add", "--json", "*.png", cwd=tmp_path / "p")
    assert json.loads(done.stdout)["added"] == 1, "a file of that name is that file, not a pattern"
    done = run("-c", tmp_path / "c", "add", "--json", "?*.png", cwd=tmp_path / "p")
    assert (json.loads(done.stdout)["added"], json.loads(done.stdout)["unchanged"]) == (1, 4)


def test_a_missing_path_is_one_line_and_nothing_is_written(run: Run, folder: Path, tmp_path: Path) -> None:
    done = run("-c", tmp_path / "c", "add", folder, tmp_path / "gone")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"catalejo: {tmp_path / 'gone'}: no such file or folder\n"
    done = run("-c", tmp_path / "c", "add", "--json", tmp_path / "*.jpg")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "CannotRead"
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_the_next_run_goes_on(run: Run, tmp_path: Path, sent: signal.Signals) -> None:
    folder = mixed(tmp_path / "p", 90)
    code = """
from catalejo import indexing
from catalejo.cli import main
indexing._COMMIT_ROWS = 8
main(sys.argv[1:])
"""
    catalog = tmp_path / "c"
    process = subprocess.Popen(
        child(code, "-c", catalog, "add", "--json", folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not list(catalog.glob("files.lance/data/*")):  # something is saved
        assert process.poll() is None
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["stopped"]
    assert 0 < report["added"] < 94
    assert err == b"" or err.startswith(b"Stopped.")
    assert sum(hash is not None for hash in paths(catalog).values()) == report["added"]
    assert run("-c", catalog, "doctor").returncode == 0
    again = json.loads(run("-c", catalog, "add", "--json", folder).stdout)
    assert (again["added"], again["unchanged"]) == (94 - report["added"], report["added"])
    assert len(holds(catalog)["items"]) == 90 + 5


# -- places without room ----------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts, or mounts anew, a small file system in memory with these options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a file system needs root and its capabilities")
        return place

    yield mount
    while os.path.ismount(place):
        subprocess.run(["umount", "-l", str(place)], check=True)


def refused(done: subprocess.CompletedProcess[str], catalog: Path, reason: str) -> None:
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"catalejo: cannot write to {catalog}")
    assert f"{reason}. What was saved before is safe; make room or choose another folder" in done.stderr


@pytest.mark.parametrize("size_kb", [16, 60, 200])
def test_a_full_disk(run: Run, folder: Path, tmp_path: Path, disk: Callable[[str], Path], size_kb: int) -> None:
    more = mixed(tmp_path / "more", 40)
    catalog = disk("size=4m") / "c"
    assert run("-c", catalog, "add", folder).returncode == 0
    used = int(subprocess.check_output(["du", "-sk", catalog]).split()[0])
    disk(f"remount,size={used + size_kb}k")
    done = run("-c", catalog, "add", more)
    refused(done, catalog, "no space left on device")
    assert len(paths(catalog)) >= 6
    assert json.loads(run("-c", catalog, "search", "--json", "a square").stdout)["searched"] >= 6
    disk("remount,size=16m")
    report = json.loads(run("-c", catalog, "add", "--json", folder, more).stdout)
    assert report["added"] + report["unchanged"] == 6 + 44
    assert run("-c", catalog, "doctor").returncode == 0


@pytest.mark.parametrize("most", [100, 2_000, 12_000])
def test_files_that_may_not_grow(run: Run, folder: Path, tmp_path: Path, most: int) -> None:
    """As a full disk, without root: no file may become larger than this."""
    code = """
import resource
from catalejo.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
main(sys.argv[2:])
"""
    catalog = tmp_path / "c"
    command = child(code, str(most), "-c", catalog, "add", folder)
    refused(subprocess.run(command, capture_output=True, text=True, timeout=60, check=False), catalog, "file too large")
    report = json.loads(run("-c", catalog, "add", "--json", folder).stdout)
    assert (report["added"], report["skipped"]) == (6, 0)
    assert run("-c", catalog, "doctor").returncode == 0


def test_a_read_only_disk(run: Run, folder: Path, tmp_path: Path, disk: Callable[[str], Path]) -> None:
    catalog = disk("size=4m") / "c"
    assert run("-c", catalog, "add", folder).returncode == 0
    before = holds(catalog)
    new = save(tmp_path / "new.png", 1000)
    disk("remount,ro")
    refused(run("-c", catalog, "add", new), catalog, "read-only file system")
    assert json.loads(run("-c", catalog, "search", "--json", "a square").stdout)["searched"] == 6
    assert run("-c", catalog, "doctor").returncode == 0
    assert holds(catalog) == before
    disk("remount,rw")
    assert json.loads(run("-c", catalog, "add", "--json", new).stdout)["added"] == 1


def test_places_where_nothing_can_be(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(run("-c", "/proc/c", "add", folder), Path("/proc/c"), "no such file or directory")
    refused(run("-c", tmp_path / "file", "add", folder), tmp_path / "file", "it is a file, not a folder")
    assert (tmp_path / "file").read_text() == "mine"


def test_films_and_recordings(run: Run, tmp_path: Path) -> None:
    """Shots and stretches are items; one bad file is a line, and each limit has its flag."""
    films = pytest.importorskip("films")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "clip.mp4").write_bytes(films.two_scenes())
    (tmp_path / "a" / "nota.mp3").write_bytes(films.recording(films.tone(3.0), "mp3"))
    (tmp_path / "a" / "texto.mp4").write_text("Hola\n" * 50)
    (tmp_path / "a" / "largo.wav").write_bytes(films.recording(films.tone(9.0)))
    done = run("-c", tmp_path / "c", "add", tmp_path / "a", "--perceive", "none", "--max-seconds", "5", "--json")
    assert (json.loads(done.stdout)["added"], json.loads(done.stdout)["skipped"]) == (2, 2)
    listed = dict(line.split("\t") for line in run("-c", tmp_path / "c", "skipped").stdout.splitlines())
    assert {Path(path).name: reason for path, reason in listed.items()} == {
        "largo.wav": "it lasts 9 s, over the limit of 5 s (raise it with --max-seconds)",
        "texto.mp4": "not a recording or film in a format we read; it looks like text",
    }
    run("-c", tmp_path / "c", "add", tmp_path / "a", "--perceive", "none", "--retry")
    assert json.loads(run("-c", tmp_path / "c", "status", "--json").stdout)["items"] == 5
