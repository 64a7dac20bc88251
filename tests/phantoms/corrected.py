"""An analyzed study and contours that somebody else's software wrote for it (highdicom, ITK)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from engine.cli.main import main
from engine.reporting.gate import decode_segments
from tests.phantoms.packages import write_threshold_package
from tests.phantoms.recorded_result import write_phantom_series
from tests.phantoms.report_patient import TWO_LESIONS

LESION_HU = 220
LIVER_CODES = (codes.SCT.AnatomicalStructure, codes.SCT.Liver)
LESION_CODES = (codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Neoplasm)
Masks = dict[str, NDArray[np.bool_]]
Edit = Callable[[Masks], None]


@dataclass(frozen=True)
class Analyzed:
    """A study with its automatic result by the threshold network."""

    study: Path
    model: Path
    result: Path
    paths: dict[str, str]

    @property
    def document(self) -> dict[str, Any]:
        """The automatic result.json."""
        return read_document(self.result)

    def measure(self, drawing: Path, out: Path, *more: str) -> int:
        """Run ``hepatocast measure`` against the automatic result."""
        options = ["--out", str(out), "--model", str(self.model), "--seg", str(drawing)]
        predecessor = ["--predecessor", str(self.result / "sr.dcm")]
        return main(["measure", str(self.study), *options, *predecessor, *more])


def read_document(folder: Path) -> dict[str, Any]:
    """The result.json of a folder."""
    document = json.loads((folder / "result.json").read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def analyze_phantom(root: Path, orientation: str = "axial") -> Analyzed:
    """Two bright lesions that the threshold network finds exactly."""
    lesions = tuple(replace(ball, hu=LESION_HU) for ball in TWO_LESIONS)
    paths = write_phantom_series(root / "study", lesions=lesions, orientation=orientation)
    model = write_threshold_package(root / "models")
    out = root / "automatic"
    options = ["--out", str(out), "--model", str(model), "--device", "cpu"]
    assert main(["analyze", str(root / "study"), *options]) == 0
    return Analyzed(study=root / "study", model=model, result=out, paths=paths)


def read_masks(analyzed: Analyzed) -> Masks:
    """The automatic segments by name, [slice, row, column] in the order of the files."""
    images = [pydicom.dcmread(path) for path in analyzed.paths.values()]
    positions = [np.array(image.ImagePositionPatient, float) for image in images]
    shape = (len(images), images[0].Rows, images[0].Columns)
    masks = {}
    for number, segment in decode_segments((analyzed.result / "seg.dcm").read_bytes()).items():
        mask = np.zeros(shape, bool)
        for position, plane in segment.planes:
            gaps = [float(np.linalg.norm(position - there)) for there in positions]
            mask[int(np.argmin(gaps))] = plane
        masks["Liver" if number == 1 else f"Lesion {number - 1}"] = mask
    return masks


def write_seg(analyzed: Analyzed, path: Path, edit: Edit, *, tracked: bool = True) -> Path:
    """Edit the automatic masks and write them as a BINARY SEG with highdicom."""
    masks = read_masks(analyzed)
    edit(masks)
    uids = {"Liver": analyzed.document["liver"]["tracking_uid"]}
    uids |= {le["tracking_id"]: le["tracking_uid"] for le in analyzed.document["lesions"]}
    images = [pydicom.dcmread(file) for file in analyzed.paths.values()]
    described = []
    for number, name in enumerate(masks, start=1):
        liver = name == "Liver"
        known = tracked and name in uids
        described.append(
            hd.seg.SegmentDescription(
                number,
                name,
                *(LIVER_CODES if liver else LESION_CODES),
                hd.seg.SegmentAlgorithmTypeValues.MANUAL,
                tracking_uid=uids[name] if known else None,
                tracking_id=name if known else None,
            )
        )  # fmt: skip
    seg = hd.seg.Segmentation(
        source_images=images,
        pixel_array=np.stack([mask.astype(np.uint8) for mask in masks.values()], axis=-1),
        segmentation_type="BINARY",
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=7,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="Somebody",
        manufacturer_model_name="Editor",
        software_versions="1",
        device_serial_number="1",
    )
    seg.save_as(path)
    return path


def write_labelmap(analyzed: Analyzed, path: Path, edit: Edit) -> Path:
    """Edit the automatic masks and write them as a label map with ITK."""
    masks = read_masks(analyzed)
    edit(masks)
    labels = np.zeros(next(iter(masks.values())).shape, np.uint8)
    for number, mask in enumerate(masks.values(), start=1):
        labels[mask] = number
    images = [pydicom.dcmread(file) for file in analyzed.paths.values()]
    first, second = (np.array(image.ImagePositionPatient, float) for image in images[:2])
    cosines = np.array(images[0].ImageOrientationPatient, float)
    row_mm, column_mm = (float(v) for v in images[0].PixelSpacing)
    step = second - first
    image = sitk.GetImageFromArray(labels)
    image.SetOrigin(first.tolist())
    image.SetSpacing([column_mm, row_mm, float(np.linalg.norm(step))])
    axes = np.stack([cosines[:3], cosines[3:], step / np.linalg.norm(step)], axis=1)
    image.SetDirection(axes.ravel().tolist())
    sitk.WriteImage(image, str(path))
    return path


def untouched(_masks: Masks) -> None:
    """No edit."""
