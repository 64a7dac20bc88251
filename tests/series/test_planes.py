"""Where one slice lies, from the modules that define it."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from engine.errors import InvalidGeometryError, PixelDataError
from engine.series.headers import Instance
from engine.series.input import scan_study
from engine.series.planes import read_planes
from tests.phantoms.dicom_series import (
    SeriesPlan,
    ct_series,
    enhanced_ct,
    gradient_hu,
    write_series,
)


def _instance(dataset: Dataset, folder: Path) -> Instance:
    return scan_study(write_series([dataset], folder)).series[0].instances[0]


def _slice(**attributes: object) -> Dataset:
    return ct_series(gradient_hu(1), SeriesPlan(attributes=attributes))[0]


def test_pixel_spacing_is_used_and_imager_spacing_never(tmp_path: Path) -> None:
    """At the detector pixels are larger by the magnification."""
    (plane,) = read_planes(_instance(_slice(ImagerPixelSpacing=[1.6, 1.4]), tmp_path))
    assert (plane.row_mm, plane.column_mm) == (0.8, 0.7)


def test_imager_spacing_alone_is_refused(tmp_path: Path) -> None:
    dataset = _slice(PixelSpacing=None, ImagerPixelSpacing=[1.6, 1.4])
    with pytest.raises(InvalidGeometryError, match="ImagerPixelSpacing lies at the detector"):
        read_planes(_instance(dataset, tmp_path))


def test_rounded_cosines_become_exact_unit_vectors(tmp_path: Path) -> None:
    dataset = _slice(ImageOrientationPatient=[0.999, 0.0, 0.035, 0.0, 1.0, 0.0])
    (plane,) = read_planes(_instance(dataset, tmp_path))
    axes = np.array([plane.column_direction, plane.row_direction, plane.normal])
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)


def test_a_per_frame_group_comes_before_the_shared_one(tmp_path: Path) -> None:
    dataset = enhanced_ct(gradient_hu(3))
    own = Dataset()
    own.RescaleSlope, own.RescaleIntercept, own.RescaleType = 2, -500, "HU"
    dataset.PerFrameFunctionalGroupsSequence[1].PixelValueTransformationSequence = [own]
    planes = read_planes(_instance(dataset, tmp_path))
    assert [(p.slope, p.intercept) for p in planes] == [(1, -1024), (2, -500), (1, -1024)]
    assert [p.frame_number for p in planes] == [1, 2, 3]


def test_frames_and_groups_must_agree(tmp_path: Path) -> None:
    dataset = enhanced_ct(gradient_hu(3))
    dataset.NumberOfFrames = 4
    with pytest.raises(InvalidGeometryError, match="NumberOfFrames 4 does not fit 3"):
        read_planes(_instance(dataset, tmp_path))


@pytest.mark.parametrize("kind", ["US", "HU_MOD", "Z_EFF"])
def test_values_that_are_no_hu_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(PixelDataError, match=f"RescaleType must be HU, got {kind}"):
        read_planes(_instance(_slice(RescaleType=kind), tmp_path))


def test_an_unstated_rescale_type_is_hu(tmp_path: Path) -> None:
    (plane,) = read_planes(_instance(_slice(RescaleType=None), tmp_path))
    assert plane.intercept == -1024


def test_height_is_measured_along_the_normal(tmp_path: Path) -> None:
    dataset = _slice(ImageOrientationPatient=[1, 0, 0, 0, 0, -1], ImagePositionPatient=[5, 17, 9])
    (plane,) = read_planes(_instance(dataset, tmp_path))
    np.testing.assert_allclose(plane.normal, [0, 1, 0])
    assert plane.height_mm == 17
