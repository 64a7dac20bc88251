"""From lesions to the patient."""

import math
from dataclasses import replace

import pytest

from engine.errors import RegionError
from engine.radiomics.aggregation import LesionAggregation, aggregate_lesions
from engine.values.features import Feature, FeatureSet
from engine.values.identity import ContrastPhase


def lesion(number: int, value: float) -> FeatureSet:
    feature = Feature(
        name="Mean intensity",
        ibsi_code="Q4LE",
        family="Intensity statistics",
        value=value,
        unit="[hnsf'U]",
        reason="" if math.isfinite(value) else "why",
    )
    return FeatureSet(
        region=f"lesion {number}",
        phase=ContrastPhase.PORTAL_VENOUS,
        features=(feature,),
        settings={},
    )


LESIONS = (lesion(1, 60.0), lesion(2, 90.0), lesion(3, 30.0))
VOLUMES_ML = (8.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("how", "value"),
    [
        (LesionAggregation.LARGEST, 60.0),
        (LesionAggregation.VOLUME_WEIGHTED, 60.0),
        (LesionAggregation.SUM, 180.0),
        (LesionAggregation.MAXIMUM, 90.0),
    ],
)
def test_each_rule_gives_its_value(how: LesionAggregation, value: float) -> None:
    """Worked by hand."""
    patient = aggregate_lesions(LESIONS, VOLUMES_ML, how)
    assert patient.features[0].value == pytest.approx(value)
    assert patient.region == f"patient, {how}"


def test_a_lesion_without_a_value_spoils_only_the_sum() -> None:
    """A sum of some lesions would be a silent number."""
    lesions = (lesion(1, 60.0), lesion(2, math.nan), lesion(3, 30.0))
    results = {how: aggregate_lesions(lesions, VOLUMES_ML, how) for how in LesionAggregation}
    assert math.isnan(results[LesionAggregation.SUM].features[0].value)
    assert results[LesionAggregation.SUM].features[0].reason
    assert results[LesionAggregation.MAXIMUM].features[0].value == 60
    weighted = results[LesionAggregation.VOLUME_WEIGHTED].features[0].value
    assert weighted == pytest.approx((60 * 8 + 30) / 9)


def test_lesions_extracted_otherwise_are_refused() -> None:
    """Settings must agree."""
    with pytest.raises(RegionError, match="alike"):
        aggregate_lesions(
            (LESIONS[0], replace(LESIONS[1], settings={"spacing": 2})),
            (1.0, 1.0),
            LesionAggregation.SUM,
        )


def test_no_lesion_is_refused() -> None:
    """Nothing to aggregate is an error, not zeros."""
    with pytest.raises(RegionError, match="at least one lesion"):
        aggregate_lesions((), (), LesionAggregation.SUM)
