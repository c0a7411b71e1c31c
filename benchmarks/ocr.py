"""How well Spanish is read in pictures: ten fonts, three sizes, six directions of the page.

The pages are drawn here, from sentences written for this file alone: nothing was chosen or tuned with them. Each
font is drawn in each size, and each of these pages is read upright, on either side, on its head, and askew. The
character error is the edit distance between what was drawn and what was read, spaces and line ends counting as one
space, over the characters that were drawn.

Last, each font is read once from a worn page: grey ink on cream paper, turned by 2 degrees, out of focus, with the
noise of a bad camera, saved as a JPEG of quality 35. These pages are not in the total.

The fonts come in packages (OFL, Apache-2.0):
pip install font-caladea font-lato font-roboto font-source-sans-pro font-source-serif-pro

usage: python benchmarks/ocr.py [--pages 180]
Last line: JSON.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import io
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from _report import machine, report
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from catalejo.perceivers.ocr import Ocr

FONTS = {
    "Open Sans": ("ttf_opensans", "ttf/OpenSans-Regular.ttf"),
    "Open Sans Bold Italic": ("ttf_opensans", "ttf/OpenSans-BoldItalic.ttf"),
    "Caladea": ("font_caladea", "files/Caladea-Regular.ttf"),
    "Caladea Italic": ("font_caladea", "files/Caladea-Italic.ttf"),
    "Lato": ("font_lato", "files/Lato-Regular.ttf"),
    "Lato Light": ("font_lato", "files/Lato-Light.ttf"),
    "Roboto": ("font_roboto", "files/Roboto-Regular.ttf"),
    "Source Sans": ("font_source_sans_pro", "files/SourceSansPro-Regular.ttf"),
    "Source Serif": ("font_source_serif_pro", "files/SourceSerifPro-Regular.ttf"),
    "Source Serif Bold Italic": ("font_source_serif_pro", "files/SourceSerifPro-BoldIt.ttf"),
}
SIZES_PX = (16, 24, 38)  # 8, 12 and 18 points or so at 150 dots an inch
DEGREES = (0, 90, 180, 270, 4, -9)  # against the clock
WORN = 360  # in their place: a worn page
TEXTS = (
    "¿Quién dejó la linterna encendida en el desván? Según mi abuela, fue el señor Núñez, que subió anteayer a "
    "buscar su paraguas y salió tosiendo. ¡Qué polvareda había! El próximo sábado limpiaremos también la "
    "buhardilla pequeña.",
    "La cigüeña volvió a Alcalá el 3 de febrero, cuando aún helaba. Un niño la dibujó con lápices de colores: "
    "pico rojo, alas blancas, patas larguísimas. «Está más delgada que el año pasado», añadió, y pidió un "
    "bocadillo de jamón.",
    "Aviso a los vecinos: la piscina cerrará a las 21:30 h. Está prohibido entrar con vidrio, bañarse sin gorro y "
    "poner música. ¡Atención! El socorrista sólo trabaja de lunes a viernes; ¿alguien podría ayudar el domingo "
    "por la tarde?",
    "Ingredientes (4 personas): 250 g de garbanzos, 2 pimientos, 1 cebolla pequeña, aceite, sal y azafrán. "
    "Cuécelo todo a fuego lento unos 45 minutos. Después añade el comino molido y sírvelo con pan. ¡Buen "
    "provecho! Precio: 6,75 € por ración.",
    "ESTACIÓN MARÍTIMA. ÚLTIMO BARCO: 19:05. Los pasajeros deberán enseñar el billete antes de subir. Niños y "
    "jóvenes pagan el 50 %. En caso de niebla, el capitán avisará por megafonía; la compañía devolverá el importe "
    "íntegro.",
    "Íñigo averiguó que el pingüino desapareció del acuario hacía tres días. ¿Cómo? Nadie lo sabía. La inspectora "
    "Yáñez examinó huellas, llamó a Óscar y exclamó: ¡Ábranlo ahora mismo! Dentro sólo encontró un pañuelo y dos "
    "peces.",
)
ACCENTED = "áéíóúüñÁÉÍÓÚÜÑ¿¡"


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of ``FONTS``; ends the run with the line that installs it where it is not there."""
    package, inside = FONTS[name]
    spec = importlib.util.find_spec(package)
    if spec is None:
        sys.exit(f"the font {name} is not there: pip install {package.replace('_', '-')}")
    return ImageFont.truetype(str(Path(next(iter(spec.submodule_search_locations or [])), inside)), size)


