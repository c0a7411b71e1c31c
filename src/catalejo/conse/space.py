"""From 1,000 class probabilities to the sentence space: the matrices of the projection.

Source: ConSE, Norouzi et al. 2013, arXiv 1312.5650 (the convex combination);
the second term is a ridge regression from sentence vectors to classifier rows,
the "what would this text's classifier be" of zero-shot learning (Romera-Paredes
and Torr 2015, with the class texts as attributes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalejo.conse.labels import LANGUAGES, ClassTexts

Array = npt.NDArray[np.float32]
EncodeTexts = Callable[[Sequence[str]], Array]

# Measured on development data (benchmarks/quality.py, benchmarks/RESULTS.md).
KIND_WEIGHT = 0.5
SCENE_WEIGHT = 0.15
RIDGE = 1.0
BETA = 0.7
GRIDS = (1, 2, 3)


@dataclass(frozen=True)
class Projection:
    """What turns the classifier's last map into one sentence vector.

    Attributes:
        labels: (classes, width), unit rows: T, the sentence vector of each class.
        ridge: (features, width): M transposed, feature -> sentence space.
        beta: weight of the ridge term beside ConSE's.
        grids: the picture is read whole (1), in 2 x 2 and in 3 x 3 overlapping regions;
            every grid weighs the same.
    """

    labels: Array
    ridge: Array
    beta: float = BETA
    grids: tuple[int, ...] = GRIDS


def unit(x: Array) -> Array:
    """Rows scaled to length 1; a row of zeros stays zero."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.asarray(x / np.maximum(length, 1e-12), np.float32)


def label_matrix(
    classes: Sequence[ClassTexts],
    encode: EncodeTexts,
    languages: Sequence[str] = LANGUAGES,
    kind_weight: float = KIND_WEIGHT,
    scene_weight: float = SCENE_WEIGHT,
) -> Array:
    """T: one unit sentence vector a class, from its names, kinds and scenes.

    Args:
        classes: the texts of each class.
        encode: texts -> (n, width) unit vectors.
        languages: of the texts to use.
        kind_weight, scene_weight: beside the names' weight of 1.

    Returns:
        (classes, width) float32.
    """
    groups = [
        (field[language], weight)
        for entry in classes
        for field, weight in ((entry.names, 1.0), (entry.kinds, kind_weight), (entry.scenes, scene_weight))
        for language in languages
    ]
    unique = sorted({text for group, _ in groups for text in group})
    rows = dict(zip(unique, encode(unique), strict=True))
    means = np.stack([weight * np.mean([rows[text] for text in group], axis=0) for group, weight in groups])
    return unit(means.reshape(len(classes), -1, means.shape[1]).sum(axis=1))


def ridge_matrix(labels: Array, classifier: Array) -> Array:
    """M transposed, with M = argmin ||T M - W||^2 + lambda ||M||^2 and W centred.

    Args:
        labels: T, (classes, width).
        classifier: W, (classes, features): the rows of the classifier's last layer.

    Returns:
        (features, width) float32.
    """
    t = labels.astype(np.float64)
    w = classifier - classifier.mean(axis=0, dtype=np.float64)
    m = np.linalg.solve(t.T @ t + RIDGE * np.eye(t.shape[1]), t.T @ w)
    return np.ascontiguousarray(m.T, np.float32)


def region_matrix(side: int, grids: Sequence[int] = GRIDS) -> tuple[Array, Array]:
    """Averaging windows over a square map, and the weight of each.

    Grid g has g x g windows of 2 / (g + 1) of the side, evenly spread, so that neighbours overlap.

    Args:
        side: cells along one side of the map.
        grids: which grids.

    Returns:
        (regions, side * side) with rows that sum to 1, and (regions,) weights that sum to 1.
    """
    rows, weights = [], []
    for g in grids:
        size = int(np.ceil(side * 2 / (g + 1)))
        starts = np.linspace(0, side - size, g).round().astype(int) if g > 1 else [0]
        for top in starts:
            for left in starts:
                window = np.zeros((side, side), np.float32)
                window[top : top + size, left : left + size] = 1 / size**2
                rows.append(window.ravel())
                weights.append(1 / (g * g * len(grids)))
    return np.stack(rows), np.asarray(weights, np.float32)
