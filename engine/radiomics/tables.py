"""Feature tables: one row per number (long) or one row per region (wide)."""

import csv
from collections.abc import Iterable
from pathlib import Path

from engine.errors import OutputError
from engine.radiomics.catalog import AGGREGATION_TAGS
from engine.radiomics.definitions import DEFINITIONS
from engine.values.features import Feature, FeatureSet

LONG_COLUMNS = (
    "region",
    "phase",
    "filter",
    "family",
    "name",
    "ibsi_code",
    "aggregation",
    "value",
    "unit",
    "reason",
)
_TAGS = {(str(f), d.name): d.tag for f, definitions in DEFINITIONS.items() for d in definitions}


def column_name(feature: Feature) -> str:
    """Short unique name of a feature ("log_3mm/cm_corr_3D_comb").

    IBSI features get the reference manual's tag, others their family and name.
    """
    tag = _TAGS.get((feature.family, feature.name))
    if tag is None:
        tag = f"{feature.family}: {feature.name}"
    suffix = AGGREGATION_TAGS.get(feature.aggregation, f"_{feature.aggregation}")
    prefix = f"{feature.filter}/" if feature.filter else ""
    return f"{prefix}{tag}{suffix}"


def long_rows(sets: Iterable[FeatureSet]) -> list[dict[str, str]]:
    """One row per number, columns ``LONG_COLUMNS``; a missing value is empty and has a reason."""
    return [
        {
            "region": features.region,
            "phase": str(features.phase),
            "filter": feature.filter,
            "family": str(feature.family),
            "name": feature.name,
            "ibsi_code": feature.ibsi_code,
            "aggregation": str(feature.aggregation),
            "value": _number(feature),
            "unit": feature.unit,
            "reason": feature.reason,
        }
        for features in sets
        for feature in features.features
    ]


def wide_rows(sets: Iterable[FeatureSet]) -> list[dict[str, str]]:
    """One row per region and phase; a missing value is empty."""
    return [
        {"region": features.region, "phase": str(features.phase)}
        | {column_name(feature): _number(feature) for feature in features.features}
        for features in sets
    ]


def write_csv(rows: list[dict[str, str]], path: Path) -> None:
    """Write rows as CSV; the file appears whole or not at all.

    Columns are those of all rows, in the order they first occur.

    Raises:
        OutputError: The file cannot be written.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"The feature table {path.name} cannot be written: {error}") from error


def _number(feature: Feature) -> str:
    """Shortest text that reads back as the same number."""
    return "" if feature.reason else repr(float(feature.value))
