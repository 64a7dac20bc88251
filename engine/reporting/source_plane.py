"""Planes of the source images: where a cited pixel lies and how to cite it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.errors import InvalidGeometryError
from engine.values.identity import ImageReference
from engine.values.volume import Volume

HALF_PIXEL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlane:
    """One source image or frame as a plane in patient space.

    Attributes:
        reference: The image.
        header: Its dataset (for a multi-frame image, the whole image's).
        position_mm: Image Position (Patient).
        along_row, along_column: The two triplets of Image Orientation (Patient).
        row_mm, column_mm: Pixel Spacing, first and second value.
    """

    reference: ImageReference
    header: Dataset = field(repr=False)
    position_mm: tuple[float, float, float]
    along_row: tuple[float, float, float]
    along_column: tuple[float, float, float]
    row_mm: float
    column_mm: float

    def project(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Drop points onto the plane along its normal.

        Args:
            points_mm: LPS positions, shape (n, 3).

        Returns:
            (column, row) of each point as SCOORD Graphic Data counts them, where the
            center of the first pixel is (0.5, 0.5) (PS3.3 C.18.6.1.2), shape (n, 2).
        """
        offset = np.asarray(points_mm, np.float64) - np.array(self.position_mm)
        column = offset @ np.array(self.along_row) / self.column_mm
        row = offset @ np.array(self.along_column) / self.row_mm
        return np.stack([column, row], -1) + HALF_PIXEL

    def distance_mm(self, points_mm: NDArray[np.float64]) -> float:
        """Largest distance of the points from the plane."""
        normal = np.cross(self.along_row, self.along_column)
        return float(np.abs((points_mm - np.array(self.position_mm)) @ normal).max())


def _group(header: Dataset, frame: int, keyword: str) -> Dataset:
    own = header.PerFrameFunctionalGroupsSequence[frame - 1]
    shared = header.SharedFunctionalGroupsSequence[0]
    for item in (own, shared):
        if keyword in item:
            found: Dataset = item[keyword].value[0]
            return found
    raise InvalidGeometryError(
        f"Frame {frame} of {header.SOPInstanceUID} needs a {keyword}; none was found"
    )


def _plane(header: Dataset, reference: ImageReference) -> SourcePlane:
    position = orientation = measures = header
    if reference.frame_number is not None:
        position = _group(header, reference.frame_number, "PlanePositionSequence")
        orientation = _group(header, reference.frame_number, "PlaneOrientationSequence")
        measures = _group(header, reference.frame_number, "PixelMeasuresSequence")
    cosines = [float(v) for v in orientation.ImageOrientationPatient]
    spacing = [float(v) for v in measures.PixelSpacing]
    x, y, z = (float(v) for v in position.ImagePositionPatient)
    return SourcePlane(
        reference=reference,
        header=header,
        position_mm=(x, y, z),
        along_row=(cosines[0], cosines[1], cosines[2]),
        along_column=(cosines[3], cosines[4], cosines[5]),
        row_mm=spacing[0],
        column_mm=spacing[1],
    )


def find_planes(volume: Volume) -> tuple[SourcePlane, ...]:
    """The nearest source plane of every slice of the volume, in slice order.

    Raises:
        InvalidGeometryError: A slice names a source image whose header the volume lacks.
    """
    headers = {str(header.SOPInstanceUID): header for header in volume.headers}
    planes = []
    for slice_index, sources in enumerate(volume.slice_sources):
        header = headers.get(sources[0].sop_instance_uid) if sources else None
        if header is None:
            raise InvalidGeometryError(
                f"Slice {slice_index} names no source image among the volume's "
                f"{len(headers)} headers; each slice needs at least one"
            )
        planes.append(_plane(header, sources[0]))
    return tuple(planes)
