"""Geometry gate: our own SEG, decoded again from its bytes, must lie where we measured it.

The decoder below knows nothing of how the object was composed: it unpacks bits and reads
functional groups straight from the standard (PS3.3 C.8.20, PS3.5 8.1.1). Nothing is written
before every segment's voxels, volume and centroid agree (DESIGN decision 9).
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.errors import GeometryGateError
from engine.values.lesion import LesionFindings

CENTROID_TOLERANCE_MM = 0.05
VOLUME_TOLERANCE = 1e-4
PLANE_TOLERANCE_MM = 0.05
LIVER_SEGMENT = 1


@dataclass(slots=True, kw_only=True)
class DecodedSegment:
    """What one segment amounts to in patient space.

    Attributes:
        volume_ml: Voxels times their volume.
        moment_mm: Sum of volume-weighted voxel positions.
        voxels: Number of voxels.
        planes: Frame position (LPS, mm) and mask of every frame.
    """

    volume_ml: float = 0.0
    voxels: int = 0
    moment_mm: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    planes: list[tuple[NDArray[np.float64], NDArray[np.bool_]]] = field(default_factory=list)

    @property
    def centroid_mm(self) -> NDArray[np.float64]:
        """Mean voxel position (LPS, mm)."""
        return self.moment_mm / max(self.volume_ml, 1e-12)


def _frames(seg: Dataset) -> Iterator[tuple[Dataset, NDArray[np.uint16]]]:
    """Pair each per-frame item with its stored values, decoded from raw Pixel Data."""
    rows, columns, bits = int(seg.Rows), int(seg.Columns), int(seg.BitsAllocated)
    pixels = rows * columns
    raw = np.frombuffer(seg.PixelData, np.uint8)
    for number, item in enumerate(seg.PerFrameFunctionalGroupsSequence):
        if bits == 1:
            first = number * pixels
            packed = raw[first // 8 : (first + pixels + 7) // 8]
            values = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + pixels]
        else:
            stored = raw.view("<u2") if bits == 16 else raw
            values = stored[number * pixels : (number + 1) * pixels]
        yield item, values.reshape(rows, columns).astype(np.uint16)


def _shared_or_own(seg: Dataset, item: Dataset, keyword: str) -> Dataset:
    for group in (item, seg.SharedFunctionalGroupsSequence[0]):
        if keyword in group:
            found: Dataset = group[keyword].value[0]
            return found
    raise GeometryGateError(f"A frame of the SEG has no {keyword}, own or shared")


def _masks(
    seg: Dataset, item: Dataset, values: NDArray[np.uint16]
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    if seg.SegmentationType == "LABELMAP":
        if values.any():
            yield LIVER_SEGMENT, values > 0
        for number in np.unique(values[values > LIVER_SEGMENT]):
            yield int(number), values == number
        return
    number = _shared_or_own(seg, item, "SegmentIdentificationSequence").ReferencedSegmentNumber
    yield int(number), values > 0


def decode_segments(content: bytes) -> dict[int, DecodedSegment]:
    """Decode a SEG file into segments in patient space.

    In a LABELMAP the lesions count as liver too, so that segment 1 always is the organ.

    Returns:
        Segment number → what it amounts to; segments without a voxel are absent.
    """
    seg = pydicom.dcmread(io.BytesIO(content))
    segments: dict[int, DecodedSegment] = {}
    for item, values in _frames(seg):
        position = np.array(
            _shared_or_own(seg, item, "PlanePositionSequence").ImagePositionPatient, np.float64
        )
        cosines = np.array(
            _shared_or_own(seg, item, "PlaneOrientationSequence").ImageOrientationPatient,
            np.float64,
        )
        measures = _shared_or_own(seg, item, "PixelMeasuresSequence")
        row_mm, column_mm = (float(v) for v in measures.PixelSpacing)
        voxel_ml = row_mm * column_mm * float(measures.SpacingBetweenSlices) / 1000.0
        for number, mask in _masks(seg, item, values):
            per_row, per_column = mask.sum(1), mask.sum(0)
            count = int(per_row.sum())
            if not count:
                continue
            down = float(per_row @ np.arange(mask.shape[0])) * row_mm
            across = float(per_column @ np.arange(mask.shape[1])) * column_mm
            moment = position * count + cosines[:3] * across + cosines[3:] * down
            segment = segments.setdefault(number, DecodedSegment())
            segment.voxels += count
            segment.volume_ml += count * voxel_ml
            segment.moment_mm = segment.moment_mm + moment * voxel_ml
            segment.planes.append((position, mask))
    return segments


def _check_measures(
    name: str, decoded: DecodedSegment, volume_ml: float, centroid_mm: tuple[float, ...]
) -> None:
    if abs(decoded.volume_ml - volume_ml) > VOLUME_TOLERANCE * volume_ml:
        raise GeometryGateError(
            f"{name} in the SEG has {decoded.volume_ml:.4f} mL, the engine measured "
            f"{volume_ml:.4f} mL; nothing was written"
        )
    gap = float(np.linalg.norm(decoded.centroid_mm - np.array(centroid_mm)))
    if not gap <= CENTROID_TOLERANCE_MM:
        raise GeometryGateError(
            f"{name} in the SEG lies {gap:.3f} mm from where the engine measured it, at most "
            f"{CENTROID_TOLERANCE_MM} mm are allowed; nothing was written"
        )


def _check_voxels(
    name: str, decoded: DecodedSegment, mask: NDArray[np.bool_], findings: LesionFindings
) -> None:
    """Every frame must be the slice of the mask that lies at the frame's position."""
    grid = findings.geometry
    for position, plane in decoded.planes:
        index = grid.to_index(position)
        slice_index = round(float(index[0]))
        at_slice = np.array([slice_index, 0.0, 0.0])
        off = float(np.linalg.norm(grid.to_patient(at_slice) - position))
        if not 0 <= slice_index < grid.shape[0] or off > PLANE_TOLERANCE_MM:
            raise GeometryGateError(
                f"{name}: a SEG frame at {np.round(position, 3).tolist()} mm lies {off:.3f} mm "
                "off every slice of the volume; nothing was written"
            )
        if not np.array_equal(plane, mask[slice_index]):
            raise GeometryGateError(
                f"{name}: the SEG frame on slice {slice_index} does not hold the voxels of the "
                "engine's mask; nothing was written"
            )
    expected = int(mask.sum())
    if decoded.voxels != expected:
        raise GeometryGateError(
            f"{name}: the SEG holds {decoded.voxels} voxels, the mask {expected}; "
            "nothing was written"
        )


def check_geometry(content: bytes, findings: LesionFindings) -> None:
    """Compare a composed SEG with the engine's masks and measurements.

    Args:
        content: The SEG file as it would be written.
        findings: Masks on the volume's grid and what was measured on them.

    Raises:
        GeometryGateError: A segment is missing, foreign, displaced or of another size.
    """
    decoded = decode_segments(content)
    expected = {LIVER_SEGMENT} if findings.liver.any() else set()
    expected |= {lesion.number + 1 for lesion in findings.lesions}
    if set(decoded) != expected:
        raise GeometryGateError(
            f"The SEG holds segments {sorted(decoded)}, the engine found {sorted(expected)}; "
            "nothing was written"
        )
    for number, segment in decoded.items():
        if number == LIVER_SEGMENT:
            volume_ml, centroid = findings.burden.liver_volume_ml, findings.liver_centroid_mm
            name, mask = "The liver", findings.liver | (findings.lesion_labels > 0)
        else:
            lesion = findings.lesions[number - 2]
            volume_ml, centroid = lesion.volume_ml, lesion.centroid_mm
            name, mask = lesion.tracking_id, findings.lesion_labels == lesion.number
        _check_measures(name, segment, volume_ml, centroid)
        _check_voxels(name, segment, mask, findings)
