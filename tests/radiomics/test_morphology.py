"""Shape against sums over the voxels (IBSI 3.1)."""

import math

import numpy as np
import pytest

from engine.radiomics.definitions import DEFINITIONS, Family
from engine.radiomics.morphology import describe_morphology
from engine.radiomics.native import Mask, Real

SPACING = (2.5, 0.8, 1.1)


def describe(mask: Mask, image: Real, intensity: Mask | None = None) -> dict[str, float]:
    values = describe_morphology(
        mask, mask if intensity is None else intensity, image, SPACING, autocorrelation_limit=0
    )
    tags = [d.tag for d in DEFINITIONS[Family.MORPHOLOGY]]
    return dict(zip(tags, values.tolist(), strict=True))


def ragged(seed: int) -> tuple[Mask, Real]:
    rng = np.random.default_rng(seed)
    mask = rng.random((6, 11, 9)) < 0.4
    mask[0, 0, 0] = mask[-1, -1, -1] = True
    return mask, rng.normal(60, 25, mask.shape)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_axes_are_those_of_the_covariance(seed: int) -> None:
    """Four times the square roots of its eigenvalues."""
    mask, image = ragged(seed)
    covariance = np.cov((np.argwhere(mask) * SPACING).T)
    wanted = 4 * np.sqrt(np.linalg.eigvalsh(covariance))[::-1]
    found = describe(mask, image)
    names = ("morph_pca_maj_axis", "morph_pca_min_axis", "morph_pca_least_axis")
    assert [found[n] for n in names] == pytest.approx(wanted.tolist(), rel=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_center_shift_is_between_plain_and_weighted_center(seed: int) -> None:
    """The weights are the intensities of the intensity mask."""
    mask, image = ragged(seed)
    intensity = mask & (image > 50)
    weighted = np.average(np.argwhere(intensity) * SPACING, axis=0, weights=image[intensity])
    plain = (np.argwhere(mask) * SPACING).mean(axis=0)
    found = describe(mask, image, intensity)
    assert found["morph_com"] == pytest.approx(np.linalg.norm(weighted - plain), rel=1e-12)
    assert found["morph_integ_int"] == pytest.approx(
        found["morph_volume"] * image[intensity].mean(), rel=1e-12
    )


def test_a_flat_region_has_no_least_axis_at_all() -> None:
    """Not a small number from rounding: densities with it have to be left undefined."""
    mask = np.ones((1, 20, 30), bool)
    found = describe(mask, np.full(mask.shape, 40.0))
    assert found["morph_pca_least_axis"] == 0
    assert math.isnan(found["morph_vol_dens_aee"])
