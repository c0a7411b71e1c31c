"""The examples of docs/add-an-encoder.md, add-a-reader.md and add-a-perceiver.md, as others would bring them."""

from __future__ import annotations

import inspect
import io
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import pictures as make
from PIL import Image

from catalejo import Catalog, plugins
from catalejo.encoders import Encoder
from catalejo.encoders.opening import open_encoder
from catalejo.errors import CannotRead, OverLimit
from catalejo.perceivers import RATE_HZ
from catalejo.readers import Page
from catalejo.records import Limits
from catalejo.senses import facts_of
from catalejo.texts import TextPage

DOCS = Path(__file__).parent.parent / "docs"
RED, BLUE = (220, 30, 30), (20, 60, 210)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page(name), re.DOTALL)


def forget() -> None:
    plugins.table.cache_clear()
    plugins.by_suffix.cache_clear()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with the examples, registered by the entry points the pages show."""
    package, info = tmp_path / "site" / "my_package", tmp_path / "site" / "my_package-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").touch()
    entries = ""
    for name in ("add-an-encoder.md", "add-a-reader.md", "add-a-perceiver.md"):
        ((group, points),) = tomllib.loads(blocks(name, "toml")[0])["project"]["entry-points"].items()
        ((point, target),) = points.items()
        module = target.partition(":")[0].rpartition(".")[2]
        (package / f"{module}.py").write_text(blocks(name, "python")[0], encoding="utf-8")
        entries += f"[{group}]\n{point} = {target}\n"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(tmp_path / "site")
    forget()
    yield tmp_path
    forget()
    for module in [module for module in sys.modules if module.startswith("my_package")]:
        del sys.modules[module]


def draw(folder: Path, name: str, colour: tuple[int, int, int]) -> str:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (60, 50), colour).save(folder / name)
    return str(folder / name)


def test_the_members_told_are_those_of_the_protocol() -> None:
    table = page("add-an-encoder.md").split("| member | what |\n|---|---|\n", 1)[1].split("\n\n", 1)[0]
    told = [re.match(r"\| `(\w+)` \|", line) for line in table.splitlines()]
    methods = {name for name, _ in inspect.getmembers(Encoder, callable) if not name.startswith("_")}
    properties = {name for name, _ in inspect.getmembers(Encoder, lambda x: isinstance(x, property))}
    assert {found[1] for found in told if found} == {*inspect.get_annotations(Encoder), *methods, *properties}
    assert all(told)


def test_the_encoder_has_every_member_and_gives_unit_vectors(installed: Path) -> None:
    encoder = open_encoder("colours")
    for name in ("card", "side_px", "together", "prompted", "scoring", "background", "files", "why"):
        assert hasattr(encoder, name), name
    found = encoder.encode_images([Image.new("RGB", (1, 90), RED), make.gradient()])
    rows = encoder.encode_texts(["un coche rojo", "", "blue and red", "caf\udce9", "x " * 5_000])
    for vectors, n in ((np.stack([one.vector for one in found]), 2), (rows, 5)):
        assert vectors.shape == (n, encoder.card.width) and vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert encoder.encode_texts([]).shape == (0, encoder.card.width)
    assert encoder.background.shape[1] == encoder.card.width


def test_pictures_are_found_by_the_encoder_and_the_reader(installed: Path) -> None:
    folder = installed / "pictures"
    red, blue = draw(folder, "rosa.ppm", RED), draw(folder, "mar.png", BLUE)
    for number in range(8):
        draw(folder, f"{number}.png", (number + 120, 128, 128))
    catalog = Catalog(installed / "catalog", encoder="colours")
    assert catalog.add(folder).added == 10
    assert [catalog.search(text).hits[0].path for text in ("un coche rojo", "the blue sea")] == [red, blue]
    assert catalog.status().spaces[0].encoder == "colours"


def test_the_reader_gives_pages_and_reasons(installed: Path) -> None:
    reader = plugins.load("readers", "pixmap")()
    whole = make.saved(make.gradient(), "PPM")

    def read(data: bytes, limits: Limits) -> list[Page]:
        return list(reader.read(io.BytesIO(data), "a/file.ppm", limits, 64))

    (found,) = read(whole, Limits())
    assert (found.width_px, found.height_px) == make.gradient().size
    np.testing.assert_array_equal(np.asarray(found.picture), np.asarray(make.gradient()))
    for data in (b"", b"plain text", whole[: len(whole) // 2]):
        with pytest.raises(CannotRead, match="it is no pixmap, or cut short"):
            read(data, Limits())
    with pytest.raises(OverLimit, match=r"over the limit of 0.0001 \(raise it with --max-megapixels\)"):
        read(whole, Limits(max_megapixels=0.0001))


def test_the_reader_of_documents_gives_pages_and_reasons() -> None:
    made: dict[str, Any] = {"__name__": "org"}
    exec(blocks("add-a-reader.md", "python")[2], made)
    reader = made["OrgReader"]()

    def read(data: bytes, limits: Limits) -> list[TextPage]:
        return list(reader.read(io.BytesIO(data), "a.org", limits))

    text = "#+TITLE: El año\n* Enero\n"
    assert read(text.encode("cp1252"), Limits()) == [TextPage(text, 1, title="El año")]
    assert read(b"* one", Limits())[0].title == ""
    with pytest.raises(CannotRead, match="not text"):
        read(bytes(100), Limits())
    with pytest.raises(OverLimit, match="--max-chars"):
        read(text.encode(), Limits(max_chars=5))


def test_the_perceiver_is_asked_by_add_and_by_facts(installed: Path) -> None:
    folder = installed / "pictures"
    night, day = draw(folder, "noche.png", (5, 5, 20)), draw(folder, "día.png", (240, 240, 230))
    catalog = Catalog(installed / "catalog", encoder="colours")
    report = catalog.add(folder, perceive="light").perceiving
    assert report is not None and (report.perceived, report.facts) == (2, 2)
    said = {known.path: known.facts[-1].said("es") for known in catalog.facts(night, day, perceive="light")}
    assert said == {night: "oscuro", day: "claro"}
    assert facts_of(night, "light").facts[-1].value == "dark"


def test_the_listener_finds_the_loudest_second() -> None:
    made: dict[str, Any] = {"__name__": "loudest"}
    exec(blocks("add-a-perceiver.md", "python")[2], made)

    class Ramp:
        duration_s = 3.0

        def __init__(self, level: float) -> None:
            self.level = level

        def blocks(self) -> Iterator[Any]:
            for second in range(3):
                yield np.full(RATE_HZ, self.level * (second == 1) + self.level / 10, np.float32)

    (fact,) = made["Loudest"]().listen(Ramp(0.5)).facts
    assert (fact.start_s, fact.end_s, fact.kind) == (1.0, 2.0, "sound")
    assert made["Loudest"]().listen(Ramp(0.0)).facts == ()


def test_the_text_a_perceiver_gives_is_as_the_page_shows() -> None:
    made: dict[str, Any] = {}
    exec(blocks("add-a-perceiver.md", "python")[1], made)
    (text,) = made["found"].pages
    assert [text.text[cue.start : cue.end] for cue in text.cues] == ["Salida"]


@pytest.mark.parametrize(
    ("name", "group", "block"),
    [("add-an-encoder.md", "encoders", 1), ("add-a-reader.md", "readers", 1), ("add-a-perceiver.md", "perceivers", 3)],
)
def test_the_line_for_the_registry_is_right(name: str, group: str, block: int) -> None:
    registered: dict[str, object] = {}
    exec(blocks(name, "python")[block].replace("    ...\n", ""), {"Plugin": plugins.Plugin}, registered)
    ((table, entries),) = registered.items()
    assert getattr(plugins, table) is plugins._OURS[group]
    (plugin,) = entries.values()  # type: ignore[attr-defined]
    assert f"class {plugin.target.partition(':')[2]}:" in blocks(name, "python")[0]
