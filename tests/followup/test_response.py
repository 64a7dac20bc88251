"""RECIST 1.1 by its own examples and edges (doi:10.1016/j.ejca.2008.10.026)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.followup.response import Viable, assess_mrecist, assess_recist, choose_targets
from engine.values.followup import LesionCourse, LesionGroup, LesionSize, Response

NUMBERS = {"n": 0}


def size(number: int, mm: float) -> LesionSize:
    return LesionSize(number=number, tracking_uid=f"1.{number}", long_axis_mm=mm, volume_ml=1.0)


def pair(number: int, before: float, now: float | None) -> LesionGroup:
    return LesionGroup(
        course=LesionCourse.DISAPPEARED if now is None else LesionCourse.MATCHED,
        baseline=(size(number, before),),
        followup=() if now is None else (size(number, now),),
        evidence="",
    )


def new(number: int, mm: float) -> LesionGroup:
    return LesionGroup(
        course=LesionCourse.NEW, baseline=(), followup=(size(number, mm),), evidence=""
    )


def overall(*groups: LesionGroup, nadir: float | None = None) -> Response:
    targets = choose_targets(groups, slice_mm=2.5)
    return assess_recist(targets, earlier_nadir_mm=nadir).overall


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (50.0, 60.0, Response.PROGRESSION),  # exactly 20 %
        (50.0, 59.9, Response.STABLE),
        (20.0, 24.9, Response.STABLE),  # 24 % but less than 5 mm
        (20.0, 25.0, Response.PROGRESSION),  # 25 % and 5 mm
        (50.0, 35.0, Response.PARTIAL),  # exactly 30 %
        (50.0, 35.1, Response.STABLE),
        (50.0, None, Response.COMPLETE),
        (0.3 / 0.01, 0.21 / 0.01, Response.PARTIAL),  # 30 % in binary fractions
    ],
)
def test_the_edges_of_the_rules(before: float, now: float | None, expected: Response) -> None:
    assert overall(pair(1, before, now)) is expected


def test_progression_is_counted_from_the_smallest_sum() -> None:
    """Sum 100, then 50, now 61: 39 % below baseline, but 22 % and 11 mm above the nadir."""
    assert overall(pair(1, 100.0, 61.0), nadir=50.0) is Response.PROGRESSION
    assert overall(pair(1, 100.0, 61.0)) is Response.PARTIAL


def test_five_millimeters_count_from_the_nadir_too() -> None:
    assert overall(pair(1, 100.0, 14.9), nadir=10.0) is Response.PARTIAL
    assert overall(pair(1, 100.0, 15.0), nadir=10.0) is Response.PROGRESSION


def test_what_comes_back_after_complete_response_is_progression() -> None:
    assert overall(pair(1, 100.0, 4.0), nadir=0.0) is Response.PROGRESSION


def test_a_new_lesion_is_progression_whatever_the_targets_do() -> None:
    assert overall(pair(1, 50.0, None), new(1, 12.0)) is Response.PROGRESSION


def test_a_new_lesion_below_ten_millimeters_is_equivocal() -> None:
    targets = choose_targets((pair(1, 50.0, 20.0), new(2, 9.9)), slice_mm=2.5)
    found = assess_recist(targets)
    assert found.overall is Response.PARTIAL
    assert any("equivocal" in text for text in found.undecided)


def test_two_targets_at_most_and_the_largest() -> None:
    marked = choose_targets(
        (pair(1, 12.0, 12.0), pair(2, 30.0, 30.0), pair(3, 20.0, 20.0)), slice_mm=2.5
    )
    assert [group.is_target for group in marked] == [False, True, True]


@pytest.mark.parametrize(
    ("mm", "slice_mm", "measurable"),
    [(10.0, 5.0, True), (9.9, 5.0, False), (13.0, 7.0, False), (14.0, 7.0, True)],
)
def test_what_is_measurable(mm: float, slice_mm: float, measurable: bool) -> None:
    (group,) = choose_targets((pair(1, mm, mm),), slice_mm=slice_mm)
    assert group.is_target is measurable


def test_persisting_non_targets_hold_a_complete_response_back() -> None:
    groups = (pair(1, 40.0, None), pair(2, 30.0, None), pair(3, 8.0, 8.0))
    assert overall(*groups) is Response.PARTIAL


def test_small_lesions_alone_are_judged_as_non_targets() -> None:
    assert overall(pair(1, 8.0, 8.0)) is Response.NON_CR_NON_PD
    assert overall(pair(1, 8.0, None)) is Response.COMPLETE
    assert overall() is Response.NO_DISEASE


@given(st.floats(10.0, 200.0), st.floats(0.5, 300.0))
def test_exactly_one_category_fits(before: float, now: float) -> None:
    """The rules leave no gap and no overlap."""
    found = overall(pair(1, before, now))
    progression = now - before >= 0.2 * before - 1e-9 and now - before >= 5 - 1e-9
    partial = now - before <= -0.3 * before + 1e-9
    expected = (
        Response.PROGRESSION if progression else Response.PARTIAL if partial else Response.STABLE
    )
    assert found is expected


def test_mrecist_is_not_guessed_from_whole_lesions() -> None:
    targets = choose_targets((pair(1, 50.0, 20.0),), slice_mm=2.5)
    found = assess_mrecist(targets, None)
    assert (found.target, found.overall) == (Response.NOT_DECIDED, Response.NOT_DECIDED)
    assert found.change_from_baseline is None
    assert any("at most the whole-lesion sum 20.0 mm" in rule for rule in found.rules)


def test_mrecist_knows_that_nothing_viable_is_left_of_what_is_gone() -> None:
    targets = choose_targets((pair(1, 50.0, None),), slice_mm=2.5)
    assert assess_mrecist(targets, None).target is Response.COMPLETE


def test_mrecist_names_the_diameters_it_lacks() -> None:
    targets = choose_targets((pair(1, 50.0, 40.0),), slice_mm=2.5)
    found = assess_mrecist(targets, Viable(baseline={1: 40.0}, followup={}))
    assert "needed for: follow-up lesion 1." in found.undecided[0]
