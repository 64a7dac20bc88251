"""Features on their way to risk packages."""

import math

from engine.pipeline.measurements import measurements_of
from engine.radiomics import RadiomicsSettings
from engine.values.features import Feature, FeatureSet, settings_sha256
from engine.values.identity import ContrastPhase

MEAN = Feature(
    name="Mean intensity", ibsi_code="Q4LE", family="Intensity statistics", value=3.0, unit="1"
)
GONE = Feature(
    name="Variance",
    ibsi_code="ECT3",
    family="Intensity statistics",
    value=math.nan,
    unit="1",
    reason="why",
)


def features_of(settings: RadiomicsSettings) -> FeatureSet:
    return FeatureSet(
        region="lesion 1",
        phase=ContrastPhase.DELAYED,
        features=(MEAN, GONE),
        settings=settings.as_dict(),
    )


def test_values_have_names_and_fingerprints_and_missing_ones_are_left_out() -> None:
    features = features_of(RadiomicsSettings())
    values, settings = measurements_of([features])
    assert values == {"lesion 1/delayed/stat_mean": 3.0}
    assert settings == {"lesion 1/delayed/stat_mean": settings_sha256(features.settings)}


def test_another_voxel_size_is_another_fingerprint() -> None:
    coarse = features_of(RadiomicsSettings(spacing_mm=(2.0, 2.0, 2.0)))
    assert settings_sha256(coarse.settings) != settings_sha256(
        features_of(RadiomicsSettings()).settings
    )
