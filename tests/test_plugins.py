"""Plug-ins: listed without importing, loaded by name, and failures told apart."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalejo import plugins
from catalejo.errors import MissingExtra, UnknownName
from catalejo.plugins import Plugin


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, for modules and distributions of the test; the tables forget it afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    plugins.table.cache_clear()
    yield tmp_path
    plugins.table.cache_clear()
    for name in set(sys.modules) - before:
        if name.startswith("trial"):
            del sys.modules[name]


def distribution(site: Path, group: str, entries: str) -> None:
    info = site / "trial_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trial-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[catalejo.{group}]\n{entries}\n")


def test_listing_imports_nothing() -> None:
    code = (
        "import sys; from catalejo import plugins; plugins.table('encoders'); plugins.table('readers')\n"
        "plugins.reader_for('.jpg')\n"
        "heavy = ('catalejo.encoders', 'catalejo.readers', 'numpy', 'PIL')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("group", ["readers", "encoders"])
def test_every_entry_of_ours_loads(group: str) -> None:
    for name, plugin in plugins.table(group).items():
        try:
            loaded = plugins.load(group, name)
        except MissingExtra as error:
            assert plugin.extra and plugin.extra in str(error)
        else:
            assert loaded.__name__ == plugin.target.partition(":")[2]


def test_the_default_encoder_is_registered_and_needs_no_extra() -> None:
    assert plugins.ENCODERS[plugins.DEFAULT_ENCODER].extra is None


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no encoder is called 'cons'\. Did you mean 'conse'\? Known: .*conse"):
        plugins.load("encoders", "cons")
    with pytest.raises(UnknownName, match=r"no reader is called 'zzzz'\. Known: "):
        plugins.load("readers", "zzzz")


def test_a_missing_extra_prints_the_pip_line(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "trial_needy.py").write_text("import trial_absent.deep\n")
    monkeypatch.setitem(plugins.ENCODERS, "needy", Plugin("trial_needy:Encoder", "torch"))
    with pytest.raises(MissingExtra) as caught:
        plugins.load("encoders", "needy")
    assert str(caught.value) == "encoder 'needy' needs the package trial_absent: pip install \"catalejo[torch]\""


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import catalejo.not_a_module", ModuleNotFoundError),
        ("import json.not_a_module", ModuleNotFoundError),
        ("from json import not_a_name", ImportError),
        ("import trial_not_a_module_of_base", ModuleNotFoundError),
        ("1 / 0", ZeroDivisionError),
        ("raise ModuleNotFoundError('no name')", ModuleNotFoundError),
        ("Encoder = ", SyntaxError),
        ("pass", AttributeError),
    ],
)
def test_a_bug_inside_a_plugin_is_raised_as_it_is(
    site: Path, monkeypatch: pytest.MonkeyPatch, source: str, error: type[Exception]
) -> None:
    (site / "trial_buggy.py").write_text(source + "\n")
    extra = None if "of_base" in source else "torch"
    monkeypatch.setitem(plugins.ENCODERS, "buggy", Plugin("trial_buggy:Encoder", extra))
    with pytest.raises(error) as caught:
        plugins.load("encoders", "buggy")
    assert not isinstance(caught.value, MissingExtra)


def test_a_plugin_whose_own_module_is_gone_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plugins.ENCODERS, "gone", Plugin("catalejo.encoders.gone:Encoder", "torch"))
    with pytest.raises(ModuleNotFoundError):
        plugins.load("encoders", "gone")


def test_other_distributions_bring_plugins(site: Path) -> None:
    distribution(
        site,
        "encoders",
        "trial = trial_outside:Shelf.Encoder\nspare = trial_outside:Spare [extra]\nconse = trial_outside:Ours",
    )
    (site / "trial_outside.py").write_text(
        "class Shelf:\n    class Encoder: pass\nclass Spare: pass\nclass Ours: pass\n"
    )
    assert {"conse", "trial", "spare"} <= set(plugins.table("encoders"))
    assert "trial_outside" not in sys.modules
    assert plugins.load("encoders", "trial").__qualname__ == "Shelf.Encoder"
    assert plugins.load("encoders", "spare").__name__ == "Spare"
    assert plugins.load("encoders", "conse").__name__ == "ConseEncoder"  # a name of ours wins
    with pytest.raises(UnknownName, match="Did you mean 'trial'"):
        plugins.load("encoders", "trail")


def test_a_broken_entry_of_another_distribution_harms_only_itself(site: Path) -> None:
    distribution(site, "encoders", "broken = not a module!\nabsent = trial_nowhere:Encoder")
    assert {"broken", "absent", "conse"} <= set(plugins.table("encoders"))
    assert plugins.load("encoders", "conse").__name__ == "ConseEncoder"
    with pytest.raises(ModuleNotFoundError):
        plugins.load("encoders", "absent")


@pytest.mark.parametrize(
    ("suffix", "reader"),
    [(".jpg", "image"), (".heic", "image"), (".mp3", "audio"), (".MP4", "video"), (".txt", None), ("", None)],
)
def test_readers_are_found_by_suffix(suffix: str, reader: str | None) -> None:
    assert plugins.reader_for(suffix) == reader


def test_suffixes_are_lower_case_and_belong_to_one_reader() -> None:
    suffixes = [suffix for plugin in plugins.READERS.values() for suffix in plugin.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)
