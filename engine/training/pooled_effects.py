"""Coefficients of a Cox model from several completed data sets, with Rubin's intervals."""

import numpy as np

from engine.training.cohort import Cohort
from engine.training.cox import fit_cox
from engine.training.imputation import RubinPool, pool_by_rubin
from engine.training.outcome import Floats
from engine.training.preparation import Preparation, completed_several

WIDTH = 1.959964


def pooled_effects(
    preparation: Preparation, cohort: Cohort, *, ridge: float, imputations: int, seed: int
) -> RubinPool:
    """Fit a ridge Cox model on every completion and pool by Rubin's rules.

    Variances are those of the penalized estimate (inverse information), so they do not show
    the bias that the penalty buys.

    Args:
        preparation: Fitted with the policy "multiple".
        cohort: The patients it was fitted on.
        ridge: Penalty of the model.
        imputations: How many completions, two or more.
        seed: Of their noise.
    """
    rounds = completed_several(preparation, cohort, times=imputations, seed=seed)
    fits = [fit_cox(x, cohort.outcome, ridge=ridge) for x in rounds]
    return pool_by_rubin(
        np.stack([fit.coefficients for fit in fits]),
        np.stack([np.diag(np.linalg.inv(fit.information)) for fit in fits]),
    )


def interval(pool: RubinPool) -> tuple[Floats, Floats]:
    """Normal 95 % bounds of the pooled coefficients."""
    spread = WIDTH * np.sqrt(pool.variance)
    return pool.estimate - spread, pool.estimate + spread
