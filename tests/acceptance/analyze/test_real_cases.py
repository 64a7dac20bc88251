"""Real validation CT, written out as DICOM and analyzed by the command (issue 2, line 2)."""

import json
import re
from pathlib import Path

import highdicom
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.cli.main import main
from tests.phantoms.dicom_series import SeriesPlan, ct_series, write_series
from tests.phantoms.shared_data import shared

CARD = Path(__file__).parents[3] / "models" / "liver_tumor_ct"
CASES = ("ircad_16", "lits_002", "lits_013")
CARD_TOLERANCE = 0.01


def write_case_as_dicom(case: str, folder: Path) -> Path:
    """The NIfTI case as an axial CT series; identity direction, so no axis moves."""
    image = sitk.ReadImage(str(shared("data", "ct", "validation", case, "ct.nii.gz")))
    column, row, slice_ = image.GetSpacing()
    plan = SeriesPlan(
        study=case,
        series=case,
        description="portal venous",
        spacing_mm=(slice_, row, column),
        origin_mm=image.GetOrigin(),
        attributes={"ContrastBolusAgent": "IOHEXOL"},
    )
    return write_series(ct_series(sitk.GetArrayFromImage(image), plan), folder)


@pytest.mark.parametrize("case", CASES)
def test_liver_dice_is_at_least_090_on_every_validation_case(case: str, tmp_path: Path) -> None:
    study = write_case_as_dicom(case, tmp_path / "study")
    out = tmp_path / "out"
    assert main(["analyze", str(study), "--out", str(out)]) == 0
    label_image = sitk.ReadImage(str(shared("data", "ct", "validation", case, "label.nii.gz")))
    label = sitk.GetArrayFromImage(label_image) > 0
    found = np.zeros(label.shape, bool)
    for z_mm, plane in liver_planes(out):
        index = round((z_mm - label_image.GetOrigin()[2]) / label_image.GetSpacing()[2])
        found[index] = plane
    dice = 2 * (found & label).sum() / (found.sum() + label.sum())
    assert dice >= 0.90
    assert dice == pytest.approx(liver_dice_in_card(case), abs=CARD_TOLERANCE)


def liver_planes(out: Path) -> list[tuple[float, NDArray[np.bool_]]]:
    """(z of the frame in mm, mask) of every liver frame of the written SEG."""
    names = [f["name"] for f in json.loads((out / "result.json").read_text())["files"]]
    seg = highdicom.seg.segread(out / next(n for n in names if "seg" in n.lower()))
    planes = []
    frames = seg.pixel_array
    for frame, groups in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
        if groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber == 1:
            position = groups.PlanePositionSequence[0].ImagePositionPatient
            planes.append((float(position[2]), frame.astype(bool)))
    return planes


def liver_dice_in_card(case: str) -> float:
    """The figure the model card claims for this case."""
    newest = max(CARD.glob("*/MODEL_CARD.md"))
    found = re.search(rf"\| {case} \| ([0-9.]+) \|", newest.read_text())
    assert found, f"the model card does not list {case}"
    return float(found[1])
