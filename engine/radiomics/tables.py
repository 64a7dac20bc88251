"""Feature tables: one row per number (long) or one row per region (wide)."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.errors import InstallationError, OutputError
from engine.radiomics.catalog import AGGREGATION_TAGS
from engine.radiomics.definitions import DEFINITIONS
from engine.values.features import Feature, FeatureSet

Row = dict[str, str | float | None]

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


def long_rows(sets: Iterable[FeatureSet]) -> list[Row]:
    """One row per number, columns ``LONG_COLUMNS``; a missing value is None and has a reason."""
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


def wide_rows(sets: Iterable[FeatureSet]) -> list[Row]:
    """One row per region and phase; a missing value is None.

    Feature sets of one region and phase (IBSI features, dynamics, an encoder's) share a row.
    """
    rows: dict[tuple[str, str], Row] = {}
    for features in sets:
        key = (features.region, str(features.phase))
        row = rows.setdefault(key, {"region": key[0], "phase": key[1]})
        row |= {column_name(feature): _number(feature) for feature in features.features}
    return list(rows.values())


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """Rows as CSV in UTF-8; numbers read back as the same numbers, None is empty.

    Columns are those of all rows, in the order they first occur.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _columns(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {k: repr(v) if isinstance(v, float) else v for k, v in row.items()} for row in rows
    )
    return text.getvalue().encode()


def parquet_bytes(rows: Sequence[Row]) -> bytes:
    """Rows as Parquet: numbers as float64, None as null, words as strings.

    Raises:
        InstallationError: pyarrow (extra [parquet], 170 MB installed) is missing.
    """
    try:
        import pyarrow  # noqa: PLC0415 - an extra larger than the engine
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise InstallationError(
            "Parquet tables need pyarrow; install it with: pip install 'hepatocast[parquet]', "
            "or ask for CSV"
        ) from error
    words = {*LONG_COLUMNS} - {"value"}
    arrays = {
        name: pyarrow.array(
            [row.get(name) for row in rows],
            pyarrow.string() if name in words else pyarrow.float64(),
        )
        for name in _columns(rows)
    }
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), stream, compression="zstd")
    return stream.getvalue()


def write_table(content: bytes, path: Path) -> None:
    """Write a table; the file appears whole or not at all.

    Raises:
        OutputError: The file cannot be written.
    """
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"The feature table {path.name} cannot be written: {error}") from error


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _number(feature: Feature) -> float | None:
    return None if feature.reason else float(feature.value)
