"""What commands share: options for the catalog, encoders and drawings; JSON, tables, paths as one can print them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from catalejo.catalog import Catalog, default_folder

if TYPE_CHECKING:
    from catalejo.records import Skipped

F = TypeVar("F", bound=Callable[..., Any])


def with_catalog(function: F) -> F:
    """Adds ``-c`` after the command too; the function gets a ``Catalog`` as its first argument.

    An ``encoder_option`` below it goes into the catalog.
    """

    def opened(ctx: click.Context, /, catalog: str | None, encoder: str | None = None, **rest: Any) -> Any:
        return function(Catalog(catalog or ctx.obj, encoder=encoder), **rest)

    opened.__doc__, opened.__name__ = function.__doc__, function.__name__
    opened.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    option = click.option("-c", "--catalog", metavar="DIR", help="The catalog's folder.")
    return option(click.pass_context(opened))  # type: ignore[return-value]


def command(catalog: Catalog, *words: str) -> str:
    """A command line to type next, for this catalog."""
    where = [] if catalog.path == default_folder() else ["-c", str(catalog.path)]
    return shlex.join(["catalejo", *where, *words])


def encoder_option(text: str) -> Callable[[F], F]:
    """``--encoder NAME``, with what it means for this command."""
    return click.option("--encoder", metavar="NAME", help=text)


def drawing_option(name: str, text: str, **more: Any) -> Callable[[F], F]:
    """An option that names a drawing's file, looked at before the work begins."""

    def checked(_: click.Context, __: click.Parameter, path: str | None) -> str | None:
        if path:
            from catalejo.plots.canvas import check

            check(path)
        return path

    return click.option(name, metavar="FILE", callback=checked, help=f"{text} (.png, .jpg, .webp).", **more)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def print_json(value: Any) -> None:
    """One JSON object on one line. Names that are not UTF-8 come as lone surrogates, which `os.fsencode` undoes."""
    click.echo(json.dumps(value, ensure_ascii=True))


def printable(path: str) -> str:
    """A path as one line of text: control characters and bytes that are not UTF-8 shown as escapes."""
    return "".join(
        c
        if c.isprintable()
        else c.encode("utf-8", "surrogateescape").decode("latin-1").encode("unicode_escape").decode("ascii")
        for c in path
    )


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> None:
    """A table for people; tab-separated, without headers, when the output is not a terminal.

    Args:
        headers: of the columns.
        rows: their texts.
        right: columns to align to the right.
    """
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if console.measure(table).maximum == console.width:  # it would break names: closer columns first
        table.padding = (0, 1, 0, 0)
    console.print(table)


def samples_option(function: F) -> F:
    """``--samples``, of a model that may answer otherwise the next time."""
    return click.option(
        "--samples",
        default=1,
        show_default=True,
        type=click.IntRange(1, 20),
        metavar="N",
        help="With --with endpoint or blip2: ask so many times; what most do not agree on is declined.",
    )(function)


def check_samples(samples: int, by: str | None) -> None:
    """Raise unless who answers can answer several times."""
    if samples > 1 and by not in ("endpoint", "blip2"):
        raise click.UsageError(f"--samples {samples} is for --with endpoint or blip2: facts are the same each time")


def note(text: str) -> None:
    """A line for people, on standard error, so that pipes carry results only."""
    click.echo(text, err=True)


def count(number: int, one: str, many: str) -> str:
    """``1 file``, ``2,000 files``."""
    return f"{number:,} {one if number == 1 else many}"


def note_skipped(skipped: Sequence[Skipped], most: int = 10, hint: str = "") -> None:
    """Files that were passed over, and why: the first of them, and where to see the others."""
    for one in skipped[:most]:
        note(f"  {printable(one.path)}: {one.reason}")
    if len(skipped) > most:
        note(f"  and {len(skipped) - most:,} more{hint}")
