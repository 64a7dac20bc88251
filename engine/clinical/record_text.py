"""A clinical record as text: what is used and why, what is not and why."""

from collections.abc import Iterable, Sequence
from datetime import date

from engine.values.clinical import ClinicalRecord, Course, Observation, Rejection

_USED = ("analyte", "used as", "as received", "date", "age", "status", "source")
_REFUSED = ("analyte", "why not", "date", "reason", "source")


def record_text(record: ClinicalRecord) -> str:
    """A record as lines.

    Args:
        record: Selected for its reference date.

    Returns:
        What each source answered, the values in use as tables (converted and as received, day,
        age in days, status, source), and what was refused with kind and reason.
    """
    lines = [*record.sources, ""]
    if record.reference_date is not None:
        lines += [f"Reference date {record.reference_date.isoformat()}", ""]
    lines.append("Used:" if record.observations else "Used: nothing")
    if record.observations:
        lines += _table([_USED, *(_used(item, record) for item in record.observations)])
    lines.append("Not used:" if record.rejections else "Not used: nothing was refused")
    if record.rejections:
        lines += _table([_REFUSED, *map(_refused, record.rejections)])
    courses = [c for c in record.courses if len(c.points) > 1]
    if courses:
        lines.append("Courses:")
        lines += _table([_course(course) for course in courses])
    return "\n".join(lines)


def _used(item: Observation, record: ClinicalRecord) -> tuple[str, ...]:
    value = f"{item.value:.6g}" if isinstance(item.value, float | int) else item.value
    limit = " (limit of the assay)" if item.imputed else ""
    age = record.age_days(item.observed_on)
    return (
        item.analyte,
        f"{value} {_unit(item.unit)}".strip() + limit,
        item.received,
        _day(item.observed_on),
        "" if age is None else f"{age} d",
        item.status,
        item.source,
    )


def _refused(item: Rejection) -> tuple[str, ...]:
    return item.analyte, item.kind.value, _day(item.observed_on), item.reason, item.source


def _course(course: Course) -> tuple[str, ...]:
    ends = f"{course.points[0].value:.4g} → {course.latest.value:.4g}"
    count = f"{len(course.points)} values in {course.days} days"
    return course.analyte, count, f"{ends} {_unit(course.unit)}"


def _day(day: date | None) -> str:
    return "no date" if day is None else day.isoformat()


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _table(rows: Sequence[Iterable[str]]) -> list[str]:
    """Rows with aligned columns, indented by two."""
    cells = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  "
        + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
