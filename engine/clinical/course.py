"""Courses over time from accepted values: every numeric analyte, and ALBI from its two."""

from collections import defaultdict
from collections.abc import Iterable

from engine.clinical.analytes import ANALYTES
from engine.clinical.scores.liver_function import albi_score
from engine.values.clinical import Course, CoursePoint, Observation

ALBI_WINDOW_DAYS = 7
"""Albumin and bilirubin belong together when taken at most this many days apart."""


def courses_of(history: Iterable[Observation]) -> tuple[Course, ...]:
    """Courses of every numeric analyte that has a dated value, and of ALBI.

    Args:
        history: One accepted value per analyte and day, oldest first, in canonical units.

    Returns:
        In the order of the analyte table, ALBI last. A single value makes a course of one
        point; values without a date belong to no course.
    """
    points: dict[str, list[CoursePoint]] = defaultdict(list)
    for item in history:
        if item.observed_on is not None and isinstance(item.value, float | int):
            points[item.analyte].append(
                CoursePoint(
                    observed_on=item.observed_on,
                    value=float(item.value),
                    source=item.source,
                    imputed=item.imputed,
                )
            )
    courses = [
        Course(analyte=key, name=analyte.name, unit=analyte.unit, points=tuple(points[key]))
        for key, analyte in ANALYTES.items()
        if key in points
    ]
    albi = _albi(points["bilirubin_total"], points["albumin"])
    if albi:
        courses.append(Course(analyte="albi", name="ALBI", unit="1", points=albi))
    return tuple(courses)


def _albi(bilirubins: list[CoursePoint], albumins: list[CoursePoint]) -> tuple[CoursePoint, ...]:
    """ALBI on every day with a bilirubin and an albumin taken within the window.

    Of two albumins equally far away the earlier one is taken: it was known on that day.
    """
    found = []
    for bilirubin in bilirubins:
        nearest = min(albumins, key=lambda a: _days_apart(a, bilirubin), default=None)
        if nearest is None or _days_apart(nearest, bilirubin) > ALBI_WINDOW_DAYS:
            continue
        found.append(
            CoursePoint(
                observed_on=max(bilirubin.observed_on, nearest.observed_on),
                value=albi_score(bilirubin.value, nearest.value),
                source=f"computed from {bilirubin.source} and {nearest.source}",
            )
        )
    latest = {point.observed_on: point for point in found}
    return tuple(latest[day] for day in sorted(latest))


def _days_apart(one: CoursePoint, other: CoursePoint) -> int:
    return abs((one.observed_on - other.observed_on).days)
