"""A plain volume becomes a series that the engine assembles into the same volume."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from engine.series.assembly import assemble_volume
from engine.series.grouping import group_series
from engine.series.input import scan_study
from tests.phantoms.analysis_result import make_volume


@pytest.mark.parametrize("orientation", ["axial", "reversed", "oblique", "sagittal"])
def test_the_engine_sees_the_same_volume(
    stand: SimpleNamespace, tmp_path: Path, orientation: str
) -> None:
    from HepatoCastLib.series_writing import write_series

    volume, _, _ = make_volume(orientation, pixel_mm=8.0)
    np.save(tmp_path / "voxels.npy", volume.voxels_hu)
    affine = volume.geometry.affine.tolist()
    places = {"file": str(tmp_path / "voxels.npy"), "folder": str(tmp_path / "study")}
    write_series({**places, "affine": affine, "key": "k"})
    (group,) = group_series(scan_study(tmp_path / "study")).groups
    again = assemble_volume(group)
    corner = again.geometry.to_index(volume.geometry.to_patient(np.zeros(3)))
    flipped = round(float(corner[0])) != 0
    voxels = again.voxels_hu[::-1] if flipped else again.voxels_hu
    assert np.array_equal(voxels, volume.voxels_hu)
