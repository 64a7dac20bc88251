"""Moran's I and Geary's C against the sums over all pairs (IBSI N365, NPT7)."""

import math

import numpy as np
import pytest

from engine.radiomics.autocorrelation import describe_autocorrelation


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((1, 1, 2), (1.0, 1.0, 1.0)),
        ((1, 7, 5), (3.0, 0.7, 0.7)),
        ((5, 9, 4), (2.5, 0.8, 1.1)),
        ((12, 6, 17), (1.0, 1.0, 1.0)),
    ],
)
def test_both_equal_their_definition(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    """Weights are inverse distances."""
    rng = np.random.default_rng(11)
    image = rng.normal(60, 20, shape)
    mask = rng.random(shape) < 0.7
    mask.flat[:2] = True
    positions = np.argwhere(mask) * np.array(spacing)
    values = image[mask]
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    weights, deviation = 1 / distance, values - values.mean()
    scale = len(values) / weights.sum() / (deviation**2).sum()
    moran = scale * (weights * np.outer(deviation, deviation)).sum()
    geary = scale * (weights * (values[:, None] - values) ** 2).sum() / 2
    geary *= (len(values) - 1) / len(values)
    assert describe_autocorrelation(image, mask, spacing) == pytest.approx(
        (moran, geary), rel=1e-12, abs=1e-14
    )


def test_without_variance_there_is_none() -> None:
    """Nor with one voxel."""
    mask = np.ones((3, 3, 3), bool)
    assert all(map(math.isnan, describe_autocorrelation(np.ones((3, 3, 3)), mask, (1, 1, 1))))
