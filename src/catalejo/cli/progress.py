"""Bars for long work: on a terminal only, and with the decoders' own noise kept away."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from catalejo.fetching import FetchProgress

Show = Callable[[str, int, int | None], None]

_ours: list[TextIO] = []  # standard error, while it is kept for us


@contextmanager
def progress_bar() -> Iterator[Show | None]:
    """A bar with rate and time left for each name it is called with; None in a pipe.

    Called with what is being done, how many are done, and of how many (None: not counted yet).
    """
    terminal = sys.stderr.isatty()
    with quiet_decoders() as stderr:
        if terminal:
            yield from _bars(stderr)
        else:
            yield None


@contextmanager
def quiet_decoders() -> Iterator[TextIO]:
    """Standard error for us alone: libtiff and others write to the descriptor itself about each damaged file."""
    sys.stderr.flush()
    ours = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        with os.fdopen(os.dup(ours), "w", encoding="utf-8", errors="replace") as stderr:
            _ours.append(stderr)
            yield stderr
    finally:
        _ours.clear()
        os.dup2(ours, 2)
        os.close(ours)


def say(text: str) -> None:
    """A line for people on standard error, also while it is kept for us."""
    print(text, file=_ours[-1] if _ours else sys.stderr, flush=True)


def _bars(stderr: TextIO) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stderr), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.update(tasks[name], completed=done, total=total or None)

        yield show


@contextmanager
def fetch_bar() -> Iterator[Callable[[FetchProgress], None] | None]:
    """A bar in bytes, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("asking", total=None)

        def show(progress: FetchProgress) -> None:
            bars.update(task, description=progress.file, completed=progress.done, total=progress.total)

        yield show
