"""The gate before a model that sees: which questions about something that is not in the picture it stops.

COCO128: "What colour is the THING?", of its 80 things and each of the 128 photographs, in English and Spanish, by
``alignment`` as shipped. Told apart: things that are there, those of them that fill a tenth of the picture, the others.

usage: python benchmarks/alignment.py --data DIR
Last line: JSON. Target: 90% of the things that are there pass, 30% of the others are stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _coco import NAMES
from _report import machine, report
from PIL import Image

from catalejo.alignment import align, supposed
from catalejo.encoders import Encoded
from catalejo.encoders.opening import open_encoder

_LARGE = 0.1  # of the picture
_QUESTION = {"en": "What colour is the {}?", "es": "¿De qué color es el {}?"}


class Once:
    """The embedded encoder, which is asked for one picture again and again and looks at it once."""

    def __init__(self) -> None:
        self._encoder = open_encoder("conse")
        self.background, self.encode_texts = self._encoder.background, self._encoder.encode_texts
        self._seen: dict[int, list[Encoded]] = {}

    def encode_images(self, pictures: list[Image.Image]) -> list[Encoded]:
        if id(pictures[0]) not in self._seen:
            self._seen = {id(pictures[0]): self._encoder.encode_images(pictures)}
        return self._seen[id(pictures[0])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that has coco128")
    root = parser.parse_args().data / "coco128"
    encoder = Once()
    passed: dict[str, dict[str, list[bool]]] = {
        language: {"there": [], "large": [], "not there": []} for language in NAMES
    }
    for path in sorted(root.glob("images/**/*.jpg")):
        labels = Path(str(path).replace("images", "labels")).with_suffix(".txt")
        rows = [line.split() for line in labels.read_text().splitlines()] if labels.is_file() else []
        areas: dict[int, float] = {}
        for kind, _, _, width, height in rows:
            areas[int(kind)] = max(areas.get(int(kind), 0.0), float(width) * float(height))
        picture = Image.open(path).convert("RGB")
        for language, names in NAMES.items():
            for number, name in enumerate(names):
                question = _QUESTION[language].format(name)
                if not supposed(question):  # "the person" is never looked for
                    continue
                found = align(question, [picture], encoder).passes  # type: ignore[arg-type]
                passed[language]["there" if number in areas else "not there"].append(found)
                if areas.get(number, 0.0) >= _LARGE:
                    passed[language]["large"].append(found)
    results = {
        language: {name: {"pass": round(float(np.mean(one)), 3), "n": len(one)} for name, one in kinds.items()}
        for language, kinds in passed.items()
    }
    for language, kinds in results.items():
        for name, one in kinds.items():
            print(f"{language}  {name:10} {one['pass']:.1%} of {one['n']:,} pass")
    report("alignment", results, machine())


if __name__ == "__main__":
    main()
