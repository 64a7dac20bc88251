"""What changes between contrast phases: enhancement, washout and feature differences.

All ratios compare mean intensities of the same region in different phases. They assume that
phases have been registered to one grid (engine.spatial.registration).
"""

import math
from collections.abc import Mapping

from engine.radiomics.catalog import Family
from engine.values.features import Feature, FeatureSet
from engine.values.identity import ContrastPhase

ORDER = (
    ContrastPhase.NON_CONTRAST,
    ContrastPhase.LATE_ARTERIAL,
    ContrastPhase.PORTAL_VENOUS,
    ContrastPhase.DELAYED,
)
DYNAMICS = "Phase dynamics"
DIFFERENCE = "Phase difference"
MEAN = "Mean intensity"
MISSING = "a phase that the feature compares is missing"
ZERO = "the intensity it is divided by is zero"
NO_VALUE = "the feature has no value in one of the phases"


def describe_dynamics(by_phase: Mapping[ContrastPhase, FeatureSet]) -> tuple[Feature, ...]:
    """Enhancement and washout of one region.

    Enhancement is (phase − non-contrast) in HU and relative to non-contrast. Washout is
    (arterial − later) relative to arterial ("relative") and to the arterial enhancement
    (arterial − non-contrast; "absolute"), as percentages of attenuation are defined for
    washout CT.

    Args:
        by_phase: Features of one region, with the statistics family, in each phase at hand.

    Returns:
        Always the same features in the same order; NaN with a reason where a phase is missing.
    """
    means = {phase: _mean(by_phase.get(phase)) for phase in ORDER}
    before, arterial = means[ContrastPhase.NON_CONTRAST], means[ContrastPhase.LATE_ARTERIAL]
    features = []
    for phase in ORDER[1:]:
        features.append(_difference(f"Enhancement, {phase}", means[phase], before))
        features.append(_ratio(f"Relative enhancement, {phase}", means[phase], before, before))
    for phase in ORDER[2:]:
        later = means[phase]
        base = None if arterial is None or before is None else arterial - before
        features.append(_ratio(f"Relative washout, {phase}", arterial, later, arterial))
        features.append(_ratio(f"Absolute washout, {phase}", arterial, later, base))
    return tuple(features)


def describe_contrast(
    lesion: Mapping[ContrastPhase, FeatureSet], liver: Mapping[ContrastPhase, FeatureSet]
) -> tuple[Feature, ...]:
    """Mean intensity of a lesion minus that of its background, in each phase (HU)."""
    return tuple(
        _difference(
            f"Contrast to background, {phase}", _mean(lesion.get(phase)), _mean(liver.get(phase))
        )
        for phase in ORDER
    )


def subtract_phases(later: FeatureSet, earlier: FeatureSet) -> FeatureSet:
    """Differences later − earlier of all features that both phases have.

    Args:
        later, earlier: Features of one region extracted with the same settings.

    Returns:
        One feature per common feature; name and filter are kept, the family says between
        which phases. Morphology is left out: the region is the same.

    Raises:
        ValueError: Region or settings differ.
    """
    if later.region != earlier.region or later.settings != earlier.settings:
        raise ValueError(
            f"Differences need one region and one set of settings, got {later.region!r} and "
            f"{earlier.region!r}"
        )
    known = {_key(f): f for f in earlier.features}
    family = f"{DIFFERENCE} {later.phase} - {earlier.phase}"
    features = []
    for feature in later.features:
        other = known.get(_key(feature))
        if other is None or feature.family == Family.MORPHOLOGY:
            continue
        value = feature.value - other.value
        features.append(
            Feature(
                name=f"{feature.family}: {feature.name}",
                ibsi_code="",
                family=family,
                aggregation=feature.aggregation,
                filter=feature.filter,
                value=value,
                unit=feature.unit,
                reason="" if math.isfinite(value) else NO_VALUE,
            )
        )
    return FeatureSet(
        region=later.region, phase=later.phase, features=tuple(features), settings=later.settings
    )


def _key(feature: Feature) -> tuple[str, str, str, str]:
    return (feature.family, feature.name, feature.aggregation, feature.filter)


def _mean(features: FeatureSet | None) -> float | None:
    if features is None:
        return None
    for feature in features.features:
        if feature.name == MEAN and not feature.filter and math.isfinite(feature.value):
            return feature.value
    return None


def _difference(name: str, a: float | None, b: float | None) -> Feature:
    if a is None or b is None:
        return _feature(name, math.nan, "[hnsf'U]", MISSING)
    return _feature(name, a - b, "[hnsf'U]")


def _ratio(name: str, a: float | None, b: float | None, base: float | None) -> Feature:
    if a is None or b is None or base is None:
        return _feature(name, math.nan, "1", MISSING)
    if base == 0:
        return _feature(name, math.nan, "1", ZERO)
    return _feature(name, (a - b) / base, "1")


def _feature(name: str, value: float, unit: str, reason: str = "") -> Feature:
    return Feature(name=name, ibsi_code="", family=DYNAMICS, value=value, unit=unit, reason=reason)
