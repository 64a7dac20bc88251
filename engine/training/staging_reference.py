"""A stage or score as the model to beat: its own held-out risk and the reclassification."""

from dataclasses import dataclass

import numpy as np

from engine.training.cohort import Cohort
from engine.training.decision import Reclassification, reclassification
from engine.training.outcome import Floats, kaplan_meier
from engine.training.recipe import ValidationSpec
from engine.training.resampling import Interval, difference_interval, metric_interval
from engine.training.validation import HeldOut


@dataclass(frozen=True, slots=True, kw_only=True)
class StageComparison:
    """A strategy against a stage.

    Attributes:
        stage: Column of the stage; larger is worse.
        difference: Concordance of the strategy minus the stage's, paired.
        horizon: Months of the reclassification.
        moved: Category-free reclassification against the stage's held-out risk.
        total: Its total with an interval.
    """

    stage: str
    difference: Interval
    horizon: float
    moved: Reclassification
    total: Interval


def compare_with_stage(
    held: HeldOut, cohort: Cohort, spec: ValidationSpec, *, stage: str, horizon: float
) -> StageComparison:
    """Compare held-out predictions with a stage kept in ``cohort.extra``.

    The stage's risk by the horizon is the Kaplan–Meier risk of its class among the rows
    outside the fold, so both risks are held out.
    """
    column = cohort.extra[stage]
    groups = held.groups[0]
    at = int(np.flatnonzero(held.times == horizon)[0])
    own = 1.0 - held.mean_survival()[:, at]
    reference = _stage_risk(column, cohort, groups, horizon)
    staged = HeldOut(
        name=stage,
        outcome=held.outcome,
        times=held.times,
        risk=np.broadcast_to(column, held.risk.shape),
        survival=held.survival,
        groups=held.groups,
    )
    draws = {"resamples": spec.bootstrap, "seed": spec.seed}
    return StageComparison(
        stage=stage,
        difference=difference_interval(held.pairs(), staged.pairs(), cohort.patients, **draws),
        horizon=horizon,
        moved=reclassification(own, reference, held.outcome, horizon),
        total=metric_interval(
            lambda rows: (
                reclassification(own[rows], reference[rows], held.outcome.take(rows), horizon).total
            ),
            cohort.patients,
            **draws,
        ),
    )


def _stage_risk(column: Floats, cohort: Cohort, groups: np.ndarray, horizon: float) -> Floats:
    risk = np.empty(len(cohort))
    for fold in np.unique(groups):
        inside = groups == fold
        for value in np.unique(column[inside]):
            others = cohort.outcome.take(~inside & (column == value))
            source = others if len(others) else cohort.outcome.take(~inside)
            risk[inside & (column == value)] = 1.0 - float(kaplan_meier(source)(horizon))
    return risk
