"""Filters: what must hold whatever the image."""

import numpy as np
import pytest

from engine.errors import RegionError
from engine.radiomics.filters.gabor import GaborFilter
from engine.radiomics.filters.kinds import Boundary, Filter, Pooling, respond_everywhere
from engine.radiomics.filters.laws import LawsFilter
from engine.radiomics.filters.separable import Kernel, rotate
from engine.radiomics.filters.smoothing import LaplacianOfGaussian, MeanFilter
from engine.radiomics.filters.spectral import SimoncelliWavelet
from engine.radiomics.filters.wavelets import SeparableWavelet, Wavelet, scaling_weights

INVARIANT: tuple[Filter, ...] = (
    MeanFilter(support=3),
    LaplacianOfGaussian(sigma_mm=1.5),
    LawsFilter(kernels="L5E5S5", pooling=Pooling.MAXIMUM, energy_distance=2),
    SeparableWavelet(wavelet=Wavelet.DAUBECHIES_3, bands="LLH", rotation_invariant=True),
    SeparableWavelet(wavelet=Wavelet.HAAR, bands="HHH", level=2, rotation_invariant=True),
)


def random_image() -> np.ndarray:
    return np.random.default_rng(4).normal(0, 1, (13, 14, 15))


@pytest.mark.parametrize("image_filter", INVARIANT, ids=lambda f: f.name)
def test_an_invariant_filter_turns_with_the_image(image_filter: Filter) -> None:
    """Filtering the turned image is turning the filtered one."""
    image = random_image()
    plain = respond_everywhere(image_filter, image, (1.0, 1.0, 1.0))
    turned = respond_everywhere(image_filter, np.rot90(image, axes=(0, 2)), (1.0, 1.0, 1.0))
    np.testing.assert_allclose(np.rot90(plain, axes=(0, 2)), turned, atol=1e-10)


@pytest.mark.parametrize("boundary", Boundary)
def test_the_response_has_the_image_shape(boundary: Boundary) -> None:
    """Whatever the boundary rule."""
    image_filter = LawsFilter(kernels="E5L5S5", energy_distance=3, boundary=boundary)
    assert respond_everywhere(image_filter, random_image(), (1.0, 1.0, 1.0)).shape == (13, 14, 15)


@pytest.mark.parametrize("wavelet", Wavelet)
def test_scaling_filters_are_orthonormal(wavelet: Wavelet) -> None:
    """Unit energy, sum √2, and orthogonal to their even shifts."""
    weights = np.array(scaling_weights(wavelet))
    assert weights @ weights == pytest.approx(1)
    assert weights.sum() == pytest.approx(np.sqrt(2))
    for shift in range(2, len(weights), 2):
        assert weights[shift:] @ weights[:-shift] == pytest.approx(0, abs=1e-12)


def test_there_are_24_rotations_in_space_and_4_in_the_slice() -> None:
    """Right angles without mirror images."""
    a, b, c = (Kernel((1.0, float(k)), 0) for k in (2, 3, 4))
    assert len(set(rotate((a, b, c), planar=False))) == 24
    assert len(set(rotate((a, b, c), planar=True))) == 4


@pytest.mark.parametrize(
    "build",
    [
        lambda: MeanFilter(support=4),
        lambda: LaplacianOfGaussian(sigma_mm=0),
        lambda: LawsFilter(kernels="L5X5"),
        lambda: GaborFilter(sigma_mm=1, wavelength_mm=1, aspect=1, theta_step=1.0),
        lambda: SeparableWavelet(wavelet=Wavelet.HAAR, bands="LLX"),
        lambda: SimoncelliWavelet(level=0),
    ],
)
def test_settings_that_make_no_sense_are_refused(build: type) -> None:
    """At construction, before any image."""
    with pytest.raises(RegionError):
        build()
