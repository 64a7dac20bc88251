"""Time from a landmark to the visit at which an event is first seen, death competing.

The event lies somewhere between two visits; the visit that saw it is its time. A patient
without it is censored at his last visit, unless he died soon enough after it that the event
would hardly have been missed.
"""

from collections.abc import Mapping, Sequence

from engine.training.recipe import LandmarkSpec, RecipeError

Row = Mapping[str, str]
NOTHING, EVENT, DEATH = 0, 1, 2


def onset(
    visits: Sequence[tuple[float, Row]], spec: LandmarkSpec, landmark: float, end: float
) -> tuple[float, int] | None:
    """Days from the landmark and the cause; None when nobody looked after the landmark.

    Args:
        visits: (day, row) of one patient, ascending days.
        spec: With onset and death columns.
        landmark: Day.
        end: Last day of the patient's follow-up for death.

    Raises:
        RecipeError: The specification names no column of death.
    """
    if not spec.death:
        raise RecipeError(f"Landmark onset {spec.onset} needs a column of death")
    after = [(day, row) for day, row in visits if day > landmark]
    seen = next((day for day, row in after if float(row[spec.onset]) > 0), None)
    if seen is not None:
        return seen - landmark, EVENT
    last = max([landmark, *(day for day, _ in after)])
    died = float(visits[-1][1][spec.death]) == 1.0
    if died and end - last <= spec.age_limit_days:
        return end - landmark, DEATH
    return (last - landmark, NOTHING) if last > landmark else None
