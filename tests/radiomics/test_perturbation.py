"""Perturbations and intraclass correlation."""

import numpy as np
import pytest

from engine.radiomics import Family, RadiomicsSettings
from engine.radiomics.perturbation import (
    Perturbation,
    draw_perturbations,
    estimate_noise,
    extract_perturbed,
    measure_stability,
)
from tests.phantoms.ibsi import grid

SHAPE = (24, 30, 30)
GRID = grid(SHAPE, 1.0, 1.0, 1.0)
SETTINGS = RadiomicsSettings(
    families=(Family.MORPHOLOGY, Family.STATISTICS), resegmentation_range=None
)


def lesion(seed: int, radius: float) -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(seed).normal(40 + 10 * seed, 10, SHAPE)
    center = np.array([12, 15, 15])[:, None, None, None]
    return image, np.linalg.norm(np.indices(SHAPE) - center, axis=0) <= radius


def test_no_perturbation_changes_next_to_nothing() -> None:
    """The chain itself is neutral."""
    image, mask = lesion(1, 6)
    (features,) = extract_perturbed((image, GRID), mask, SETTINGS, [Perturbation()], seed=0)
    voxels = next(f for f in features.features if f.ibsi_code == "YEKZ").value
    mean = next(f for f in features.features if f.ibsi_code == "Q4LE").value
    assert voxels == pytest.approx(mask.sum(), rel=0.02)
    assert mean == pytest.approx(image[mask].mean(), abs=0.5)


def test_growth_and_shrinkage_change_the_volume_as_told() -> None:
    """Within the voxels that share one distance."""
    image, mask = lesion(1, 7)
    changes = [Perturbation(volume_change=c) for c in (-0.15, 0.15)]
    small, large = extract_perturbed((image, GRID), mask, SETTINGS, changes, seed=0)
    sizes = [
        next(f.value for f in s.features if f.ibsi_code == "YEKZ") / mask.sum()
        for s in (small, large)
    ]
    assert sizes == pytest.approx([0.85, 1.15], abs=0.07)


def test_volume_is_stable_and_the_same_seed_repeats() -> None:
    """Different tumors differ more than perturbations of one."""
    regions = [lesion(seed, radius) for seed, radius in ((1, 4), (2, 6), (3, 8))]
    changes = draw_perturbations(4, seed=9, noise_sigma=estimate_noise(*regions[0]))
    tables = [
        extract_perturbed((image, GRID), mask, SETTINGS, changes, seed=1) for image, mask in regions
    ]
    stability = measure_stability(tables)
    names = [f.name for f in tables[0][0].features]
    assert stability[names.index("Volume (mesh)")].icc > 0.9
    assert stability[names.index("Mean intensity")].icc > 0.9
    assert all(s.lower <= s.icc <= s.upper for s in stability if np.isfinite(s.icc))
    assert (stability[0].regions, stability[0].repeats) == (3, 4)
    image, mask = regions[0]
    assert extract_perturbed((image, GRID), mask, SETTINGS, changes, seed=1) == tables[0]


def test_noise_is_estimated_from_neighbors() -> None:
    """Ten HU of white noise."""
    image, mask = lesion(1, 10)
    assert estimate_noise(image, mask) == pytest.approx(10, rel=0.05)
