"""A DICOM SEG object as one label map and a list of coded segments; runs beside the engine.

The object is read independently of the code that wrote it, with pydicom and numpy alone, and
is refused when it does not lie on the grid that result.json names.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from highdicom.color import CIELabColor
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

LABELS_FILE = "labels.npy"
SEGMENTS_FILE = "segments.json"
ON_GRID_VOXELS = 0.01


class SegmentationMismatchError(ValueError):
    """The SEG object does not lie where the result says."""


def unpack_segmentation(folder: Path) -> None:
    """Write labels.npy (1 liver, n lesion n - 1) and segments.json beside seg.dcm.

    Raises:
        SegmentationMismatchError: Frame of reference or position disagree with result.json.
    """
    seg = dcmread(folder / "seg.dcm")
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    geometry = result["reference"]["geometry"]
    wanted = geometry["frame_of_reference_uid"]
    if wanted and seg.FrameOfReferenceUID != wanted:
        raise SegmentationMismatchError(
            f"SEG names frame of reference {seg.FrameOfReferenceUID}, the result {wanted}"
        )
    labels = read_labels(seg, geometry)
    described = [describe_segment(item, labels) for item in seg.SegmentSequence]
    np.save(folder / LABELS_FILE, labels)
    (folder / SEGMENTS_FILE).write_text(json.dumps(described), encoding="utf-8")


def read_labels(seg: Dataset, geometry: dict[str, Any]) -> NDArray[np.uint16]:
    """Higher segment numbers win, because lesions lie inside the liver.

    Args:
        seg: BINARY segmentation.
        geometry: "geometry" of result.json.
    """
    shape = tuple(geometry["shape"])
    labels = np.zeros(shape, np.uint16)
    size = seg.Rows * seg.Columns
    bits = np.unpackbits(np.frombuffer(seg.PixelData, np.uint8), bitorder="little")
    for index, groups in enumerate(seg.PerFrameFunctionalGroupsSequence):
        place = functional_group(seg, groups, "PlanePositionSequence")
        position = np.array(place.ImagePositionPatient, np.float64)
        plane = labels[slice_of(position, geometry)]
        identification = functional_group(seg, groups, "SegmentIdentificationSequence")
        number = identification.ReferencedSegmentNumber
        frame = bits[index * size : (index + 1) * size].reshape(seg.Rows, seg.Columns)
        plane[(frame > 0) & (plane < number)] = number
    return labels


def functional_group(seg: Dataset, frame: Dataset, keyword: str) -> Dataset:
    """A frame's functional group; shared where it is the same for all frames (one segment).

    Raises:
        SegmentationMismatchError: The object has it in neither place.
    """
    for groups in (frame, seg.SharedFunctionalGroupsSequence[0]):
        if keyword in groups:
            return groups[keyword][0]
    raise SegmentationMismatchError(f"The SEG object has no {keyword}")


def slice_of(position_mm: NDArray[np.float64], geometry: dict[str, Any]) -> int:
    """The slice whose first voxel lies at a frame's position.

    Raises:
        SegmentationMismatchError: There is none.
    """
    directions = np.array(geometry["directions"])
    offset = position_mm - np.array(geometry["origin_mm"])
    index = directions @ offset / np.array(geometry["spacing_mm"])
    nearest = round(float(index[0]))
    gap = np.abs(index - (nearest, 0, 0)).max()
    if gap > ON_GRID_VOXELS or not 0 <= nearest < geometry["shape"][0]:
        raise SegmentationMismatchError(
            f"A SEG frame lies at {position_mm.tolist()}, {gap:.2f} voxels off the result's grid"
        )
    return nearest


def describe_segment(item: Dataset, labels: NDArray[np.uint16]) -> dict[str, Any]:
    """One segment as plain JSON, with the box [start, stop) that holds it."""
    number = int(item.SegmentNumber)
    mask = labels > 0 if number == 1 else labels == number
    color = CIELabColor(*_lab(item.RecommendedDisplayCIELabValue))
    return {
        "number": number,
        "name": str(item.SegmentLabel),
        "rgb": [int(value) for value in color.to_rgb()],
        "category": _coded(item.SegmentedPropertyCategoryCodeSequence[0]),
        "type": _coded(item.SegmentedPropertyTypeCodeSequence[0]),
        "region": _coded(*item.get("AnatomicRegionSequence", [])),
        "tracking_id": str(item.get("TrackingID", "")),
        "tracking_uid": str(item.get("TrackingUID", "")),
        "box": bounding_box(mask),
    }


def bounding_box(mask: NDArray[np.bool_]) -> list[list[int]]:
    """[start, stop) along slice, row and column; empty ranges for an empty mask."""
    spans = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append([int(hit[0]), int(hit[-1]) + 1] if len(hit) else [0, 0])
    return spans


def _lab(value: Any) -> tuple[float, float, float]:
    """CIELab from its unsigned 16 bit form (PS3.3 C.10.7.1.1)."""
    lightness, a, b = (float(part) for part in value)
    return lightness * 100 / 65535, a * 255 / 65535 - 128, b * 255 / 65535 - 128


def _coded(item: Dataset | None = None) -> dict[str, str]:
    if item is None:
        return {"value": "", "scheme": "", "meaning": ""}
    return {
        "value": str(item.CodeValue),
        "scheme": str(item.CodingSchemeDesignator),
        "meaning": str(item.CodeMeaning),
    }
