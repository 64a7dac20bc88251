"""Enhancement, washout and differences between phases."""

import math
from dataclasses import replace

import pytest

from engine.radiomics.phases import (
    MISSING,
    ZERO,
    describe_contrast,
    describe_dynamics,
    subtract_phases,
)
from engine.values.features import Feature, FeatureSet
from engine.values.identity import ContrastPhase

PRE, ARTERIAL, PORTAL, DELAYED = (
    ContrastPhase.NON_CONTRAST,
    ContrastPhase.LATE_ARTERIAL,
    ContrastPhase.PORTAL_VENOUS,
    ContrastPhase.DELAYED,
)


def region(mean_hu: float, phase: ContrastPhase) -> FeatureSet:
    mean = Feature(
        name="Mean intensity",
        ibsi_code="Q4LE",
        family="Intensity statistics",
        value=mean_hu,
        unit="[hnsf'U]",
        reason="" if math.isfinite(mean_hu) else "why",
    )
    volume = Feature(
        name="Volume (mesh)", ibsi_code="RNU0", family="Morphology", value=1.0, unit="mm3"
    )
    return FeatureSet(region="lesion 1", phase=phase, features=(volume, mean), settings={"a": 1})


HYPERVASCULAR = {
    PRE: region(50, PRE),
    ARTERIAL: region(130, ARTERIAL),
    PORTAL: region(100, PORTAL),
    DELAYED: region(78, DELAYED),
}


def test_washout_and_enhancement_follow_their_definitions() -> None:
    """Worked by hand from 50, 130, 100 and 78 HU."""
    values = {f.name: f.value for f in describe_dynamics(HYPERVASCULAR)}
    assert values["Enhancement, late arterial"] == 80
    assert values["Relative enhancement, portal venous"] == 1
    assert values["Relative washout, delayed"] == pytest.approx(0.4)
    assert values["Absolute washout, delayed"] == pytest.approx(52 / 80)


def test_a_missing_phase_leaves_the_names_and_says_so() -> None:
    """A model finds the same columns whatever was scanned."""
    features = describe_dynamics({PORTAL: HYPERVASCULAR[PORTAL]})
    assert [f.name for f in features] == [f.name for f in describe_dynamics(HYPERVASCULAR)]
    assert {f.reason for f in features} == {MISSING}
    assert all(math.isnan(f.value) for f in features)


def test_water_before_contrast_has_no_relative_enhancement() -> None:
    """Division by 0 HU is named."""
    features = describe_dynamics({**HYPERVASCULAR, PRE: region(0, PRE)})
    assert next(f for f in features if f.name.startswith("Relative enh")).reason == ZERO


def test_contrast_is_lesion_minus_background() -> None:
    """In each phase that both have."""
    values = describe_contrast(HYPERVASCULAR, {PORTAL: region(110, PORTAL)})
    assert [f.value for f in values if not f.reason] == [-10]


def test_differences_are_taken_feature_by_feature() -> None:
    """Later minus earlier; shape is not subtracted."""
    difference = subtract_phases(HYPERVASCULAR[DELAYED], HYPERVASCULAR[ARTERIAL])
    assert [f.value for f in difference.features] == [-52]
    assert difference.features[0].family == "Phase difference delayed - late arterial"


def test_a_missing_value_has_no_difference() -> None:
    """NaN with a reason."""
    broken = region(math.nan, ARTERIAL)
    feature = subtract_phases(HYPERVASCULAR[DELAYED], broken).features[0]
    assert math.isnan(feature.value)
    assert feature.reason


def test_features_extracted_otherwise_are_not_subtracted() -> None:
    """Settings must agree."""
    other = replace(HYPERVASCULAR[ARTERIAL], settings={"a": 2})
    with pytest.raises(ValueError, match="settings"):
        subtract_phases(HYPERVASCULAR[DELAYED], other)
