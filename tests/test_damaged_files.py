"""A folder of 400 damaged files among a few good ones: none lost, none stops the run."""

from __future__ import annotations

import io
import random
import re
import shutil
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from fixtures import pictures as make
from PIL import Image

from catalejo import Catalog
from catalejo.readers.image import ImageReader
from catalejo.records import Limits
from catalejo.reports import AddReport

DAMAGED = 400
SUFFIXES = {
    "JPEG": ".jpg",
    "MPO": ".mpo",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "AVIF": ".avif",
    "HEIF": ".heic",
}


@dataclass(frozen=True)
class Folder:
    """The files, by what must become of them."""

    path: Path
    good: frozenset[str]
    hopeless: frozenset[str]

    @property
    def names(self) -> set[str]:
        return {path.name for path in self.path.iterdir()}


@dataclass(frozen=True)
class Run:
    catalog: Catalog
    report: AddReport
    seconds: float


def originals() -> list[tuple[str, bytes]]:
    """Every format, with what makes its decoder work: EXIF, profiles, several pictures, compressions."""
    picture = make.gradient()

    def three() -> dict[str, object]:
        return {"save_all": True, "append_images": [picture.rotate(9), picture.rotate(18)]}

    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Acme"
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0), 3: "E", 4: (4.0, 5.0, 6.0)})
    exif.get_ifd(0x8769)[0x9003] = "2019:07:20 21:17:40"
    carried = {"exif": exif.tobytes(), "icc_profile": make.rgb_profile(make.ADOBE, 2.2)}
    kinds: list[tuple[str, Image.Image, dict[str, object]]] = [
        ("JPEG", picture, carried),
        ("JPEG", picture, {"progressive": True}),
        ("JPEG", picture.convert("CMYK"), {}),
        ("MPO", picture, three()),
        ("PNG", picture, carried),
        ("PNG", picture.quantize(16), {}),
        ("WEBP", picture, carried),
        ("WEBP", picture, three()),
        ("GIF", picture, three()),
        ("BMP", picture, {}),
        ("TIFF", picture, carried),
        ("TIFF", picture, {"compression": "tiff_lzw"}),
        ("TIFF", picture.convert("1"), {"compression": "group4"}),
        ("TIFF", picture, three()),
        ("AVIF", picture, {**carried, "speed": 9}),
        ("HEIF", picture, carried),
    ]
    return [(format, make.saved(image, format, **options)) for format, image, options in kinds]


def damage(data: bytes, how: str, rng: random.Random) -> bytes:
    if how == "cut":
        return data[: rng.randrange(1, len(data))]
    spoilt = bytearray(data)
    reach = min(len(data), 400) if how == "head" else len(data)
    for _ in range(rng.choice((1, 3, 10, 40))):
        at = rng.randrange(reach)
        if rng.random() < 0.5:
            spoilt[at] ^= 1 << rng.randrange(8)
        else:
            spoilt[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
    return bytes(spoilt)


def bombs() -> dict[str, bytes]:
    still = Image.new("L", (1500, 1500), 128)
    jpeg = make.saved(still, "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    gif = bytearray(make.saved(Image.new("P", (4, 4)), "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    pages = [Image.new("1", (1, 1))] * 250
    return {
        "bomb.png": make.png(50000, 50000, 8, 2, b""),
        "bomb.gif": bytes(gif),
        "bomb.tif": make.tiff(60000, 60000, b"\0\0"),
        "pages.tif": make.saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]),
        "scans.jpg": jpeg[:-2] + last * 3000 + b"\xff\xd9",
        "text.png": make.png(2, 1, 8, 0, b"\0ab", make.chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(40_000_000)))),
    }


