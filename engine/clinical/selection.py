"""Selection in time: the nearest usable value per analyte on or before the reference date.

A value is used only when it is dated on or before the reference date and within the analyte's
age limit. Of several values of one day the one taken last counts where every one has a time;
otherwise they conflict. Values without a date are used only for analytes that do not go stale.
What is not used is reported with its reason; nothing is averaged.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from engine.clinical.analytes import ANALYTES
from engine.clinical.course import courses_of
from engine.values.clinical import ClinicalRecord, Observation, Rejection, RejectionKind

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
        The record; ``history`` holds one agreed value per day up to the reference date,
        oldest first. When the values of the latest day disagree, none is selected.
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
        choice, agreed, conflicts = _choose(usable, reference_date)
        history += agreed
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
        courses=courses_of(history),
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
            reason = f"dated {days} days after the reference date"
            refused.append(_reject(value, RejectionKind.FUTURE, reason))
        else:
            usable.append(value)
    return usable, refused


def _choose(
    usable: list[Observation], reference: date | None
) -> tuple[Observation | None, list[Observation], list[Rejection]]:
    """The value to use, one agreed value per day for the history, and what was refused."""
    by_day: dict[date | None, list[Observation]] = defaultdict(list)
    for value in usable:
        by_day[value.observed_on].append(value)
    agreed: dict[date | None, Observation | None] = {}
    refused: list[Rejection] = []
    for day, values in by_day.items():
        agreed[day], conflicts = _agreed(values)
        refused += conflicts
    history = [value for value in agreed.values() if value is not None]
    days = [day for day in agreed if day is not None]
    choice = agreed[max(days)] if days else agreed.get(None)
    if choice is not None and (stale := _staleness(choice, reference)) is not None:
        return None, history, [*refused, stale]
    return choice, history, refused


def _staleness(value: Observation, reference: date | None) -> Rejection | None:
    """Why a value is too old to use on the reference date; None when it is not."""
    limit = ANALYTES[value.analyte].age_limit_days
    if limit is None or reference is None:
        return None
    if value.observed_on is None:
        return _reject(value, RejectionKind.UNDATED, "no date, and the value goes stale")
    age = (reference - value.observed_on).days
    if age <= limit:
        return None
    return _reject(value, RejectionKind.STALE, f"{age} days old, at most {limit}")


def _agreed(same_day: list[Observation]) -> tuple[Observation | None, list[Rejection]]:
    """One value for values of one day.

    Corrections replace; of samples taken at different times the latest counts; other conflicts
    are not used.
    """
    corrected = [v for v in same_day if v.status in _CORRECTED]
    candidates = corrected or same_day
    first = candidates[-1]
    if all(_same(first, other) for other in candidates):
        replaced = [v for v in same_day if v not in candidates and not _same(first, v)]
        reason = "replaced by a correction of the same day"
        return first, [_reject(v, RejectionKind.REPLACED, reason) for v in replaced]
    latest = _latest(candidates)
    if latest is not None:
        reason = "an earlier value of the same day"
        others = [v for v in candidates if not _same(latest, v)]
        return latest, [_reject(v, RejectionKind.REPLACED, reason) for v in others]
    reason = f"{len(candidates)} different values on one day"
    return None, [_reject(v, RejectionKind.CONFLICTING, reason) for v in candidates]


def _latest(values: list[Observation]) -> Observation | None:
    """The value of the latest time; None when a time is missing or the latest ones disagree."""
    times = [v.observed_at for v in values if v.observed_at is not None]
    if len(times) < len(values):
        return None
    last = [v for v in values if v.observed_at == max(times)]
    return last[-1] if all(_same(last[0], v) for v in last) else None


def _same(one: Observation, other: Observation) -> bool:
    if isinstance(one.value, str) or isinstance(other.value, str):
        return one.value == other.value
    return abs(one.value - other.value) <= RELATIVE_CONFLICT * max(abs(one.value), abs(other.value))


def _reject(value: Observation, kind: RejectionKind, reason: str) -> Rejection:
    return Rejection(
        analyte=value.analyte,
        source=value.source,
        reason=reason,
        observed_on=value.observed_on,
        kind=kind,
        name=value.name,
    )


def _order(key: str) -> int:
    return list(ANALYTES).index(key)
