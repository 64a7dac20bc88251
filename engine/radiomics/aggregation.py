"""From the lesions of a patient to one value per feature."""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from engine.errors import RegionError
from engine.values.features import Feature, FeatureSet

NO_LESION_HAS_IT = "no lesion has a value of the feature"
ONE_LACKS_IT = "a lesion has no value of the feature"


class LesionAggregation(StrEnum):
    """How the features of several lesions become the patient's."""

    LARGEST = "largest lesion"
    VOLUME_WEIGHTED = "volume-weighted mean"
    SUM = "sum"
    MAXIMUM = "maximum"


def aggregate_lesions(
    lesions: Sequence[FeatureSet], volumes_ml: Sequence[float], how: LesionAggregation
) -> FeatureSet:
    """Bring the features of all lesions of a patient together.

    Args:
        lesions: Features of each lesion in one phase, all with the same features in order.
        volumes_ml: Volume of each lesion, above 0.
        how: The rule. Sums need every lesion's value; the volume-weighted mean and the
            maximum leave out lesions without one.

    Returns:
        The patient's features; region "patient, <rule>".

    Raises:
        RegionError: No lesion, or lesions that were not extracted alike.
    """
    if not lesions or len(lesions) != len(volumes_ml):
        raise RegionError(
            f"Aggregation needs a volume per lesion and at least one lesion, got {len(lesions)} "
            f"lesions and {len(volumes_ml)} volumes"
        )
    first = lesions[0]
    names = [_identity(f) for f in first.features]
    for other in lesions[1:]:
        alike = other.settings == first.settings and other.phase == first.phase
        if not alike or [_identity(f) for f in other.features] != names:
            raise RegionError(
                f"{other.region} and {first.region} were not extracted alike: phase, settings "
                "and features must be the same"
            )
    rows = zip(*(lesion.features for lesion in lesions), strict=True)
    features = tuple(_aggregate(row, volumes_ml, how) for row in rows)
    return replace(first, region=f"patient, {how}", features=features)


def _identity(feature: Feature) -> tuple[str, str, str, str]:
    return (feature.family, feature.name, feature.aggregation, feature.filter)


def _aggregate(
    row: tuple[Feature, ...], volumes_ml: Sequence[float], how: LesionAggregation
) -> Feature:
    if how is LesionAggregation.LARGEST:
        return row[max(range(len(row)), key=lambda k: volumes_ml[k])]
    pairs = [(f.value, v) for f, v in zip(row, volumes_ml, strict=True) if math.isfinite(f.value)]
    if not pairs:
        return replace(row[0], value=math.nan, reason=NO_LESION_HAS_IT)
    if how is LesionAggregation.MAXIMUM:
        return replace(row[0], value=max(value for value, _ in pairs), reason="")
    if how is LesionAggregation.SUM:
        if len(pairs) < len(row):
            return replace(row[0], value=math.nan, reason=ONE_LACKS_IT)
        return replace(row[0], value=math.fsum(value for value, _ in pairs), reason="")
    total = math.fsum(volume for _, volume in pairs)
    mean = math.fsum(value * volume for value, volume in pairs) / total
    return replace(row[0], value=mean, reason="")
