"""Feature tables."""

import csv
import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from engine.errors import InstallationError, OutputError
from engine.radiomics import Aggregation, RadiomicsSettings, extract_features
from engine.radiomics.filters.smoothing import MeanFilter
from engine.radiomics.tables import (
    LONG_COLUMNS,
    csv_bytes,
    long_rows,
    parquet_bytes,
    wide_rows,
    write_table,
)
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from tests.phantoms.ibsi import grid


def two_regions() -> list[FeatureSet]:
    image = np.random.default_rng(2).normal(60, 20, (12, 14, 14)).round()
    mask = np.zeros(image.shape, bool)
    mask[4:8, 4:9, 4:9] = True
    one = np.zeros(image.shape, bool)
    one[6, 6, 6] = True
    settings = RadiomicsSettings(aggregations=tuple(Aggregation), filters=(MeanFilter(support=3),))
    return [
        extract_features(
            image,
            region_mask,
            grid(image.shape, 1.0, 1.0, 1.0),
            settings,
            region=name,
            phase=ContrastPhase.DELAYED,
        )
        for name, region_mask in (("lesion 1", mask), ("lesion 2", one))
    ]


def test_the_long_table_reads_back_exactly(tmp_path: Path) -> None:
    """Every number to the last bit, every missing one with its reason."""
    sets = two_regions()
    write_table(csv_bytes(long_rows(sets)), tmp_path / "features.csv")
    with (tmp_path / "features.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    features = [f for s in sets for f in s.features]
    assert tuple(rows[0]) == LONG_COLUMNS
    for row, feature in zip(rows, features, strict=True):
        assert (row["value"] == "") == bool(feature.reason) == bool(row["reason"])
        if row["value"]:
            assert float(row["value"]) == feature.value


def test_the_wide_table_has_a_column_per_feature(tmp_path: Path) -> None:
    """No two features share a column name."""
    sets = two_regions()
    rows = wide_rows(sets)
    assert len(rows) == 2
    assert all(len(row) == 2 + len(s.features) for row, s in zip(rows, sets, strict=True))
    assert "mean_3/cm_corr_2_5D_comb" in rows[0]
    write_table(csv_bytes(rows), tmp_path / "wide.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["wide.csv"]


def test_a_table_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """The operator's to put right."""
    with pytest.raises(OutputError, match=r"features\.csv"):
        write_table(b"a\n1\n", tmp_path / "missing" / "features.csv")


def test_parquet_holds_the_same_numbers_as_the_long_csv() -> None:
    """Numbers are float64, a missing one is null beside its reason."""
    sets = two_regions()
    table = parquet.read_table(io.BytesIO(parquet_bytes(long_rows(sets))))
    assert tuple(table.column_names) == LONG_COLUMNS
    assert table.schema.field("value").type == pyarrow.float64()
    features = [f for s in sets for f in s.features]
    for row, feature in zip(table.to_pylist(), features, strict=True):
        assert row["value"] == (None if feature.reason else feature.value)
        assert row["reason"] == feature.reason
    wide = parquet.read_table(io.BytesIO(parquet_bytes(wide_rows(sets))))
    assert wide.num_rows == 2
    assert wide.column("mean_3/cm_corr_2_5D_comb").null_count == 1


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a table less than asked for."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InstallationError, match=r"hepatocast\[parquet\]"):
        parquet_bytes([{"a": 1.0}])


def test_sets_of_one_region_and_phase_share_a_wide_row() -> None:
    """IBSI features and dynamics of a lesion are one row."""
    first, second = two_regions()
    rows = wide_rows([first, replace(second, region=first.region, features=second.features[:1])])
    assert len(rows) == 1
