"""EfficientNet-Lite as an ONNX graph, built from its weights without PyTorch.

Every convolution takes its batch norm with it (w' = w g / s, b' = b - m g / s,
with s = sqrt(v + eps)); the activation is ReLU6; there is no squeeze and
excitation in the Lite family. Padding is TensorFlow's "SAME", as the weights
were trained.

Source: the EfficientNet-Lite release of 2020 (tensorflow/tpu,
``models/official/efficientnet/lite``); Tan and Le 2019, arXiv 1905.11946, table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from catalejo.conse.space import Projection, region_matrix

OPSET = 17
IR_VERSION = 8
_EPS = 1e-3
# The seven stages of EfficientNet-B0: blocks, kernel, stride. Widths come from the weights.
_STAGES = ((1, 3, 1), (2, 3, 2), (2, 5, 2), (3, 3, 2), (3, 5, 1), (4, 5, 2), (1, 3, 1))

Weights = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Block:
    """One mobile inverted bottleneck: which kernel, which stride, whether the input is added back."""

    kernel: int
    stride: int
    skips: bool


def blocks(weights: Weights) -> list[Block]:
    """Kernel and stride of each block, read off the weights and the stage table.

    Lite1 and Lite2 repeat blocks inside the stages; the first block of a stage is
    the one whose width changes, and the only one without a skip connection.
    """
    count = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("_blocks."))
    found: list[Block] = []
    stage, width = -1, -1
    for i in range(count):
        out = weights[f"_blocks.{i}._project_conv.weight"].shape[0]
        first = out != width
        if first:
            stage, width = stage + 1, out
        kernel = int(weights[f"_blocks.{i}._depthwise_conv.weight"].shape[-1])
        if kernel != _STAGES[stage][1]:
            raise ValueError(f"block {i}: kernel {kernel}, the family has {_STAGES[stage][1]} there")
        found.append(Block(kernel, _STAGES[stage][2] if first else 1, skips=not first))
    return found


class _Builder:
    """Nodes and initialisers of one graph; each step takes and gives a value's name."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def node(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def conv(self, x: str, conv: str, norm: str, stride: int = 1, relu6: bool = True) -> str:
        kernel = self.weights[f"{conv}.weight"].astype(np.float64)
        gain = self.weights[f"{norm}.weight"] / np.sqrt(self.weights[f"{norm}.running_var"].astype(np.float64) + _EPS)
        bias = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * gain
        depthwise = kernel.shape[1] == 1 and kernel.shape[2] > 1
        y = self.node(
            "Conv",
            [
                x,
                self.constant(f"{conv}.w", (kernel * gain[:, None, None, None]).astype(np.float32)),
                self.constant(f"{conv}.b", bias.astype(np.float32)),
            ],
            f"{conv}.y",
            strides=[stride, stride],
            group=kernel.shape[0] if depthwise else 1,
            auto_pad="SAME_UPPER",
        )
        return self.node("Clip", [y, "zero", "six"], f"{conv}.relu6") if relu6 else y


def _classifier(weights: Weights) -> tuple[_Builder, str]:
    """The convolutions, from ``image`` to the last map; the builder and the map's name."""
    b = _Builder(weights)
    b.constant("zero", np.array(0, np.float32))
    b.constant("six", np.array(6, np.float32))
    x = b.conv("image", "_conv_stem", "_bn0", stride=2)
    for i, block in enumerate(blocks(weights)):
        name, y = f"_blocks.{i}", x
        if f"{name}._expand_conv.weight" in weights:
            y = b.conv(y, f"{name}._expand_conv", f"{name}._bn0")
        y = b.conv(y, f"{name}._depthwise_conv", f"{name}._bn1", stride=block.stride)
        y = b.conv(y, f"{name}._project_conv", f"{name}._bn2", relu6=False)
        x = b.node("Add", [y, x], f"{name}.add") if block.skips else y
    return b, b.conv(x, "_conv_head", "_bn1")


def build(weights: Weights, size_px: int, projection: Projection | None = None) -> onnx.ModelProto:
    """The ONNX graph of an EfficientNet-Lite checkpoint.

    Args:
        weights: name -> array, as ``checkpoint.read_checkpoint`` gives them.
        size_px: side of the square input in pixels; fixed, because "SAME" padding depends on it.
        projection: also give the vector in the sentence space.

    Returns:
        A model with input ``image`` (batch, 3, size_px, size_px) float32, scaled as
        (x - 127) / 128 with x in 0..255, and outputs ``logits`` (batch, classes) and
        ``feature`` (batch, features), the average-pooled last map. With a projection the
        outputs are ``vector`` (batch, width), unit, and ``probabilities`` (batch, classes),
        the softmax averaged over the regions.
    """
    b, last = _classifier(weights)
    w, bias = weights["_fc.weight"], weights["_fc.bias"]
    if projection is None:
        feature = b.node("Flatten", [b.node("GlobalAveragePool", [last], "pooled")], "feature", axis=1)
        b.node("Gemm", [feature, b.constant("fc.w", w), b.constant("fc.b", bias)], "logits", transB=1)
        outputs = {"logits": len(bias), "feature": w.shape[1]}
    else:
        _project(b, last, size_px, projection)
        outputs = {"vector": projection.labels.shape[1], "probabilities": len(bias)}
    graph = helper.make_graph(
        b.nodes,
        "efficientnet-lite",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, size_px, size_px])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", n]) for name, n in outputs.items()],
        b.initialisers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model


def _project(b: _Builder, last: str, size_px: int, p: Projection) -> None:
    """From the last map to ``vector`` and ``probabilities``, region by region.

    A region's vector is unit(unit(T^T p) + beta unit(M f)); the picture's is the unit of
    their weighted mean.
    """
    regions, weights = region_matrix(-(-size_px // 32), p.grids)
    cells = b.constant("cells", np.array([0, 0, regions.shape[1]], np.int64))
    flat = b.node("Reshape", [last, cells], "flat")  # (batch, features, cells)
    mean = b.node("MatMul", [flat, b.constant("windows", regions.T)], "mean")
    f = b.node("Transpose", [mean], "regions", perm=[0, 2, 1])  # (batch, regions, features)
    score = b.node("MatMul", [f, b.constant("fc.w", b.weights["_fc.weight"].T)], "score")
    share = b.node("Softmax", [b.node("Add", [score, b.constant("fc.b", b.weights["_fc.bias"])], "biased")], "share")
    conse = b.node("LpNormalization", [b.node("MatMul", [share, b.constant("labels", p.labels)], "conse")], "e1")
    ridge = b.node("LpNormalization", [b.node("MatMul", [f, b.constant("ridge", p.ridge)], "ridged")], "e2")
    scaled = b.node("Mul", [ridge, b.constant("beta", np.array(p.beta, np.float32))], "beta_e2")
    each = b.node("LpNormalization", [b.node("Add", [conse, scaled], "sum")], "each")
    row = b.constant("region_weights", weights[None, :])  # (1, regions) @ (batch, regions, n)
    axis = b.constant("axis", np.array([1], np.int64))
    for values, name in ((each, "picture"), (share, "probabilities")):
        pooled = b.node("MatMul", [row, values], f"{name}.pooled")
        b.node("Squeeze", [pooled, axis], name)
    b.node("LpNormalization", ["picture"], "vector", axis=-1)
