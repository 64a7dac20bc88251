"""Courses over time."""

from datetime import date

import pytest

from engine.clinical.course import CoursePoint, albi_course, analyte_course
from engine.clinical.selection import select
from tests.phantoms.clinical_records import make_observation

REFERENCE = date(2024, 3, 1)


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
    assert analyte_course(record, "afp") == (
        CoursePoint(date(2020, 2, 1), 10.0),
        CoursePoint(date(2024, 2, 1), 20.0),
    )
    assert analyte_course(record, "cirrhosis") == ()


def test_albi_needs_both_values_within_a_week() -> None:
    record = select(
        [
            make_observation("bilirubin_total", 10.0, observed_on=date(2023, 1, 8)),
            make_observation("albumin", 40.0, observed_on=date(2023, 1, 1)),
            make_observation("bilirubin_total", 20.0, observed_on=date(2023, 6, 1)),
            make_observation("bilirubin_total", 10.0, observed_on=date(2024, 2, 20)),
            make_observation("albumin", 30.0, observed_on=date(2024, 2, 20)),
        ],
        REFERENCE,
    )
    course = albi_course(record)
    assert [point.day for point in course] == [date(2023, 1, 8), date(2024, 2, 20)]
    assert [point.value for point in course] == pytest.approx([-2.74, -1.89])
