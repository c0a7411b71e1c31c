"""Names and where their code lives; listing them imports nothing.

A plug-in is one line here (ours) or one entry point in another distribution
(``[project.entry-points."catalejo.encoders"]``), found only when used.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from catalejo.errors import MissingExtra, UnknownName


@dataclass(frozen=True)
class Plugin:
    """One entry: ``module:Class``, and the extra that brings what it imports (None: the base install)."""

    target: str
    extra: str | None = None
    suffixes: tuple[str, ...] = ()


READERS = {
    "image": Plugin(
        "catalejo.readers.image:ImageReader",
        suffixes=(
            *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".dib"),
            *(".tif", ".tiff", ".avif", ".heic", ".heif", ".hif"),
        ),
    ),
}
ENCODERS = {
    "conse": Plugin("catalejo.encoders.conse:ConseEncoder"),
}
DEFAULT_ENCODER = "conse"

_OURS = {"readers": READERS, "encoders": ENCODERS}


@cache
def table(group: str) -> dict[str, Plugin]:
    """The plug-ins of a group (``readers``, ``encoders``), ours and those of other distributions.

    A name of ours wins over an outsider's.
    """
    from importlib.metadata import entry_points  # 20 ms; only when a group is listed

    outside = {e.name: Plugin(e.value) for e in entry_points(group=f"catalejo.{group}")}
    return outside | _OURS[group]


def load(group: str, name: str) -> Any:
    """Import and return the class behind a name.

    Raises:
        UnknownName: nobody registered it.
        MissingExtra: its optional packages are not installed. A module of our own
            that fails to import is a bug and is raised as it is.
    """
    plugin = _OURS[group].get(name) or table(group).get(name)
    if plugin is None:
        raise UnknownName(group.removesuffix("s"), name, table(group))
    module, _, attribute = plugin.target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if plugin.extra is None or missing == module.partition(".")[0]:
            raise
        raise MissingExtra(f"{group.removesuffix('s')} {name!r}", missing, plugin.extra) from error


def reader_for(suffix: str) -> str | None:
    """The reader that takes files with this suffix (``.jpg``), or None."""
    suffix = suffix.lower()
    for name, plugin in READERS.items():
        if suffix in plugin.suffixes:
            return name
    return None
