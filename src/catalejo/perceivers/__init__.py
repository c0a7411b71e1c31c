"""ITEMS -> TEXT, FACTS. One file a perceiver; each says what it saw or heard, how sure it is, and where.

Making one (``plugins.load("perceivers", name)()``) loads nothing heavy, and raises ``MissingExtra`` or
``MissingWeights`` at once where it could not run: that is how one knows which there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from catalejo.facts import Perceived

if TYPE_CHECKING:
    from PIL.Image import Image

Samples = npt.NDArray[np.float32]

RATE_HZ = 16_000  # of all samples that are given to perceivers


class Sound(Protocol):
    """What a recording sounds like."""

    @property
    def duration_s(self) -> float | None:
        """Seconds, as the file has it; None where it does not say."""

    def blocks(self) -> Iterator[Samples]:
        """All of it from the start: mono, 16 kHz, -1 to 1, in blocks (n,) of at most 30 s.

        Raises:
            CannotRead, OverLimit: with the reason, maybe after some blocks.
        """


class Looker(Protocol):
    """Perceives pictures. Safe to call from several threads at once.

    Attributes:
        name: as in ``plugins.PERCEIVERS``.
        version: changes whenever what it finds does.
    """

    name: str
    version: str

    def look(self, picture: Image, page: int = 0) -> Perceived:
        """What is in one picture.

        Args:
            picture: upright, RGB, at its full size; boxes are in its pixels.
            page: what the facts, and the text's page (from 1: ``page + 1``), say they are of.
        """


class Listener(Protocol):
    """Perceives recordings. Safe to call from several threads at once.

    Attributes:
        name, version: as in ``Looker``.
    """

    name: str
    version: str

    def listen(self, sound: Sound) -> Perceived:
        """What is in one recording; memory does not grow with its length.

        Raises:
            CannotRead, OverLimit: the recording breaks off.
        """
