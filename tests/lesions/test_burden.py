"""Criteria at their published borders."""

import math

import pytest

from engine.lesions import tumor_burden
from engine.values.identity import ImageReference
from engine.values.lesion import Diameter, Lesion

ORIGIN = (0.0, 0.0, 0.0)


def lesion(size_mm: float, number: int = 1) -> Lesion:
    axis = Diameter(length_mm=size_mm, ends_mm=(ORIGIN, ORIGIN))
    return Lesion(
        number=number,
        tracking_id=f"Lesion {number}",
        tracking_uid=f"2.25.{number}",
        volume_ml=math.pi / 6 * (size_mm / 10) ** 3,
        centroid_mm=ORIGIN,
        long_axis=axis,
        short_axis=axis,
        maximum_3d_diameter=axis,
        capsule_distance_mm=0.0,
        confidence=0.9,
        mean_hu=70.0,
        source=ImageReference(sop_class_uid="1.2", sop_instance_uid="1.2.3"),
    )


@pytest.mark.parametrize(
    ("sizes", "milan", "ucsf", "up_to_seven"),
    [
        ((50.0,), True, True, True),
        ((50.1,), False, True, True),
        ((60.0,), False, True, True),
        ((60.1,), False, True, False),
        ((65.0,), False, True, False),
        ((65.1,), False, False, False),
        ((30.0, 30.0, 30.0), True, False, True),  # 90 mm in sum, beyond UCSF's 80
        ((30.0, 25.0, 25.0), True, True, True),
        ((30.1, 20.0), False, True, True),
        ((45.0, 20.0, 15.0), False, True, False),
        ((45.1, 10.0), False, False, True),
        ((10.0, 10.0, 10.0, 10.0), False, False, True),
        ((35.0, 10.0, 10.0, 10.0), False, False, False),
    ],
)
def test_criteria_decide_at_their_borders(
    sizes: tuple[float, ...], milan: bool, ucsf: bool, up_to_seven: bool
) -> None:
    burden = tumor_burden(tuple(lesion(s, i) for i, s in enumerate(sizes, 1)), liver_volume_ml=1500)
    assert (burden.within_milan, burden.within_ucsf) == (milan, ucsf)
    assert burden.within_up_to_seven is up_to_seven


def test_the_tumor_burden_score_is_the_distance_from_the_origin() -> None:
    """A 40 mm and a 30 mm lesion: sqrt(4² + 2²) (doi:10.1097/SLA.0000000000002064)."""
    burden = tumor_burden((lesion(40), lesion(30, 2)), liver_volume_ml=1500)
    assert burden.tumor_burden_score == pytest.approx(math.sqrt(20))
    assert burden.sum_mm == 70


def test_without_a_lesion_nothing_is_staged() -> None:
    burden = tumor_burden((), liver_volume_ml=1500)
    assert burden.number == 0
    assert burden.tumor_fraction == 0
    assert burden.within_milan is burden.within_ucsf is burden.within_up_to_seven is None
    assert burden.tumor_burden_score is None
