"""The phantom's result as a folder, and the phantom's CT as a node in the scene.

The result objects are composed by the engine's own reporting; only the network is left out.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from engine.reporting.composition import compose_reports
from engine.reporting.writing import publish
from engine.values.geometry import VolumeGeometry
from tests.phantoms.analysis_result import SEGMENTS, make_result, make_volume
from tests.phantoms.report_patient import TWO_LESIONS, Ball

COARSE_MM = 4.0
FLIP_XY = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_recorded_result(folder: Path, orientation: str) -> Path:
    """Compose and publish the phantom's result."""
    result = make_result(orientation, pixel_mm=COARSE_MM)
    publish(compose_reports(result, SEGMENTS), folder)
    return folder


def node_matrix(grid: VolumeGeometry) -> np.ndarray:
    """IJK to RAS of a grid, from its own words: positions of single voxels."""
    matrix = np.eye(4)
    origin = grid.to_patient(np.zeros(3))
    for axis, index in enumerate(([0, 0, 1], [0, 1, 0], [1, 0, 0])):
        matrix[:3, axis] = grid.to_patient(np.array(index, float)) - origin
    matrix[:3, 3] = origin
    return FLIP_XY @ matrix


def phantom_node(orientation: str) -> Any:  # noqa: ANN401 - MRML node
    """The phantom's CT as a scalar volume node."""
    import slicer  # noqa: PLC0415 - only once the stand is up

    volume, _, _ = make_volume(orientation, pixel_mm=COARSE_MM)
    matrix = node_matrix(volume.geometry)
    return slicer.util.addVolumeFromArray(volume.voxels_hu.copy(), matrix, "CT")


def write_phantom_series(
    folder: Path,
    *,
    lesion_hu: int = 62,
    lesions: tuple[Ball, ...] | None = None,
    orientation: str = "axial",
) -> dict[str, str]:
    """The phantom's CT as DICOM files; paths by SOP Instance UID, in slice order.

    Without ``lesions`` it holds the usual two, the first at ``lesion_hu``.
    """
    folder.mkdir(parents=True)
    lesions = lesions or (replace(TWO_LESIONS[0], hu=lesion_hu), *TWO_LESIONS[1:])
    volume, _, _ = make_volume(orientation, lesions=lesions, pixel_mm=COARSE_MM)
    paths = {}
    for header, pixels in zip(volume.headers, volume.voxels_hu, strict=True):
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation = 15, 1
        header.RescaleIntercept, header.RescaleSlope = "0", "1"
        header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        header.PixelData = pixels.tobytes()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"{header.InstanceNumber:04d}.dcm"
        header.save_as(path, enforce_file_format=True)
        paths[str(header.SOPInstanceUID)] = str(path)
    return paths
