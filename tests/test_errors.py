"""Errors: one root, one line, and the next thing to do."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from catalejo import errors
from catalejo.encoders.conse import CARD
from catalejo.errors import CatalejoError, UnknownName

MADE: dict[str, CatalejoError] = {
    "CatalejoError": errors.CatalejoError("x"),
    "UnknownName": errors.UnknownName("encoder", "cons", ["conse", "clip"]),
    "MissingExtra": errors.MissingExtra("encoder 'clip'", "torch", "torch"),
    "NotForPictures": errors.NotForPictures("sentence"),
    "NotForSearch": errors.NotForSearch("dinov2-s-14", "attention"),
    "BadQuery": errors.BadQuery("nothing asked"),
    "DoesNotFit": errors.DoesNotFit("there is no layer 13"),
    "BadCaptions": errors.BadCaptions("captions.csv", "it is empty"),
    "BadQuestions": errors.BadQuestions("qa.csv", "it is empty"),
    "BadLabels": errors.BadLabels("it is empty", "labels.txt"),
    "CannotRead": errors.CannotRead("a.jpg", "it is empty"),
    "OverLimit": errors.OverLimit("a.jpg", "200 megapixels", "100", "--max-megapixels"),
    "CannotSave": errors.CannotSave("a.png", "no such folder"),
    "WeightsError": errors.WeightsError("x"),
    "MissingWeights": errors.MissingWeights("x"),
    "DamagedWeights": errors.DamagedWeights("a.pth", "it is cut short"),
    "CannotFetch": errors.CannotFetch("clip-vit-b-32", "no route to host", "Use --from FOLDER."),
    "CatalogError": errors.CatalogError("x"),
    "NoCatalog": errors.NoCatalog("c"),
    "WrongFormat": errors.WrongFormat("c", 9, 1),
    "CatalogBusy": errors.CatalogBusy("c", " (process 7)"),
    "CatalogDamaged": errors.CatalogDamaged("c", "items cannot be opened"),
    "WrongEncoder": errors.WrongEncoder("c", CARD, replace(CARD, version="2"), "conse", first=False),
    "NotEncoded": errors.NotEncoded("c", "clip", "/models/my clip", ["conse"]),
    "BadModel": errors.BadModel("/models/clip", "there is no such folder"),
    "CannotQuantize": errors.CannotQuantize("conse", "it has no ONNX graphs of its own"),
    "CannotWrite": errors.CannotWrite("c", "permission denied"),
    "BadModelData": errors.BadModelData("llms.toml", "line 3: a window below 1"),
    "NoPrice": errors.NoPrice("qwen3-4b"),
    "CannotAsk": errors.CannotAsk("no documents are named"),
    "NoEndpoint": errors.NoEndpoint(),
    "EndpointFailed": errors.EndpointFailed("http://127.0.0.1:8080/v1", "it does not answer"),
    "CannotPerceive": errors.CannotPerceive("qwen3-4b", "pictures", "so says llama.cpp (/props)"),
    "PromptTooLong": errors.PromptTooLong("9,000 tokens do not fit into 4,096", 4_096, 9_000),
    "TooCostly": errors.TooCostly("it would cost 2 US dollars, over the limit of 1"),
}


def test_every_error_has_the_root_and_is_drawn_in_the_tree() -> None:
    defined = {name: value for name, value in vars(errors).items() if inspect.isclass(value) and name in dir(errors)}
    defined = {name: value for name, value in defined.items() if value.__module__ == errors.__name__}
    assert set(defined) == set(MADE)
    assert all(issubclass(value, CatalejoError) for value in defined.values())
    assert errors.__doc__ and all(name in errors.__doc__ for name in defined)


def test_the_tree_is_as_drawn() -> None:
    lines = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    stack: list[tuple[int, str]] = []
    for line in lines:
        name = line.strip(" │├└─").split()[0]
        if not name[0].isupper():
            continue
        indent = line.index(name)
        while stack and stack[-1][0] >= indent:
            stack.pop()
        if stack:
            assert getattr(errors, name).__bases__ == (getattr(errors, stack[-1][1]),), name
        stack.append((indent, name))


@pytest.mark.parametrize("name", sorted(MADE))
def test_messages_are_one_line_and_have_a_code(name: str) -> None:
    assert "\n" not in str(MADE[name]) and str(MADE[name])
    assert MADE[name].code == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("UnknownName", ["'cons'", "Did you mean 'conse'?", "Known: clip, conse."]),
        ("MissingExtra", ["encoder 'clip' needs", 'pip install "catalejo[torch]"']),
        ("OverLimit", ["a.jpg", "200 megapixels", "limit of 100", "--max-megapixels"]),
        ("DamagedWeights", ["a.pth", "it is cut short", "Reinstall the package"]),
        ("CannotFetch", ["clip-vit-b-32", "no route to host", "--from FOLDER"]),
        ("NoCatalog", ["catalejo -c c add"]),
        ("CatalogBusy", ["(process 7)", "-c"]),
        ("CatalogDamaged", ["items cannot be opened", "doctor --repair"]),
        ("WrongEncoder", ["conse version 1", "this is conse version 2", "catalejo -c c encode --encoder conse --anew"]),
        ("NotEncoded", ["no vectors of clip", "it has: conse", "catalejo -c c encode --encoder '/models/my clip'"]),
        ("CannotWrite", ["c: permission denied"]),
    ],
)
def test_messages_say_what_with_which_value_and_what_next(name: str, parts: list[str]) -> None:
    for part in parts:
        assert part in str(MADE[name])


def test_unknown_names_guess_only_what_is_near() -> None:
    assert "Did you mean" not in str(UnknownName("encoder", "zzz", ["conse"]))
    assert "Did you mean 'search'?" in str(UnknownName("command", "serch", ["add", "search"]))
    assert "Known: none." in str(UnknownName("encoder", "x", []))


def test_skipped_files_keep_their_reason() -> None:
    error = errors.OverLimit("a.jpg", "200 megapixels", "100", "--max-megapixels")
    assert error.path == "a.jpg" and error.reason.startswith("200 megapixels")
    assert isinstance(error, errors.CannotRead)
