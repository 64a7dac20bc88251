"""Regions at the edge of what can be measured: a typed error, or NaN with a reason."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError, RegionError
from engine.radiomics import Aggregation, Family, Interpolation, RadiomicsSettings, extract_features
from engine.radiomics.filters.smoothing import LaplacianOfGaussian, MeanFilter
from engine.radiomics.filters.spectral import SimoncelliWavelet
from engine.radiomics.filters.wavelets import SeparableWavelet, Wavelet
from engine.radiomics.reasons import FLAT, ONE_VOXEL, TOO_LARGE, TOO_MANY_LEVELS
from engine.values.features import Feature, FeatureSet
from engine.values.geometry import VoxelSpacing
from engine.values.identity import ContrastPhase
from tests.phantoms.ibsi import grid

SHAPE = (14, 18, 20)
SPACING = (2.0, 0.8, 0.8)
EVERYTHING = RadiomicsSettings(
    aggregations=tuple(Aggregation),
    filters=(
        LaplacianOfGaussian(sigma_mm=2),
        SeparableWavelet(wavelet=Wavelet.COIFLET_1, bands="LLH"),
    ),
)


def noisy_image(seed: int = 7) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(60.0, 25.0, SHAPE).round()


def ball(
    center: tuple[float, float, float] = (7, 9, 10), radius_mm: float = 5
) -> NDArray[np.bool_]:
    positions = np.indices(SHAPE) - np.array(center)[:, None, None, None]
    distance = np.linalg.norm(positions * np.array(SPACING)[:, None, None, None], axis=0)
    return np.asarray(distance <= radius_mm)


def extract(
    image: NDArray[np.generic],
    mask: NDArray[np.bool_],
    settings: RadiomicsSettings = EVERYTHING,
) -> FeatureSet:
    return extract_features(
        image,
        mask,
        grid(SHAPE, *SPACING),
        settings,
        region="lesion 1",
        phase=ContrastPhase.PORTAL_VENOUS,
    )


def assert_every_value_is_finite_or_explained(result: FeatureSet) -> None:
    for feature in result.features:
        assert math.isfinite(feature.value) == (feature.reason == ""), feature
        assert math.isfinite(feature.value) or math.isnan(feature.value)


def find(result: FeatureSet, name: str, family: Family) -> Feature:
    return next(f for f in result.features if f.name == name and f.family == family)


def test_a_normal_lesion_has_every_value() -> None:
    """No NaN, for every aggregation and filter."""
    result = extract(noisy_image(), ball())
    assert_every_value_is_finite_or_explained(result)
    assert all(f.reason == "" for f in result.features)
    assert len(result.features) == 27 + 3 * (18 + 23 + 6 + 6 * (25 + 16) + 3 * (16 + 16 + 5 + 17))


def test_the_settings_travel_with_the_result() -> None:
    """A model can refuse features that were extracted otherwise."""
    result = extract(noisy_image(), ball())
    assert result.settings == EVERYTHING.as_dict()
    assert result.settings["discretization"] == {"method": "fixed bin size", "value": 25.0}
    assert result.settings["filters"][0]["sigma_mm"] == 2


def test_the_default_bank_has_the_ibsi_number_of_features() -> None:
    """27 once, then 183 per image."""
    assert len(extract(noisy_image(), ball(), RadiomicsSettings()).features) == 27 + 183


@pytest.mark.parametrize("interpolation", Interpolation)
def test_one_voxel_is_explained(interpolation: Interpolation) -> None:
    """A single voxel has volume and mean, but no texture pairs and no axes."""
    mask = np.zeros(SHAPE, bool)
    mask[7, 9, 10] = True
    settings = RadiomicsSettings(
        interpolation=interpolation, spacing_mm=(2.0, 0.8, 0.8), aggregations=tuple(Aggregation)
    )
    result = extract(noisy_image(), mask, settings)
    assert_every_value_is_finite_or_explained(result)
    assert find(result, "Correlation", Family.COOCCURRENCE).reason == ONE_VOXEL
    assert find(result, "Volume (voxel counting)", Family.MORPHOLOGY).value == pytest.approx(1.28)


def test_one_slice_is_explained() -> None:
    """A region in one slice has no third axis, but 2D and 3D texture."""
    mask = ball()
    mask[:7] = mask[8:] = False
    settings = RadiomicsSettings(interpolation=Interpolation.NONE, aggregations=tuple(Aggregation))
    result = extract(noisy_image(), mask, settings)
    assert_every_value_is_finite_or_explained(result)
    assert find(result, "Flatness", Family.MORPHOLOGY).value == 0
    assert find(result, "Contrast", Family.COOCCURRENCE).value > 0


def test_an_empty_mask_is_refused() -> None:
    """Nothing to measure is an error, not zeros."""
    with pytest.raises(RegionError, match="empty"):
        extract(noisy_image(), np.zeros(SHAPE, bool))


def test_a_flat_region_is_explained() -> None:
    """Equal intensities: no skewness, no correlation, but entropy 0 and uniformity 1."""
    result = extract(np.full(SHAPE, 50, np.int16), ball(), RadiomicsSettings())
    assert_every_value_is_finite_or_explained(result)
    assert find(result, "Intensity skewness", Family.STATISTICS).reason == FLAT
    assert find(result, "Correlation", Family.COOCCURRENCE).reason == FLAT
    assert find(result, "Discretised intensity uniformity", Family.HISTOGRAM).value == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [(7, 9, 10), (7, 9, 18)])
def test_intensities_that_are_not_finite_are_refused(
    bad: float, where: tuple[int, int, int]
) -> None:
    """Inside the region or within the reach of interpolation and filters."""
    image = noisy_image()
    image[where] = bad
    with pytest.raises(RegionError, match="not finite"):
        extract(image, ball())


def test_what_is_far_from_the_region_does_not_matter() -> None:
    """Without resampling and filters a NaN beyond the local peak's reach is not looked at."""
    image = noisy_image()
    image[0, 0, 0] = np.nan
    settings = RadiomicsSettings(interpolation=Interpolation.NONE)
    mask = ball(radius_mm=2)
    mask[:5] = mask[9:] = False
    result = extract(image, mask, settings)
    assert all(math.isfinite(f.value) for f in result.features)


