"""A ball in a box-shaped liver is measured where it lies, in any orientation."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import NoLiverError
from engine.lesions import find_lesions
from engine.lesions.measurement import capsule_distance_mm
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ImageReference, PatientIdentity, SeriesIdentity, StudyIdentity
from engine.values.lesion import LesionFindings
from engine.values.provenance import AnalysisContext
from engine.values.segmentation import Segmentation
from engine.values.volume import Volume

CONTEXT = AnalysisContext(
    job_id="job-1", created_at=datetime(2026, 1, 1, tzinfo=UTC), software_version="0"
)
SHAPE = (40, 60, 64)
SPACING = VoxelSpacing(slice_mm=2.0, row_mm=0.8, column_mm=0.9)
AXIAL = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
CENTER_MM = np.array([26.0, 22.0, 40.0])
RADIUS_MM = 11.0


def geometry_of(directions: tuple[tuple[float, float, float], ...] = AXIAL) -> VolumeGeometry:
    return VolumeGeometry(
        shape=SHAPE,
        spacing=SPACING,
        origin_mm=(-5.0, -7.0, 3.0),
        slice_direction=directions[0],
        row_direction=directions[1],
        column_direction=directions[2],
    )


def labels_with_ball() -> NDArray[np.uint8]:
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:36, 6:54, 6:58] = 1
    k, r, c = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    distance = np.sqrt((k * 2.0 - 40) ** 2 + (r * 0.8 - 22) ** 2 + (c * 0.9 - 26) ** 2)
    labels[distance <= RADIUS_MM] = 2
    return labels


def analyze(labels: NDArray[np.uint8], geometry: VolumeGeometry) -> LesionFindings:
    volume = Volume(
        voxels_hu=np.where(labels == 2, 70, 110).astype(np.int16),
        geometry=geometry,
        study=StudyIdentity(study_instance_uid="1.2", patient=PatientIdentity(patient_id="P")),
        series=SeriesIdentity(series_instance_uid="1.2.3"),
        slice_sources=tuple(
            (ImageReference(sop_class_uid="1.2", sop_instance_uid=f"1.2.3.{i}"),)
            for i in range(SHAPE[0])
        ),
        headers=(),
    )
    segmentation = Segmentation(
        labels=labels,
        tumor_probability=np.where(labels == 2, 204, 0).astype(np.uint8),
        geometry=geometry,
    )
    return find_lesions(volume, segmentation, CONTEXT, minimum_ml=0.1)


def test_a_ball_is_measured_as_a_ball() -> None:
    findings = analyze(labels_with_ball(), geometry_of())
    (ball,) = findings.lesions
    assert ball.volume_ml == pytest.approx(4 / 3 * math.pi * RADIUS_MM**3 / 1000, rel=0.02)
    assert ball.long_axis.length_mm == pytest.approx(2 * RADIUS_MM, abs=0.8)
    assert ball.short_axis.length_mm == pytest.approx(2 * RADIUS_MM, abs=0.9)
    assert ball.maximum_3d_diameter.length_mm == pytest.approx(2 * RADIUS_MM, abs=2.0)
    expected = findings.geometry.to_patient(np.array([20.0, 27.5, 26 / 0.9]))
    assert ball.centroid_mm == pytest.approx(tuple(expected), abs=0.2)
    assert ball.confidence == pytest.approx(0.8)
    assert ball.mean_hu == 70
    assert ball.source.sop_instance_uid == f"1.2.3.{ball.long_axis.slice_index}"


def test_the_capsule_distance_is_the_nearest_gap() -> None:
    """Nearest liver edge is the row at 6 × 0.8 mm; the ball's top row lies at 11.2 mm."""
    findings = analyze(labels_with_ball(), geometry_of())
    assert findings.lesions[0].capsule_distance_mm == pytest.approx(11.2 - 4.8, abs=0.5)


def test_a_lesion_on_the_surface_has_distance_zero() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:36, 6:54, 6:58] = 1
    labels[10:15, 6:14, 20:28] = 2
    assert analyze(labels, geometry_of()).lesions[0].capsule_distance_mm == 0


