"""Draw the pictures of README.md and docs/vision-transformer.md, over sample pictures that are CC0 or public domain.

The pictures come with scikit-image, whose documentation names the source of each: chelsea
(S. van der Walt), coffee (R. Michetti), rocket (SpaceX), camera (L. Varshney), astronaut, moon and
hubble_deep_field (NASA), coins (Brooklyn Museum).
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

from catalejo import Catalog
from catalejo.clip.pixels import Pixels
from catalejo.demo import pictures
from catalejo.errors import MissingWeights
from catalejo.plots.canvas import INK, PAPER, font, save
from catalejo.plots.sheet import contact_sheet
from catalejo.plots.transformer import Plane, heat
from catalejo.vit import packaged
from catalejo.vit.attention import look
from catalejo.vit.tower import Tower

NAMES = ("chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "astronaut.png", "moon.png", "coins.png")
QUERIES = ("un gato", "a cup of coffee", "un fotógrafo con cámara", "a rocket launch")


LOOKED_AT = ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg")
SIDE_PX, GAP_PX = 224, 8


def main() -> None:
    searches()
    attention()


def searches() -> None:
    """Four searches over eight pictures."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "pictures")
        folder.mkdir()
        for name in (*NAMES, "hubble_deep_field.jpg"):
            shutil.copy(pictures() / name, folder)
        catalog = Catalog(Path(scratch, "catalog"))
        catalog.add(folder, perceive="none")
        results = [catalog.search(query, k=4) for query in QUERIES]
        sheet = contact_sheet(results, catalog.thumbnail, columns=4)
        small = sheet.resize((sheet.width * 3 // 4, sheet.height * 3 // 4)).quantize(128)
        save(small, str(Path(__file__).parent / "searches.png"))


def attention() -> None:
    """Where the packaged transformer looks: the last layer, one head of it, and rolled out."""
    try:
        folder = packaged.folder()
    except MissingWeights as error:
        print(f"attention.jpg is left as it is: {error}")
        return
    tower, pixels = Tower.load(folder), Pixels.from_folder(folder)
    rows: dict[str, list[Image.Image]] = {}
    for name in LOOKED_AT:
        with Image.open(pictures() / name) as opened:
            picture = opened.convert("RGB")
        run, seen = tower.run(pixels.apply(picture)), pixels.resized(picture)
        rows.setdefault("what it sees", []).append(seen)
        rows.setdefault("layer 12, mean of 6 heads", []).append(overlaid(seen, look(run).taken))
        rows.setdefault("layer 12, head 4", []).append(overlaid(seen, look(run, head=4).taken))
        rows.setdefault("rolled out through 12 layers", []).append(overlaid(seen, look(run, rolled_out=True).taken))
    high = SIDE_PX + 28
    sheet = Image.new("RGB", (len(LOOKED_AT) * (SIDE_PX + GAP_PX) + GAP_PX, len(rows) * high + GAP_PX), PAPER)
    draw = ImageDraw.Draw(sheet)
    for down, (label, shown) in enumerate(rows.items()):
        draw.text((GAP_PX, down * high + 5), label, INK, font("SemiBold", 14))
        for across, one in enumerate(shown):
            sheet.paste(one, (GAP_PX + across * (SIDE_PX + GAP_PX), down * high + 28))
    sheet.save(Path(__file__).parent / "attention.jpg", quality=75, optimize=True)


def overlaid(seen: Image.Image, taken: Plane) -> Image.Image:
    """A grey copy of the picture under a map's colours, one square a patch."""
    colours = Image.fromarray(heat(taken / taken.max())).resize(seen.size, Image.Resampling.NEAREST)
    return Image.blend(seen.convert("L").convert("RGB"), colours, 0.6)


if __name__ == "__main__":
    main()
