"""One slice of CT: an image, or a frame of a multi-frame image, and where it lies.

Single-frame CT (PS3.3 A.3) and Enhanced CT (PS3.3 A.38) give the same value, so everything
after this module knows slices only. Every attribute is taken from the DICOM module that
defines it for HU in patient space; nothing is guessed. In particular Imager Pixel Spacing is
never used: it lies at the detector, not in the patient (PS3.3 10.7.1.3).
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.errors import InvalidGeometryError, PixelDataError
from engine.series.attributes import integer, item, items, number, numbers, text, vector
from engine.series.headers import Instance

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2.1"
LEGACY_CONVERTED_ENHANCED_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2.2"
MULTI_FRAME_CLASSES = frozenset((ENHANCED_CT_IMAGE, LEGACY_CONVERTED_ENHANCED_CT_IMAGE))
CT_CLASSES = MULTI_FRAME_CLASSES | {CT_IMAGE}

MAXIMUM_EDGE = 8192
"""Largest Rows or Columns; CT goes to 2048. A bound against decompression bombs."""
MAXIMUM_FRAMES = 20_000
COSINE_TOLERANCE = 1e-2
"""Rounding allowed in Image Orientation (Patient) before it is no rotation any more."""

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One CT slice in patient space (LPS, mm).

    Attributes:
        instance: The DICOM object it lies in.
        frame_number: Counts from 1 in a multi-frame object; None otherwise.
        position_mm: Center of the first pixel.
        column_direction: Unit vector of increasing column index.
        row_direction: Unit vector of increasing row index.
        rows, columns: Pixels.
        row_mm, column_mm: Pixel spacing.
        slope, intercept: Stored value to HU.
        thickness_mm: Nominal slice thickness; None when not stated.
        frame_of_reference_uid: Empty when not stated.
        time_keys: Attributes that tell repeated scans of one place apart, most telling first.
    """

    instance: Instance = field(repr=False)
    frame_number: int | None
    position_mm: Vector
    column_direction: Vector
    row_direction: Vector
    rows: int
    columns: int
    row_mm: float
    column_mm: float
    slope: float
    intercept: float
    thickness_mm: float | None
    frame_of_reference_uid: str
    time_keys: tuple[tuple[str, str], ...]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector column × row direction."""
        return np.cross(self.column_direction, self.row_direction)

    @property
    def height_mm(self) -> float:
        """Distance of the slice from the origin along its normal."""
        return float(np.dot(self.normal, self.position_mm))


def read_planes(instance: Instance) -> tuple[Plane, ...]:
    """Read where the slices of one CT object lie.

    Raises:
        InvalidGeometryError: Position, orientation, spacing or size missing or broken.
        PixelDataError: Pixel values that are not HU, or no pixel data.
    """
    header = instance.header
    if instance.pixel_offset is None:
        raise PixelDataError("Pixel Data is missing (truncated file?)")
    if instance.sop_class_uid not in MULTI_FRAME_CLASSES:
        frames = integer(header, "NumberOfFrames")
        if frames not in (None, 1):
            raise InvalidGeometryError(f"A single-frame CT image states {frames} frames")
        return (_read_plane(instance, _flat_groups(header), None),)
    shared = item(header, "SharedFunctionalGroupsSequence") or Dataset()
    per_frame = items(header, "PerFrameFunctionalGroupsSequence")
    frames = integer(header, "NumberOfFrames")
    if frames is None or not 1 <= frames <= MAXIMUM_FRAMES or frames != len(per_frame):
        raise InvalidGeometryError(
            f"NumberOfFrames {frames} does not fit {len(per_frame)} per-frame groups "
            f"(at most {MAXIMUM_FRAMES})"
        )
    return tuple(
        _read_plane(instance, _functional_groups(frame, shared), index)
        for index, frame in enumerate(per_frame, start=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Groups:
    """The datasets that hold one slice's attributes (all the same one in single-frame CT)."""

    position: Dataset
    orientation: Dataset
    measures: Dataset
    rescale: Dataset
    content: Dataset


def _flat_groups(header: Dataset) -> _Groups:
    return _Groups(
        position=header, orientation=header, measures=header, rescale=header, content=header
    )


def _functional_groups(frame: Dataset, shared: Dataset) -> _Groups:
    """Per-frame groups come before shared ones (PS3.3 C.7.6.16)."""

    def find(keyword: str) -> Dataset:
        return item(frame, keyword) or item(shared, keyword) or Dataset()

    return _Groups(
        position=find("PlanePositionSequence"),
        orientation=find("PlaneOrientationSequence"),
        measures=find("PixelMeasuresSequence"),
        rescale=find("PixelValueTransformationSequence"),
        content=find("FrameContentSequence"),
    )


