"""Adult content in pictures: one score, by Yahoo's open_nsfw (Mahadeokar and Pesavento 2016) on ONNX Runtime.

It was trained to tell pornography from other pictures, and nothing else: violence, drugs or hatred score low. Much
bare skin, swimwear and tight suits score high. Its makers take less than 0.2 for safe and more than 0.8 for not;
between them somebody has to look. The score is no probability one can bet on: ``catalejo moderate`` chooses thresholds.
"""

from __future__ import annotations

import threading
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from catalejo import cards, weights
from catalejo.errors import DamagedWeights, brief
from catalejo.facts import Fact, Perceived

if TYPE_CHECKING:
    import onnxruntime

NAME = "open-nsfw"
SIDE_PX, CROP_PX = 256, 224
MEAN_BGR = (104.0, 117.0, 123.0)
SAFE, UNSAFE = 0.2, 0.8
_WORDS = (("low", "bajo"), ("unclear", "dudoso"), ("high", "alto"))


class SafetyPerceiver:
    """Scores adult content. Loads when first used; safe to call from several threads.

    Raises:
        MissingWeights, DamagedWeights: ``open-nsfw`` was not fetched, or is not whole.
    """

    name = "safety"
    version = "1"

    def __init__(self) -> None:
        self._folder = weights.model_folder(NAME)
        self._lock = threading.Lock()

    def look(self, picture: Image.Image, page: int = 0) -> Perceived:
        """See ``Looker``: one fact of kind ``safety``; ``number`` is the score, the value says how high that is."""
        score = round(self.score(picture), 4)
        word, es = _WORDS[(score >= SAFE) + (score > UNSAFE)]
        return Perceived((Fact("safety", word, None, self.name, page, es=es, number=score),))

    def score(self, picture: Image.Image) -> float:
        """The score of one picture: 0, no adult content, to 1.

        Args:
            picture: upright, any size and mode.
        """
        with self._lock:
            session = self._session
        (found,) = session.run(None, {session.get_inputs()[0].name: preprocess(picture)[None]})
        return float(found[0, 1])

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        (file,) = cards.files_of(cards.card(NAME), "fp32")
        path, again = self._folder / file.path, f"Fetch it again: catalejo fetch {NAME} --verify"
        weights.verify(path, file.sha256, again)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the caller runs one call a core
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(path, sess_options=options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own kinds, from no common root
            raise DamagedWeights(path, brief(error), again) from error


def preprocess(picture: Image.Image) -> npt.NDArray[np.float32]:
    """One picture as the network was trained to see it.

    Squashed to 256 x 256, through JPEG once (its training pictures all were), the middle 224 x 224, blue first,
    less the means of its training pictures.

    Returns:
        (224, 224, 3) float32.

    Source: github.com/yahoo/open_nsfw, ``classify_nsfw.py``.
    """
    squashed = picture.convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
    stream = BytesIO()
    squashed.save(stream, "JPEG")
    with Image.open(stream) as decoded:
        pixels = np.asarray(decoded.convert("RGB"), np.float32)
    edge = (SIDE_PX - CROP_PX) // 2
    middle = pixels[edge : edge + CROP_PX, edge : edge + CROP_PX, ::-1]
    return np.ascontiguousarray(middle - np.array(MEAN_BGR, np.float32))
