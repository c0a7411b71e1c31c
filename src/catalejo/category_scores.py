"""Files -> how much each belongs to categories, 0 to 1: adult content, and whatever is written in words.

Adult content is scored by the ``safety`` perceiver; a category in words by the encoder, as its probability against
"none of these" (``probabilities``), so that categories do not compete with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalejo import plugins
from catalejo.encoders import Array, Encoder
from catalejo.errors import BadLabels, CannotRead, CatalejoError, MissingExtra, brief
from catalejo.pages import PageReader, encode
from catalejo.perceivers import Looker
from catalejo.probabilities import Sorter
from catalejo.prompts import choose
from catalejo.readers import Page
from catalejo.records import Limits, Skipped
from catalejo.taxonomy import Target, same
from catalejo.trial import vectors_of

ADULT = "adult"
SAFETY = "safety"  # the perceiver
_SIDE_PX = 512  # pictures are read reduced, but not below this on their shorter side: the perceiver takes 256

Known = Callable[[Sequence[str]], Mapping[str, Array]]
Progress = Callable[[str, int, int], None]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """Files with their scores: (n files, m categories), 0 to 1; and those that have none."""

    paths: tuple[str, ...]
    scores: Scores
    skipped: tuple[Skipped, ...]


def checked(categories: Sequence[str]) -> list[str]:
    """Categories as they are called: single spaces; "adult content" is ``adult``.

    Raises:
        BadLabels: none, an empty one, or one twice.
    """
    names = [" ".join(category.split()) for category in categories]
    names = [ADULT if same(name) in (ADULT, "adult content", "adultos", "contenido para adultos") else name
             for name in names]  # fmt: skip
    if not names:
        raise BadLabels('no category is named; name one: --category "a weapon"')
    for number, name in enumerate(names):
        if not name:
            raise BadLabels('a category is empty; say in words what to look for: --category "a weapon"')
        if same(name) in [same(other) for other in names[:number]]:
            raise BadLabels(f"the category {name!r} is named twice")
    return names


def score(
    files: Sequence[str],
    categories: Sequence[str],
    encoder: Encoder,
    *,
    known: Known = lambda paths: {},
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Scored:
    """The scores of pictures in categories; a file that one of them cannot be had of is left out.

    Args:
        files: of pictures and films; of a film the worst shot counts; of a picture with several pages the worst for
            adult content, the first for written categories.
        categories: as ``checked`` gives them.
        encoder: scores the texts.
        known: vectors somebody made before.
        limits: what readers refuse.
        progress: called with what is being done, how much is done, and of how much.
    """
    rows: dict[str, list[float]] = {}
    skipped: dict[str, Skipped] = {}
    looker: Looker | None = plugins.load("perceivers", SAFETY)() if ADULT in categories else None
    written = [name for name in categories if name != ADULT]
    sorters = [_sorter(name, encoder) for name in written]
    pictures = [path for path in files if not plugins.is_recording(path)]
    vectors: dict[str, Array] = {}
    if written and pictures:
        looked = vectors_of(pictures, encoder, known(pictures), limits, progress)
        vectors = dict(zip(looked.paths, looked.vectors, strict=True))
        skipped |= {one.path: one for one in looked.skipped}
    reader = PageReader(limits or Limits(), max(_SIDE_PX, encoder.side_px if written else 0))
    for done, path in enumerate(files, 1):
        if path in skipped:
            continue
        try:
            adult, seen = _looked(path, reader, looker, encoder if written and path not in vectors else None)
        except (CannotRead, MissingExtra) as error:
            skipped[path] = Skipped(path, error.reason if isinstance(error, CannotRead) else str(error))
            continue
        made = np.stack(seen) if seen else vectors[path][None] if path in vectors else None
        scores = {ADULT: adult}
        if made is not None:
            pairs = zip(written, sorters, strict=True)
            scores |= {name: float(sorter.probabilities(made)[:, 0].max()) for name, sorter in pairs}
        rows[path] = [scores[name] for name in categories]
        if progress:
            progress("files, scored", done, len(files))
    left = [path for path in files if path in rows]
    table = np.array([rows[path] for path in left], np.float64).reshape(len(left), len(categories))
    return Scored(tuple(left), table, tuple(skipped.values()))


def _looked(path: str, reader: PageReader, looker: Looker | None, encoder: Encoder | None) -> tuple[float, list[Array]]:
    """The worst score of adult content of a file's pictures or shots, and their vectors, as far as they are wanted."""
    adult, shown = 0.0, False
    vectors: list[Array] = []
    if looker is None and encoder is None:
        return adult, vectors
    with reader.opened(path) as (file, _):
        for page in reader.pages(file, path):
            if page.kind == "audio":
                continue
            shown = True
            if looker:
                adult = max(adult, _worst(looker, page, path))
            if encoder:
                vectors.append(encode(encoder, page, path).vector)
    if not shown:
        raise CannotRead(path, "it is a recording, which shows nothing")
    return adult, vectors


def _sorter(category: str, encoder: Encoder) -> Sorter:
    """One category against "none of these"."""
    prompts = choose([category], prompted=encoder.prompted, known=encoder.card.languages)
    return Sorter(encoder, [Target(category, asked=category)], prompts, none=True)


def _worst(looker: Looker, page: Page, path: str) -> float:
    try:
        facts = looker.look(page.picture, page.page).facts
    except (CatalejoError, MemoryError):
        raise
    except Exception as error:  # models raise anything
        raise CannotRead(path, f"{SAFETY} failed ({type(error).__name__}: {brief(error)})") from error
    scores = [fact.number for fact in facts if fact.kind == "safety" and fact.number is not None]
    if not scores:
        raise CannotRead(path, f"{SAFETY} gave no score")
    return max(scores)
