"""From logits to the two probabilities that the engine works with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.values.model import NetworkSpec
from engine.values.segmentation import TUMOR_LABEL

ORGAN, TUMOR = 0, 1
"""Rows of the array that ``probabilities`` gives."""


def probabilities(logits: NDArray[Any], spec: NetworkSpec) -> NDArray[np.float32]:
    """Turn logits into the probability of the liver as an organ and of tumor.

    With softmax the organ is liver plus tumor. With sigmoid each channel is a region of
    its own, so the organ is the larger of the two.

    Args:
        logits: Shape (channels, slice, row, column); NaN where no window was run.
        spec: Activation, and the label of each channel.

    Returns:
        Shape (2, slice, row, column): organ, tumor; 0 where no window was run.
    """
    result = np.zeros((2, *logits.shape[1:]), np.float32)
    for number in range(logits.shape[1]):  # slice by slice: bounded memory, warm caches
        slab = logits[:, number].astype(np.float32)
        activated = _softmax(slab) if spec.activation == "softmax" else _sigmoid(slab)
        liver = [a for a, label in zip(activated, spec.channels, strict=True) if label]
        tumor = [
            a for a, label in zip(activated, spec.channels, strict=True) if label == TUMOR_LABEL
        ]
        combine = np.sum if spec.activation == "softmax" else np.max
        result[ORGAN, number] = combine(liver, axis=0)
        if tumor:
            result[TUMOR, number] = combine(tumor, axis=0)
    return np.nan_to_num(result, copy=False, nan=0.0)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(logits - logits.max(axis=0))
    return np.asarray(shifted / shifted.sum(axis=0))


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))
