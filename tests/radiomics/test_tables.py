"""Feature tables."""

import csv
from pathlib import Path

import numpy as np
import pytest

from engine.errors import OutputError
from engine.radiomics import Aggregation, RadiomicsSettings, extract_features
from engine.radiomics.filters.smoothing import MeanFilter
from engine.radiomics.tables import LONG_COLUMNS, long_rows, wide_rows, write_csv
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
    write_csv(long_rows(sets), tmp_path / "features.csv")
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
    write_csv(rows, tmp_path / "wide.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["wide.csv"]


def test_a_table_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """The operator's to put right."""
    with pytest.raises(OutputError, match=r"features\.csv"):
        write_csv([{"a": "1"}], tmp_path / "missing" / "features.csv")
