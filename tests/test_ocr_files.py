"""Text seen in files: pictures, TIFFs of several pages, PDFs with and without text of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import FOLDER
from drawing import page
from PIL import Image

from catalejo.errors import CannotRead, OverLimit
from catalejo.ocr_files import OcrFiles
from catalejo.records import Limits

pytest.importorskip("rapidocr", reason="needs the extra ocr: pip install 'catalejo[ocr]'")


@pytest.fixture(scope="module")
def files() -> OcrFiles:
    return OcrFiles()


def test_a_picture(files: OcrFiles, tmp_path: Path) -> None:
    drawn = page(["Mañana habrá niebla"])
    drawn.save(tmp_path / "aviso.png")
    (read,) = files.read(tmp_path / "aviso.png")
    assert (read.page, read.by, read.text.text) == (0, "ocr", "Mañana habrá niebla")
    assert (read.width_px, read.height_px) == drawn.size
    assert [line.value for line in read.lines] == ["Mañana habrá niebla"]


def test_exif_turns_the_picture_before_its_boxes_are_measured(files: OcrFiles, tmp_path: Path) -> None:
    drawn = page(["Mañana habrá niebla"])
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter to see it upright
    drawn.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", exif=exif, quality=95)
    (read,) = files.read(tmp_path / "a.jpg")
    assert (read.width_px, read.height_px) == drawn.size
    box = read.lines[0].box
    assert box is not None
    assert box[2] - box[0] > 5 * (box[3] - box[1])


def test_each_page_of_a_tiff(files: OcrFiles, tmp_path: Path) -> None:
    one, *others = [page([text]) for text in ("primera hoja", "segunda hoja", "tercera hoja")]
    one.save(tmp_path / "hojas.tif", save_all=True, append_images=others)
    read = list(files.read(tmp_path / "hojas.tif"))
    assert [(r.page, r.text.text, r.text.number) for r in read] == [
        (0, "primera hoja", 1),
        (1, "segunda hoja", 2),
        (2, "tercera hoja", 3),
    ]


def test_a_pdf_that_is_one_scan(files: OcrFiles, tmp_path: Path) -> None:
    page(["Acta de la reunión", "Asistió la señora Peña."], 30).save(tmp_path / "acta.pdf", resolution=150)
    (read,) = files.read(tmp_path / "acta.pdf")
    assert (read.by, read.text.text) == ("ocr", "Acta de la reunión\nAsistió la señora Peña.")
    box = read.lines[0].box
    assert box is not None
    assert 0 <= box[0] < box[2] <= read.width_px


def test_pages_with_text_of_their_own_give_that(files: OcrFiles) -> None:
    read = list(files.read(FOLDER / "escaneado.pdf"))
    assert [r.page for r in read] == [0, 1, 2, 3]
    assert [r.by for r in read] == ["file", "ocr", "ocr", "file"]
    assert (read[0].text.text, read[0].lines, read[0].width_px) == ("Texto de verdad.", (), 0)


def test_everything_looks_at_those_too() -> None:
    read = next(OcrFiles(everything=True).read(FOLDER / "escaneado.pdf"))
    assert (read.by, read.text.text) == ("ocr", "Texto de verdad.")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("nada.png", b"", "empty file"),
        ("roto.jpg", b"\xff\xd8\xff\xe0 no picture", "damaged picture"),
        ("roto.pdf", b"%PDF-1.4\nnothing", "damaged PDF"),
        ("no.pdf", b"hello", "no PDF, whatever its name says"),
        ("notas.txt", b"hola", "neither a picture nor a PDF, by its name: it ends in .txt"),
        ("sin", b"hola", "it ends in nothing"),
    ],
)
def test_what_cannot_be_read(files: OcrFiles, tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotRead, match=reason):
        list(files.read(tmp_path / name))


def test_a_file_that_is_not_there_and_a_folder(files: OcrFiles, tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="no such file"):
        list(files.read(tmp_path / "x.png"))
    with pytest.raises(CannotRead, match="director"):
        list(files.read(tmp_path))


def test_limits_hold(tmp_path: Path) -> None:
    Image.new("L", (2000, 1000)).save(tmp_path / "grande.png")
    with pytest.raises(OverLimit, match="--max-megapixels"):
        list(OcrFiles(Limits(max_megapixels=1)).read(tmp_path / "grande.png"))