def page(text: str, face: ImageFont.FreeTypeFont, size: int) -> Image.Image:
    """A text in lines of about 60 characters, black on white."""
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) > 60:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    lines.append(line)
    step, margin = round(size * 1.4), 2 * size
    wide = round(max(face.getlength(line) for line in lines)) + 2 * margin
    drawn = Image.new("RGB", (wide, step * len(lines) + 2 * margin), "white")
    pen = ImageDraw.Draw(drawn)
    for number, line in enumerate(lines):
        pen.text((margin, margin + number * step), line, "black", face)
    return drawn


def worn(drawn: Image.Image, seed: int) -> Image.Image:
    """A page as a bad camera takes it."""
    paper = ImageOps.colorize(drawn.convert("L"), (70, 66, 72), (232, 224, 205))
    turned = paper.rotate(2, Image.Resampling.BICUBIC, expand=True, fillcolor=(232, 224, 205))
    pixels = np.asarray(turned.filter(ImageFilter.GaussianBlur(1.2)), np.float32)
    noisy = pixels + np.random.default_rng(seed).normal(0, 18, pixels.shape)
    held = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(held, "JPEG", quality=35)
    return Image.open(held).convert("RGB")


def distance(a: str, b: str) -> int:
    """Edits from one text to another (Levenshtein)."""
    above = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
        above = row
    return above[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--pages", type=int, default=len(FONTS) * len(SIZES_PX) * len(DEGREES), help="read only so many"
    )
    wanted = parser.parse_args().pages
    reader = Ocr()
    edits: defaultdict[str, int] = defaultdict(int)
    chars: defaultdict[str, int] = defaultdict(int)
    confused: Counter[tuple[str, str]] = Counter()
    accents = accents_read = pages = 0
    seconds = 0.0
    plan = [(name, size, degrees) for degrees in DEGREES for size in SIZES_PX for name in FONTS]
    plan = plan[:: max(1, len(plan) // wanted)] + [(name, SIZES_PX[1], WORN) for name in FONTS]
    for number, (name, size, degrees) in enumerate(plan):
        text = TEXTS[(number + number // len(TEXTS)) % len(TEXTS)]
        drawn = page(text, font(name, size), size)
        if degrees == WORN:
            drawn = worn(drawn, number)
        elif degrees:
            drawn = drawn.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
        started = time.perf_counter()
        found = reader.look(drawn).pages
        seconds += time.perf_counter() - started
        read = " ".join(found[0].text.split()) if found else ""
        wrong = distance(text, read)
        pages += 1
        for key in ("worn",) if degrees == WORN else ("all", name, f"{size} px", f"{degrees} degrees"):
            edits[key] += wrong
            chars[key] += len(text)
        if degrees == WORN:
            continue
        for tag, a, b, c, d in difflib.SequenceMatcher(None, text, read, autojunk=False).get_opcodes():
            kept = sum(char in ACCENTED for char in text[a:b])
            accents += kept
            accents_read += kept if tag == "equal" else 0
            if tag != "equal":
                confused[text[a:b][:10], read[c:d][:10]] += 1
    for key in edits:
        print(f"{key:28} {edits[key] / chars[key]:7.2%}  of {chars[key]:,} characters")
    print(f"accented letters, ¿ and ¡ read as drawn: {accents_read / accents:.2%} of {accents:,}")
    print("most often:", ", ".join(f"{a!r} as {b!r} ({n})" for (a, b), n in confused.most_common(12)))
    rates = {key: round(edits[key] / chars[key], 4) for key in edits}
    results = {"pages": pages, "character_error": rates, "accents_read": round(accents_read / accents, 4)}
    report("ocr", results | {"seconds_a_page": round(seconds / pages, 2)}, machine())


if __name__ == "__main__":
    main()
