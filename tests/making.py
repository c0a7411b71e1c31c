"""What the tests of ``add`` make: pictures, texts, encoders that count, and what a catalog holds, to compare."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import lance
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from catalejo import plugins
from catalejo.encoders import Encoded
from catalejo.encoders.sentence import CARD
from catalejo.records import Label, ModelCard, Scoring

Array = npt.NDArray[np.float32]
HOUR = 3600 * 10**9


def picture(seed: int, size: tuple[int, int] | None = None) -> Image.Image:
    """A small picture unlike those of other seeds: a gradient, a rectangle and some noise."""
    rng = np.random.default_rng(seed)
    wide, high = size or (int(rng.integers(40, 160)), int(rng.integers(40, 160)))
    corners = rng.integers(0, 256, (2, 2, 3)).astype(np.uint8)
    pixels = np.asarray(Image.fromarray(corners).resize((wide, high), Image.Resampling.BILINEAR)).astype(np.int16)
    x, y = int(rng.integers(0, wide // 2)), int(rng.integers(0, high // 2))
    pixels[y : y + high // 3, x : x + wide // 3] = rng.integers(0, 256, 3)
    pixels += rng.integers(-12, 13, pixels.shape, dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def save(path: Path, seed: int, size: tuple[int, int] | None = None) -> Path:
    """One picture as a file; its time depends on the seed, so that runs can be compared."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed, size).save(path)
    stamp(path, seed)
    return path


def save_pages(path: Path, seeds: Sequence[int]) -> Path:
    """A TIFF with one page a seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *others = (picture(seed, (64, 48)) for seed in seeds)
    first.save(path, save_all=True, append_images=others)
    stamp(path, seeds[0])
    return path


def stamp(path: Path, hours: int) -> None:
    """Set a file's time: so many hours after 2020."""
    when = 1_577_836_800 * 10**9 + hours * HOUR
    os.utime(path, ns=(when, when))


def pictures(folder: Path, count: int = 12) -> Path:
    """A folder of pictures in several formats and folders, with nothing wrong."""
    for number in range(count):
        suffix = ("jpg", "png", "webp", "bmp", "gif", "JPEG")[number % 6]
        save(folder / f"part {number % 3}" / f"picture {number:03}.{suffix}", number)
    return folder


