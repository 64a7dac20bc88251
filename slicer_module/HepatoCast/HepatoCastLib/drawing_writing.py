"""Edited segments as the .seg.nrrd that ``hepatocast measure`` reads; runs beside the engine.

The form is the one 3D Slicer itself saves: segments that overlap lie in layers of one image.
"""

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

CODES = {
    "liver": "SCT^91723000^Anatomical Structure~SCT^10200004^Liver",
    "lesion": "SCT^49755003^Morphologically Abnormal Structure~SCT^108369006^Neoplasm",
}
CONTEXT = "Segmentation category and type - DICOM master list"


def write_drawing(job: dict[str, Any]) -> None:
    """Write all segments of a job onto one grid.

    Args:
        job: "file" (where to), "shape" and "affine" of the grid ([slice, row, column] to LPS
            mm), and "segments": each with "mask" (.npy, bool), "corner", "name", "meaning"
            ("liver" or "lesion") and "tracking_uid".
    """
    layers: list[NDArray[np.uint8]] = []
    tags: dict[str, str] = {"Segmentation_SourceRepresentation": "Binary labelmap"}
    for number, segment in enumerate(job["segments"]):
        mask = np.load(segment["mask"], mmap_mode="r")
        box = tuple(
            slice(low, low + count)
            for low, count in zip(segment["corner"], mask.shape, strict=True)
        )
        layer, value = _place(layers, mask, box, tuple(job["shape"]))
        tags[f"Segment{number}_ID"] = f"Segment_{number}"
        tags[f"Segment{number}_Name"] = segment["name"]
        tags[f"Segment{number}_Layer"] = str(layer)
        tags[f"Segment{number}_LabelValue"] = str(value)
        tags[f"Segment{number}_Tags"] = (
            f"TerminologyEntry:{CONTEXT}~{CODES[segment['meaning']]}~^^~^^~^^~^^|"
            f"TrackingUID:{segment['tracking_uid']}|"
        )
    image = make_image(layers, np.array(job["affine"]))
    for key, text in tags.items():
        image.SetMetaData(key, text)
    sitk.WriteImage(image, str(Path(job["file"])), useCompression=False)


def _place(
    layers: list[NDArray[np.uint8]],
    mask: NDArray[np.bool_],
    box: tuple[slice, ...],
    shape: tuple[int, ...],
) -> tuple[int, int]:
    """Put a mask into the first layer that is free there; the layer and the value used."""
    for index, layer in enumerate(layers):
        value = int(layer.max()) + 1
        if value <= np.iinfo(np.uint8).max and not layer[box][mask].any():
            layer[box][mask] = value
            return index, value
    layers.append(np.zeros(shape, np.uint8))
    layers[-1][box][mask] = 1
    return len(layers) - 1, 1


def make_image(layers: list[NDArray[np.uint8]], affine: NDArray[np.float64]) -> sitk.Image:
    """The layers as one image in patient space."""
    image = sitk.GetImageFromArray(np.stack(layers, axis=-1), isVector=True)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing[::-1].tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / spacing)[:, ::-1].ravel().tolist())
    return image
