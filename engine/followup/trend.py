"""Laboratory values at two examinations, from the results themselves."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from engine.values.followup import MarkerTrend

FOLLOWED = ("afp",)


def marker_trends(
    baseline: Mapping[str, Any] | None, followup: Mapping[str, Any] | None
) -> tuple[MarkerTrend, ...]:
    """Trends of the followed markers that both records hold in one unit.

    Args:
        baseline, followup: "clinical" of the two result.json; None without a record.
    """
    found = []
    for analyte in FOLLOWED:
        first, second = _find(baseline, analyte), _find(followup, analyte)
        if first is None or second is None or first["unit"] != second["unit"]:
            continue
        found.append(_trend(analyte, first, second))
    return tuple(found)


def _find(record: Mapping[str, Any] | None, analyte: str) -> Mapping[str, Any] | None:
    for observation in () if record is None else record["observations"]:
        if observation["analyte"] == analyte and isinstance(observation["value"], int | float):
            return dict(observation)
    return None


def _trend(analyte: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> MarkerTrend:
    before, now = float(first["value"]), float(second["value"])
    days = [_day(first), _day(second)]
    doubling = None
    if days[0] is not None and days[1] is not None and now > before > 0:
        between = (days[1] - days[0]).days
        doubling = between * math.log(2) / math.log(now / before) if between > 0 else None
    return MarkerTrend(
        analyte=analyte,
        unit=str(first["unit"]),
        baseline=before,
        followup=now,
        baseline_on=days[0],
        followup_on=days[1],
        change=(now - before) / before if before else None,
        doubling_days=doubling,
    )


def _day(observation: Mapping[str, Any]) -> date | None:
    text = observation["observed_on"]
    return date.fromisoformat(text) if text else None
