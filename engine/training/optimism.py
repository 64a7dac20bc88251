"""Bootstrap estimate of optimism: an internal validation that uses every patient twice."""

from dataclasses import dataclass

import numpy as np

from engine.training.cohort import Cohort
from engine.training.resampling import bootstrap_rows
from engine.training.truth import truth_of
from engine.training.validation import Fit, FittedStrategy


@dataclass(frozen=True, slots=True)
class Optimism:
    """Apparent concordance, its mean optimism, and what is left."""

    apparent: float
    optimism: float

    @property
    def corrected(self) -> float:
        """Apparent minus optimism (Harrell et al., Stat Med 1996;15:361)."""
        return self.apparent - self.optimism


def bootstrap_optimism(fit: Fit, cohort: Cohort, *, resamples: int, seed: int) -> Optimism:
    """Refit, tuning included, on bootstrap patients and test each refit on everybody."""
    model, _ = fit(cohort, seed)
    apparent = _concordance(model, cohort)
    gaps = []
    for number, rows in enumerate(bootstrap_rows(cohort, resamples=resamples, seed=seed)):
        sample = cohort.take(rows)
        refit, _ = fit(sample, seed + number)
        gaps.append(_concordance(refit, sample) - _concordance(refit, cohort))
    return Optimism(apparent, float(np.mean(gaps)))


def _concordance(model: FittedStrategy, cohort: Cohort) -> float:
    truth = truth_of(cohort.outcome, cohort.cause)
    return truth.harrell_pairs(model.risk(cohort.values), cohort.strata).concordance()
