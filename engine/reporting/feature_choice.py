"""Which of hundreds of features the human-facing reports show."""

import math

from engine.values.features import Feature
from engine.values.identity import ContrastPhase
from engine.values.result import AnalysisResult


def choose_features(
    result: AnalysisResult, region: str, phase: ContrastPhase | None = None
) -> dict[str, Feature]:
    """Finite features of a region in one phase, from the unfiltered image.

    Variants that share an IBSI code (filters, further aggregations) are left to
    features.json; the first aggregation in extraction order stands for the feature.

    Args:
        result: The analysis result.
        region: Region name; upper and lower case are the same.
        phase: The phase; the segmented one when None.

    Returns:
        IBSI code, or the name of a feature outside IBSI → feature, in extraction order.
    """
    chosen: dict[str, Feature] = {}
    wanted = phase or result.reference.series.phase
    for features in result.features:
        if features.region.casefold() != region.casefold():
            continue
        if features.phase != wanted:
            continue
        for feature in features.features:
            if not feature.filter and math.isfinite(feature.value):
                chosen.setdefault(feature.ibsi_code or feature.name, feature)
    return chosen
