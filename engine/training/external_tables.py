"""Subgroups and published references of an evaluation on other patients."""

from dataclasses import dataclass

import numpy as np

from engine.training.concordance import pair_table
from engine.training.decision import reclassification
from engine.training.outcome import Floats, Integers, Outcome, kaplan_meier
from engine.training.resampling import (
    Interval,
    concordance_interval,
    difference_interval,
    metric_interval,
)

RESAMPLES = 200
MOST_VALUES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceComparison:
    """A model against a stage or score on the patients who have it.

    Attributes:
        difference: Concordance of the model minus the reference's, paired.
        total: Category-free reclassification against the observed risk of the reference's
            classes on these same patients (which favors the reference).
    """

    name: str
    patients: int
    horizon: float
    difference: Interval
    total: Interval


def compare_with_reference(
    name: str,
    column: Floats,
    predicted: tuple[Floats, Floats],
    outcome: Outcome,
    horizon: float,
) -> ReferenceComparison:
    """Compare a model with a reference.

    Args:
        name: Column of the reference.
        column: Its values, larger is worse; NaN where missing, shape (n,).
        predicted: The model's risk for ordering, and its probability by the horizon.
        outcome: The patients' outcomes.
        horizon: Months.
    """
    there = np.isfinite(column)
    own, stage = outcome.take(there), column[there]
    order, risk = predicted[0][there], predicted[1][there]
    observed = np.empty(len(stage))
    for value in np.unique(stage):
        observed[stage == value] = 1.0 - float(kaplan_meier(own.take(stage == value))(horizon))
    patients = np.arange(len(stage))

    def total(rows: Integers) -> float:
        return reclassification(risk[rows], observed[rows], own.take(rows), horizon).total

    return ReferenceComparison(
        name=name,
        patients=len(stage),
        horizon=horizon,
        difference=difference_interval(
            pair_table(order, own), pair_table(stage, own), patients, resamples=RESAMPLES, seed=1
        ),
        total=metric_interval(total, patients, resamples=RESAMPLES, seed=1),
    )


def split_by_column(
    name: str, column: Floats, risk: Floats, outcome: Outcome, patients: Integers
) -> tuple[tuple[str, int, int, Interval], ...]:
    """(subgroup, patients, events, concordance) per value, or per half of many values."""
    rows = []
    for label, members in groups_of(name, column):
        own = outcome.take(members)
        interval = concordance_interval(
            pair_table(risk[members], own), patients[members], resamples=RESAMPLES, seed=1
        )
        rows.append((label, int(members.sum()), int(own.event.sum()), interval))
    return tuple(rows)


def groups_of(name: str, column: Floats) -> list[tuple[str, np.ndarray]]:
    """Subgroups of a column: its values, or the halves at the median when there are many."""
    values = np.unique(column[np.isfinite(column)])
    if len(values) <= MOST_VALUES:
        return [(f"{name} = {v:g}", column == v) for v in values]
    middle = float(np.median(column[np.isfinite(column)]))
    return [(f"{name} ≤ {middle:g}", column <= middle), (f"{name} > {middle:g}", column > middle)]
