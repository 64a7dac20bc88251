"""A label map as a drawing: NRRD or NIfTI, and what 3D Slicer saves as .seg.nrrd.

A plain label map says 1 for the liver and n + 1 for lesion n, as the engine's LABELMAP does.
A .seg.nrrd names its segments itself ("Segment0_Name", "_LabelValue", "_Layer", "_Tags"), may
hold overlapping ones in layers, and may be cropped.
"""

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.correction.drawn import Drawn
from engine.correction.lattice import place
from engine.correction.meaning import Meaning, meaning_of
from engine.correction.seg_reading import ReadSegment, assemble
from engine.errors import CorrectionError
from engine.values.model import CodedSegment
from engine.values.volume import Volume

LIVER_VALUE = 1
SLICER_MARK = "Segmentation_MasterRepresentation"
SLICER_MARKS = (SLICER_MARK, "Segmentation_SourceRepresentation", "Segment0_ID")
NAMED = re.compile(r"Segment(\d+)_ID")
TAG = re.compile(r"([^:|]+):([^|]*)\|?")


def read_labelmap(path: Path, volume: Volume, segments: tuple[CodedSegment, ...]) -> Drawn:
    """Read liver and lesions of a label map onto the volume's grid.

    Args:
        path: NRRD or NIfTI; positions in patient space as the format defines them.
        volume: The reference volume.
        segments: The model's codes of liver and tumor.

    Raises:
        CorrectionError: Unreadable, off the grid, of another shape, or without a liver.
    """
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise CorrectionError(
            f"{path.name} is neither DICOM SEG nor a readable NRRD or NIfTI label map"
        ) from error
    if image.GetDimension() != 3:
        raise CorrectionError(f"{path.name} has {image.GetDimension()} axes; a label map has 3")
    layers = sitk.GetArrayFromImage(image)
    if layers.ndim == 3:
        layers = layers[..., np.newaxis]
    if not np.issubdtype(layers.dtype, np.integer):
        if not np.array_equal(layers, np.rint(layers)):
            raise CorrectionError(f"{path.name} holds fractions; a label map holds whole numbers")
        layers = layers.astype(np.int32)
    read = _named(image, segments) if is_slicers(image) else _plain(layers)
    return assemble(_placed(read, layers, image, volume))


def is_slicers(image: sitk.Image) -> bool:
    """Tell whether 3D Slicer wrote the file as a segmentation."""
    return any(image.HasMetaDataKey(mark) for mark in SLICER_MARKS)


def affine_of(image: sitk.Image) -> NDArray[np.float64]:
    """4×4, homogeneous index [slice, row, column] to LPS mm."""
    directions = np.array(image.GetDirection()).reshape(3, 3)
    affine = np.eye(4)
    affine[:3, :3] = (directions * np.array(image.GetSpacing()))[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return affine


Source = tuple[str, Meaning, str, int, int]
"""Name, meaning, tracking UID, layer, value."""


def _plain(layers: NDArray[np.integer]) -> list[Source]:
    values = [int(value) for value in np.unique(layers) if value > 0]
    sources: list[Source] = [("Liver", Meaning.LIVER, "", 0, LIVER_VALUE)]
    for value in values:
        if value != LIVER_VALUE:
            sources.append((f"Lesion {value - 1}", Meaning.LESION, "", 0, value))
    return sources


def _named(image: sitk.Image, segments: tuple[CodedSegment, ...]) -> list[Source]:
    numbers = sorted(
        int(found.group(1)) for key in image.GetMetaDataKeys() if (found := NAMED.fullmatch(key))
    )
    sources: list[Source] = []
    for number in numbers:
        tags = dict(TAG.findall(_text(image, f"Segment{number}_Tags")))
        category, kind = _codes(tags.get("TerminologyEntry", ""))
        sources.append(
            (
                tags.get("TrackingID") or _text(image, f"Segment{number}_Name"),
                meaning_of(category, kind, segments),
                tags.get("TrackingUID", ""),
                int(_text(image, f"Segment{number}_Layer") or 0),
                int(_text(image, f"Segment{number}_LabelValue") or 1),
            )
        )
    return sources


def _codes(entry: str) -> tuple[str, str]:
    """Category and type code values of Slicer's "context~S^V^M~S^V^M~…"."""
    codes = [part.split("^") for part in entry.split("~")[1:3]]
    values = [code[1] if len(code) > 1 else "" for code in codes]
    return (values[0], values[1]) if len(values) == 2 else ("", "")


def _text(image: sitk.Image, key: str) -> str:
    return str(image.GetMetaData(key)) if image.HasMetaDataKey(key) else ""


def _placed(
    sources: list[Source], layers: NDArray[np.integer], image: sitk.Image, volume: Volume
) -> list[ReadSegment]:
    grid = volume.geometry
    depth, height, width, count = layers.shape
    placement = place((depth, height, width), affine_of(image), grid, "The label map")
    if placement.shape != grid.shape and not is_slicers(image):
        raise CorrectionError(
            f"The label map has {placement.shape} voxels along the reference series' axes, the "
            f"reference series {grid.shape}; draw on the reference series"
        )
    read = []
    for number, (name, meaning, uid, layer, value) in enumerate(sources, start=1):
        if layer >= count:
            raise CorrectionError(f"{name!r} names layer {layer}; the file has {count}")
        mask = np.zeros(grid.shape, np.bool_)
        mask[placement.box] = placement.turn(layers[..., layer] == value)
        read.append(
            ReadSegment(number=number, name=name, meaning=meaning, tracking_uid=uid, mask=mask)
        )
    return read
