"""RAS and LPS meet here; positions are checked against the phantom's own geometry."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine.values.geometry import VolumeGeometry
from tests.phantoms.recorded_result import node_matrix, phantom_node
from tests.phantoms.report_patient import ORIENTATIONS, make_grid


def node_of(grid: VolumeGeometry, voxels: np.ndarray) -> Any:
    import slicer

    return slicer.util.addVolumeFromArray(voxels, node_matrix(grid), "CT")


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_volume_lies_where_the_engine_says(scene: Any, orientation: str) -> None:
    from HepatoCastLib import exchange

    grid = make_grid(orientation, 8.0)
    node = node_of(grid, np.zeros(grid.shape, np.int16))
    assert exchange.grid_of(node).shape == grid.shape
    assert exchange.grid_of(node).affine == pytest.approx(grid.affine, abs=1e-9)


def test_a_voxel_set_in_slicer_is_the_same_voxel_here(scene: Any) -> None:
    """Slicer's own index to position mapping, negated to LPS, agrees."""
    import vtk
    from HepatoCastLib import exchange

    node = phantom_node("oblique")
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ras = matrix.MultiplyPoint((3, 2, 1, 1))[:3]
    lps = exchange.grid_of(node).to_patient(np.array([1.0, 2.0, 3.0]))
    assert exchange.to_ras(lps) == pytest.approx(np.array(ras))
    assert lps == pytest.approx(np.array([-ras[0], -ras[1], ras[2]]))


def test_a_volume_below_a_transform_is_refused(scene: Any, volume: Any) -> None:
    from HepatoCastLib import exchange
    from HepatoCastLib.errors import ExchangeError

    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(ExchangeError, match="harden it"):
        exchange.grid_of(volume)


def test_values_beyond_int16_are_refused(scene: Any, tmp_path: Path) -> None:
    import slicer
    from HepatoCastLib import exchange
    from HepatoCastLib.errors import ExchangeError

    node = slicer.util.addVolumeFromArray(np.full((2, 2, 2), 1e6, np.float32))
    with pytest.raises(ExchangeError, match="outside of int16"):
        list(exchange.save_voxels(node, tmp_path / "voxels.npy"))


def test_fractional_values_are_rounded(scene: Any, tmp_path: Path) -> None:
    import slicer
    from HepatoCastLib import exchange

    node = slicer.util.addVolumeFromArray(np.array([[[-0.6, 39.7]]], np.float32))
    list(exchange.save_voxels(node, tmp_path / "voxels.npy"))
    assert np.load(tmp_path / "voxels.npy").tolist() == [[[-1, 40]]]


def test_a_whole_ct_is_exchanged_within_two_seconds(scene: Any, tmp_path: Path) -> None:
    """512×512×300 out of the scene and a liver-sized segment back in; CPU seconds."""
    import slicer
    from HepatoCastLib import exchange
    from HepatoCastLib.segments import Coded, Segment

    node = slicer.util.addVolumeFromArray(np.ones((300, 512, 512), np.int16))
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    code = Coded(value="10200004", scheme="SCT", meaning="Liver")
    liver = Segment(
        number=1,
        name="Liver",
        color=(0.1, 0.2, 0.3),
        category=code,
        type=code,
        region=code,
        tracking_id="",
        tracking_uid="",
    )
    mask = np.ones((120, 300, 330), np.uint8)
    start = time.process_time()
    list(exchange.save_voxels(node, tmp_path / "voxels.npy"))
    grid = exchange.grid_of(node)
    exchange.put_segment(segmentation, liver, mask, (90, 100, 60), grid)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
    back = exchange.segment_mask(segmentation, "liver", node)
    assert time.process_time() - start <= 2.0
    assert back[90:210, 100:400, 60:390].all()
    assert int(back.sum()) == mask.size
    (tmp_path / "voxels.npy").unlink()
