"""Do captions keep their word? What share of what is said "surely", "probably" and "perhaps" is in the picture.

128 photographs of COCO128 with what people marked in them. What a caption says is right if it means a class of COCO
that is marked, wrong if it means others only; what means no class of COCO cannot be judged here, and is counted apart.
"Food" is right for a pizza, "a retriever" for a dog: words meet by the 1,000 classes they stand for.

The thresholds (``recognised.LEAST``) were chosen looking at these pictures and at 78 of stamps; figures on pictures
nobody looked at would be somewhat lower.

usage: python benchmarks/describing.py --data DIR
Last line: JSON. Targets: sure >= .85, probable >= .6 right, of what can be judged.
"""

from __future__ import annotations

import argparse
from collections import Counter
from functools import cache
from pathlib import Path

from _coco import NAMES
from _report import machine, report
from PIL import Image

from catalejo.conse.labels import spotted
from catalejo.facts import Fact
from catalejo.perceivers.labels import Labels
from catalejo.recognised import WORDINGS, members, things

# Names of COCO whose things ImageNet calls otherwise, or holds inside others.
_MORE = {"tv": "television; screen", "mouse": "computer mouse", "remote": "remote control", "couch": "sofa"}
_MORE |= {"dining table": "table", "bicycle": "bike", "cell phone": "phone", "sports ball": "ball"}
_MORE |= {"potted plant": "flower pot; plant", "oven": "stove", "cup": "mug; coffee; espresso", "tie": "necktie; suit"}
_MORE |= {"toilet": "toilet seat", "bed": "four-poster bed", "donut": "baked goods", "cake": "dessert"}


@cache
def meant(name: str) -> frozenset[int]:
    """The classes of ImageNet that a name of COCO stands for."""
    texts = [name, *_MORE.get(name, "").split("; ")]
    return frozenset(index for text in texts if text for index in spotted(text))


def judged(said: Fact, marked: set[str]) -> bool | None:
    """Whether what is said is in the picture; None where COCO knows nothing of it."""
    means = members(said)
    names = [name for name in NAMES["en"] if not means.isdisjoint(meant(name))]
    return any(name in marked for name in names) if names else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with coco128")
    folder = parser.parse_args().data / "coco128"
    looker, found, first = Labels(), Counter(), Counter()
    pictures = sorted(folder.rglob("*.jpg"))
    marks = {path.stem: path for path in folder.rglob("*.txt")}
    for path in pictures:
        lines = marks[path.stem].read_text(encoding="utf-8").splitlines() if path.stem in marks else []
        marked = {NAMES["en"][int(line.split()[0])] for line in lines if line.strip()}
        with Image.open(path) as opened:
            said = things(looker.look(opened.convert("RGB")).facts)
        for thing in said:
            found[thing.wording, judged(thing.label, marked)] += 1
        first[said[0].wording if said else "nothing"] += 1
    results: dict[str, object] = {"pictures": len(pictures), "first": dict(first)}
    for wording in WORDINGS:
        right, wrong, unknown = (found[wording, answer] for answer in (True, False, None))
        share = round(right / max(right + wrong, 1), 3)
        results[wording] = {"right": right, "wrong": wrong, "not judged": unknown, "share": share}
        print(f"{wording:9} {right} of {right + wrong} right ({share:.2f}); {unknown} cannot be judged")
    report("describing", results, machine())


if __name__ == "__main__":
    main()
