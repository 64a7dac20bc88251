"""The ring around a lesion."""

import numpy as np
import pytest

from engine.errors import RegionError
from engine.radiomics.regions import peritumoral_ring
from tests.phantoms.ibsi import grid

GRID = grid((20, 40, 40), 2.0, 1.0, 1.0)


def test_the_ring_holds_all_voxels_within_the_distance() -> None:
    """Against the distances themselves, anisotropic voxels included."""
    lesion = np.zeros(GRID.shape, bool)
    lesion[10, 20, 20] = True
    ring = peritumoral_ring(lesion, np.ones(GRID.shape, bool), GRID, width_mm=5)
    offsets = (np.indices(GRID.shape).T - (10, 20, 20)) * (2.0, 1.0, 1.0)
    distance = np.linalg.norm(offsets, axis=-1).T
    assert np.array_equal(ring, (distance > 0) & (distance <= 5))


def test_the_ring_stays_where_it_is_allowed() -> None:
    """Outside the liver and inside other lesions there is no ring."""
    lesion, liver = np.zeros(GRID.shape, bool), np.zeros(GRID.shape, bool)
    lesion[8:12, 18:22, 0:4] = True
    liver[:, :21] = True
    ring = peritumoral_ring(lesion, liver, GRID, width_mm=6)
    assert ring.any()
    assert not (ring & ~liver).any()
    assert not (ring & lesion).any()


def test_no_lesion_no_ring() -> None:
    """An empty mask is an error."""
    empty = np.zeros(GRID.shape, bool)
    with pytest.raises(RegionError, match="lesion"):
        peritumoral_ring(empty, ~empty, GRID, width_mm=5)


def test_a_ring_has_a_width() -> None:
    """Zero and NaN are refused."""
    with pytest.raises(RegionError, match="wider"):
        peritumoral_ring(np.ones(GRID.shape, bool), np.ones(GRID.shape, bool), GRID, width_mm=0)
