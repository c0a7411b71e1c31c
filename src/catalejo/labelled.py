"""A table of pictures and whether each belongs to a category -> paths and truths, to choose thresholds by.

It has a header: ``path`` (``file``, ``image``, ``archivo``, ``imagen``, ``ruta``) and one column a category, called as
the category is (``adult``, or a text). Cells say yes or no (1 or 0, sí or no, true or false, x); an empty one says that
nobody looked. Delimited by comma, semicolon or tab; paths start from the table's folder.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass

from catalejo.errors import BadLabels
from catalejo.taxonomy import same

_PATH = ("path", "file", "image", "archivo", "imagen", "ruta")
_YES = ("1", "yes", "y", "true", "x", "sí", "si", "s", "verdadero")
_NO = ("0", "no", "n", "false", "falso", "-")


@dataclass(frozen=True)
class Labelled:
    """Pictures, and what people said of them.

    Attributes:
        paths: n absolute paths, each once.
        categories: as the columns are called.
        truths: category -> n answers, None where nobody looked.
    """

    paths: tuple[str, ...]
    categories: tuple[str, ...]
    truths: dict[str, tuple[bool | None, ...]]


def read_labelled(path: str | os.PathLike[str]) -> Labelled:
    """Read such a table.

    Raises:
        BadLabels: no such file, not UTF-8, no column of paths or of a category, a cell that is neither yes nor no,
            or a picture twice; with its line.
    """
    source = os.fspath(path)
    text = _text(source)
    mark = _mark(source, text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    try:
        header = [" ".join(cell.split()) for cell in next(rows)]
        column = _column(header)
        categories = [(n, name) for n, name in enumerate(header) if n != column and name]
        if not categories:
            raise BadLabels("there is no column of a category beside the paths; name one by what it asks", source)
        names = [same(name) for _, name in categories]
        if len(set(names)) < len(names):
            raise BadLabels("two of its columns are called the same", source)
        lines = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except csv.Error as error:
        raise BadLabels(f"line {rows.line_num} is no row of a table: {error}", source) from error
    return _labelled(source, lines, column, categories)


def _labelled(
    source: str, lines: Sequence[tuple[int, list[str]]], column: int, categories: Sequence[tuple[int, str]]
) -> Labelled:
    folder = os.path.dirname(os.path.abspath(source))
    paths: dict[str, int] = {}
    truths: dict[str, list[bool | None]] = {name: [] for _, name in categories}
    for line, row in lines:
        cells = row + [""] * (1 + max(column, *(n for n, _ in categories)) - len(row))
        if not any(cells):
            continue
        if not cells[column]:
            raise BadLabels(f"line {line} names no picture", source)
        place = os.path.join(folder, os.path.expanduser(cells[column]))
        if place in paths:
            raise BadLabels(f"line {line} names the picture of line {paths[place]} again", source)
        paths[place] = line
        for number, name in categories:
            truths[name].append(_truth(cells[number], f"line {line}, {name!r}", source))
    if not paths:
        raise BadLabels("there is a header, but no picture under it", source)
    told = {name: tuple(answers) for name, answers in truths.items()}
    return Labelled(tuple(paths), tuple(name for _, name in categories), told)


def _truth(cell: str, where: str, source: str) -> bool | None:
    if cell.casefold() in _YES:
        return True
    if cell.casefold() in _NO:
        return False
    if cell:
        raise BadLabels(f"{where}, says {cell[:40]!r}; write 1 or 0, or nothing where nobody looked", source)
    return None


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8-sig")
    except IsADirectoryError as error:
        raise BadLabels("it is a folder; name a file in it", path) from error
    except UnicodeDecodeError as error:
        raise BadLabels("it is not UTF-8; save it as UTF-8", path) from error
    except (OSError, ValueError) as error:  # ValueError: a name no file can have
        raise BadLabels((getattr(error, "strerror", None) or str(error)).lower(), path) from error


def _mark(path: str, text: str) -> str:
    """The delimiter: the one that gives the header a column of paths and others."""
    first = next(iter(text.splitlines()), "")[:100_000]
    if not first.strip():
        raise BadLabels("it is empty" if not text.strip() else "its first line is empty; the header goes there", path)
    for mark in ",;\t":
        names = next(csv.reader([first], delimiter=mark))
        if len(names) > 1 and any(same(name) in _PATH for name in names):
            return mark
    raise BadLabels("no column of pictures beside those of categories; call it path", path)


def _column(header: Sequence[str]) -> int:
    names = [same(name) for name in header]
    return next(names.index(name) for name in _PATH if name in names)
