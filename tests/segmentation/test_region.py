"""Boxes keep their place in the patient."""

import numpy as np

from engine.segmentation.region import (
    Region,
    bounding_region,
    crop_geometry,
    transfer_region,
    whole,
)
from tests.phantoms.boxes import standard_geometry


def test_the_bounding_box_is_tight() -> None:
    mask = np.zeros((6, 7, 8), bool)
    mask[1, 2, 3] = mask[4, 5, 3] = True
    region = bounding_region(mask)
    assert region == Region(start=(1, 2, 3), stop=(5, 6, 4))
    assert region is not None
    assert region.shape == (4, 4, 1)
    assert mask[region.index].sum() == 2


def test_nothing_has_no_box() -> None:
    assert bounding_region(np.zeros((2, 2, 2), bool)) is None


def test_a_crop_keeps_its_voxels_where_they_were() -> None:
    grid = standard_geometry((10, 20, 30), (2.0, 1.0, 0.5))
    cropped = crop_geometry(grid, Region(start=(1, 2, 3), stop=(5, 6, 9)))
    assert cropped.shape == (4, 4, 6)
    np.testing.assert_allclose(
        cropped.to_patient(np.array([1.0, 1.0, 1.0])), grid.to_patient(np.array([2.0, 3.0, 4.0]))
    )


def test_a_box_on_a_coarse_grid_covers_the_same_fine_voxels() -> None:
    fine = standard_geometry((40, 40, 40), (1.0, 1.0, 1.0))
    coarse = crop_geometry(standard_geometry((10, 10, 10), (4.0, 4.0, 4.0)), whole(fine))
    shifted = np.array(fine.origin_mm) + 1.5
    coarse = type(fine)(
        shape=(10, 10, 10),
        spacing=coarse.spacing,
        origin_mm=(float(shifted[0]), float(shifted[1]), float(shifted[2])),
        slice_direction=fine.slice_direction,
        row_direction=fine.row_direction,
        column_direction=fine.column_direction,
    )
    box = Region(start=(2, 2, 2), stop=(4, 5, 6))
    assert transfer_region(box, coarse, fine, margin_mm=0.0) == Region(
        start=(8, 8, 8), stop=(16, 20, 24)
    )
    assert transfer_region(box, coarse, fine, margin_mm=10.0) == Region(
        start=(0, 0, 0), stop=(26, 30, 34)
    )
