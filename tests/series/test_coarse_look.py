"""A coarse look reads few slices and averages pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InvalidGeometryError
from engine.series.coarse_look import look_coarsely
from engine.series.grouping import SeriesGroup, group_series
from engine.series.input import scan_study
from tests.phantoms.dicom_series import SeriesPlan, ct_series, gradient_hu, write_series

PLAN = SeriesPlan(spacing_mm=(1.0, 0.8, 0.7))


def _group(folder: Path, plan: SeriesPlan, slices: int = 41) -> SeriesGroup:
    write_series(ct_series(gradient_hu(slices, 30, 32), plan), folder)
    return group_series(scan_study(folder)).groups[0]


def test_slices_are_thinned_to_five_millimeters_and_pixels_averaged(tmp_path: Path) -> None:
    hu, geometry = look_coarsely(_group(tmp_path, PLAN))
    assert geometry.spacing.as_tuple() == pytest.approx((5.0, 2.4, 2.8))
    expected = gradient_hu(41, 30, 32)[5, :3, :4].mean()
    assert hu[1, 0, 0] == pytest.approx(expected, abs=0.01)
    assert hu.shape == (9, 10, 8)


def test_the_look_is_on_standard_axes(tmp_path: Path) -> None:
    """A prone-like turned series comes back with rows to posterior and columns to left."""
    turned = replace(PLAN, column_direction=(-1, 0, 0), row_direction=(0, -1, 0))
    hu, geometry = look_coarsely(_group(tmp_path, turned))
    assert geometry.column_direction == (1.0, 0.0, 0.0)
    assert geometry.row_direction == (0.0, 1.0, 0.0)
    expected = gradient_hu(41, 30, 32)[0, :3, :4].mean()
    assert hu[0, -1, -1] == pytest.approx(expected, abs=0.01)
    assert np.isfinite(hu).all()


def test_too_few_slices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGeometryError, match="needs 5 slices, got 4"):
        look_coarsely(_group(tmp_path, PLAN, slices=20))
