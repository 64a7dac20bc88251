"""Names of features: the fast way to build them gives what the plain way gives."""

import math

from engine.radiomics.catalog import Aggregation, Family
from engine.radiomics.definitions import DEFINITIONS
from engine.radiomics.naming import lay_out, name_values
from engine.radiomics.reasons import FLAT, RegionFacts
from engine.values.features import Feature

FLAT_REGION = RegionFacts(
    voxels=9, flat=True, above_autocorrelation_limit=False, above_gray_level_limit=False
)


def test_features_equal_those_of_the_constructor() -> None:
    """Every field, the hash and the text."""
    layout = lay_out((Family.STATISTICS,), (Aggregation.MERGED_3D,), "[hnsf'U]", "log_3mm")
    made = name_values(layout, [float(k) for k in range(18)], FLAT_REGION)
    plain = [
        Feature(
            name=d.name,
            ibsi_code=d.ibsi_code,
            family=Family.STATISTICS,
            value=float(k),
            unit={"intensity": "[hnsf'U]", "intensity squared": "[hnsf'U]2"}.get(d.unit, d.unit),
            filter="log_3mm",
        )
        for k, d in enumerate(DEFINITIONS[Family.STATISTICS])
    ]
    assert made == plain
    assert list(map(hash, made)) == list(map(hash, plain))
    assert list(map(repr, made)) == list(map(repr, plain))


def test_what_is_not_finite_becomes_nan_with_a_reason() -> None:
    """An infinity is no value either."""
    layout = lay_out((Family.STATISTICS,), (), "1", "")
    values = [math.inf, math.nan] + [1.0] * 16
    made = name_values(layout, values, FLAT_REGION)
    assert [math.isnan(f.value) for f in made[:3]] == [True, True, False]
    assert [f.reason for f in made[:3]] == [FLAT, FLAT, ""]


def test_matrices_without_directions_are_listed_once_per_dimension() -> None:
    """Two 3D aggregations, one set of zones."""
    layout = lay_out(
        (Family.RUN_LENGTH, Family.SIZE_ZONE),
        (Aggregation.AVERAGED_3D, Aggregation.MERGED_3D),
        "1",
        "",
    )
    assert layout.blocks == (
        (Family.RUN_LENGTH, Aggregation.AVERAGED_3D),
        (Family.RUN_LENGTH, Aggregation.MERGED_3D),
        (Family.SIZE_ZONE, "3D"),
    )
