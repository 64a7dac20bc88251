"""Lesion instances and what is measured on them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.values.geometry import VolumeGeometry
from engine.values.identity import ImageReference

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diameter:
    """A distance between two voxel positions.

    Attributes:
        length_mm: Distance between the end points.
        ends_mm: The two end points in the patient coordinate system (LPS, mm).
        slice_index: Slice of the volume both ends lie on; None for a 3D diameter.
    """

    length_mm: float
    ends_mm: tuple[Point, Point]
    slice_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One connected tumor inside the liver.

    Attributes:
        number: Counts from 1, largest volume first (in a corrected result in the order of
            the segments); also its value in the label map.
        tracking_id: Human-readable, stable within the study ("Lesion 1").
        tracking_uid: Derived from the job's identity, stable over retries.
        volume_ml: Voxel count times voxel volume.
        centroid_mm: Mean voxel position (LPS).
        long_axis: Longest diameter in one axial (acquired) slice (RECIST 1.1,
            doi:10.1016/j.ejca.2008.10.026).
        short_axis: Longest diameter perpendicular to ``long_axis`` in the same slice.
        maximum_3d_diameter: Longest distance between any two surface voxels.
        capsule_distance_mm: Least distance from the lesion to the liver's surface.
        confidence: Mean network tumor probability inside the lesion, 0..1; None where a
            person drew it.
        mean_hu: Mean intensity in the reference phase.
        source: Source image of the slice that carries ``long_axis``.
    """

    number: int
    tracking_id: str
    tracking_uid: str
    volume_ml: float
    centroid_mm: Point
    long_axis: Diameter
    short_axis: Diameter
    maximum_3d_diameter: Diameter
    capsule_distance_mm: float
    confidence: float | None
    mean_hu: float
    source: ImageReference


@dataclass(frozen=True, slots=True, kw_only=True)
class TumorBurden:
    """Size and number criteria on the measured lesions.

    A criterion is None when it cannot be decided from the images alone, never guessed.
    Each assumes no macrovascular invasion and no extrahepatic disease, which this
    engine does not look for; the report says so.

    Attributes:
        number: Lesions.
        largest_mm: Largest long-axis diameter; 0 without a lesion.
        sum_mm: Sum of the long-axis diameters.
        total_volume_ml: Sum of lesion volumes.
        liver_volume_ml: Liver, tumors included.
        tumor_fraction: total_volume_ml / liver_volume_ml.
        tumor_burden_score: sqrt(largest_cm² + number²), doi:10.1097/SLA.0000000000002064.
        within_milan: One ≤ 50 mm or up to three each ≤ 30 mm
            (doi:10.1056/NEJM199603143341104).
        within_ucsf: One ≤ 65 mm or up to three ≤ 45 mm with sum ≤ 80 mm
            (doi:10.1053/jhep.2001.24563).
        within_up_to_seven: Largest in cm + number ≤ 7 (doi:10.1016/S1470-2045(08)70284-5).
    """

    number: int
    largest_mm: float
    sum_mm: float
    total_volume_ml: float
    liver_volume_ml: float
    tumor_fraction: float
    tumor_burden_score: float | None
    within_milan: bool | None
    within_ucsf: bool | None
    within_up_to_seven: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionFindings:
    """Output of the lesions stage.

    Attributes:
        liver: The liver as an organ, tumors included; bool, read-only.
        lesion_labels: 0 or the lesion's number; uint8, read-only.
        lesions: Largest first; empty when none was found.
        burden: Size and number criteria.
        liver_centroid_mm: Mean voxel position of the liver (LPS).
    """

    liver: NDArray[np.bool_] = field(repr=False)
    lesion_labels: NDArray[np.uint8] = field(repr=False)
    geometry: VolumeGeometry
    lesions: tuple[Lesion, ...]
    burden: TumorBurden
    liver_centroid_mm: Point

    def __post_init__(self) -> None:
        self.liver.flags.writeable = False
        self.lesion_labels.flags.writeable = False

    def key_slice_index(self, lesion: Lesion) -> int:
        """Slice of the volume to show a lesion on.

        The one its long axis lies on; where that axis cuts across the acquired slices
        (a coronal or sagittal stack), the one with the lesion's largest section.
        """
        if lesion.long_axis.slice_index is not None:
            return lesion.long_axis.slice_index
        area = np.count_nonzero(self.lesion_labels == lesion.number, axis=(1, 2))
        return int(area.argmax())
