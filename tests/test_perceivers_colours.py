"""Colours by name, against the names that CSS gives (Pillow's table of them)."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageColor

from catalejo.demo import pictures
from catalejo.perceivers.colours import NAMES, Colours, named, oklch, shares

# Words in CSS names, and ours. CSS calls some colours by words for what has them: those are left out.
WORDS = {
    word: word
    for word in ("black", "white", "grey", "red", "pink", "orange", "yellow", "olive", "green", "turquoise", "blue")
} | {"cyan": "turquoise", "teal": "turquoise", "navy": "blue", "purple": "purple", "orchid": "purple"}
# Names in CSS that nobody would give without the table: pale tints that look white, and borders between two words.
AT_THE_BORDER = {
    *(
        "aliceblue",
        "antiquewhite",
        "cadetblue",
        "darkolivegreen",
        "darkslategrey",
        "floralwhite",
        "ghostwhite",
        "lightcyan",
    ),
    *("lightgoldenrodyellow", "lightseagreen", "lightyellow", "mediumvioletred", "navajowhite", "olivedrab"),
    *("palevioletred", "powderblue", "whitesmoke", "orangered", "blueviolet", "greenyellow", "yellowgreen"),
}
CSS = [
    (name, word) for name in sorted(ImageColor.colormap) for word in WORDS if word in name and name not in AT_THE_BORDER
]


@pytest.mark.parametrize(("name", "word"), CSS)
def test_the_names_of_css(name: str, word: str) -> None:
    (number,) = named(np.array([ImageColor.getrgb(name)[:3]], np.uint8))
    assert WORDS[word] in NAMES[number][0]


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ("red", (0.627955, 0.257683, 29.234)),
        ("lime", (0.866440, 0.294827, 142.495)),
        ("blue", (0.452014, 0.313214, 264.052)),
    ],
)
def test_oklch(colour: str, expected: tuple[float, float, float]) -> None:
    """Values of CSS Color Module Level 4 (sample code, and the table of sRGB primaries)."""
    found = oklch(np.array([ImageColor.getrgb(colour)], np.uint8))
    assert [float(x[0]) for x in found] == pytest.approx(expected, abs=2e-3)


def test_shares_of_a_flag() -> None:
    flag = Image.new("RGB", (300, 200), (170, 21, 27))
    flag.paste((241, 191, 0), (0, 50, 300, 150))
    found = Colours().look(flag, page=2).facts
    assert [(fact.value, fact.es, fact.number) for fact in found] == [
        ("red", "rojo", 0.5),
        ("yellow", "amarillo", 0.5),
    ]
    assert {(fact.kind, fact.by, fact.page, fact.confidence == fact.number) for fact in found} == {
        ("colour", "colours", 2, True)
    }


def test_all_pixels_have_a_name_and_shares_are_whole() -> None:
    everything = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)
    found = shares(Image.fromarray(everything))
    assert sum(share for _, share in found) == pytest.approx(1, abs=1e-3)
    assert [share for _, share in found] == sorted((share for _, share in found), reverse=True)


def test_a_photograph() -> None:
    """A cup of coffee on a red saucer, on wood."""
    with Image.open(pictures() / "coffee.png") as picture:
        values = [fact.value for fact in Colours().look(picture.convert("RGB")).facts]
    assert values[0] == "brown"
    assert "red" in values
    assert not {"blue", "green", "purple"} & set(values)


def test_one_pixel_and_a_huge_sheet() -> None:
    assert [f.value for f in Colours().look(Image.new("RGB", (1, 1), "blue")).facts] == ["blue"]
    assert [f.value for f in Colours().look(Image.new("RGB", (1, 3000), "white")).facts] == ["white"]
