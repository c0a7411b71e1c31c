"""Documents in a catalog: what adding a million characters costs, and how fast and well the catalog finds passages.

- *adding*: the paragraphs of XQuAD in both languages as text files, and more made of their sentences in another
  order until there are a million characters; ``catalejo add`` in a process of its own: its CPU time (all threads),
  wall time, peak memory.
- *searching*: a catalog of the paragraphs alone; milliseconds a question after its encoding (``Shelf.find``), and how
  often the first passage is of the right paragraph, in either language (*pool*) and among the other's (*cross*).

usage: python benchmarks/document_catalog.py --data DIR    (with xquad.es.json and xquad.en.json)
Last line: JSON. Targets: under 60 s of CPU on two cores; at most 15 ms a question; first right es .92, en .93, across
es .74, en .77.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _report import machine, report
from passages import Question, Remembered, read

from catalejo import Catalog
from catalejo.chunking import sentences
from catalejo.shelf import Shelf

LANGUAGES = ("es", "en")
CHARACTERS = 1_000_000
_ASKED = 400  # questions a language


def written(folder: Path, data: Path, characters: int) -> int:
    """Paragraphs as text files; sentences in another order until there are so many characters. How many there are."""
    dice, total, said = random.Random(0), 0, []
    for language in LANGUAGES:
        for path, pages in read(data, language)[0]:
            text = pages[0].text
            said += [text[start:end] for start, end in sentences(text)]
            file = folder / f"{path}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            total += len(text)
    number = 0
    while total < characters:
        text = "\n\n".join(" ".join(dice.sample(said, 5)) for _ in range(10))
        (folder / f"made-{number}.txt").write_text(text, encoding="utf-8")
        total, number = total + len(text), number + 1
    return total


def added(catalog: Path, folder: Path) -> dict[str, float]:
    """``catalejo add`` in a process of its own."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    add = ["-c", str(catalog), "add", str(folder), "--perceive", "none"]
    subprocess.run([sys.executable, "-m", "catalejo", *add], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.perf_counter() - started
    return {"cpu_s": round(cpu, 1), "wall_s": round(wall, 1), "peak_mb": round(after.ru_maxrss / 1024)}


def found(catalog: Catalog, data: Path) -> dict[str, float]:
    """First right, and milliseconds a question after its encoding."""
    encode = Remembered(catalog.sentences.encode_texts)
    shelf = Shelf(catalog._store, encode)
    figures, milliseconds = {}, []
    for language, other in zip(LANGUAGES, reversed(LANGUAGES), strict=True):
        questions = random.Random(1).sample(read(data, language)[1], _ASKED)
        encode([question.text for question in questions])
        right = {"pool": 0, "cross": 0}
        for question in questions:
            started = time.perf_counter()
            best = shelf.find(question.text, 1)
            milliseconds.append(1e3 * (time.perf_counter() - started))
            right["pool"] += is_right(best[0].path, question)
            across = shelf.find(question.text, 1, where=lambda path: f"{os.sep}{other}{os.sep}" in path)  # noqa: B023
            right["cross"] += is_right(across[0].path, question)
        figures |= {f"{language} {name}": round(count / len(questions), 3) for name, count in right.items()}
    return figures | {
        "ms p50": round(float(np.median(milliseconds)), 1),
        "ms p95": round(float(np.quantile(milliseconds, 0.95)), 1),
    }


def is_right(path: str, question: Question) -> bool:
    """Whether a file is the question's paragraph, in whatever language."""
    return Path(path).stem == str(question.paragraph)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with xquad.es.json and xquad.en.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        many, few = Path(scratch, "many"), Path(scratch, "few")
        characters = written(many, options.data, CHARACTERS)
        written(few, options.data, 0)
        added(Path(scratch, "warm"), few)  # builds the encoders' graphs, where this was never done
        results: dict[str, object] = {"characters": characters, "adding": added(Path(scratch, "c"), many)}
        added(Path(scratch, "d"), few)
        results["searching"] = found(Catalog(Path(scratch, "d")), options.data)
    print(json.dumps(results, indent=1))
    report("document_catalog", results, machine())


if __name__ == "__main__":
    main()
