"""Every further contrast phase on the grid of the reference phase, or why not."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError, RegionError, RegistrationError
from engine.series.assembly import assemble_volume
from engine.series.selection import PhaseGroup
from engine.spatial.registration import Box, register_phase
from engine.values.progress import Progress
from engine.values.registration import PhaseRegistration
from engine.values.volume import Volume

AT_ONCE = 2
"""Phases that are registered at the same time; each takes one thread and its volume's memory."""


class PhaseScope(StrEnum):
    """Which phases features are taken from."""

    REFERENCE = "reference"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedPhase:
    """A further phase around the liver, on the reference grid, or why there is none.

    Attributes:
        registration: Fit or refusal.
        volume: Intensities on a part of the reference grid; None when refused.
        box: That part.
        covered: Where the phase has data, on the volume's grid.
    """

    registration: PhaseRegistration
    volume: Volume | None = None
    box: Box = (slice(0), slice(0), slice(0))
    covered: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool), repr=False)

    def inside(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A region of the reference grid on this volume's grid.

        Raises:
            RegionError: The region is empty, or the phase does not cover all of it.
        """
        whole = int(np.count_nonzero(mask))
        if not whole:
            raise RegionError("The region is empty: no voxel of the mask is set")
        part = mask[self.box]
        share = np.count_nonzero(part & self.covered) / whole
        if share < 1:
            raise RegionError(f"The phase covers {share:.1%} of the region, all of it is needed")
        return part


def align_phases(
    groups: tuple[PhaseGroup, ...],
    reference: Volume,
    liver: NDArray[np.bool_],
    progress: Progress,
) -> tuple[AlignedPhase, ...]:
    """Assemble and register phases; one that cannot be used is named with its reason.

    Args:
        groups: The series of the further phases.
        reference: The volume that was segmented.
        liver: The liver on the reference grid.
        progress: Told each phase when it is ready.

    Returns:
        One entry per group, in order.
    """
    if not groups:
        return ()
    aligned = []
    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1), "phase") as pool:
        align = partial(align_phase, reference=reference, liver=liver)
        for number, phase in enumerate(pool.map(align, groups), start=1):
            aligned.append(phase)
            done = "not used" if phase.volume is None else "registered"
            progress(number / len(groups), f"{phase.registration.phase} phase {done}")
    return tuple(aligned)


def align_phase(group: PhaseGroup, *, reference: Volume, liver: NDArray[np.bool_]) -> AlignedPhase:
    """Assemble and register one phase."""
    uid = group.group.series.series_instance_uid
    try:
        volume = assemble_volume(group.group, phase=group.phase)
        found = register_phase(
            (reference.voxels_hu, reference.geometry), (volume.voxels_hu, volume.geometry), liver
        )
    except InputError as error:
        correlation = error.edge_correlation if isinstance(error, RegistrationError) else None
        return AlignedPhase(
            registration=PhaseRegistration(
                phase=group.phase,
                series_instance_uid=uid,
                edge_correlation=correlation,
                refusal=str(error),
            )
        )
    quality = found.quality
    note = f"registered to the reference phase, edge correlation {quality.edge_correlation:.2f}"
    return AlignedPhase(
        registration=PhaseRegistration(
            phase=group.phase,
            series_instance_uid=uid,
            edge_correlation=quality.edge_correlation,
            edge_correlation_before=quality.edge_correlation_before,
            least_jacobian=quality.least_jacobian,
            largest_shift_mm=quality.largest_shift_mm,
        ),
        volume=Volume(
            voxels_hu=found.voxels_hu,
            geometry=found.geometry,
            study=volume.study,
            series=volume.series,
            slice_sources=((),) * found.geometry.shape[0],
            headers=volume.headers,
            is_source_grid=False,
            notes=(*volume.notes, note),
        ),
        box=found.box,
        covered=found.covered,
    )
