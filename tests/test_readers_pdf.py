"""PDF: text page by page, words put together again, scans told from blank pages."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zlib
from pathlib import Path

import documents
import pytest
from fixtures.documents import make

from catalejo import plugins
from catalejo.errors import CannotRead, OverLimit
from catalejo.readers import pdf
from catalejo.readers.pdf import PdfReader, _joined
from catalejo.records import Limits

FIRST = """El informe habla de la migración
del ñandú, ave corredora que en primavera
cruza la Pampa. La oficina de Castilla-La
Mancha lo vio, y el eficaz flautista también.
Fue entre 1990-
2000, con un aparato de rayos x-ray.

Segundo párrafo: ¿dónde está la canción?
«Aquí», dijo Ana: en la cocina."""
SECOND = """Sales by region

Region 2022 2023
North 1,200 1,350
South 800 790"""


def packed(content: bytes, pages: int = 1, filters: str = "/FlateDecode") -> bytes:
    """A PDF whose pages all draw one stream, packed as the filters say."""
    body = content
    for _ in range(filters.count("FlateDecode")):
        body = zlib.compress(body, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[" + b"3 0 R " * pages + b"]/Count %d>>" % pages,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R>>",
        b"<</Length %d/Filter[%s]>>\nstream\n%s\nendstream" % (len(body), filters.encode(), body),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made = b"%PDF-1.4\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % one for one in enumerate(objects, 1))
    return made + b"trailer\n<</Size 6/Root 1 0 R>>\n"  # without a table of places: PDFium looks for them itself


def test_prose_and_tables() -> None:
    pages = documents.pages(documents.data("informe.pdf"), "informe.pdf")
    assert [page.text for page in pages] == [FIRST, SECOND, ""]
    assert [page.needs_ocr for page in pages] == [False] * 3
    assert {page.title for page in pages} == {"Informe anual: el año del ñandú"}


def test_pages_that_need_ocr() -> None:
    """Text; a scan; drawn strokes; a page painted white, which shows nothing."""
    pages = documents.pages(documents.data("escaneado.pdf"), "escaneado.pdf")
    assert [page.needs_ocr for page in pages] == [False, True, True, False]
    assert [page.text for page in pages] == ["Texto de verdad.", "", "", ""]


def test_letters_without_characters_need_ocr() -> None:
    page = documents.page(documents.data("sin-letras.pdf"), "sin-letras.pdf")
    assert (page.text, page.needs_ocr) == ("", True)


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ("infor\x02mación de hoy", "información\nde hoy"),
        ("infor\x02mación, de hoy", "información,\nde hoy"),
        ("infor\x02mación\r\notra", "información\notra"),
        ("infor\ufffemación", "información"),
        ("infor\xad\r\nmación", "información"),
        ("Castilla-\r\nLa Mancha", "Castilla-\nLa Mancha"),
        ("Castilla\x02La Mancha", "Castilla-La\nMancha"),
        ("COVID\x0219 fue", "COVID-19\nfue"),
        ("x\x02ray", "x-ray"),
        ("2020\x022021", "2020-2021"),
        ("un guion - suelto\r\ny fin", "un guion - suelto\ny fin"),
        ("a\x02", "a-"),
        ("\x02a", "-a"),
        ("bien\x02venido " * 2, "bienvenido\nbienvenido\n"),
    ],
)
def test_words_cut_at_a_lines_end(cut: str, whole: str) -> None:
    assert _joined(cut).rstrip("\n") == whole.rstrip("\n")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("(Annual report)", "Annual report"),
        ("<FEFF00F10061006E006400FA>", "ñandú"),
        ("(  two   words )", "two words"),
        ("(untitled)", ""),
        ("(Microsoft Word - informe.doc)", ""),
        ("(report-final.DOCX)", ""),
        ("()", ""),
    ],
)
def test_titles_but_not_those_that_programs_leave(title: str, expected: str) -> None:
    data = make.pdf("", font=f"<</Title{title}>>").replace(b"/Root 1 0 R", b"/Root 1 0 R/Info 5 0 R")
    assert documents.page(data, "a.pdf").title == expected


# -- what cannot be read ------------------------------------------------------------------


def test_encrypted() -> None:
    assert documents.reason(documents.data("cifrado.pdf"), "a.pdf") == "an encrypted PDF: save it without a password"


def test_a_ban_on_printing_is_no_ban_on_reading() -> None:
    assert documents.page(documents.data("sin-imprimir.pdf"), "a.pdf").text == "Secreto a voces."


def test_not_a_pdf() -> None:
    assert documents.reason(b"hola", "a.pdf") == "no PDF, whatever its name says"
    assert documents.reason(documents.data("acta.docx"), "a.pdf") == "no PDF, whatever its name says"
    assert documents.reason(b"", "a.pdf") == "empty file"
    assert documents.reason(b"%PDF-1.7\n", "a.pdf") == "damaged PDF (no pages can be found in it)"


@pytest.mark.parametrize("tenth", range(1, 10))
def test_truncated(tenth: int) -> None:
    data = documents.data("informe.pdf")
    cut = data[: len(data) * tenth // 10]
    assert documents.reason(cut, "a.pdf") == "damaged PDF (no pages can be found in it)"


def test_a_file_with_something_before_and_behind() -> None:
    assert documents.pages(b"\n\n" + documents.data("informe.pdf"), "a.pdf")[0].text == FIRST
    assert documents.pages(documents.data("informe.pdf") + bytes(2000), "a.pdf")[0].text == FIRST


# -- what would take the machine ------------------------------------------------------------


@pytest.mark.parametrize(
    "filters", ["/FlateDecode", "/FlateDecode/FlateDecode", "/FlateDecode/FlateDecode/FlateDecode"]
)
def test_a_stream_that_unpacks_to_too_much(filters: str) -> None:
    data = packed(b" " * 30_000_000, filters=filters)
    assert len(data) < 40_000
    started = time.process_time()
    told = "a part of it unpacks to more than 20 MB, over the limit of 20 MB (raise it with --max-unpacked-mb)"
    assert documents.reason(data, "a.pdf", max_unpacked_mb=20) == told
    assert time.process_time() - started < 2
    assert documents.page(data, "a.pdf", max_unpacked_mb=40).text == ""


def test_a_packed_page_is_read() -> None:
    data = packed(b"BT /F1 12 Tf 50 500 Td (Hola) Tj ET" + b" " * 1_000_000, filters="/FlateDecode/FlateDecode")
    assert documents.page(data, "a.pdf", max_unpacked_mb=2).text == "Hola"


def test_too_many_pages_are_refused_before_the_first() -> None:
    data = packed(b"BT /F1 12 Tf 50 500 Td (Hola) Tj ET", pages=51)
    assert len(documents.pages(data, "a.pdf", max_document_pages=51)) == 51
    told = "more than 50 pages, over the limit of 50 pages (raise it with --max-document-pages)"
    assert documents.reason(data, "a.pdf", max_document_pages=50) == told
    pages = PdfReader().read(io.BytesIO(data), "a.pdf", Limits(max_document_pages=50))
    with pytest.raises(OverLimit, match="--max-document-pages"):
        next(pages)


def test_pages_are_read_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    one = pdf._page
    monkeypatch.setattr(pdf, "_page", lambda *given: (read.append(given[1]), one(*given))[1])
    pages = PdfReader().read(io.BytesIO(documents.data("informe.pdf")), "a.pdf", Limits())
    assert read == []
    assert next(pages).number == 1
    assert read == [1]
    assert [page.number for page in pages] == read[1:] == [2, 3]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the most memory held")
def test_500_pages_in_less_than_300_mb(tmp_path: Path) -> None:
    """In a process of its own, with all that it imports; getrusage would begin with the memory of this one."""
    line = "BT /F1 9 Tf 40 {} Td (Habia una vez un barco chiquitito que no sabia navegar, y pasaron las semanas.) Tj ET"
    (tmp_path / "a.pdf").write_bytes(
        packed("\n".join(line.format(800 - 10 * n) for n in range(70)).encode(), pages=500)
    )
    code = (
        "import pathlib, sys\nfrom catalejo.reading_texts import read_document\n"
        "print(sum(len(page.text) > 5_000 for page in read_document(sys.argv[1])))\n"
        "print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a.pdf"], capture_output=True, text=True, check=True)
    pages, most = map(int, done.stdout.split())
    assert pages == 500
    assert most * 1024 < 300e6


def test_pdf_is_in_the_base_install() -> None:
    for name in ("pdf", "text", "csv", "subtitles"):
        assert plugins.DOCUMENTS[name].extra is None


def test_columns_and_gaps() -> None:
    """An empty line where the gap is wider than usual, and where the next column begins above."""
    lines = [(50, 700), (50, 686), (50, 672), (50, 640), (50, 626), (300, 700), (300, 686)]
    content = "BT /F1 12 Tf " + " ".join(f"1 0 0 1 {x} {y} Tm (at {x} {y}) Tj" for x, y in lines) + " ET"
    text = documents.page(make.pdf(content), "a.pdf").text
    assert text == "at 50 700\nat 50 686\nat 50 672\n\nat 50 640\nat 50 626\n\nat 300 700\nat 300 686"


def test_pages_as_pictures() -> None:
    """A4 at 200 dots an inch; the page with text is white paper with some ink."""
    with (documents.FOLDER / "informe.pdf").open("rb") as file:
        drawn = dict(pdf.drawn(file, "informe.pdf", Limits(), [1, 0]))
    assert list(drawn) == [1, 0]
    assert {(picture.mode, picture.size) for picture in drawn.values()} == {("RGB", (1654, 2339))}
    assert drawn[0].getpixel((2, 2)) == (255, 255, 255)
    assert drawn[0].convert("L").getextrema() == (0, 255)


def test_one_page_as_a_picture() -> None:
    path = str(documents.FOLDER / "escaneado.pdf")
    assert pdf.render(path, 1).size[0] > 100
    with pytest.raises(CannotRead, match="it has no page 9, but 4 in all"):
        pdf.render(path, 8)
    with pytest.raises(CannotRead, match="no such file"):
        pdf.render("nowhere.pdf", 0)


def test_a_poster_is_drawn_within_limits(tmp_path: Path) -> None:
    poster = tmp_path / "cartel.pdf"
    poster.write_bytes(packed(b"0 0 10 10 re f").replace(b"0 0 595 842", b"0 0 9000 3000"))
    assert pdf.render(str(poster), 0).size == (5000, 1667)
    few = pdf.render(str(poster), 0, Limits(max_megapixels=1)).size
    assert few[0] * few[1] == pytest.approx(1e6, rel=0.01)


@pytest.mark.parametrize("content", [b"", b"hello", b"%PDF-1.4\nnothing"])
def test_no_pictures_of_what_is_no_pdf(content: bytes) -> None:
    with pytest.raises(CannotRead):
        list(pdf.drawn(io.BytesIO(content), "x.pdf", Limits()))
