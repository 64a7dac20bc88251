"""Feature tables as files of a result."""

from collections.abc import Sequence
from enum import StrEnum

from engine.radiomics.tables import csv_bytes, long_rows, parquet_bytes, wide_rows
from engine.reporting.report_file import ReportFile, ReportKind
from engine.values.features import FeatureSet


class TableFormat(StrEnum):
    """Which feature tables are written."""

    CSV = "csv"
    PARQUET = "parquet"
    BOTH = "both"
    NONE = "none"


def feature_tables(sets: Sequence[FeatureSet], chosen: TableFormat) -> tuple[ReportFile, ...]:
    """Features long (one row per number) and wide (one row per region and phase).

    Raises:
        InstallationError: Parquet is asked for and pyarrow is missing.
    """
    if chosen is TableFormat.NONE:
        return ()
    tables = (("features", long_rows(sets)), ("features-wide", wide_rows(sets)))
    files = []
    for name, rows in tables:
        if chosen in (TableFormat.CSV, TableFormat.BOTH):
            files.append(_file(f"{name}.csv", csv_bytes(rows)))
        if chosen in (TableFormat.PARQUET, TableFormat.BOTH):
            files.append(_file(f"{name}.parquet", parquet_bytes(rows)))
    return tuple(files)


def _file(name: str, content: bytes) -> ReportFile:
    return ReportFile(name=name, kind=ReportKind.TABLE, content=content)
