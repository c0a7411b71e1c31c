"""What files state of themselves, as facts: nobody perceived it, and nobody can be wrong about it but the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalejo.facts import Fact
from catalejo.records import Item, Limits


def stated(items: Iterable[Item]) -> Iterator[Fact]:
    """What pictures state of themselves: size, date, camera, place."""
    for item in items:
        if item.kind != "image":
            continue
        yield Fact("size", f"{item.width_px} x {item.height_px}", None, "file", item.page)
        if item.taken:
            yield Fact("taken", item.taken.isoformat(), None, "file", item.page)
        if item.camera:
            yield Fact("camera", item.camera, None, "file", item.page)
        if item.latitude is not None and item.longitude is not None:
            yield Fact("place", f"{item.latitude:.5f},{item.longitude:.5f}", None, "file", item.page)


def about(path: str, items: Iterable[Item], limits: Limits) -> tuple[Fact, ...]:
    """What a recording or a film states of itself; nothing of other files.

    Raises:
        CannotRead, OverLimit: with the reason.
    """
    kinds = [item.kind for item in items]
    if "video" in kinds:
        from catalejo.readers import video

        return video.about(path, limits, kinds.count("video"))
    if "audio" in kinds:
        from catalejo.readers import audio

        return audio.about(path, limits)
    return ()
