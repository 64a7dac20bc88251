"""One assembled CT volume and where each of its slices came from."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.errors import InvalidGeometryError
from engine.values.geometry import VolumeGeometry
from engine.values.identity import ImageReference, SeriesIdentity, StudyIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """CT intensities on a regular grid, with the source images behind it.

    Attributes:
        voxels_hu: Hounsfield units, shape ``geometry.shape``, int16, read-only.
        geometry: The grid the voxels lie on.
        study: Study and patient of the source images.
        series: Series the volume was assembled from.
        slice_sources: For each slice of the volume the source images or frames it was
            made from, nearest first. One entry when the grid is the source's own.
        headers: Source datasets without pixel data, in slice order; one for a
            multi-frame image. Read-only by convention.
        is_source_grid: True when every slice is one source frame, untouched.
        notes: What assembly had to do (resampled, unsheared, dropped a duplicate …).
    """

    voxels_hu: NDArray[np.int16] = field(repr=False)
    geometry: VolumeGeometry
    study: StudyIdentity
    series: SeriesIdentity
    slice_sources: tuple[tuple[ImageReference, ...], ...] = field(repr=False)
    headers: tuple[Dataset, ...] = field(repr=False)
    is_source_grid: bool = True
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.voxels_hu.shape != self.geometry.shape:
            raise InvalidGeometryError(
                f"Voxels {self.voxels_hu.shape} do not fit the grid {self.geometry.shape}"
            )
        if len(self.slice_sources) != self.geometry.shape[0]:
            raise InvalidGeometryError(
                f"{len(self.slice_sources)} slice sources for {self.geometry.shape[0]} slices"
            )
        self.voxels_hu.flags.writeable = False
