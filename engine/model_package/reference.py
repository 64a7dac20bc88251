"""The reference case of a package: its file, and how a new result is held against it."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelPackageError
from engine.model_package.manifest import ReferenceCase
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.provenance import ComputeDevice
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL

LABEL_NAMES = {LIVER_LABEL: "liver", TUMOR_LABEL: "tumor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceVolume:
    """A small CT on the standard axes and the labels its package gave it.

    Stored as npz with three arrays: ``voxels_hu`` int16 (slice, row, column), ``labels``
    uint8 of the same shape, ``spacing_mm`` float64 (slice, row, column).
    """

    voxels_hu: NDArray[np.int16] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)
    spacing_mm: tuple[float, float, float]

    @property
    def geometry(self) -> VolumeGeometry:
        """The grid: standard axes, origin at 0."""
        slice_mm, row_mm, column_mm = self.spacing_mm
        first, second, third = self.voxels_hu.shape
        return VolumeGeometry(
            shape=(first, second, third),
            spacing=VoxelSpacing(slice_mm=slice_mm, row_mm=row_mm, column_mm=column_mm),
            origin_mm=(0.0, 0.0, 0.0),
            slice_direction=(0.0, 0.0, 1.0),
            row_direction=(0.0, 1.0, 0.0),
            column_direction=(1.0, 0.0, 0.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """How one label of the new result compares with the stored one.

    Attributes:
        dice: 1 when both are empty.
        passed: Dice and volume within the tolerance of the manifest.
    """

    name: str
    expected_ml: float
    found_ml: float
    dice: float
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestReport:
    """What a reference case showed on one machine.

    Attributes:
        agreements: Per label.
        device: Where the networks ran.
    """

    agreements: tuple[LabelAgreement, ...]
    device: ComputeDevice

    @property
    def passed(self) -> bool:
        """Every label agrees within the manifest's tolerance."""
        return all(agreement.passed for agreement in self.agreements)


def read_reference(path: Path) -> ReferenceVolume:
    """Read the file of a reference case.

    Raises:
        ModelPackageError: Missing, not an npz of plain arrays, or of another form.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            voxels, labels = stored["voxels_hu"], stored["labels"]
            spacing = tuple(float(mm) for mm in stored["spacing_mm"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelPackageError(
            f"{path.name}: no npz with voxels_hu, labels and spacing_mm "
            f"({type(error).__name__}); install the package again"
        ) from error
    if (
        (voxels.dtype, labels.dtype) != (np.int16, np.uint8)
        or voxels.ndim != 3
        or voxels.shape != labels.shape
        or len(spacing) != 3
    ):
        raise ModelPackageError(
            f"{path.name}: voxels_hu int16 and labels uint8 of one 3D shape and 3 spacings "
            f"needed, found {voxels.dtype} {voxels.shape}, {labels.dtype} {labels.shape}, "
            f"{len(spacing)} spacings"
        )
    return ReferenceVolume(
        voxels_hu=voxels, labels=labels, spacing_mm=(spacing[0], spacing[1], spacing[2])
    )


def write_reference(path: Path, reference: ReferenceVolume) -> None:
    """Write the file of a reference case, compressed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        voxels_hu=reference.voxels_hu,
        labels=reference.labels,
        spacing_mm=np.array(reference.spacing_mm, np.float64),
    )


def compare(
    expected: NDArray[np.uint8],
    found: NDArray[np.uint8],
    *,
    voxel_ml: float,
    case: ReferenceCase,
) -> tuple[LabelAgreement, ...]:
    """Hold found labels against expected ones, the liver as an organ, tumors inside it."""
    pairs = (
        (LIVER_LABEL, expected > 0, found > 0),
        (TUMOR_LABEL, expected == TUMOR_LABEL, found == TUMOR_LABEL),
    )
    return tuple(
        _agreement(LABEL_NAMES[label], old, new, voxel_ml=voxel_ml, case=case)
        for label, old, new in pairs
    )


def _agreement(
    name: str,
    expected: NDArray[np.bool_],
    found: NDArray[np.bool_],
    *,
    voxel_ml: float,
    case: ReferenceCase,
) -> LabelAgreement:
    old, new = int(np.count_nonzero(expected)), int(np.count_nonzero(found))
    both = int(np.count_nonzero(expected & found))
    dice = 1.0 if old + new == 0 else 2.0 * both / (old + new)
    return LabelAgreement(
        name=name,
        expected_ml=old * voxel_ml,
        found_ml=new * voxel_ml,
        dice=dice,
        passed=dice >= case.minimum_dice and abs(new - old) <= case.volume_tolerance * old,
    )
