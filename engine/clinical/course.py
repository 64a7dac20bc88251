"""Courses over time from a record's history: one analyte, or ALBI from its two analytes."""

from dataclasses import dataclass
from datetime import date

from engine.clinical.scores.liver_function import albi_score
from engine.values.clinical import ClinicalRecord, Observation

ALBI_WINDOW_DAYS = 7
"""Albumin and bilirubin belong together when taken at most this many days apart."""


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """One dated number of a course."""

    day: date
    value: float


def analyte_course(record: ClinicalRecord, analyte: str) -> tuple[CoursePoint, ...]:
    """Dated numbers of one analyte in its canonical unit, oldest first."""
    return tuple(
        CoursePoint(o.observed_on, float(o.value))
        for o in _dated(record, analyte)
        if o.observed_on is not None and isinstance(o.value, float | int)
    )


def albi_course(record: ClinicalRecord) -> tuple[CoursePoint, ...]:
    """ALBI on every day with a bilirubin and an albumin taken within the window, oldest first."""
    albumins = analyte_course(record, "albumin")
    points = []
    for bilirubin in analyte_course(record, "bilirubin_total"):
        nearest = min(albumins, key=lambda a: abs((a.day - bilirubin.day).days), default=None)
        if nearest is None or abs((nearest.day - bilirubin.day).days) > ALBI_WINDOW_DAYS:
            continue
        points.append(CoursePoint(bilirubin.day, albi_score(bilirubin.value, nearest.value)))
    return tuple(points)


def _dated(record: ClinicalRecord, analyte: str) -> list[Observation]:
    return [o for o in record.history if o.analyte == analyte and o.observed_on is not None]
