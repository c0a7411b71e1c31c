"""Killed anywhere while perceivers look, the next run ends in the same catalog as an uninterrupted one."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from making import (  # noqa: F401  (fixtures)
    child,
    counting_encoder,
    encoder_of_meaning,
    holds,
    pictures,
    save,
    save_text,
)
from sensing import save_sound, stand_ins  # noqa: F401  (fixture)

from catalejo import Catalog

pytestmark = pytest.mark.usefixtures("counting", "meaning", "sensing")

# Kills itself before or after the n-th of all steps of the second stage that leave something on the disk.
STEP = """
import os, signal
from pathlib import Path
import catalejo.encoders.sentence
from catalejo import Catalog, perceiving, plugins, upkeep
from catalejo.plugins import Plugin
from making import Counting, Meaning
import sensing
import lance
from datetime import timedelta

for made in (Counting, Meaning, sensing.Signs):
    made.reset()
catalejo.encoders.sentence.SentenceEncoder = Meaning
plugins.ENCODERS["counting"] = Plugin("making:Counting")
plugins._OURS["perceivers"] = sensing.PERCEIVERS | {"signs": Plugin("sensing:" + sys.argv[5], kinds=("image",))}
plugins._OURS["sound_encoders"] = sensing.SOUNDS
upkeep.KEPT = timedelta(0)
perceiving._COMMIT_FILES = 3

at, after, catalog, folder = int(sys.argv[1]), sys.argv[2] == "after", sys.argv[3], sys.argv[4]
steps = 0

def deadly(function):
    def call(*arguments, **options):
        global steps
        steps += 1
        mine = steps == at
        if mine and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

for owner, name in (
    (lance, "write_dataset"), (lance.LanceDataset, "delete"), (lance.LanceDataset, "add_columns"),
    (lance.LanceDataset, "merge_insert"), (lance.LanceDataset, "update_config"),
    (lance.LanceDataset, "cleanup_old_versions"), (lance.LanceDataset, "create_scalar_index"),
):
    setattr(owner, name, deadly(getattr(owner, name)))
Catalog(catalog, encoder="counting").add(folder, perceive="signs,voices", workers=1)
print(steps)
"""


def comparable(catalog: Path) -> dict[str, object]:
    """All it holds; the order of vector columns and rows does not count."""
    return {name: rows for name, rows in holds(catalog).items() if name != "names"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("again", [False, True], ids=["first", "another version"])
def test_killed_around_every_write(tmp_path: Path, again: bool) -> None:
    pytest.importorskip("av", reason="recordings are read by the extra `media`")
    folder, begun, whole = pictures(tmp_path / "p", 4), tmp_path / "begun", tmp_path / "whole"
    save_text(folder / "a.txt", 1, 2)
    save_sound(folder / "a.wav", 41)
    made = Catalog(begun, encoder="counting")
    made.add(folder, perceive="signs,voices" if again else "none", workers=1)
    save(folder / "new.png", 77)
    version = "Newer" if again else "Signs"

    def go(catalog: Path, at: int, when: str) -> subprocess.CompletedProcess[str]:
        command = child(STEP, str(at), when, catalog, folder, version)
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    shutil.copytree(begun, whole)
    done = go(whole, 0, "before")
    assert done.returncode == 0, done.stderr
    expected, steps = comparable(whole), int(done.stdout)
    assert steps > 10
    for at in range(1, steps + 1):
        when = ("before", "after")[at % 2]
        catalog = tmp_path / f"{at}"
        shutil.copytree(begun, catalog)
        assert go(catalog, at, when).returncode == -signal.SIGKILL
        Catalog(catalog, encoder="counting").status()
        Catalog(catalog, encoder="counting").search("el letrero del número")
        finished = go(catalog, 0, "before")
        assert finished.returncode == 0, finished.stderr
        assert comparable(catalog) == expected, f"killed {when} write {at} of {steps}"
        assert Catalog(catalog, encoder="counting").doctor() == []
        shutil.rmtree(catalog)
