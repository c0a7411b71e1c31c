"""FILES -> ITEMS. One file a kind of file; each reader gives the pages of one open file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Protocol

from catalejo.records import Limits
from catalejo.texts import TextPage

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Page:
    """One page of a file, read.

    Attributes:
        picture: upright, sRGB, alpha on white; reduced, but no shorter side below what was asked.
        page: position in the file, from 0.
        kind: of the item.
        width_px, height_px: of the original, upright.
        taken, camera, latitude, longitude, start_s, end_s: as in ``records.Item``.
    """

    picture: Image
    page: int
    kind: str
    width_px: int
    height_px: int
    taken: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    start_s: float | None = None
    end_s: float | None = None


class Reader(Protocol):
    """Reads one kind of file. Safe to call from several threads at once."""

    def read(self, file: BinaryIO, path: str, limits: Limits, side_px: int) -> Iterator[Page]:
        """The pages of an open file.

        Args:
            file: open for reading, at its start.
            path: for messages only.
            limits: what to refuse.
            side_px: the shorter side the caller needs; pictures may come larger.

        Raises:
            CannotRead, OverLimit: with the reason.
        """


class DocumentReader(Protocol):
    """Reads the text of one kind of document. Safe to call from several threads at once."""

    def read(self, file: BinaryIO, path: str, limits: Limits) -> Iterator[TextPage]:
        """The pages of an open file, in order; at least one, each read when it is asked for.

        Args:
            file: open for reading, at its start.
            path: for messages, and for its suffix.
            limits: what to refuse.

        Raises:
            CannotRead, OverLimit: with the reason.
            MissingExtra: what reads it is not installed.
        """