def test_the_end_points_are_as_far_apart_as_the_diameter_says() -> None:
    tilt = math.radians(17)
    directions = (
        (0.0, -math.sin(tilt), math.cos(tilt)),
        (0.0, math.cos(tilt), math.sin(tilt)),
        (1.0, 0.0, 0.0),
    )
    (ball,) = analyze(labels_with_ball(), geometry_of(directions)).lesions
    for diameter in (ball.long_axis, ball.short_axis, ball.maximum_3d_diameter):
        first, second = map(np.array, diameter.ends_mm)
        assert np.linalg.norm(first - second) == pytest.approx(diameter.length_mm)


def test_a_coronal_stack_is_still_measured_in_the_axial_plane() -> None:
    coronal = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0))
    (ball,) = analyze(labels_with_ball(), geometry_of(coronal)).lesions
    ends = np.array(ball.long_axis.ends_mm)
    assert ends[0, 2] == pytest.approx(ends[1, 2])
    assert ball.long_axis.slice_index is None


def test_lesions_are_numbered_by_volume_and_specks_are_dropped() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:36, 6:54, 6:58] = 1
    labels[10:14, 10:20, 10:20] = 2
    labels[20:30, 30:45, 30:45] = 2
    labels[33, 50, 50] = 2
    findings = analyze(labels, geometry_of())
    assert [lesion.number for lesion in findings.lesions] == [1, 2]
    assert findings.lesions[0].volume_ml > findings.lesions[1].volume_ml
    assert int((findings.lesion_labels == 1).sum()) == 10 * 15 * 15
    assert findings.lesion_labels[33, 50, 50] == 0


def test_the_liver_volume_includes_its_tumors() -> None:
    findings = analyze(labels_with_ball(), geometry_of())
    assert findings.burden.liver_volume_ml == pytest.approx(32 * 48 * 52 * 2 * 0.8 * 0.9 / 1000)


def test_no_liver_is_said_and_not_measured() -> None:
    with pytest.raises(NoLiverError, match=r"1\.2\.3"):
        analyze(np.zeros(SHAPE, np.uint8), geometry_of())


def test_the_diameters_do_not_depend_on_how_the_stack_is_stored() -> None:
    """An irregular voxel shape with ties, stored as it is and rotated by 180°."""
    rng = np.random.default_rng(5)
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:36, 6:54, 6:58] = 1
    for corner in rng.integers(12, 24, (12, 3)):
        i, j, k = corner
        labels[i : i + 4, j : j + 5, k : k + 5] = 2
    turned = VolumeGeometry(
        shape=SHAPE,
        spacing=SPACING,
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, -1.0, 0.0),
        column_direction=(-1.0, 0.0, 0.0),
    )
    plain = analyze(labels, geometry_of()).lesions
    rotated = analyze(np.ascontiguousarray(labels[:, ::-1, ::-1]), turned).lesions
    assert len(plain) == len(rotated)
    for one, other in zip(plain, rotated, strict=True):
        assert one.long_axis.length_mm == pytest.approx(other.long_axis.length_mm)
        assert one.short_axis.length_mm == pytest.approx(other.short_axis.length_mm)


def test_a_deep_lesion_is_as_far_from_the_capsule_as_it_is() -> None:
    """Farther than the first box around the lesion reaches."""
    shape = (92, 90, 90)
    liver = np.zeros(shape, bool)
    liver[2:90, 2:88, 2:88] = True
    lesion = np.zeros(shape, bool)
    lesion[44:48, 43:47, 43:47] = True
    geometry = VolumeGeometry(
        shape=shape,
        spacing=VoxelSpacing(slice_mm=1.0, row_mm=1.0, column_mm=1.0),
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=AXIAL[0],
        row_direction=AXIAL[1],
        column_direction=AXIAL[2],
    )
    assert capsule_distance_mm(lesion, liver, geometry) == pytest.approx(41.0)
