"""The last line of every benchmark: one JSON object with what was measured, on what, when."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path


def machine() -> str:
    """Cores and processor, as the system tells them."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} cores, {name}, Python {platform.python_version()}"


def commit() -> str:
    """The commit measured, with ``+`` where the work tree differs from it."""
    try:
        here = Path(__file__).parent
        name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=here)
        dirty = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, cwd=here)
    except OSError:
        return "unknown"
    return name.stdout.strip() + ("+" if dirty.stdout.strip() else "")


def report(name: str, results: Mapping[str, object], where: str) -> None:
    """Print the JSON line."""
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    print(json.dumps({"benchmark": name, "date": date, "commit": commit(), "machine": where, "results": results}))
