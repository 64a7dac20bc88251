"""Phases are lined up by a known shift and bend, or refused."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import RegistrationError
from engine.spatial.registration import RegisteredPhase, register_phase
from engine.values.geometry import VolumeGeometry, VoxelSpacing

SHAPE = (36, 56, 60)
SPACING = (4.0, 3.0, 3.0)


def geometry(shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> VolumeGeometry:
    return VolumeGeometry(
        shape=SHAPE,
        spacing=VoxelSpacing(slice_mm=4.0, row_mm=3.0, column_mm=3.0),
        origin_mm=shift_mm,
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )


def body(
    liver_hu: float, vessel_hu: float, shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """A liver with vessels in soft tissue; shift is (z, y, x)."""
    z, y, x = (
        np.arange(n).reshape([-1 if a == k else 1 for k in range(3)]) * mm - s
        for a, (n, mm, s) in enumerate(zip(SHAPE, SPACING, shift_mm, strict=True))
    )
    image = np.full(SHAPE, 30.0)
    image[((y - 84) / 78) ** 2 + ((x - 90) / 85) ** 2 + 0 * z > 1] = -150
    liver = ((z - 72) / 45) ** 2 + ((y - 80) / 50) ** 2 + ((x - 80) / 55) ** 2 <= 1
    image[liver] = liver_hu
    for cy, cx in ((60, 60), (95, 75), (75, 105)):
        image[liver & ((y - cy) ** 2 + (x - cx + (z - 72) / 4) ** 2 <= 9**2)] = vessel_hu
    noise = np.random.default_rng(5).normal(0, 5, SHAPE)
    return (image + noise).round().astype(np.int16), liver


def register_shifted_phase() -> RegisteredPhase:
    """The phase is shifted by (6, -9, 12) mm, of which its grid's origin tells 12 mm."""
    reference, liver = body(110, 160)
    phase, _ = body(70, 220, (6.0, -9.0, 12.0))
    return register_phase((reference, geometry()), (phase, geometry((-12.0, 0.0, 0.0))), liver)


@pytest.fixture(scope="module")
def shifted() -> RegisteredPhase:
    return register_shifted_phase()


def test_a_shifted_phase_comes_back(shifted: RegisteredPhase) -> None:
    """Edges coincide, voxels are the truth's but for noise, and only the rest is moved."""
    truth, liver = body(70, 220)
    quality = shifted.quality
    assert quality.edge_correlation > max(0.5, quality.edge_correlation_before + 0.2)
    assert quality.least_jacobian > 0.5
    assert quality.largest_shift_mm == pytest.approx(np.hypot(6, 9), abs=3)
    inside = liver[shifted.box]
    assert np.abs(shifted.voxels_hu[inside] - truth[shifted.box][inside]).mean() < 12
    assert shifted.covered[inside].mean() > 0.95
    assert inside.sum() == liver.sum()
    assert shifted.geometry.shape == shifted.voxels_hu.shape


def test_the_same_input_gives_the_same_result(shifted: RegisteredPhase) -> None:
    """Sampling is seeded, one thread."""
    again = register_shifted_phase()
    assert np.array_equal(again.voxels_hu, shifted.voxels_hu)
    assert again.quality == shifted.quality


def test_unrelated_images_are_refused() -> None:
    """Noise has no edges that could coincide."""
    reference, liver = body(110, 160)
    noise = np.random.default_rng(6).normal(40, 40, SHAPE).astype(np.int16)
    with pytest.raises(RegistrationError):
        register_phase((reference, geometry()), (noise, geometry()), liver)


def test_a_phase_from_elsewhere_is_refused() -> None:
    """Without overlap there is nothing to line up."""
    reference, liver = body(110, 160)
    phase, _ = body(70, 220)
    with pytest.raises(RegistrationError):
        register_phase((reference, geometry()), (phase, geometry((900.0, 0.0, 0.0))), liver)


def test_an_empty_region_is_refused() -> None:
    """No liver, no registration."""
    reference, liver = body(110, 160)
    with pytest.raises(RegistrationError, match="liver"):
        register_phase((reference, geometry()), (reference, geometry()), np.zeros_like(liver))
