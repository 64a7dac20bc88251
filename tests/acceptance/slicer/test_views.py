"""The result in Slicer's own views, as pictures (issue 7, must show 4).

HEPATOCAST_PICTURES=slicer_module/screenshots draws the demo study, analyzed with the embedded
model, instead of the phantom, and puts the pictures where the README finds them.
"""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from engine.cli.main import main
from engine.series.assembly import assemble_volume
from engine.series.grouping import group_series
from engine.series.input import scan_study
from PIL import Image
from tests.phantoms.recorded_result import node_matrix, phantom_node, write_recorded_result

FOLDER = os.environ.get("HEPATOCAST_PICTURES")
LIVER_RGB, LESION_RGB = (94, 201, 190), (230, 85, 13)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo study, analyzed once; an empty folder where the phantom is shown."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    if FOLDER:
        assert main(["demo", "--out", str(folder)]) == 0
    return folder


def demo_scene(folder: Path) -> tuple[Path, Any]:
    """The demo's result, and its reference series as a volume."""
    import slicer

    result = folder / "result"
    document = json.loads((result / "result.json").read_text())
    wanted = document["reference"]["series_instance_uid"]
    groups = group_series(scan_study(folder / "study" / "dicom")).groups
    group = next(g for g in groups if g.series.series_instance_uid == wanted)
    volume = assemble_volume(group)
    matrix = node_matrix(volume.geometry)
    return result, slicer.util.addVolumeFromArray(volume.voxels_hu.copy(), matrix, "CT")


@pytest.fixture
def shown(scene: Any, demo: Path, tmp_path: Path) -> SimpleNamespace:
    """A result in the scene: segmentation, volume, the first lesion's center (RAS)."""
    from HepatoCastLib import exchange, outputs
    from HepatoCastLib.keeping import pack_result
    from HepatoCastLib.result import read_result
    from HepatoCastLib.unpacking import unpack_segmentation

    if FOLDER:
        folder, volume = demo_scene(demo)
    else:
        folder = write_recorded_result(tmp_path / "result", "axial")
        volume = phantom_node("axial")
    unpack_segmentation(folder)
    pack_result(folder)
    result = read_result(folder)
    list(outputs.show_result(result, (volume,)))
    center = np.mean(result.record["lesions"][0]["long_axis"]["ends_mm"], axis=0)
    return SimpleNamespace(
        segmentation=outputs.find_node("vtkMRMLSegmentationNode", "segmentation"),
        volume=volume,
        center=tuple(exchange.to_ras(center)),
    )


def keep(path: Path) -> np.ndarray:
    """The picture's pixels; a copy for the README where that was asked for."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"), float)
    if FOLDER:
        Path(FOLDER).mkdir(parents=True, exist_ok=True)
        (Path(FOLDER) / path.name).write_bytes(path.read_bytes())
    return pixels


def share_like(pixels: np.ndarray, rgb: tuple[int, int, int]) -> float:
    """Share of pixels whose hue is that of a color: largest angle of 12 degrees."""
    chroma = pixels - pixels.mean(axis=-1, keepdims=True)
    wanted = np.array(rgb, float) - np.mean(rgb)
    strength = np.linalg.norm(chroma, axis=-1)
    cosine = chroma @ wanted / np.maximum(strength * np.linalg.norm(wanted), 1e-9)
    return float(((cosine > np.cos(np.deg2rad(12))) & (strength > 12)).mean())


@pytest.mark.parametrize("orientation", ["Axial", "Coronal", "Sagittal"])
def test_a_slice_shows_liver_lesion_and_ct(
    shown: SimpleNamespace, stand: SimpleNamespace, tmp_path: Path, orientation: str
) -> None:
    from tests.phantoms.slicer_stand.views import save_slice

    path = tmp_path / f"slice-{orientation.lower()}.png"
    application = stand.headless.logic
    save_slice(shown.volume, shown.center, path, application, orientation=orientation)
    pixels = keep(path)
    assert share_like(pixels, LESION_RGB) > 0.0005
    assert share_like(pixels, LIVER_RGB) > 0.0005
    assert pixels.std() > 20


def test_the_lesions_shine_through_the_liver_in_3d(
    shown: SimpleNamespace, stand: SimpleNamespace, tmp_path: Path
) -> None:
    from tests.phantoms.slicer_stand.views import save_three

    path = tmp_path / "three.png"
    save_three(shown.segmentation, path, stand.headless.logic)
    pixels = keep(path)
    assert share_like(pixels, LIVER_RGB) > 0.02
    assert share_like(pixels, LESION_RGB) > 0.0005
