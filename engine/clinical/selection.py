"""Selection in time: the nearest usable value per analyte on or before the reference date.

A value is used only when it is dated on or before the reference date and within the analyte's
age limit. Values without a date are used only for analytes that do not go stale. What is not
used is reported with its reason; nothing is averaged.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from engine.clinical.analytes import ANALYTES
from engine.values.clinical import ClinicalRecord, Observation, Rejection

RELATIVE_CONFLICT = 0.01
"""Two numbers of one day agree when they differ by at most 1 % (rounding of unit conversion)."""

_CORRECTED = ("corrected", "amended")


def select(
    offered: Iterable[Observation | Rejection],
    reference_date: date | None,
    sources: tuple[str, ...] = (),
) -> ClinicalRecord:
    """Make the record of one patient on the reference date.

    Args:
        offered: Observations of one patient from any sources, and rejections made on the way.
        reference_date: Day of the imaging or of the operation; None selects the latest values
            without judging their age.
        sources: What each source answered, carried into the record.

    Returns:
        The record; ``history`` holds every value up to the reference date, oldest first.
    """
    accepted: dict[str, list[Observation]] = defaultdict(list)
    rejections: list[Rejection] = []
    for item in offered:
        if isinstance(item, Rejection):
            rejections.append(item)
        else:
            accepted[item.analyte].append(item)
    selected: list[Observation] = []
    history: list[Observation] = []
    for values in accepted.values():
        usable, refused = _by_time(values, reference_date)
        rejections += refused
        history += usable
        choice, conflicts = _choose(usable, reference_date)
        rejections += conflicts
        if choice is not None:
            selected.append(choice)
    history.sort(key=lambda o: (o.observed_on or date.min, o.analyte))
    return ClinicalRecord(
        reference_date=reference_date,
        observations=tuple(sorted(selected, key=lambda o: _order(o.analyte))),
        history=tuple(history),
        rejections=tuple(rejections),
        sources=sources,
    )


def _by_time(
    values: list[Observation], reference: date | None
) -> tuple[list[Observation], list[Rejection]]:
    """Values that may be known on the reference date, and the future ones."""
    usable, refused = [], []
    for value in values:
        if (
            reference is not None
            and value.observed_on is not None
            and value.observed_on > reference
        ):
            days = (value.observed_on - reference).days
            refused.append(_reject(value, f"dated {days} days after the reference date"))
        else:
            usable.append(value)
    return usable, refused


def _choose(
    usable: list[Observation], reference: date | None
) -> tuple[Observation | None, list[Rejection]]:
    """The value to use, or the rejections that say why there is none."""
    if not usable:
        return None, []
    limit = ANALYTES[usable[0].analyte].age_limit_days
    dated = [v for v in usable if v.observed_on is not None]
    if not dated:
        if limit is not None and reference is not None:
            return None, [_reject(v, "no date, and the value goes stale") for v in usable]
        return _agreed(usable)
    last = max(v.observed_on for v in dated if v.observed_on is not None)
    if limit is not None and reference is not None and (age := (reference - last).days) > limit:
        newest = [v for v in dated if v.observed_on == last]
        return None, [_reject(v, f"{age} days old, at most {limit}") for v in newest]
    return _agreed([v for v in dated if v.observed_on == last])


def _agreed(same_day: list[Observation]) -> tuple[Observation | None, list[Rejection]]:
    """One value for values of one day; corrections replace, other conflicts are not used."""
    corrected = [v for v in same_day if v.status in _CORRECTED]
    candidates = corrected or same_day
    first = candidates[-1]
    if all(_same(first, other) for other in candidates):
        replaced = [v for v in same_day if v not in candidates and not _same(first, v)]
        return first, [_reject(v, "replaced by a correction of the same day") for v in replaced]
    reason = f"{len(candidates)} different values on one day"
    return None, [_reject(v, reason) for v in candidates]


def _same(one: Observation, other: Observation) -> bool:
    if isinstance(one.value, str) or isinstance(other.value, str):
        return one.value == other.value
    return abs(one.value - other.value) <= RELATIVE_CONFLICT * max(abs(one.value), abs(other.value))


def _reject(value: Observation, reason: str) -> Rejection:
    return Rejection(analyte=value.analyte, source=value.source, reason=reason)


def _order(key: str) -> int:
    return list(ANALYTES).index(key)
