"""The documents say what the code does."""

from __future__ import annotations

import importlib.util
import inspect
import re
import shlex
import tomllib
from itertools import takewhile
from pathlib import Path

import click
import pytest

from catalejo import Catalog
from catalejo.caption_formats import read_rows
from catalejo.cli import COMMANDS, cli
from catalejo.taxonomy import read_labels

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.es.md")
# commands about models or single pictures, not about a catalog
WITHOUT_CATALOG = {
    "demo",
    "ask",
    "ocr",
    "transcribe",
    "patches",
    "attention",
    "models",
    "fetch",
    "quantize",
    "tokens",
    "llms",
    "cost",
    "plan",
    "curve",
    "route",
}


def test_the_command_reference_is_what_the_commands_say() -> None:
    spec = importlib.util.spec_from_file_location("make_commands", ROOT / "docs" / "make_commands.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == module.page(), "run: make docs"


def is_module(word: str) -> bool:
    return word.endswith((".py", "/"))


@pytest.mark.parametrize("readme", READMES)
def test_the_tree_in_the_readme_is_the_one_on_disk(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    tree = text.split("src/catalejo/\n", 1)[1].split("```", 1)[0]
    told = {name for line in tree.splitlines() for name in takewhile(is_module, line.split())}
    package = ROOT / "src" / "catalejo"
    there = {p.name for p in package.glob("*.py")} | {f"{p.parent.name}/" for p in package.glob("*/__init__.py")}
    assert told == there


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_names_the_two_commands_and_every_link_leads_somewhere(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
    for page in (ROOT / readme, *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_anchor_is_a_heading() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for target, anchor in re.findall(r"\]\(([\w.-]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            text = (page.parent / target if target else page).read_text(encoding="utf-8")
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{page.name}: {target}#{anchor}"


def table_of(header: str) -> str:
    """The CSV in docs/tasks.md whose header begins so."""
    tables = re.findall(r"```csv\n(.*?)```", (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8"), re.DOTALL)
    (found,) = (table for table in tables if table.startswith(header))
    return str(found)


def test_the_table_of_categories_shown_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "catalogue.csv").write_text(table_of("category,"), encoding="utf-8")
    found = read_labels(tmp_path / "catalogue.csv")
    assert [(target.category, target.name) for target in found] == [
        ("animales", "gato"),
        ("animales", "perro"),
        ("vajilla", "taza"),
        ("vajilla", "plato"),
    ]
    assert [target.prompts for target in found] == [(), (), ("una taza de café con leche",), ()]


def test_the_caption_file_shown_can_be_read() -> None:
    rows = read_rows("captions.csv", table_of("path,"))
    assert [row.names[0] for row in rows] == ["2021/laika.jpg", "2021/faro.jpg"]
    assert rows[0].captions == (("en", "a dog in the snow"), ("es", "un perro en la nieve"))


def examples() -> list[tuple[str, str]]:
    """Page and command line of every ``catalejo ...`` in a console block."""
    found = []
    for page in (*(ROOT / name for name in READMES), *(ROOT / "docs").glob("*.md")):
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            lines = [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
            parts = [part.strip() for line in lines for part in re.split(r" (?:&&|\|) ", line)]
            found += [(page.name, part) for part in parts if re.match(r"(?:\S+/)?catalejo ", part)]
    return found


@pytest.mark.parametrize(("page", "line"), examples(), ids=lambda text: text)
def test_every_example_is_a_command_with_options_that_exist(page: str, line: str) -> None:
    asked = shlex.split(line, comments=True)[1:]
    if asked[0] == "-c":
        asked = asked[2:]
    command = cli.get_command(click.Context(cli), asked[0])
    assert command is not None, asked[0]
    command.make_parser(click.Context(command)).parse_args(asked[1:])


def test_the_examples_are_found() -> None:
    assert {"README.md", "README.es.md", "tasks.md", "models.md"} <= {page for page, _ in examples()}


def test_both_readmes_give_the_same_figures() -> None:
    """The numbers with a decimal point in the table of figures, in order."""
    tables = [(ROOT / name).read_text(encoding="utf-8").split("|---|---|", 1)[1].split("\n\n")[0] for name in READMES]
    english, spanish = (re.findall(r"\d*\.\d+", table) for table in tables)
    assert english == spanish
    assert len(english) >= 6


def test_both_readmes_name_the_same_commands_in_the_same_order() -> None:
    told = []
    for name in READMES:
        text = (ROOT / name).read_text(encoding="utf-8").split("```text", 1)[0]
        words = re.findall(r"`(?:catalejo )?([a-z]+)[ `]", text)
        told.append([word for word in words if word in COMMANDS])
    assert told[0] == told[1]
    assert {"search", "classify", "models", "encode", "evaluate", "compare", "patches"} <= set(told[0])


def test_both_readmes_have_as_many_points() -> None:
    points = [
        [part.count("\n- ") for part in (ROOT / name).read_text(encoding="utf-8").split("\n## ")] for name in READMES
    ]
    assert points[0] == points[1]


def test_every_command_is_a_method_of_the_catalog() -> None:
    methods = {name for name, _ in inspect.getmembers(Catalog, inspect.isfunction)}
    assert set(COMMANDS) - methods <= WITHOUT_CATALOG


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("install", "demo", "test", "lint", "bench"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_extras_named_in_the_code_exist() -> None:
    from catalejo import plugins

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for group in (plugins.READERS, plugins.ENCODERS):
        for name, plugin in group.items():
            assert plugin.extra is None or plugin.extra in extras, name
    assert {"demo", "torch", "all"} <= set(extras)


def test_the_changelog_has_the_version_or_is_unreleased() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