def mixed(folder: Path, count: int = 112) -> Path:
    """Pictures, a TIFF of five pages, copies, and four damaged files."""
    pictures(folder, count)
    save_pages(folder / "pages.tif", [901, 902, 903, 904, 905])
    for number, name in enumerate(("a copy.jpg", "part 1/another.jpg", "z last.jpg")):
        (folder / name).write_bytes((folder / "part 0" / "picture 000.jpg").read_bytes())
        stamp(folder / name, 500 + number)
    whole = (folder / "part 0" / "picture 000.jpg").read_bytes()
    pages = (folder / "pages.tif").read_bytes()
    damaged = {"cut.jpg": whole[: len(whole) // 3], "text.png": b"not a picture", "empty.gif": b""}
    damaged["cut pages.tif"] = pages[: len(pages) * 2 // 3]
    for name, data in damaged.items():
        (folder / name).write_bytes(data)
        stamp(folder / name, 600)
    return folder


_NOUNS = (
    *("casa", "perro", "gato", "río", "montaña", "libro", "mesa", "puerta", "ventana", "coche", "árbol", "flor"),
    *("niño", "madre", "agua", "fuego"),
)
_VERBS = ("mira", "compra", "vende", "pierde", "busca", "encuentra", "dibuja", "rompe", "limpia", "guarda")


def prose(seed: int, paragraphs: int = 3) -> str:
    """Spanish sentences unlike those of other seeds, in paragraphs of one to six."""
    dice = np.random.default_rng(seed)

    def sentence() -> str:
        first, second, third = (_NOUNS[n] for n in dice.integers(0, len(_NOUNS), 3))
        verb = _VERBS[int(dice.integers(0, len(_VERBS)))]
        return f"La {first} {verb} el {second} con {third} en el año {int(dice.integers(1100, 2020))}."

    blocks = (" ".join(sentence() for _ in range(int(dice.integers(1, 7)))) for _ in range(paragraphs))
    return "\n\n".join(blocks) + "\n"


def save_text(path: Path, seed: int, paragraphs: int = 3) -> Path:
    """One text as a file; its time depends on the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(prose(seed, paragraphs), encoding="utf-8")
    stamp(path, seed)
    return path


def holds(catalog: Path) -> dict[str, Any]:
    """All a catalog holds, in a form that can be compared: rows as sorted lists, so that doubles show."""
    files = lance.dataset(str(catalog / "files.lance")).to_table().to_pylist()
    items = lance.dataset(str(catalog / "items.lance")).to_table().to_pylist()
    thumbnails = {
        str(path.relative_to(catalog)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (catalog / "thumbnails").glob("**/*")
        if path.is_file()
    }
    texts = {
        name: lance.dataset(str(catalog / f"{name}.lance")).to_table().to_pylist()
        for name in ("passages", "sentences")
        if (catalog / "sentences.lance").exists()
    }
    facts = catalog / "facts.lance"
    perceived = lance.dataset(str(facts)).to_table().to_pylist() if (facts / "_versions").exists() else []
    return {name: sorted(rows, key=_place) for name, rows in texts.items()} | {
        "facts": sorted(perceived, key=repr),
        "files": sorted(files, key=lambda row: row["path"]),
        "items": sorted(items, key=lambda row: (row["hash"], row["page"])),
        "thumbnails": thumbnails,
        "names": sorted(path.name for path in catalog.iterdir()),
    }


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["hash"], row["page"], row["number"], row["signal"] or "", row["start"]


def paths(catalog: Path) -> dict[str, str | None]:
    """path -> hash, as text, of all files a catalog knows."""
    return {row["path"]: row["hash"] for row in holds(catalog)["files"]}


def child(code: str, *arguments: str | Path) -> list[str]:
    """The command that runs code in a new process, with this folder's modules within reach."""
    here = f"import sys; sys.path.insert(0, {os.fspath(Path(__file__).parent)!r})\n{_SOMEBODY}\n"
    return [sys.executable, "-c", here + code, *map(os.fspath, arguments)]


# For code in a child, after its imports: from then on permissions bind it, even when root runs the tests.
_SOMEBODY = """
def become_somebody():
    import os
    if os.geteuid() == 0:
        os.setgroups([])
        os.setegid(65534)
        os.seteuid(65534)
"""


@pytest.fixture(name="open_folder")
def open_to_all() -> Iterator[Path]:
    """A folder any user may write to; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="catalejo-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)
        for path, folders, _ in os.walk(folder):
            for name in folders:
                Path(path, name).chmod(0o777)


@pytest.fixture(name="counting")
def counting_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The encoders that count, under their names."""
    for made in (Counting, Other):
        monkeypatch.setitem(plugins.ENCODERS, made.card.name, plugins.Plugin(f"making:{made.__name__}"))
        made.reset()
    plugins.table.cache_clear()
    yield
    plugins.table.cache_clear()


@pytest.fixture(name="meaning")
def encoder_of_meaning(monkeypatch: pytest.MonkeyPatch) -> type[Meaning]:
    """Sentences are encoded by ``Meaning`` everywhere."""
    monkeypatch.setattr("catalejo.encoders.sentence.SentenceEncoder", Meaning)
    Meaning.reset()
    return Meaning


class Meaning:
    """An encoder of sentences: the sum of a random vector a word, so texts are near that share words.

    Class attributes, to be reset by the test: ``seen`` texts encoded; ``gate`` is passed before.
    """

    card = replace(CARD, width=64)
    seen: list[str] = []  # noqa: RUF012
    gate: Any = threading.Event()

    @classmethod
    def reset(cls) -> None:
        cls.seen, cls.gate = [], threading.Event()
        cls.gate.set()

    def encode_texts(self, texts: Sequence[str]) -> Array:
        assert self.gate.wait(60)
        self.seen.extend(texts)
        sums = [sum((_direction(word) for word in text.lower().split()), np.full(64, 1e-3)) for text in texts]
        found = np.array(sums, np.float64).reshape(-1, 64)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@lru_cache(maxsize=10_000)
def _direction(word: str) -> npt.NDArray[np.float64]:
    return np.random.default_rng(zlib.crc32(word.encode("utf-8", "surrogatepass"))).normal(size=64)


class Counting:
    """An encoder of eight numbers that remembers how often it was asked.

    Class attributes, to be reset by the test: ``seen`` sizes of pictures encoded; ``gate`` is
    passed before each; ``fails`` raises for pictures of this size.
    """

    card = ModelCard("counting", "1", "tests", 8, ("image",), ("en",), "Apache-2.0", "tests")
    side_px = 64
    together = 1
    prompted = False
    scoring = Scoring("softmax", 1.0)
    seen: list[tuple[int, int]] = []  # noqa: RUF012
    gate: Any = threading.Event()
    fails: tuple[int, int] | None = None

    @classmethod
    def reset(cls) -> None:
        cls.seen, cls.fails, cls.gate = [], None, threading.Event()
        cls.gate.set()

    @property
    def background(self) -> Array:
        return np.eye(8, dtype=np.float32)

    def files(self) -> list[Path]:
        return []

    def encode_images(self, pictures: Sequence[Image.Image]) -> list[Encoded]:
        return [self._encode(one) for one in pictures]

    def _encode(self, picture: Image.Image) -> Encoded:
        assert self.gate.wait(60)
        self.seen.append(picture.size)
        if picture.size == self.fails:
            raise RuntimeError("no memory on the device")
        small = np.asarray(picture.convert("RGB").resize((3, 1)), np.float32).ravel()[:8] + 1
        return Encoded(small / np.linalg.norm(small), (Label(1, 0.5),))

    def encode_texts(self, texts: Sequence[str]) -> Array:
        return np.eye(8, dtype=np.float32)[[len(text) % 8 for text in texts]]

    def why(self, text: str, labels: Iterable[Label]) -> str:
        return ""


class Other(Counting):
    """A second one, of six numbers: half of a picture's colours, in another order."""

    card = replace(Counting.card, name="other", space="others", width=6)

    @property
    def background(self) -> Array:
        return np.eye(6, dtype=np.float32)

    def _encode(self, picture: Image.Image) -> Encoded:
        vector = super()._encode(picture).vector[5::-1]
        return Encoded(vector / np.linalg.norm(vector))

    def encode_texts(self, texts: Sequence[str]) -> Array:
        return np.eye(6, dtype=np.float32)[[len(text) % 6 for text in texts]]
