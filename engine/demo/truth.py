"""What is truly in the demo study, kept beside the DICOM for the self-check."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.demo.anatomy import Phantom
from engine.errors import InputError
from engine.values.geometry import VolumeGeometry, VoxelSpacing

FORMAT = "hepatocast-phantom-truth-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueLesion:
    """One tumor of the phantom.

    Attributes:
        number: Its value in ``Truth.lesion_labels``.
        volume_ml: Voxel count times voxel volume.
        diameter_mm: Of the sphere of equal volume.
        center_mm: LPS position (x, y, z) of its centroid.
    """

    number: int
    volume_ml: float
    diameter_mm: float
    center_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Masks of the phantom on the grid of its portal venous series.

    Attributes:
        series_instance_uid: The series the masks belong to.
        geometry: Grid with ascending slices (feet to head).
        liver: The liver as an organ; bool.
        lesion_labels: 0 or the lesion's number; uint8.
        lesions: By number.
    """

    series_instance_uid: str
    geometry: VolumeGeometry
    liver: NDArray[np.bool_] = field(repr=False)
    lesion_labels: NDArray[np.uint8] = field(repr=False)
    lesions: tuple[TrueLesion, ...]


def truth_of(phantom: Phantom, series_instance_uid: str) -> Truth:
    """Masks and lesions of a phantom."""
    lesions = describe_lesions(phantom.lesion_labels, phantom.geometry)
    return Truth(
        series_instance_uid=series_instance_uid,
        geometry=phantom.geometry,
        liver=phantom.liver,
        lesion_labels=phantom.lesion_labels,
        lesions=lesions,
    )


def describe_lesions(
    lesion_labels: NDArray[np.uint8], geometry: VolumeGeometry
) -> tuple[TrueLesion, ...]:
    """Size and place of every number in a lesion label map."""
    index = np.nonzero(lesion_labels)
    numbers = lesion_labels[index]
    positions = np.stack(index, axis=1).astype(np.float64)
    lesions = []
    for number in np.unique(numbers):
        chosen = positions[numbers == number]
        volume_ml = len(chosen) * geometry.spacing.voxel_ml
        x, y, z = (float(v) for v in geometry.to_patient(chosen.mean(axis=0)))
        lesions.append(
            TrueLesion(
                number=int(number),
                volume_ml=volume_ml,
                diameter_mm=float(np.cbrt(6000 * volume_ml / np.pi)),
                center_mm=(x, y, z),
            )
        )
    return tuple(lesions)


def save_truth(truth: Truth, path: Path) -> None:
    """Write a truth as one compressed npz file."""
    geometry = truth.geometry
    description = {
        "format": FORMAT,
        "series_instance_uid": truth.series_instance_uid,
        "frame_of_reference_uid": geometry.frame_of_reference_uid,
        "shape": geometry.shape,
        "spacing_mm": geometry.spacing.as_tuple(),
        "origin_mm": geometry.origin_mm,
    }
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            description=np.array(json.dumps(description)),
            liver=np.packbits(truth.liver),
            lesion_labels=truth.lesion_labels,
        )


def load_truth(path: Path) -> Truth:
    """Read a truth back.

    Raises:
        InputError: Not a file that ``save_truth`` wrote.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            description = json.loads(str(stored["description"]))
            bits, lesion_labels = stored["liver"], stored["lesion_labels"]
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{path.name} is not a truth file of the demo: {error}") from error
    if description.get("format") != FORMAT:
        raise InputError(f"{path.name}: needed format {FORMAT}, found {description.get('format')}")
    slice_mm, row_mm, column_mm = description["spacing_mm"]
    geometry = VolumeGeometry(
        shape=tuple(description["shape"]),
        spacing=VoxelSpacing(slice_mm=slice_mm, row_mm=row_mm, column_mm=column_mm),
        origin_mm=tuple(description["origin_mm"]),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
        frame_of_reference_uid=description["frame_of_reference_uid"],
    )
    count = int(np.prod(geometry.shape))
    return Truth(
        series_instance_uid=description["series_instance_uid"],
        geometry=geometry,
        liver=np.unpackbits(bits, count=count).reshape(geometry.shape).astype(bool),
        lesion_labels=lesion_labels,
        lesions=describe_lesions(lesion_labels, geometry),
    )