def _read_plane(instance: Instance, groups: _Groups, frame_number: int | None) -> Plane:
    header = instance.header
    rows, columns = _edge(header, "Rows"), _edge(header, "Columns")
    column_direction, row_direction = _directions(groups.orientation)
    row_mm, column_mm = _pixel_spacing(groups.measures, header)
    slope, intercept = _rescale(groups.rescale)
    x, y, z = vector(groups.position, "ImagePositionPatient", 3)
    return Plane(
        instance=instance,
        frame_number=frame_number,
        position_mm=(x, y, z),
        column_direction=column_direction,
        row_direction=row_direction,
        rows=rows,
        columns=columns,
        row_mm=row_mm,
        column_mm=column_mm,
        slope=slope,
        intercept=intercept,
        thickness_mm=number(groups.measures, "SliceThickness"),
        frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
        time_keys=_time_keys(groups.content, header),
    )


def _edge(header: Dataset, keyword: str) -> int:
    value = integer(header, keyword)
    if value is None or not 1 <= value <= MAXIMUM_EDGE:
        raise PixelDataError(f"{keyword} needs 1 to {MAXIMUM_EDGE} pixels, got {value}")
    return value


def _directions(orientation: Dataset) -> tuple[Vector, Vector]:
    """Image Orientation (Patient) as two orthonormal vectors, its rounding removed."""
    cosines = np.array(vector(orientation, "ImageOrientationPatient", 6))
    column, row = cosines[:3], cosines[3:]
    lengths = float(np.linalg.norm(column)), float(np.linalg.norm(row))
    skew = abs(float(column @ row))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), skew) > COSINE_TOLERANCE:
        raise InvalidGeometryError(
            f"ImageOrientationPatient is no pair of orthogonal unit vectors: {cosines.tolist()}"
        )
    column = column / lengths[0]
    row = row - (row @ column) * column
    row = row / np.linalg.norm(row)
    return _as_vector(column), _as_vector(row)


def _as_vector(array: NDArray[np.float64]) -> Vector:
    x, y, z = (float(value) + 0.0 for value in array)
    return (x, y, z)


def _pixel_spacing(measures: Dataset, header: Dataset) -> tuple[float, float]:
    if not numbers(measures, "PixelSpacing"):
        hint = (
            "; ImagerPixelSpacing lies at the detector and is not used"
            if numbers(header, "ImagerPixelSpacing")
            else ""
        )
        raise InvalidGeometryError(f"PixelSpacing is missing{hint}")
    row_mm, column_mm = vector(measures, "PixelSpacing", 2)
    if not (row_mm > 0 and column_mm > 0):
        raise InvalidGeometryError(
            f"PixelSpacing must be above 0 mm, got {row_mm:g} and {column_mm:g}"
        )
    return row_mm, column_mm


def _rescale(rescale: Dataset) -> tuple[float, float]:
    """Slope and intercept to HU; Rescale Type is HU when absent (PS3.3 C.8.2.1)."""
    kind = text(rescale, "RescaleType").upper()
    if kind not in ("", "HU"):
        raise PixelDataError(f"RescaleType must be HU, got {kind}; these are no CT numbers")
    slope, intercept = number(rescale, "RescaleSlope"), number(rescale, "RescaleIntercept")
    if slope is None or intercept is None or slope == 0:
        raise PixelDataError(
            f"RescaleSlope and RescaleIntercept must be numbers, slope not 0, "
            f"got {slope} and {intercept}"
        )
    if not (math.isfinite(slope) and abs(slope) <= 1e3 and abs(intercept) <= 1e6):
        raise PixelDataError(f"RescaleSlope {slope:g} or Intercept {intercept:g} is no CT scale")
    return slope, intercept


def _time_keys(content: Dataset, header: Dataset) -> tuple[tuple[str, str], ...]:
    names = (
        (content, "TemporalPositionIdentifier"),
        (content, "TemporalPositionIndex"),
        (content, "StackID"),
        (content, "AcquisitionNumber"),
        (content, "FrameAcquisitionNumber"),
        (header, "ConvolutionKernel"),
        (header, "ContrastBolusAgent"),
        (content, "AcquisitionTime"),
        (content, "FrameAcquisitionDateTime"),
    )
    return tuple((name, text(dataset, name)) for dataset, name in names)
