"""CT volumes made of boxes: every surface is known to the voxel."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.identity import ImageReference, PatientIdentity, SeriesIdentity, StudyIdentity
from engine.values.volume import Volume

AIR_HU, TISSUE_HU, LIVER_HU, TUMOR_HU = -1000, 20, 110, 200
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"


def standard_geometry(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> VolumeGeometry:
    """A grid on the standard axes (slices to the head, rows to posterior, columns to left)."""
    slice_mm, row_mm, column_mm = spacing_mm
    return VolumeGeometry(
        shape=shape,
        spacing=VoxelSpacing(slice_mm=slice_mm, row_mm=row_mm, column_mm=column_mm),
        origin_mm=(-120.0, -90.0, 40.0),
        slice_direction=(0.0, 0.0, 1.0),
        row_direction=(0.0, 1.0, 0.0),
        column_direction=(1.0, 0.0, 0.0),
        frame_of_reference_uid="1.2.3.9",
    )


def volume_of(voxels_hu: NDArray[np.int16], geometry: VolumeGeometry) -> Volume:
    """A volume without source images behind it."""
    source = ImageReference(sop_class_uid=CT_IMAGE_STORAGE, sop_instance_uid="1.2.3.4")
    return Volume(
        voxels_hu=voxels_hu,
        geometry=geometry,
        study=StudyIdentity(study_instance_uid="1.2.3", patient=PatientIdentity(patient_id="1")),
        series=SeriesIdentity(series_instance_uid="1.2.3.1"),
        slice_sources=((source,),) * geometry.shape[0],
        headers=(),
    )


def abdomen(
    spacing_mm: tuple[float, float, float] = (2.0, 1.5, 1.5),
    *,
    extent_mm: tuple[float, float, float] = (160.0, 150.0, 180.0),
) -> Volume:
    """A tissue box in air; in it a liver of 80×75×90 mm, off center; in it a tumor of 21 mm.

    A vessel runs closed inside the liver, and a bright crumb of a few voxels lies in the
    liver too; a small bright organ stands apart.
    """
    shape = tuple(round(e / s) for e, s in zip(extent_mm, spacing_mm, strict=True))
    geometry = standard_geometry((shape[0], shape[1], shape[2]), spacing_mm)
    voxels = np.full(geometry.shape, AIR_HU, np.int16)
    for low, high, hu in (
        ((8, 12, 12), (152, 138, 168), TISSUE_HU),
        ((30, 30, 24), (110, 105, 114), LIVER_HU),
        ((40, 40, 40), (62, 61, 61), TUMOR_HU),
        ((80, 60, 60), (88, 66, 66), TISSUE_HU),
        ((96, 90, 90), (98, 93, 93), TUMOR_HU),
        ((120, 96, 129), (140, 117, 150), LIVER_HU),
    ):
        index = tuple(
            slice(round(a / s), round(b / s)) for a, b, s in zip(low, high, spacing_mm, strict=True)
        )
        voxels[index] = hu
    return volume_of(voxels, geometry)


def reoriented(volume: Volume, axes: tuple[int, int, int], flips: tuple[int, ...]) -> Volume:
    """The same patient on a grid with permuted axes, then flipped along some of them."""
    grid = volume.geometry
    spacing = [grid.spacing.as_tuple()[a] for a in axes]
    directions = [grid.directions[:, a] * (-1 if n in flips else 1) for n, a in enumerate(axes)]
    corner = np.zeros(3)
    for n in flips:
        corner[axes[n]] = grid.shape[axes[n]] - 1
    shape = [grid.shape[a] for a in axes]
    turned = replace(
        grid,
        shape=(shape[0], shape[1], shape[2]),
        spacing=VoxelSpacing(slice_mm=spacing[0], row_mm=spacing[1], column_mm=spacing[2]),
        origin_mm=tuple(grid.to_patient(corner)),
        slice_direction=tuple(directions[0]),
        row_direction=tuple(directions[1]),
        column_direction=tuple(directions[2]),
    )
    voxels = np.flip(volume.voxels_hu.transpose(axes), flips)
    return volume_of(np.ascontiguousarray(voxels), turned)
