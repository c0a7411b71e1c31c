"""Questions about scikit-image's sample pictures, answered from facts: how many rightly, and whether any was invented.

``visual_questions.jsonl``: sixty questions, half of them unanswerable, written before anything answered them; of the
thirty answerable, 27 were answered rightly at once, and none of the others was invented.
``visual_questions_later.jsonl``: ninety in other words, written later in three parts, each before it was tried; at
first 34 of 45 were answered rightly, and one of 45 was invented. What was found there was mended since, so that it is
held out no more.

usage: python benchmarks/visual_questions.py [FILE...]
Last line: JSON. Targets: nothing invented, at least 80% right of the first file.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from _report import machine, report

from catalejo.answerers.facts import answer_file
from catalejo.demo import pictures
from catalejo.visual_answers import contained
from catalejo.visual_questions import read_visual_questions

HERE = Path(__file__).parent
FILES = (HERE / "visual_questions.jsonl", HERE / "visual_questions_later.jsonl")


def judge(file: Path) -> dict[str, int]:
    """Counts of ``right``, ``wrong``, ``declined`` among the answerable, ``invented``, ``refused`` among the others."""
    counts: Counter[str] = Counter()
    asked = read_visual_questions(str(file), str(pictures())).asked
    for one in sorted(asked, key=lambda one: one.path):  # what is known of a picture is kept for its next question
        found = answer_file(one.question, one.path)
        if one.unanswerable:
            verdict = "refused" if found.declined else "invented"
        elif found.declined:
            verdict = "declined"
        else:
            verdict = "right" if contained(found.text, one.answers, one.language) else "wrong"
        counts[verdict] += 1
        if verdict in ("invented", "wrong", "declined"):
            told = found.reason if found.declined else found.text
            print(f"{verdict}: {Path(one.path).name}: {one.question} -> {told}")
    return dict(counts)


def main() -> None:
    results: dict[str, object] = {}
    for file in [Path(name) for name in sys.argv[1:]] or FILES:
        counts = judge(file)
        answerable = sum(counts.get(name, 0) for name in ("right", "wrong", "declined"))
        share = counts.get("right", 0) / answerable if answerable else 0.0
        results[file.name] = {**counts, "right_share": round(share, 3)}
        right, wrong = counts.get("right", 0), counts.get("wrong", 0)
        print(f"{file.name}: {right} of {answerable} right ({share:.0%}), {wrong} wrong;")
        print(f"  {counts.get('invented', 0)} invented, {counts.get('refused', 0)} declined of those nobody can answer")
    report("visual_questions", results, machine())


if __name__ == "__main__":
    main()
