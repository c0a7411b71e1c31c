"""What others' programs say of answers and curves; see ``fixtures/vqa/reference.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EXPECTED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "fixtures" / "vqa" / "expected.json").read_text(encoding="utf-8")
)