@pytest.fixture(scope="module")
def folder(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """400 files damaged in ways that are the same on every run, and seven good ones."""
    rng = random.Random(20190720)
    path = tmp_path_factory.mktemp("damaged")
    good, hopeless = set(), set()
    for sample in samples.iterdir():
        shutil.copy(sample, path / sample.name)
        good.add(sample.name)
    (path / "png-called.jpg").write_bytes(make.saved(make.quarters(), "PNG"))
    good.add("png-called.jpg")

    for name, data in bombs().items():
        (path / name).write_bytes(data)
        hopeless.add(name)
    sources = originals()
    for number in range(DAMAGED - len(hopeless)):
        format, data = sources[number % len(sources)]
        how = ("cut", "head", "bits", "bits", "other")[number // len(sources) % 5]
        suffix = SUFFIXES[format]
        if how == "other":
            how = rng.choice(("empty", "text", "junk", "beginning", "name"))
        name = f"{number:03}-{how}{suffix}"
        if how in ("empty", "text", "junk", "beginning"):
            hopeless.add(name)
            data = {
                "empty": b"",
                "text": f"Querido diario, hoy {number}\n".encode(),
                "junk": rng.randbytes(500),
                "beginning": bytes(40) + data[40:],
            }[how]
        elif how == "name":
            name = f"{number:03}-name{rng.choice(list(SUFFIXES.values()))}"
            good.add(name)
        else:
            data = damage(data, how, rng)
        (path / name).write_bytes(data)
    found = Folder(path, frozenset(good), frozenset(hopeless))
    assert len(found.names) == DAMAGED + len(list(samples.iterdir())) + 1
    return found


@pytest.fixture(scope="module")
def run(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Run:
    catalog = Catalog(tmp_path_factory.mktemp("catalog") / "c")
    started = time.perf_counter()
    report = catalog.add(folder.path)
    return Run(catalog, report, time.perf_counter() - started)


def skipped(catalog: Catalog) -> dict[str, str]:
    return {Path(one.path).name: one.reason for one in catalog.skipped()}


def found(catalog: Catalog) -> set[str]:
    """Names of every file that a search can give."""
    hits = catalog.search("a picture", k=10_000).hits
    return {Path(path).name for hit in hits for path in (hit.path, *hit.copies)}


def test_every_file_is_an_item_or_listed_with_its_reason(folder: Folder, run: Run) -> None:
    listed, items = skipped(run.catalog), found(run.catalog)
    assert listed.keys() | items == folder.names
    assert not listed.keys() & items
    assert folder.good <= items
    assert folder.hopeless <= listed.keys()
    assert len(listed) > DAMAGED / 4  # the damage is real
    assert run.report.added == run.catalog.status().files == len(items)
    assert run.report.skipped == run.catalog.status().skipped == len(listed)


def test_reasons_are_one_line_for_people(run: Run) -> None:
    for name, reason in skipped(run.catalog).items():
        assert reason == " ".join(reason.split()) != "", name
        assert reason.isprintable(), name
        assert len(reason) < 250, name
        assert not re.search(r"<|0x[0-9a-f]{4}|object at|Error\b|Traceback|b'|\.py\b|_io\.|None\b", reason), (
            name,
            reason,
        )
    assert skipped(run.catalog)["bomb.png"] == (
        "50000 x 50000 pixels are 2500 megapixels, over the limit of 100 (raise it with --max-megapixels)"
    )
    assert skipped(run.catalog)["pages.tif"].endswith("over the limit of 200 pages (raise it with --max-pages)")


def test_no_file_holds_up_the_run(run: Run) -> None:
    assert run.seconds < 180  # 10 s on two cores; a decoder that hangs would take minutes


def test_good_pictures_are_still_found_by_meaning(run: Run) -> None:
    best = [Path(hit.path).name for hit in run.catalog.search("un gato", k=3).hits]
    assert "chelsea.png" in best


def test_thumbnails_are_those_of_the_items(run: Run) -> None:
    """What was refused half way leaves no thumbnails behind."""
    hits = run.catalog.search("a picture", k=10_000).hits
    kept = {run.catalog.thumbnail(hit) for hit in hits}
    assert all(path.is_file() for path in kept)
    assert set(run.catalog.path.rglob("*.webp")) == kept


def test_a_second_add_reads_nothing(folder: Folder, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(ImageReader, "read", fail)
    report = run.catalog.add(folder.path)
    assert (report.added, report.updated, report.encoded, report.removed) == (0, 0, 0, 0)
    assert (report.unchanged, report.skipped) == (run.report.added, run.report.skipped)


def test_retry_reads_what_was_skipped_and_only_that(folder: Folder, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = set()
    read = ImageReader.read

    def note(self: ImageReader, file: io.BufferedReader, path: str, *rest: object) -> object:
        tried.add(Path(path).name)
        return read(self, file, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageReader, "read", note)
    before = skipped(run.catalog)
    report = run.catalog.add(folder.path, retry=True)
    assert tried <= before.keys()
    assert {"bomb.png", "pages.tif"} <= tried
    assert skipped(run.catalog) == before
    assert (report.added, report.encoded, report.skipped) == (0, 0, len(before))


def test_retry_with_a_higher_limit_takes_in_what_was_over_it(folder: Folder, run: Run, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name in ("pages.tif", "bomb.png", "chelsea.png"):
        shutil.copy2(folder.path / name, own / name)
    catalog = Catalog(tmp_path / "c")
    catalog.__dict__["encoders"] = (run.catalog.encoder,)  # loaded already
    assert (catalog.add(own).added, catalog.add(own).skipped) == (1, 2)
    report = catalog.add(own, retry=True, limits=Limits(max_pages=250))
    assert (report.added, report.encoded, report.skipped) == (1, 250, 1)
    assert skipped(catalog).keys() == {"bomb.png"}


def test_a_repaired_file_is_taken_in_without_asking(folder: Folder, run: Run, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "one.png").write_bytes(b"")
    catalog = Catalog(tmp_path / "c")
    catalog.__dict__["encoders"] = (run.catalog.encoder,)  # loaded already
    assert catalog.add(own).skipped == 1
    assert skipped(catalog) == {"one.png": "empty file"}
    shutil.copy(folder.path / "chelsea.png", own / "one.png")
    report = catalog.add(own)
    assert (report.added, report.skipped) == (1, 0)
    assert skipped(catalog) == {}
