"""Lesions are grouped by overlap first, by nearness second."""

import numpy as np

from engine.followup.matching import match_lesions
from engine.values.followup import LesionCourse, LesionGroup, LesionSize
from tests.phantoms.report_patient import make_grid

GRID = make_grid("axial", 4.0)
Box = tuple[int, int, int, int]


def label(*boxes: Box) -> tuple[np.ndarray, tuple[LesionSize, ...]]:
    """Lesions as boxes of voxels: slice, row, column of the corner, and the side."""
    labels = np.zeros(GRID.shape, np.uint8)
    sizes = []
    for number, (k, j, i, side) in enumerate(boxes, start=1):
        labels[k : k + side, j : j + side, i : i + side] = number
        volume = side**3 * GRID.spacing.voxel_ml
        sizes.append(
            LesionSize(
                number=number, tracking_uid=f"1.{number}", long_axis_mm=4.0 * side, volume_ml=volume
            )
        )
    return labels, tuple(sizes)


def courses(groups: tuple[LesionGroup, ...]) -> list[tuple[LesionCourse, list[int], list[int]]]:
    return [
        (g.course, [le.number for le in g.baseline], [le.number for le in g.followup])
        for g in groups
    ]


def test_overlap_beats_order() -> None:
    groups = match_lesions(
        label((4, 10, 10, 4), (4, 40, 40, 4)), label((4, 40, 41, 4), (4, 11, 10, 4)), GRID
    )
    assert courses(groups) == [
        (LesionCourse.MATCHED, [1], [2]),
        (LesionCourse.MATCHED, [2], [1]),
    ]
    assert groups[0].evidence == "75% of the smaller overlaps"


def test_touching_neighbors_stay_apart() -> None:
    groups = match_lesions(label((4, 10, 10, 4)), label((4, 10, 10, 4), (4, 10, 14, 4)), GRID)
    assert courses(groups) == [(LesionCourse.MATCHED, [1], [1]), (LesionCourse.NEW, [], [2])]


def test_a_small_lesion_beside_its_old_place_is_the_same() -> None:
    groups = match_lesions(label((4, 10, 10, 2)), label((4, 10, 12, 2)), GRID)
    assert courses(groups) == [(LesionCourse.MATCHED, [1], [1])]
    assert "centers 8.0 mm apart" in groups[0].evidence


def test_farther_away_it_is_another_one() -> None:
    groups = match_lesions(label((4, 10, 10, 2)), label((4, 10, 13, 2)), GRID)
    assert courses(groups) == [(LesionCourse.DISAPPEARED, [1], []), (LesionCourse.NEW, [], [1])]


def test_a_much_larger_neighbor_is_another_one() -> None:
    groups = match_lesions(label((4, 10, 10, 1)), label((5, 11, 11, 3)), GRID)
    assert [course for course, _, _ in courses(groups)] == [
        LesionCourse.DISAPPEARED,
        LesionCourse.NEW,
    ]


def test_split_merged_and_entangled() -> None:
    whole, halves = label((4, 10, 10, 8)), label((4, 10, 10, 3), (8, 15, 15, 3))
    assert courses(match_lesions(whole, halves, GRID)) == [(LesionCourse.SPLIT, [1], [1, 2])]
    assert courses(match_lesions(halves, whole, GRID)) == [(LesionCourse.MERGED, [1, 2], [1])]
    chain = label((4, 10, 10, 4), (4, 10, 16, 4)), label((4, 10, 13, 4), (4, 10, 18, 4))
    entangled = match_lesions(*chain, GRID)
    assert courses(entangled) == [(LesionCourse.ENTANGLED, [1, 2], [1, 2])]


def test_nothing_and_nothing() -> None:
    assert match_lesions(label(), label(), GRID) == ()
