"""Cited pixels lie where the patient coordinates say."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import InvalidGeometryError
from engine.reporting.source_plane import find_planes
from tests.phantoms.analysis_result import make_volume
from tests.phantoms.report_patient import ORIENTATIONS


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_voxel_center_projects_onto_its_own_pixel_center(orientation: str) -> None:
    volume, _, _ = make_volume(orientation)
    index = np.array([[5.0, 17.0, 40.0]])
    plane = find_planes(volume)[5]
    points = volume.geometry.to_patient(index)
    np.testing.assert_allclose(plane.project(points), [[40.5, 17.5]], atol=1e-4)
    assert plane.distance_mm(points) < 1e-4


def test_frames_of_an_enhanced_image_are_found_in_any_order() -> None:
    volume, _, _ = make_volume(enhanced=True)
    plane = find_planes(volume)[3]
    assert plane.reference.frame_number == volume.geometry.shape[0] - 3
    np.testing.assert_allclose(
        plane.position_mm, volume.geometry.to_patient(np.array([3.0, 0, 0])), atol=1e-6
    )


def test_a_slice_without_its_header_is_an_error() -> None:
    volume, _, _ = make_volume()
    volume = replace(volume, voxels_hu=volume.voxels_hu.copy(), headers=volume.headers[:4])
    with pytest.raises(InvalidGeometryError, match="Slice 4 names no source image"):
        find_planes(volume)
