"""The IBSI phantoms and reference values, and the rule by which a value matches."""

import csv
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.radiomics.catalog import Aggregation
from engine.radiomics.definitions import feature_tag
from engine.radiomics.settings import (
    FBN_32,
    FBN_1000,
    FBS_25_HU,
    Discretization,
    DiscretizationMethod,
    Interpolation,
    RadiomicsSettings,
)
from engine.values.features import Feature
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from tests.phantoms.shared_data import shared

REFERENCE = Path(__file__).parent / "ibsi_reference"

ALL = tuple(Aggregation)
PLANAR, SPATIAL = ALL[:4], ALL[4:]
SETTINGS = {
    "dig": RadiomicsSettings(
        interpolation=Interpolation.NONE,
        resegmentation_range=None,
        discretization=Discretization(DiscretizationMethod.FIXED_BIN_SIZE, 1.0),
        aggregations=ALL,
    ),
    "A": RadiomicsSettings(
        interpolation=Interpolation.NONE,
        resegmentation_range=(-500.0, 400.0),
        discretization=FBS_25_HU,
        aggregations=PLANAR,
    ),
    "B": RadiomicsSettings(
        spacing_mm=(None, 2.0, 2.0),
        interpolation=Interpolation.LINEAR,
        resegmentation_range=(-500.0, 400.0),
        discretization=FBN_32,
        aggregations=PLANAR,
    ),
    "C": RadiomicsSettings(
        spacing_mm=(2.0, 2.0, 2.0),
        interpolation=Interpolation.LINEAR,
        resegmentation_range=(-1000.0, 400.0),
        discretization=FBS_25_HU,
        volume_histogram=Discretization(DiscretizationMethod.FIXED_BIN_SIZE, 2.5),
        aggregations=SPATIAL,
    ),
    "D": RadiomicsSettings(
        spacing_mm=(2.0, 2.0, 2.0),
        interpolation=Interpolation.LINEAR,
        resegmentation_range=None,
        resegmentation_sigma=3.0,
        discretization=FBN_32,
        aggregations=SPATIAL,
    ),
    "E": RadiomicsSettings(
        spacing_mm=(2.0, 2.0, 2.0),
        interpolation=Interpolation.CUBIC_SPLINE,
        resegmentation_range=(-1000.0, 400.0),
        resegmentation_sigma=3.0,
        discretization=FBN_32,
        volume_histogram=FBN_1000,
        aggregations=SPATIAL,
    ),
}
"""Settings of the digital phantom and of the CT configurations (IBSI 1, chapter 5)."""

DIGITAL_IMAGE = (
    "1 4 4 1 1  1 4 6 1 1  4 1 6 4 1  4 4 6 4 1",
    "1 4 4 1 1  1 1 6 1 1  1 1 3 1 1  4 4 6 1 1",
    "1 4 4 1 1  1 1 1 1 1  1 1 9 1 1  1 1 6 1 1",
    "1 4 4 1 1  1 1 1 1 1  1 1 1 1 1  1 1 6 1 1",
)
DIGITAL_MASK = (
    "1 1 1 1 1  1 1 1 1 1  1 1 1 1 1  1 1 1 1 1",
    "1 1 1 1 1  1 1 1 1 1  0 1 1 1 1  1 1 1 1 1",
    "1 1 1 0 0  1 1 1 1 1  1 1 0 1 1  1 1 1 1 1",
    "1 1 1 0 0  1 1 1 1 1  1 1 1 1 1  1 1 1 1 1",
)
"""The digital phantom of IBSI 1 (CC BY 4.0): four slices of 4 x 5 voxels of 2 mm."""


@dataclass(frozen=True)
class Reference:
    """One consensus value, kept as the decimal number that was published."""

    tag: str
    value: Decimal
    tolerance: Decimal

    def matches(self, measured: float) -> bool:
        """Round to three significant digits, then compare with the tolerance.

        Counts that were published with more digits are compared with all of them.
        """
        digits = max(3, len(self.value.normalize().as_tuple().digits))
        rounded = Context(prec=digits).create_decimal(Decimal(float(measured)))
        return abs(rounded - self.value) <= self.tolerance


def read_references(name: str, config: str) -> list[Reference]:
    """Reference values of one configuration; rows without a consensus value are left out."""
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [
            Reference(row["tag"], Decimal(row["value"]), Decimal(row["tolerance"]))
            for row in csv.DictReader(file)
            if row["config"] == config and row["value"]
        ]


def tagged(features: tuple[Feature, ...]) -> dict[str, float]:
    """Features by their IBSI tag ("cm_corr_3D_avg"), whatever the filter."""
    return {feature_tag(f.family, f.name, f.aggregation): f.value for f in features}


def misses(references: list[Reference], measured: dict[str, float]) -> list[str]:
    """References that the measured values do not match."""
    return [
        f"{r.tag}: {measured[r.tag]} instead of {r.value} ± {r.tolerance}"
        for r in references
        if not r.matches(measured[r.tag])
    ]


def grid(shape: tuple[int, ...], *spacing_mm: float) -> VolumeGeometry:
    """Axial grid at the origin."""
    return VolumeGeometry(
        shape=(shape[0], shape[1], shape[2]),
        spacing=VoxelSpacing(slice_mm=spacing_mm[0], row_mm=spacing_mm[1], column_mm=spacing_mm[2]),
        origin_mm=(0.0, 0.0, 0.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
    )


Phantom = tuple[NDArray[np.float64], NDArray[np.bool_], VolumeGeometry]


def digital_phantom() -> Phantom:
    """The digital phantom: image, mask, grid."""
    image, mask = (
        np.array([plane.split() for plane in planes], float).reshape(4, 4, 5)
        for planes in (DIGITAL_IMAGE, DIGITAL_MASK)
    )
    return image, mask > 0, grid(image.shape, 2.0, 2.0, 2.0)


def shared_phantom(folder: str, image_name: str = "phantom") -> Phantom:
    """A phantom of ../shared: CC BY-NC images that are no part of the project."""
    path = shared("data", "ibsi", folder)
    image = sitk.ReadImage(str(path / "image" / f"{image_name}.nii.gz"))
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(path / "mask" / "mask.nii.gz"))) > 0
    voxels = sitk.GetArrayFromImage(image).astype(np.float64)
    return voxels, mask, grid(voxels.shape, *reversed(image.GetSpacing()))
