"""How well the embedded encoder finds pictures by words, in English and Spanish; and what each idea brings.

- COCO128: each of the 80 class names asked of 128 photographs; mean average precision over
  the names with at least one picture, and the share of names whose first hit is right.
- Stamps: each caption asked of 208 cut-out pictures; recall at 1 and at 5. Captions that
  occur more than once have several right pictures, and count once.

Every step uses the shipped code with one part after another switched on.

usage: python benchmarks/quality.py --data DIR [--steps]
Last line: JSON. Targets: COCO128 mAP >= .52 en, .49 es; stamps R@1 >= .30 en, .27 es.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from _coco import NAMES
from _report import machine, report

from catalejo import weights
from catalejo.conse import labels, query, space
from catalejo.conse.checkpoint import read_checkpoint
from catalejo.conse.graph import build
from catalejo.encoders import conse
from catalejo.readers.image import ImageReader
from catalejo.records import Limits

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Setting:
    """One configuration of the encoder."""

    name: str
    size_px: int = conse.SIDE_PX
    grids: tuple[int, ...] = space.GRIDS
    beta: float = space.BETA
    languages: tuple[str, ...] = labels.LANGUAGES
    kinds: float = space.KIND_WEIGHT
    scenes: float = space.SCENE_WEIGHT
    near: float = query.NEAR_WEIGHT
    spotted: float = query.SPOTTED_WEIGHT


_FIRST = Setting("ConSE alone: English names, whole picture, 260 px", 260, (1,), 0.0, ("en",), 0.0, 0.0, 0.0, 0.0)
STEPS = (
    _FIRST,
    Setting("+ ridge term", 260, (1,), space.BETA, ("en",), 0.0, 0.0, 0.0, 0.0),
    Setting("+ Spanish names", 260, (1,), kinds=0.0, scenes=0.0, near=0.0, spotted=0.0),
    Setting("+ kinds", 260, (1,), scenes=0.0, near=0.0, spotted=0.0),
    Setting("+ scenes", 260, (1,), near=0.0, spotted=0.0),
    Setting("+ 352 px", grids=(1,), near=0.0, spotted=0.0),
    Setting("+ regions", near=0.0, spotted=0.0),
    Setting("+ query drawn to the nearest classes", spotted=0.0),
    Setting("+ and to those it names (as shipped)"),
)


def sentences() -> Callable[[Sequence[str]], Array]:
    return conse.ConseEncoder()._sentences


def images(setting: Setting, matrix: Array, pictures: Sequence[Path]) -> Array:
    """(n, width) vectors, by the shipped graph under this setting."""
    checkpoint = read_checkpoint(weights.locate(conse.CLASSIFIER))
    ridge = space.ridge_matrix(matrix, checkpoint["_fc.weight"])
    graph = build(checkpoint, setting.size_px, space.Projection(matrix, ridge, setting.beta, setting.grids))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    rows = []
    for path in pictures:
        with path.open("rb") as file:
            page = next(ImageReader().read(file, str(path), Limits(), conse.SIDE_PX))
        rows.append(session.run(["vector"], {"image": conse.preprocess(page.picture, setting.size_px)[None]})[0][0])
    return np.stack(rows)


def average_precision(scores: Array, relevant: Array) -> float:
    order = np.argsort(-scores, kind="stable")
    hits = relevant[order]
    return float((np.cumsum(hits)[hits] / (np.flatnonzero(hits) + 1)).mean())


def coco(folder: Path) -> tuple[list[Path], Array]:
    """The photographs, and (80, n) which class is in which."""
    pictures = sorted((folder / "images").glob("*.jpg"))
    relevant = np.zeros((80, len(pictures)), bool)
    for column, path in enumerate(pictures):
        boxes = folder / "labels" / f"{path.stem}.txt"
        for line in boxes.read_text().splitlines() if boxes.exists() else ():
            relevant[int(line.split()[0]), column] = True
    return pictures, relevant


def stamps(folder: Path) -> tuple[list[Path], dict[str, list[str]]]:
    with (folder / "captions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    captions = {language: [row[f"caption_{language}"] for row in rows] for language in labels.LANGUAGES}
    return [folder / row["path"] for row in rows], captions


def recalls(scores_of: Callable[[list[str]], Array], captions: list[str]) -> tuple[float, float]:
    """Recall at 1 and 5 over the different captions; any of a caption's pictures is right."""
    places: dict[str, set[int]] = {}
    for number, caption in enumerate(captions):
        places.setdefault(caption, set()).add(number)
    scores = scores_of(list(places))
    found = np.zeros(2)
    for row, right in zip(scores, places.values(), strict=True):
        order = np.argsort(-row, kind="stable")
        found += [order[0] in right, not right.isdisjoint(order[:5].tolist())]
    return float(found[0] / len(places)), float(found[1] / len(places))


def measure(setting: Setting, data: Path) -> dict[str, float]:
    encode = sentences()
    matrix = space.label_matrix(labels.classes(), encode, setting.languages, setting.kinds, setting.scenes)
    texts = labels.texts()
    rows = encode([text.text for text in texts])
    reader = query.QueryReader(encode, texts, rows, matrix, setting.near, setting.spotted)

    def ask(queries: Sequence[str]) -> Array:
        return np.stack([reader.read(q).vector for q in queries])

    photographs, relevant = coco(data / "coco128")
    cutouts, captions = stamps(data / "stamps")
    vectors = images(setting, matrix, [*photographs, *cutouts])
    photo, stamp = vectors[: len(photographs)], vectors[len(photographs) :]
    results: dict[str, float] = {}
    for language in labels.LANGUAGES:
        scores = ask(NAMES[language]) @ photo.T
        present = np.flatnonzero(relevant.any(axis=1))
        results[f"coco_map_{language}"] = float(np.mean([average_precision(scores[i], relevant[i]) for i in present]))
        results[f"coco_first_{language}"] = float(np.mean([relevant[i][scores[i].argmax()] for i in present]))
    for language in labels.LANGUAGES:
        first, five = recalls(lambda texts: ask(texts) @ stamp.T, captions[language])
        results |= {f"stamps_r1_{language}": first, f"stamps_r5_{language}": five}
    return {name: round(value, 3) for name, value in results.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with coco128/ and stamps/")
    parser.add_argument("--steps", action="store_true", help="measure every step, not only what is shipped")
    options = parser.parse_args()
    if not (options.data / "coco128").is_dir():
        sys.exit(f"{options.data} has no coco128/")
    results = {}
    columns = ("coco_map_en", "coco_map_es", "coco_first_en", "coco_first_es")
    columns += ("stamps_r1_en", "stamps_r1_es", "stamps_r5_en", "stamps_r5_es")
    print("  ".join(columns))
    for setting in STEPS if options.steps else STEPS[-1:]:
        figures = results[setting.name] = measure(setting, options.data)
        row = "  ".join(f"{figures[name]:{len(name)}.3f}" for name in columns)
        print(f"{row}  {setting.name}", flush=True)
    report("quality", results, machine())


if __name__ == "__main__":
    main()
