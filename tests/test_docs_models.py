"""docs/models.md says what the cards, the layouts and the precisions are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tiny_models import FOLDER, with_graphs

from catalejo import cards, plugins
from catalejo.cli import COMMANDS
from catalejo.clip.layout import SUFFIXES, find_layout
from catalejo.encoders.opening import open_encoder
from catalejo.fetching import models
from catalejo.records import ModelCard

PAGE = (Path(__file__).parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
DEFAULT: ModelCard = plugins.load("encoders", plugins.DEFAULT_ENCODER).card


def table(first: str) -> list[list[str]]:
    """The cells of the table whose header begins so; the header left out."""
    lines = PAGE[PAGE.index(f"| {first} |") :].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def row(card: ModelCard) -> list[str]:
    """A card as a row of the table of models."""
    published = dict(card.published)
    scores = [f"{published[key]:.1f}" if key in published else "" for key in ("coco_r1", "imagenet", "xm3600_es")]
    sizes = []
    for precision in (cards.precisions(card)[0], "int8"):
        size, estimated = cards.size_mb(card, precision) if precision in cards.precisions(card) else (0, False)
        sizes.append(f"{'~' if estimated else ''}{size:.0f}" if size else "")
    languages = ", ".join(card.languages) if len(card.languages) < 3 else str(len(card.languages))
    licence = card.licence + ("" if card.product_use else ", no products")
    return [f"`{card.name}`", *scores, *sizes, languages, licence]


SEARCHING = [card for card in cards.CARDS.values() if card.purpose == "search"]


@pytest.mark.parametrize("card", SEARCHING, ids=lambda card: card.name)
def test_every_card_has_its_row(card: ModelCard) -> None:
    assert row(card) in table("model")


def test_models_for_one_command_have_theirs() -> None:
    others = [card for card in cards.CARDS.values() if card.purpose != "search"]
    rows = [[f"`{c.name}`", f"`{c.purpose}`", row(c)[4], row(c)[7]] for c in others]
    assert table("model only for") == rows
    assert {card.purpose for card in others} <= set(COMMANDS)


def test_no_row_without_a_card() -> None:
    embedded, *rest = table("model")
    assert [cells[0] for cells in rest] == [f"`{card.name}`" for card in SEARCHING]
    assert embedded[0] == f"`{DEFAULT.name}`"
    assert embedded[4] == f"{models()[0].megabytes['fp32']:.0f}"
    assert embedded[6:] == [", ".join(DEFAULT.languages), DEFAULT.licence]


def test_what_is_recommended_may_be_used_in_a_product() -> None:
    named = [name for cells in table("for") for name in code(cells[1])]
    assert set(named) - {DEFAULT.name} <= set(cards.CARDS)
    assert all(cards.CARDS[name].product_use for name in named if name in cards.CARDS)


@pytest.mark.parametrize("cells", table("as published by"), ids=lambda cells: " ".join(code(cells[1])))
def test_every_layout_is_found(cells: list[str], tmp_path: Path) -> None:
    graphs = code(cells[1])
    for name in graphs:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_layout(tmp_path)
    assert [found.image, found.text] == [tmp_path / graphs[0], tmp_path / graphs[-1]]


@pytest.mark.parametrize("name", with_graphs())
def test_every_published_layout_is_on_the_page(name: str) -> None:
    layout = find_layout(FOLDER / name)
    there = {str(path.relative_to(layout.folder)) for path in (layout.image, layout.text)}
    assert any(there == set(code(cells[1])) for cells in table("as published by"))
    told = {Path(file).name for cells in table("file") for file in code(cells[0])}
    files = {path.name for path in layout.folder.rglob("*.json")} - {"special_tokens_map.json"}
    assert files <= told


def test_precisions_are_told() -> None:
    told = {code(cells[0])[0]: tuple(code(cells[1])) for cells in table("precision")}
    assert told == {name: tuple(s for s in suffixes if s) for name, suffixes in SUFFIXES.items()}
    assert set(told) == set(SUFFIXES)


def test_a_name_is_the_folders_in_small_letters(tmp_path: Path) -> None:
    (tmp_path / "Mine_Model").symlink_to(FOLDER / "clip-transformersjs")
    found = open_encoder(f"{tmp_path}/Mine_Model:int8").card
    assert found.name == "mine-model:int8"
    assert found.folder == str(tmp_path / "Mine_Model")
