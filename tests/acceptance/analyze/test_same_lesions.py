"""One study in many disguises gives the same lesions (issue 2, line 3)."""

import json
import random
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.uid import JPEGLSLossless

from engine.cli.main import main
from engine.demo.anatomy import build_phantom
from engine.demo.parameters import DEMO_PARAMETERS
from engine.demo.rendering import render_phase
from engine.values.identity import ContrastPhase
from tests.phantoms.dicom_series import SeriesPlan, ct_series, write_series

SHAPE = (96, 224, 256)
SPACING_MM = (2.5, 1.6, 1.6)


@dataclass(frozen=True)
class Original:
    """The plain study and what was found in it."""

    folder: Path
    voxels_hu: NDArray[np.int16]
    origin_mm: tuple[float, float, float]
    lesions: list[dict[str, Any]]


def analyze(study: Path, out: Path) -> list[dict[str, Any]]:
    assert main(["analyze", str(study), "--out", str(out)]) == 0
    lesions = json.loads((out / "result.json").read_text())["lesions"]
    assert isinstance(lesions, list)
    return lesions


def plan(name: str, **changes: Any) -> SeriesPlan:  # noqa: ANN401 - SeriesPlan's own fields
    return SeriesPlan(
        study=name,
        series=name,
        description="portal venous",
        attributes={"ContrastBolusAgent": "IOHEXOL"},
        **changes,
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """A phantom's portal venous phase on a coarse grid, analyzed once."""
    folder = tmp_path_factory.mktemp("same")
    phantom = build_phantom(DEMO_PARAMETERS, SHAPE, SPACING_MM)
    voxels = render_phase(phantom, ContrastPhase.PORTAL_VENOUS, np.random.default_rng(1))
    origin = phantom.geometry.origin_mm
    study = write_series(
        ct_series(voxels, plan("plain", spacing_mm=SPACING_MM, origin_mm=origin)),
        folder / "plain",
    )
    lesions = analyze(study, folder / "out")
    assert len(lesions) >= 3
    return Original(folder=study, voxels_hu=voxels, origin_mm=origin, lesions=lesions)


def assert_same(found: list[dict[str, Any]], original: Original) -> None:
    """Within 1 % volume and 0.5 mm diameter, and at the same place."""
    assert len(found) == len(original.lesions)
    for ours, theirs in zip(found, original.lesions, strict=True):
        assert ours["volume_ml"] == pytest.approx(theirs["volume_ml"], rel=0.01)
        for axis in ("long_axis", "short_axis", "maximum_3d_diameter"):
            assert ours[axis]["length_mm"] == pytest.approx(theirs[axis]["length_mm"], abs=0.5)


def test_shuffled_and_renamed(original: Original, tmp_path: Path) -> None:
    files = sorted(original.folder.iterdir())
    random.Random(7).shuffle(files)  # noqa: S311 - a test's order, no secret
    for index, file in enumerate(files):
        target = tmp_path / "study" / f"sub{index % 5}" / f"{index * 7919 % 10007:x}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (tmp_path / "study" / "notes.txt").write_text("not an image")
    assert_same(analyze(tmp_path / "study", tmp_path / "out"), original)


def test_zipped(original: Original, tmp_path: Path) -> None:
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for file in original.folder.iterdir():
            packed.write(file, f"folder/{file.name}")
    assert_same(analyze(archive, tmp_path / "out"), original)


def test_compressed_with_jpeg_ls(original: Original, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    for file in original.folder.iterdir():
        image = pydicom.dcmread(file)
        image.compress(JPEGLSLossless, generate_instance_uid=False)
        image.save_as(tmp_path / "study" / file.name)
    assert_same(analyze(tmp_path / "study", tmp_path / "out"), original)


def test_stored_from_head_to_feet(original: Original, tmp_path: Path) -> None:
    x, y, z = original.origin_mm
    top = z + (SHAPE[0] - 1) * SPACING_MM[0]
    turned = plan(
        "reversed",
        spacing_mm=SPACING_MM,
        origin_mm=(x, y, top),
        step_mm=(0.0, 0.0, -SPACING_MM[0]),
    )
    study = write_series(ct_series(original.voxels_hu[::-1], turned), tmp_path / "study")
    assert_same(analyze(study, tmp_path / "out"), original)


def test_stored_as_a_coronal_stack(original: Original, tmp_path: Path) -> None:
    """Rows run head to feet, slices run front to back; every voxel stays where it was."""
    x, y, z = original.origin_mm
    coronal = np.ascontiguousarray(original.voxels_hu[::-1].transpose(1, 0, 2))
    top = z + (SHAPE[0] - 1) * SPACING_MM[0]
    turned = plan(
        "coronal",
        spacing_mm=(SPACING_MM[1], SPACING_MM[0], SPACING_MM[2]),
        origin_mm=(x, y, top),
        row_direction=(0.0, 0.0, -1.0),
        step_mm=(0.0, SPACING_MM[1], 0.0),
    )
    study = write_series(ct_series(coronal, turned), tmp_path / "study")
    assert_same(analyze(study, tmp_path / "out"), original)


def test_lying_in_another_patient_position(original: Original, tmp_path: Path) -> None:
    """Rows and columns run the other way (scanned prone, shown rotated by 180°)."""
    x, y, z = original.origin_mm
    turned = plan(
        "rotated",
        spacing_mm=SPACING_MM,
        origin_mm=(x + (SHAPE[2] - 1) * SPACING_MM[2], y + (SHAPE[1] - 1) * SPACING_MM[1], z),
        column_direction=(-1.0, 0.0, 0.0),
        row_direction=(0.0, -1.0, 0.0),
    )
    voxels = np.ascontiguousarray(original.voxels_hu[:, ::-1, ::-1])
    study = write_series(ct_series(voxels, turned), tmp_path / "study")
    assert_same(analyze(study, tmp_path / "out"), original)
