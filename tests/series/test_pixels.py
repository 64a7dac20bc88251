"""Pixels are read straight into the volume and never more than the files can hold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ImplicitVRLittleEndian, JPEGLSLossless

from engine.errors import PixelDataError
from engine.series.grouping import group_series
from engine.series.input import scan_study
from engine.series.pixels import load_hu
from engine.series.planes import Plane
from tests.phantoms.dicom_series import SeriesPlan, ct_series, gradient_hu, write_series


def _planes(folder: Path, plan: SeriesPlan | None = None, syntax: str | None = None) -> list[Plane]:
    voxels = gradient_hu(4, 64, 64)
    write_series(ct_series(voxels, plan), folder, syntax=syntax)
    (group,) = group_series(scan_study(folder)).groups
    return list(group.planes)


def test_slices_come_in_the_order_asked(tmp_path: Path) -> None:
    planes = _planes(tmp_path)
    np.testing.assert_array_equal(load_hu(planes[::-1]), gradient_hu(4, 64, 64)[::-1])


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, JPEGLSLossless])
def test_a_step_takes_every_nth_pixel(tmp_path: Path, syntax: str) -> None:
    coarse = load_hu(_planes(tmp_path, syntax=syntax), step=3)
    np.testing.assert_array_equal(coarse, gradient_hu(4, 64, 64)[:, ::3, ::3])


def test_nothing_is_below_air(tmp_path: Path) -> None:
    planes = [replace(plane, intercept=-3000.0) for plane in _planes(tmp_path)]
    assert load_hu(planes).min() == -1024


def test_slices_of_two_sizes_are_refused(tmp_path: Path) -> None:
    planes = _planes(tmp_path)
    with pytest.raises(PixelDataError, match="same Rows and Columns"):
        load_hu([planes[0], replace(planes[1], rows=32)])


def test_an_absurd_volume_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    planes = [replace(plane, rows=8192, columns=8192) for plane in _planes(tmp_path)] * 20
    with pytest.raises(PixelDataError, match="too large"):
        load_hu(planes)
