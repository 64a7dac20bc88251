"""Features under the names by which risk packages ask for them."""

from collections.abc import Sequence

from engine.radiomics.tables import column_name
from engine.values.features import Feature, FeatureSet, settings_sha256


def measurement_key(features: FeatureSet, feature: Feature) -> str:
    """The name of one number: "<region>/<phase>/<column>" ("lesion 1/delayed/stat_mean")."""
    return f"{features.region}/{features.phase}/{column_name(feature)}"


def measurements_of(sets: Sequence[FeatureSet]) -> tuple[dict[str, float], dict[str, str]]:
    """Every number with a value by its key, and the fingerprint of its settings by the same key."""
    values: dict[str, float] = {}
    settings: dict[str, str] = {}
    for features in sets:
        fingerprint = settings_sha256(features.settings)
        for feature in features.features:
            if not feature.reason:
                key = measurement_key(features, feature)
                values[key], settings[key] = feature.value, fingerprint
    return values, settings
