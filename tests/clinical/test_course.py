"""Courses over time."""

from datetime import date

import pytest

from engine.clinical.selection import select
from engine.values.clinical import ClinicalRecord, Course
from tests.phantoms.clinical_records import make_observation

REFERENCE = date(2024, 3, 1)


def _course(record: ClinicalRecord, analyte: str) -> Course:
    found = record.find_course(analyte)
    assert found is not None
    return found


def test_a_course_is_oldest_first_and_holds_dated_numbers_only() -> None:
    record = select(
        [
            make_observation("afp", 20.0, observed_on=date(2024, 2, 1)),
            make_observation("afp", 10.0, observed_on=date(2020, 2, 1)),
            make_observation("afp", 99.0, observed_on=date(2025, 1, 1)),
            make_observation("cirrhosis", "present", observed_on=date(2020, 1, 1)),
        ],
        REFERENCE,
    )
    course = _course(record, "afp")
    assert [(p.observed_on.year, p.value) for p in course.points] == [(2020, 10.0), (2024, 20.0)]
    assert (course.name, course.unit) == ("Alpha-fetoprotein", "ng/mL")
    assert course.change == 10.0
    assert course.days == 1461
    assert record.age_days(course.latest.observed_on) == 29
    assert record.find_course("cirrhosis") is None


def test_every_point_of_a_course_names_its_source() -> None:
    record = select([make_observation("pivka_ii", 40.0, source="row 7")], REFERENCE)
    assert _course(record, "pivka_ii").latest.source == "row 7"
    assert _course(record, "pivka_ii").change is None


def test_albi_needs_both_values_within_a_week() -> None:
    record = select(
        [
            make_observation("bilirubin_total", 10.0, observed_on=date(2023, 1, 1)),
            make_observation("albumin", 40.0, observed_on=date(2023, 1, 8)),
            make_observation("bilirubin_total", 20.0, observed_on=date(2023, 6, 1)),
            make_observation("bilirubin_total", 10.0, observed_on=date(2024, 2, 20)),
            make_observation("albumin", 30.0, observed_on=date(2024, 2, 20)),
        ],
        REFERENCE,
    )
    points = _course(record, "albi").points
    assert [p.observed_on for p in points] == [date(2023, 1, 8), date(2024, 2, 20)]
    assert [p.value for p in points] == pytest.approx([-2.74, -1.89])


def test_a_stale_value_stays_in_its_course() -> None:
    record = select([make_observation("albumin", 40.0, observed_on=date(2020, 1, 1))], REFERENCE)
    assert record.find("albumin") is None
    assert _course(record, "albumin").latest.value == 40.0