def test_a_mask_of_another_grid_is_refused() -> None:
    """A shifted or cropped mask cannot be lined up by luck."""
    with pytest.raises(RegionError, match="one shape"):
        extract_features(
            noisy_image(),
            ball()[1:],
            grid(SHAPE, *SPACING),
            EVERYTHING,
            region="lesion 1",
            phase=ContrastPhase.UNKNOWN,
        )


def test_a_mask_that_is_not_boolean_is_refused() -> None:
    """A label map or probability must be decided on first."""
    with pytest.raises(RegionError, match="boolean"):
        extract(noisy_image(), ball().astype(np.uint8))


def test_complex_intensities_are_refused() -> None:
    """Only real numbers are intensities."""
    with pytest.raises(RegionError, match="real"):
        extract(noisy_image().astype(complex), ball())


def test_sheared_directions_are_refused() -> None:
    """Non-orthonormal directions cannot become a grid at all."""
    with pytest.raises(InvalidGeometryError, match="orthonormal"):
        type(grid(SHAPE, *SPACING))(
            shape=SHAPE,
            spacing=VoxelSpacing(slice_mm=2.0, row_mm=0.8, column_mm=0.8),
            origin_mm=(0.0, 0.0, 0.0),
            slice_direction=(0.0, 0.3, 1.0),
            row_direction=(0.0, 1.0, 0.0),
            column_direction=(1.0, 0.0, 0.0),
        )


def test_a_region_outside_the_resegmentation_range_is_refused() -> None:
    """No voxel left: the message says what the intensities were."""
    with pytest.raises(RegionError, match="re-segmentation"):
        extract(noisy_image() + 1000, ball(), RadiomicsSettings())


def test_a_region_that_vanishes_by_resampling_is_refused() -> None:
    """One 0.8 mm voxel fills no 3 mm voxel by half."""
    mask = np.zeros(SHAPE, bool)
    mask[7, 9, 10] = True
    with pytest.raises(RegionError, match="vanishes"):
        extract(noisy_image(), mask, RadiomicsSettings(spacing_mm=(3.0, 3.0, 3.0)))


def test_too_many_gray_levels_are_explained() -> None:
    """Texture would need gigabytes; statistics are there nevertheless."""
    image = noisy_image() * 1e6
    settings = RadiomicsSettings(resegmentation_range=None)
    result = extract(image, ball(), settings)
    assert_every_value_is_finite_or_explained(result)
    assert find(result, "Contrast", Family.COOCCURRENCE).reason == TOO_MANY_LEVELS
    assert math.isfinite(find(result, "Mean intensity", Family.STATISTICS).value)


def test_autocorrelation_above_its_limit_is_explained() -> None:
    """The rest of the morphology is there."""
    result = extract(noisy_image(), ball(), RadiomicsSettings(autocorrelation_limit=10))
    assert find(result, "Geary's C measure", Family.MORPHOLOGY).reason == TOO_LARGE
    assert math.isfinite(find(result, "Sphericity", Family.MORPHOLOGY).value)


def test_a_region_at_the_edge_of_the_image_is_measured() -> None:
    """Filters, interpolation and local peak follow their boundary rules."""
    assert_every_value_is_finite_or_explained(extract(noisy_image(), ball((0, 0, 19))))


def test_the_input_is_left_as_it_was() -> None:
    """The spline works on a copy."""
    image, mask = noisy_image(), ball()
    before = image.copy()
    extract(image, mask, RadiomicsSettings(filters=(SimoncelliWavelet(level=1),)))
    assert np.array_equal(image, before)


def test_surroundings_beyond_the_margins_change_nothing() -> None:
    """Cropping gives the same numbers as the whole image."""
    image, mask = np.zeros((40, 60, 64)), np.zeros((40, 60, 64), bool)
    image[:] = np.random.default_rng(3).normal(60, 25, image.shape).round()
    mask[18:22, 27:33, 29:36] = True
    settings = RadiomicsSettings(filters=(MeanFilter(support=5),), resegmentation_range=None)
    whole, cut = (
        extract_features(
            image[part],
            mask[part],
            grid(image[part].shape, 1.0, 1.0, 1.0),
            settings,
            region="lesion 1",
            phase=ContrastPhase.UNKNOWN,
        )
        for part in (np.s_[:], np.s_[4:36, 10:50, 10:54])
    )
    assert [f.value for f in whole.features] == [f.value for f in cut.features]


def test_the_same_input_gives_the_same_bits() -> None:
    """Extraction has no randomness and no order of threads."""
    first, second = (extract(noisy_image(), ball()) for _ in range(2))
    assert first == second


def test_integer_and_real_images_agree() -> None:
    """int16 HU and the same numbers as float64."""
    image = noisy_image()
    real, whole = (extract(i, ball()) for i in (image, image.astype(np.int16)))
    assert real == whole
