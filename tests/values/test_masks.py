"""Volumes and masks fit their grid and cannot be changed behind anybody's back."""

import numpy as np
import pytest

from engine.errors import InvalidGeometryError
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ImageReference, PatientIdentity, SeriesIdentity, StudyIdentity
from engine.values.segmentation import Segmentation
from engine.values.volume import Volume

GRID = VolumeGeometry(
    shape=(2, 3, 4),
    spacing=VoxelSpacing(slice_mm=1, row_mm=1, column_mm=1),
    origin_mm=(0.0, 0.0, 0.0),
    slice_direction=(0.0, 0.0, 1.0),
    row_direction=(0.0, 1.0, 0.0),
    column_direction=(1.0, 0.0, 0.0),
)
SOURCE = (ImageReference(sop_class_uid="1.2", sop_instance_uid="1.2.3"),)


def volume(shape: tuple[int, ...], sources: int) -> Volume:
    return Volume(
        voxels_hu=np.zeros(shape, np.int16),
        geometry=GRID,
        study=StudyIdentity(study_instance_uid="1", patient=PatientIdentity(patient_id="P")),
        series=SeriesIdentity(series_instance_uid="1.1"),
        slice_sources=(SOURCE,) * sources,
        headers=(),
    )


def test_a_volume_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        volume((2, 3, 4), 2).voxels_hu[0, 0, 0] = 1


@pytest.mark.parametrize(("shape", "sources"), [((2, 3, 5), 2), ((2, 3, 4), 1)])
def test_a_volume_that_does_not_fit_its_grid_is_refused(
    shape: tuple[int, ...], sources: int
) -> None:
    with pytest.raises(InvalidGeometryError):
        volume(shape, sources)


def test_the_liver_includes_its_tumors() -> None:
    labels = np.zeros((2, 3, 4), np.uint8)
    labels[0, 0, 0], labels[1, 1, 1] = 1, 2
    masks = Segmentation(labels=labels, tumor_probability=np.zeros_like(labels), geometry=GRID)
    assert int(masks.liver.sum()) == 2
    with pytest.raises(ValueError, match="read-only"):
        masks.labels[0, 0, 0] = 0


def test_a_mask_that_does_not_fit_its_grid_is_refused() -> None:
    wrong = np.zeros((2, 3, 5), np.uint8)
    with pytest.raises(InvalidGeometryError):
        Segmentation(labels=wrong, tumor_probability=wrong, geometry=GRID)
