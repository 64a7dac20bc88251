"""Voxel geometry in the DICOM patient coordinate system (LPS, mm)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidGeometryError

ORTHONORMAL_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class VoxelSpacing:
    """Distances between voxel centers.

    Attributes:
        slice_mm: Along the slice normal (PS3.3 C.7.6.2.1.1).
        row_mm: Between rows; first value of Pixel Spacing (PS3.3 10.7.1.3).
        column_mm: Between columns; second value of Pixel Spacing.
    """

    slice_mm: float
    row_mm: float
    column_mm: float

    def __post_init__(self) -> None:
        for mm in (self.slice_mm, self.row_mm, self.column_mm):
            if not (math.isfinite(mm) and mm > 0):
                raise InvalidGeometryError(f"Spacing must be above 0 mm, got {self}")

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in milliliters."""
        return self.slice_mm * self.row_mm * self.column_mm / 1000.0

    def as_tuple(self) -> tuple[float, float, float]:
        """(slice, row, column) distances in mm, the order of the array axes."""
        return (self.slice_mm, self.row_mm, self.column_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGeometry:
    """A regular, orthogonal voxel grid in patient space.

    Arrays are indexed [slice, row, column]. The three directions are unit vectors in
    LPS; ``slice_direction`` points from slice 0 to slice 1 and may be the negative of
    the cross product of the in-plane directions only if the grid is left-handed.

    Attributes:
        shape: Voxels along (slice, row, column), each at least 1.
        spacing: Distances between voxel centers.
        origin_mm: LPS position of the center of voxel [0, 0, 0].
        slice_direction: Unit vector of the first array axis.
        row_direction: Unit vector of increasing row index
            (Image Orientation Patient, second triplet: down a column).
        column_direction: Unit vector of increasing column index
            (Image Orientation Patient, first triplet: along a row).
        frame_of_reference_uid: Frame of Reference UID the positions are given in.

    Raises:
        InvalidGeometryError: Directions not orthonormal, or an empty shape.
    """

    shape: tuple[int, int, int]
    spacing: VoxelSpacing
    origin_mm: tuple[float, float, float]
    slice_direction: tuple[float, float, float]
    row_direction: tuple[float, float, float]
    column_direction: tuple[float, float, float]
    frame_of_reference_uid: str = ""

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise InvalidGeometryError(f"Every axis needs at least 1 voxel, got {self.shape}")
        directions = self.directions
        gram = directions.T @ directions
        if not np.allclose(gram, np.eye(3), atol=ORTHONORMAL_TOLERANCE):
            raise InvalidGeometryError(f"Directions are not orthonormal: {directions.tolist()}")
        if not np.isfinite(np.asarray(self.origin_mm)).all():
            raise InvalidGeometryError(f"Origin is not finite: {self.origin_mm}")

    @property
    def directions(self) -> NDArray[np.float64]:
        """3×3 matrix; columns are the slice, row and column unit vectors in LPS."""
        return np.array(
            [self.slice_direction, self.row_direction, self.column_direction], np.float64
        ).T

    @property
    def affine(self) -> NDArray[np.float64]:
        """4×4 matrix from homogeneous voxel index [slice, row, column] to LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.directions * np.array(self.spacing.as_tuple())
        matrix[:3, 3] = self.origin_mm
        return matrix

    def to_patient(self, indices: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map voxel indices to patient coordinates.

        Args:
            indices: [slice, row, column], shape (..., 3), fractions allowed.

        Returns:
            LPS positions in mm, shape (..., 3).
        """
        scaled = np.asarray(indices, np.float64) * np.array(self.spacing.as_tuple())
        return np.asarray(scaled @ self.directions.T + np.array(self.origin_mm))

    def to_index(self, positions_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map LPS positions in mm, shape (..., 3), to fractional voxel indices."""
        offset = np.asarray(positions_mm, np.float64) - np.array(self.origin_mm)
        return np.asarray(offset @ self.directions / np.array(self.spacing.as_tuple()))

    def is_close(self, other: "VolumeGeometry", *, tolerance_mm: float = 0.01) -> bool:
        """Tell whether two grids have the same shape and the same corner voxels."""
        if self.shape != other.shape:
            return False
        corners = np.array(
            [[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], np.float64
        ) * (np.array(self.shape) - 1)
        gap = np.abs(self.to_patient(corners) - other.to_patient(corners)).max()
        return bool(gap <= tolerance_mm)
