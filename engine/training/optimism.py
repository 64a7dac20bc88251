"""Bootstrap estimate of optimism: an internal validation that uses every patient twice."""

from dataclasses import dataclass

import numpy as np

from engine.training.cohort import Cohort
from engine.training.concordance import pair_table
from engine.training.outcome import Floats, Outcome
from engine.training.recipe import StrategySpec
from engine.training.resampling import bootstrap_rows
from engine.training.strategies import fit_tuned


@dataclass(frozen=True, slots=True)
class Optimism:
    """Apparent concordance, its mean optimism, and what is left."""

    apparent: float
    optimism: float

    @property
    def corrected(self) -> float:
        """Apparent minus optimism (Harrell et al., Stat Med 1996;15:361)."""
        return self.apparent - self.optimism


def bootstrap_optimism(
    spec: StrategySpec, cohort: Cohort, *, resamples: int, inner_folds: int, seed: int
) -> Optimism:
    """Refit, tuning included, on bootstrap patients and test each refit on everybody."""
    model, _ = fit_tuned(spec, cohort, inner_folds=inner_folds, seed=seed)
    apparent = _concordance(model.risk(cohort.values), cohort.outcome, cohort)
    gaps = []
    for number, rows in enumerate(bootstrap_rows(cohort, resamples=resamples, seed=seed)):
        sample = cohort.take(rows)
        refit, _ = fit_tuned(spec, sample, inner_folds=inner_folds, seed=seed + number)
        own = _concordance(refit.risk(sample.values), sample.outcome, sample)
        gaps.append(own - _concordance(refit.risk(cohort.values), cohort.outcome, cohort))
    return Optimism(apparent, float(np.mean(gaps)))


def _concordance(risk: Floats, outcome: Outcome, cohort: Cohort) -> float:
    return pair_table(risk, outcome, groups=cohort.strata).concordance()
