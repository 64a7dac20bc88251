"""Landmark rows from repeated visits: what was known at month m, and what followed.

Each patient gives one row per landmark at which he was still under observation. Values are
summaries of the visits up to the landmark only; time is counted from the landmark
(doi:10.1111/j.1467-9469.2006.00529.x). The same summaries are computed at a patient by
engine.prognosis.trajectory.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from engine.errors import InputError
from engine.prognosis.trajectory import SUMMARIES, summarize
from engine.training.onset import onset
from engine.training.recipe import LandmarkSpec

Row = dict[str, str]


def landmark_rows(rows: Sequence[Row], spec: LandmarkSpec, *, patient: str, time: str) -> list[Row]:
    """Turn visit rows into landmark rows.

    Args:
        rows: One row per visit; ``time`` holds the follow-up that remains from the visit.
        spec: Landmarks, value columns and the age limit of a visit.
        patient: Column of the patient.
        time: Column of the remaining follow-up, same unit as the day column.

    Returns:
        One row per patient and landmark: the last visit's columns, ``landmark`` in days,
        ``visit_age`` in days, ``column:first`` and ``column:<summary>`` for the summarized
        columns, and the follow-up that remains from the landmark; with lags and onset the
        columns that LandmarkSpec names.

    Raises:
        InputError: A visit has no usable day or follow-up.
    """
    result = []
    for visits in _by_patient(rows, spec, patient):
        end = max(_number(v, spec.day) + _number(v, time) for v in visits)
        for landmark in spec.at_days:
            known = [v for v in visits if _number(v, spec.day) <= landmark]
            if not known or end <= landmark:
                continue
            age = landmark - _number(known[-1], spec.day)
            if age > spec.age_limit_days:
                continue
            row = _row(known, spec, landmark, time, end)
            if spec.onset:
                found = onset([(_number(v, spec.day), v) for v in visits], spec, landmark, end)
                if found is None:
                    continue
                row |= {"onset:time": str(found[0]), "onset:cause": str(found[1])}
            result.append(row)
    if not result:
        raise InputError("No patient is under observation at any landmark")
    return result


def visit_rows(rows: Sequence[Row], spec: LandmarkSpec, *, patient: str, time: str) -> list[Row]:
    """Turn visit rows into counting-process rows.

    Returns:
        One row per visit, with the columns of ``landmark_rows`` as known at the visit, and
        ``start``, ``stop`` (next visit or end of follow-up) and ``final`` ("1" for the last
        row of a patient). Visits without follow-up after them are left out.
    """
    result = []
    for visits in _by_patient(rows, spec, patient):
        days = [_number(v, spec.day) for v in visits]
        end = max(d + _number(v, time) for d, v in zip(days, visits, strict=True))
        stops = [*days[1:], end]
        kept = [k for k in range(len(visits)) if stops[k] > days[k]]
        for k in kept:
            row = _row(visits[: k + 1], spec, days[k], time, end)
            row |= {
                "start": str(days[k]),
                "stop": str(stops[k]),
                "final": str(int(k == kept[-1])),
            }
            result.append(row)
    return result


def _by_patient(rows: Sequence[Row], spec: LandmarkSpec, patient: str) -> list[list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[patient]].append(row)
    for visits in groups.values():
        visits.sort(key=lambda visit: _number(visit, spec.day))
    return list(groups.values())


def _row(visits: Sequence[Row], spec: LandmarkSpec, landmark: float, time: str, end: float) -> Row:
    last = dict(visits[-1])
    days = [_number(v, spec.day) for v in visits]
    last["landmark"] = str(landmark)
    last["visit_age"] = str(landmark - days[-1])
    last[time] = str(end - landmark)
    for column in spec.first:
        last[f"{column}:first"] = visits[0][column]
    for k, visit in enumerate(reversed(visits[-spec.lags :] if spec.lags else ())):
        last[f"days_ago@{k}"] = str(landmark - _number(visit, spec.day))
        last |= {f"{column}@{k}": visit[column] for column in spec.lagged}
    for column in spec.ever:
        last[f"{column}:ever"] = str(max(_number(v, column) for v in visits))
    for column in spec.total:
        last[f"{column}:total"] = str(sum(_number(v, column) > 0 for v in visits))
    for column in spec.since:
        active = [d for d, v in zip(days, visits, strict=True) if _number(v, column) > 0]
        last[f"{column}:since"] = str(landmark - active[-1]) if active else ""
    for column in spec.summarized:
        values = [_number(v, column) for v in visits]
        for summary in SUMMARIES:
            found = summarize(days, values, summary)
            last[f"{column}:{summary}"] = "" if found is None else str(found)
    return last


def _number(row: Mapping[str, str], column: str) -> float:
    try:
        return float(row[column])
    except (KeyError, ValueError):
        raise InputError(f"A visit has no usable number in column {column}") from None
