"""The ONNX graph against references that are not ours: PyTorch for the classifier, plain NumPy for the projection."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest

from catalejo import weights
from catalejo.conse import graph
from catalejo.conse.checkpoint import read_checkpoint
from catalejo.conse.space import Projection
from catalejo.encoders.conse import CLASSIFIER

Array = npt.NDArray[np.float32]
FIXTURES = Path(__file__).parent / "fixtures"


def _reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lite2_reference", FIXTURES / "lite2_reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reference = _reference()


@pytest.fixture(scope="module")
def checkpoint() -> dict[str, npt.NDArray[Any]]:
    return read_checkpoint(weights.locate(CLASSIFIER))


def run(model: onnx.ModelProto, image: Array) -> dict[str, Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


# -- the classifier --------------------------------------------------------------------


def test_logits_and_feature_equal_the_reference(checkpoint: dict[str, Any]) -> None:
    found = run(graph.build(checkpoint, reference.SIZE_PX), reference.scaled(reference.picture()))
    with np.load(FIXTURES / "lite2_260.npz") as expected:
        assert found["logits"].shape == (1, 1000) and found["feature"].shape == (1, 1280)
        assert np.ptp(expected["logits"]) > 5  # the reference says something
        np.testing.assert_allclose(found["logits"][0], expected["logits"], atol=1e-4, rtol=0)
        np.testing.assert_allclose(found["feature"][0], expected["feature"], atol=1e-4, rtol=0)


@pytest.mark.parametrize("side", [32, 97, 224, 352])
def test_other_sizes_equal_torch(checkpoint: dict[str, Any], side: int) -> None:
    torch = pytest.importorskip("torch", reason="needs the torch extra: recomputes the reference")
    image = np.random.default_rng(side).uniform(-1, 1, (2, 3, side, side)).astype(np.float32)
    with torch.no_grad():
        tensors = {name: torch.from_numpy(array) for name, array in checkpoint.items()}
        logits, feature = reference.forward(tensors, torch.from_numpy(image))
    found = run(graph.build(checkpoint, side), image)
    np.testing.assert_allclose(found["logits"], logits.numpy(), atol=1e-3, rtol=0)
    np.testing.assert_allclose(found["feature"], feature.numpy(), atol=1e-3, rtol=0)


def test_torch_still_gives_the_committed_reference(checkpoint: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="needs the torch extra: recomputes the reference")
    state = torch.load(weights.locate(CLASSIFIER), map_location="cpu", weights_only=True)
    with torch.no_grad():
        logits, feature = reference.forward(state, torch.from_numpy(reference.scaled(reference.picture())))
    with np.load(FIXTURES / "lite2_260.npz") as expected:
        np.testing.assert_allclose(logits.numpy()[0], expected["logits"], atol=1e-4, rtol=0)
        np.testing.assert_allclose(feature.numpy()[0], expected["feature"], atol=1e-4, rtol=0)


def test_a_batch_equals_its_pictures_one_by_one(checkpoint: dict[str, Any]) -> None:
    image = np.random.default_rng(0).uniform(-1, 1, (3, 3, 96, 96)).astype(np.float32)
    model = graph.build(checkpoint, 96)
    alone = np.concatenate([run(model, row[None])["logits"] for row in image])
    np.testing.assert_allclose(run(model, image)["logits"], alone, atol=1e-4, rtol=0)


def test_blocks_follow_the_stage_table(checkpoint: dict[str, Any]) -> None:
    expected = [
        graph.Block(kernel, stride if repeat == 0 else 1, skips=repeat > 0)
        for repeats, kernel, stride, _, _ in reference.STAGES
        for repeat in range(repeats)
    ]
    assert graph.blocks(checkpoint) == expected


def test_another_family_is_refused(checkpoint: dict[str, Any]) -> None:
    other = dict(checkpoint)
    other["_blocks.0._depthwise_conv.weight"] = np.zeros((32, 1, 7, 7), np.float32)
    with pytest.raises(ValueError, match="block 0: kernel 7, the family has 3"):
        graph.blocks(other)


# -- the projection ----------------------------------------------------------------------

# The windows of an 11 x 11 map (352 pixels), by hand: grid -> (side of a window, where windows start).
WINDOWS = {1: (11, (0,)), 2: (8, (0, 3)), 3: (6, (0, 2, 5))}


def length_1(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(x / np.sqrt((x**2).sum()))


def by_hand(
    last: Array, fc: Array, bias: Array, p: Projection, windows: dict[int, tuple[int, tuple[int, ...]]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Vector and probabilities of one last map (features, side, side), window after window, in float64."""
    vector, probabilities = np.zeros(p.labels.shape[1]), np.zeros(len(bias))
    for grid, (side, starts) in windows.items():
        for top in starts:
            for left in starts:
                f = last[:, top : top + side, left : left + side].astype(np.float64).mean(axis=(1, 2))
                score = np.exp(fc @ f + bias - (fc @ f + bias).max())
                share = score / score.sum()
                e = length_1(p.labels.T @ share) + p.beta * length_1(f @ p.ridge)
                vector += length_1(e) / grid**2 / len(windows)
                probabilities += share / grid**2 / len(windows)
    return length_1(vector), probabilities


@pytest.mark.parametrize(("beta", "grids"), [(0.7, (1, 2, 3)), (2.0, (1,)), (0.0, (2, 3))])
def test_the_projection_equals_numpy(checkpoint: dict[str, Any], beta: float, grids: tuple[int, ...]) -> None:
    random = np.random.default_rng(5)
    labels = random.normal(size=(1000, 24)).astype(np.float32)
    labels /= np.linalg.norm(labels, axis=1, keepdims=True)
    ridge = random.normal(size=(1280, 24)).astype(np.float32)
    projection = Projection(labels, ridge, beta, grids)
    model = graph.build(checkpoint, 352, projection)
    last = onnx.helper.make_tensor_value_info("_conv_head.relu6", onnx.TensorProto.FLOAT, ["batch", 1280, 11, 11])
    model.graph.output.append(last)
    image = random.uniform(-1, 1, (2, 3, 352, 352)).astype(np.float32)
    found = run(model, image)
    for i in range(2):
        vector, probabilities = by_hand(
            found["_conv_head.relu6"][i],
            checkpoint["_fc.weight"].astype(np.float64),
            checkpoint["_fc.bias"].astype(np.float64),
            projection,
            {grid: WINDOWS[grid] for grid in grids},
        )
        np.testing.assert_allclose(found["vector"][i], vector, atol=1e-4, rtol=0)
        np.testing.assert_allclose(found["probabilities"][i], probabilities, atol=1e-5, rtol=0)
    assert np.abs(found["vector"][0] - found["vector"][1]).max() > 1e-3  # the two pictures differ


def test_the_graph_says_what_it_takes_and_gives(checkpoint: dict[str, Any]) -> None:
    projection = Projection(np.ones((1000, 8), np.float32), np.ones((1280, 8), np.float32))
    model = graph.build(checkpoint, 64, projection)
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes == {"image": ["batch", 3, 64, 64], "vector": ["batch", 8], "probabilities": ["batch", 1000]}
    assert model.ir_version == graph.IR_VERSION and model.opset_import[0].version == graph.OPSET
