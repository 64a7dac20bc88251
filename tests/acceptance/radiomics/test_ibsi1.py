"""Must show 1 of the radiomics issue: IBSI 1, every value, from the raw phantoms."""

import numpy as np
import pytest

from engine.radiomics import extract_features
from engine.radiomics.native import Mask, Real
from engine.radiomics.preprocessing import prepare_region
from engine.values.identity import ContrastPhase
from tests.phantoms.ibsi import (
    SETTINGS,
    Phantom,
    digital_phantom,
    misses,
    read_references,
    shared_phantom,
    tagged,
)

VALUES = {"dig": 482, "A": 346, "B": 346, "C": 210, "D": 210, "E": 210}
CT_CONFIGURATIONS = ("A", "B", "C", "D", "E")


@pytest.fixture(scope="module")
def ct_phantom() -> Phantom:
    return shared_phantom("ct_phantom_1")


def measure(phantom: Phantom, config: str) -> dict[str, float]:
    image, mask, geometry = phantom
    result = extract_features(
        image, mask, geometry, SETTINGS[config], region="ROI", phase=ContrastPhase.UNKNOWN
    )
    return tagged(result.features)


def test_the_references_are_all_1804() -> None:
    """Nothing is left out on the way into the test."""
    counts = {config: len(read_references("ibsi1_reference", config)) for config in VALUES}
    assert counts == VALUES
    assert sum(counts.values()) == 1804


def test_the_digital_phantom_matches_in_every_value() -> None:
    """482 values: every family with every aggregation."""
    assert (
        misses(read_references("ibsi1_reference", "dig"), measure(digital_phantom(), "dig")) == []
    )


@pytest.mark.parametrize("config", CT_CONFIGURATIONS)
def test_the_ct_phantom_matches_in_every_value(config: str, ct_phantom: Phantom) -> None:
    """1,322 values from the raw image through our own resampling."""
    assert misses(read_references("ibsi1_reference", config), measure(ct_phantom, config)) == []


def describe_image(image: Real, spacing: tuple[float, ...], step: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for axis, name in enumerate("zyx"):
        values[f"img_dim_{name}_{step}_img"] = image.shape[axis]
        values[f"vox_dim_{name}_{step}_img"] = spacing[axis]
    values[f"mean_int_{step}_img"] = image.mean()
    values[f"min_int_{step}_img"] = image.min()
    values[f"max_int_{step}_img"] = image.max()
    return values


def describe_masks(
    image: Real, intensity: Mask, morphological: Mask, step: str
) -> dict[str, float]:
    values: dict[str, float] = {}
    for prefix, mask in (("int", intensity), ("morph", morphological)):
        for axis, name in enumerate("zyx"):
            values[f"{prefix}_mask_dim_{name}_{step}_roi"] = mask.shape[axis]
            extent = np.ptp(np.argwhere(mask)[:, axis]) + 1
            values[f"{prefix}_mask_bb_dim_{name}_{step}_roi"] = extent
        values[f"{prefix}_mask_vox_count_{step}_roi"] = mask.sum()
    values[f"int_mask_mean_int_{step}_roi"] = image[intensity].mean()
    values[f"int_mask_min_int_{step}_roi"] = image[intensity].min()
    values[f"int_mask_max_int_{step}_roi"] = image[intensity].max()
    return values


@pytest.mark.parametrize("config", CT_CONFIGURATIONS)
def test_the_steps_match_in_every_diagnostic_value(config: str, ct_phantom: Phantom) -> None:
    """60 values each: image and masks before and after interpolation and re-segmentation."""
    image, mask, geometry = ct_phantom
    settings = SETTINGS[config]
    spacing = geometry.spacing.as_tuple()
    prepared = prepare_region(image, mask, spacing, settings, margins=None)
    whole = [np.zeros(prepared.image.shape, bool) for _ in range(2)]
    for full, part in zip(whole, (prepared.intensity, prepared.morphological), strict=True):
        full[prepared.box] = part
    intensity, morphological = whole
    measured = (
        describe_image(image, spacing, "init")
        | describe_image(prepared.image, prepared.spacing_mm, "interp")
        | describe_masks(image, mask, mask, "init")
        | describe_masks(prepared.image, morphological, morphological, "interp")
        | describe_masks(prepared.image, intensity, morphological, "reseg")
    )
    references = read_references("ibsi1_diagnostics", config)
    assert len(references) == 60
    assert misses(references, measured) == []
