"""docs/vision-models.md and its Spanish page: what they show works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalejo.context import models
from catalejo.context.media import Size
from catalejo.context.resolution import sent
from catalejo.visual_answering import FRAMES
from catalejo.visual_questions import read_rows

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {name: (DOCS / name).read_text(encoding="utf-8") for name in ("vision-models.md", "vision-models.es.md")}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_file_of_questions_can_be_read(page: str) -> None:
    (text,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    first, second = read_rows("questions.csv", text)
    assert len(first.answers) == 2 and not first.unanswerable
    assert second.unanswerable and not second.answers


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_code_runs(page: str, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(samples)
    made: dict[str, object] = {}
    exec(code.replace('"endpoint"', '"facts"'), made)
    assert made["answer"].route == "facts"  # type: ignore[attr-defined]


def test_the_figures_are_those_of_the_code() -> None:
    assert sent(Size(4000, 3000), models.find("gpt-4o")) == Size(1024, 768)
    assert all("1024 x 768" in page and "4000 x 3000" in page for page in PAGES.values())
    assert FRAMES == 8


def test_both_pages_have_the_same_headings_and_commands() -> None:
    english, spanish = PAGES.values()
    for pattern in (r"^#+ ", r"^\$ catalejo \w+", r"^\| "):
        assert len(re.findall(pattern, english, re.M)) == len(re.findall(pattern, spanish, re.M)), pattern
