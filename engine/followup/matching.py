"""Which lesion at follow-up is which lesion at baseline, once both lie on one grid."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.values.followup import LesionCourse, LesionGroup, LesionSize
from engine.values.geometry import VolumeGeometry

LEAST_OVERLAP = 0.2
"""Part of the smaller lesion that must overlap; our choice, between chance and small shifts."""
NEAR_MM = 10.0
"""Centers this close belong together where nothing overlaps: small lesions and rest errors."""
LARGEST_VOLUME_RATIO = 8.0
"""Of near lesions: a doubled diameter."""


def match_lesions(
    baseline: tuple[NDArray[np.uint8], Sequence[LesionSize]],
    followup: tuple[NDArray[np.uint8], Sequence[LesionSize]],
    geometry: VolumeGeometry,
) -> tuple[LesionGroup, ...]:
    """Group lesions of both examinations by overlap, then by nearness.

    Args:
        baseline: Lesion labels carried onto the follow-up's grid, and the lesions.
        followup: The follow-up's own labels on the same grid, and the lesions.
        geometry: That grid.

    Returns:
        Groups in the order of the baseline lesions, then new lesions.
    """
    first, second = baseline[1], followup[1]
    shares = _overlaps(baseline[0], followup[0], [le.number for le in first],
                       [le.number for le in second])  # fmt: skip
    links = {(i, j): f"{share:.0%} of the smaller overlaps"
             for (i, j), share in shares.items() if share >= LEAST_OVERLAP}  # fmt: skip
    links |= _near(baseline, followup, geometry, links)
    groups = []
    for ours, theirs in _components(len(first), len(second), links):
        evidence = "; ".join(
            told for (i, j), told in sorted(links.items()) if i in ours and j in theirs
        )
        groups.append(
            LesionGroup(
                course=_course(len(ours), len(theirs)),
                baseline=tuple(first[i] for i in ours),
                followup=tuple(second[j] for j in theirs),
                evidence=evidence or "no lesion at the other examination overlaps or is near",
            )
        )
    return tuple(groups)


def _overlaps(
    baseline: NDArray[np.uint8],
    followup: NDArray[np.uint8],
    first: list[int],
    second: list[int],
) -> dict[tuple[int, int], float]:
    """Overlap as part of the smaller of the two lesions, on the common grid."""
    shares = {}
    for i, number in enumerate(first):
        mask = baseline == number
        size = int(mask.sum())
        for j, other in enumerate(second):
            there = followup == other
            smaller = min(size, int(there.sum()))
            if smaller:
                shares[i, j] = int((mask & there).sum()) / smaller
    return shares


def _near(
    baseline: tuple[NDArray[np.uint8], Sequence[LesionSize]],
    followup: tuple[NDArray[np.uint8], Sequence[LesionSize]],
    geometry: VolumeGeometry,
    links: dict[tuple[int, int], str],
) -> dict[tuple[int, int], str]:
    """Pairs of lonely lesions that are each other's nearest, close and of similar size."""
    lonely = [i for i in range(len(baseline[1])) if not any(i == a for a, _ in links)]
    others = [j for j in range(len(followup[1])) if not any(j == b for _, b in links)]
    gaps: dict[tuple[int, int], float] = {}
    for i in lonely:
        here = _center_mm(baseline[0] == baseline[1][i].number, geometry)
        for j in others:
            there = _center_mm(followup[0] == followup[1][j].number, geometry)
            if here is not None and there is not None:
                gaps[i, j] = float(np.linalg.norm(here - there))
    found = {}
    for (i, j), gap in gaps.items():
        is_mutual = all(gap <= g for (a, b), g in gaps.items() if a == i or b == j)
        volumes = sorted((baseline[1][i].volume_ml, followup[1][j].volume_ml))
        if is_mutual and gap <= NEAR_MM and volumes[1] <= LARGEST_VOLUME_RATIO * volumes[0]:
            found[i, j] = f"no overlap, centers {gap:.1f} mm apart after registration"
    return found


def _center_mm(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> NDArray[np.float64] | None:
    index = np.argwhere(mask)
    return geometry.to_patient(index.mean(axis=0)) if len(index) else None


def _components(
    first: int, second: int, links: dict[tuple[int, int], str]
) -> list[tuple[list[int], list[int]]]:
    """Connected lesions: indices at baseline and at follow-up."""
    left = set(range(second))
    components = []
    seen: set[int] = set()
    for start in range(first):
        if start in seen:
            continue
        ours, theirs = {start}, set[int]()
        while True:
            more_theirs = {j for i, j in links if i in ours}
            more_ours = ours | {i for i, j in links if j in more_theirs}
            if more_ours == ours and more_theirs == theirs:
                break
            ours, theirs = more_ours, more_theirs
        seen |= ours
        left -= theirs
        components.append((sorted(ours), sorted(theirs)))
    return components + [([], [j]) for j in sorted(left)]


def _course(before: int, now: int) -> LesionCourse:
    if before == 0:
        return LesionCourse.NEW
    if now == 0:
        return LesionCourse.DISAPPEARED
    if before == 1:
        return LesionCourse.MATCHED if now == 1 else LesionCourse.SPLIT
    return LesionCourse.MERGED if now == 1 else LesionCourse.ENTANGLED
