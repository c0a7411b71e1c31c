"""Caption -> the rank of its own picture among all of a catalog: does a description find what it describes?"""

from __future__ import annotations

import numpy as np

from catalejo.encoders import Encoder
from catalejo.perceiving import as_read
from catalejo.space import Space
from catalejo.store import Store


class Ranks:
    """Ranks the pictures of a catalog by captions.

    Args:
        store: of an existing catalog.
        space: the encoder's, in it.
        encoder: encodes the captions.
    """

    def __init__(self, store: Store, space: Space, encoder: Encoder) -> None:
        self._store, self._space, self._encoder = store, space, encoder

    def rank(self, path: str, page: int, caption: str) -> tuple[int, int] | None:
        """The rank of a picture, from 1, and among how many; None where it is not in the catalog as it is now.

        Others with exactly its score, as copies have, do not count against it.
        """
        row = self._store.known([path]).get(path)
        if row is None or row.hash is None or not as_read(row):
            return None
        vector = self._encoder.encode_texts([caption])[0]
        own: float | None = None
        scores = []
        for keys, vectors in self._space.keyed():
            made = vectors @ vector
            scores.append(made)
            if (row.hash, page) in keys:
                own = float(made[keys.index((row.hash, page))])
        if own is None:
            return None
        every = np.concatenate(scores)
        return 1 + int((every > own + 1e-6).sum()), len(every)
