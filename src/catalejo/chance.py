"""Where chance begins: the score that everyday questions reach on pictures that have nothing to do with them.

Scores of one model cannot be read without this: 0.3 is much for one and nothing for
another. The null distribution comes from the catalog itself: a few hundred everyday
words (the encoder's ``background``) are asked of a sample of its items, and nearly all of
those pairs are unrelated. A score is judged twice, against all of those pairs and
against the scores of its own query, since some queries score high everywhere:

    x = (s - mean) / deviation  +  B (s - median of the query) / (left deviation of the query)

The line is where x passes a high percentile of the same quantity over the background
pairs: one picture in a hundred passes it blindly. In a large catalog that would still be
thousands, so the share falls with size, to about ten pictures, but not below 0.2%, where
the background's own true matches begin to rule.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

_SHARE, _PICTURES, _LEAST_SHARE = 0.01, 10, 0.002
OWN_WEIGHT = 1 / 3
_PICTURES_ASKED = 256
_FEWEST = 30  # items below which a query's own scores say too little of their spread


class Chance:
    """The null distribution of one catalog.

    Args:
        sample: (n, width) unit vectors of items.
        background: (m, width) unit vectors of everyday texts; None: pictures of the sample themselves,
            for queries that are pictures.
        items: in the whole catalog.
    """

    def __init__(self, sample: Array, background: Array | None, items: int) -> None:
        self._sample = sample
        asked = sample[:_PICTURES_ASKED] if background is None else background
        scores = asked @ sample.T  # (m, n)
        if background is None:  # that a picture is like itself says nothing
            np.fill_diagonal(scores, np.median(scores))
        self._mean, self._deviation = float(scores.mean()), float(scores.std()) or 1.0
        self._own = OWN_WEIGHT if len(sample) >= _FEWEST else 0.0
        middle, spread = _left(scores)
        judged = (scores - self._mean) / self._deviation + self._own * (scores - middle) / spread
        share = max(_LEAST_SHARE, min(_SHARE, _PICTURES / max(items, 1)))
        self._threshold = float(np.quantile(judged, 1 - share))

    def line(self, query: Array) -> float:
        """The score above which a hit is better than chance, for this unit query vector (width,)."""
        middle, spread = (float(x[0, 0]) for x in _left((self._sample @ query)[None]))
        slope = 1 / self._deviation + self._own / spread
        offset = self._mean / self._deviation + self._own * middle / spread
        return (self._threshold + offset) / slope


def _left(scores: Array) -> tuple[Array, Array]:
    """Median and left deviation of each row: hits, which are few and on the right, move neither.

    Args:
        scores: (rows, n).

    Returns:
        two arrays (rows, 1); the deviation is the root mean square of what lies below the median.
    """
    middle = np.median(scores, axis=1, keepdims=True)
    below = np.minimum(scores - middle, 0)
    count = np.maximum((below < 0).sum(axis=1, keepdims=True), 1)
    spread = np.sqrt((below**2).sum(axis=1, keepdims=True) / count)
    return middle, np.maximum(spread, 1e-6)
