"""Minimum sample size for developing a survival model (Riley et al., doi:10.1002/sim.7992)."""

import math
from dataclasses import dataclass

from engine.training.outcome import Outcome

WANTED_SHRINKAGE = 0.9
LARGEST_OPTIMISM = 0.05
WANTED_MARGIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """What the three criteria ask for.

    Attributes:
        shrinkage: Patients for an expected shrinkage of at least 0.9.
        optimism: Patients for a difference of at most 0.05 in Nagelkerke's R².
        overall_risk: Patients for a margin of at most 0.05 around the overall risk.
    """

    shrinkage: int
    optimism: int
    overall_risk: int

    @property
    def needed(self) -> int:
        """The largest of the three."""
        return max(self.shrinkage, self.optimism, self.overall_risk)


def minimum_sample_size(
    outcome: Outcome, *, parameters: int, horizon: float, share_of_maximum: float = 0.15
) -> SampleSize:
    """Apply the criteria to a cohort's event rate and follow-up.

    Args:
        outcome: Development cohort.
        parameters: Candidate predictor parameters.
        horizon: Months.
        share_of_maximum: Assumed Cox–Snell R² as a share of its maximum (0.15 as the
            authors propose where nothing is known).
    """
    years = outcome.time.sum() / 12.0
    rate = float(outcome.event.sum() / years)
    follow_up = float(years / len(outcome))
    return from_rates(
        rate_per_year=rate,
        follow_up_years=follow_up,
        horizon_years=horizon / 12.0,
        parameters=parameters,
        cox_snell=share_of_maximum * maximum_cox_snell(rate, follow_up),
    )


def maximum_cox_snell(rate_per_year: float, follow_up_years: float) -> float:
    """Largest possible Cox–Snell R² at an event rate and mean follow-up."""
    events_per_patient = rate_per_year * follow_up_years
    null = events_per_patient * (math.log(events_per_patient / follow_up_years) - 1.0)
    return float(1.0 - math.exp(2.0 * null)) if null < 0 else 0.999


def from_rates(
    *,
    rate_per_year: float,
    follow_up_years: float,
    horizon_years: float,
    parameters: int,
    cox_snell: float,
) -> SampleSize:
    """The criteria from published rates."""
    top = maximum_cox_snell(rate_per_year, follow_up_years)
    first = _patients(parameters, WANTED_SHRINKAGE, cox_snell)
    shrinkage = cox_snell / (cox_snell + LARGEST_OPTIMISM * top)
    second = _patients(parameters, shrinkage, cox_snell)
    survival = math.exp(-rate_per_year * horizon_years)
    wider = -math.log(max(survival - WANTED_MARGIN, 1e-6)) / horizon_years - rate_per_year
    person_years = rate_per_year * (1.96 / wider) ** 2
    third = math.ceil(person_years / follow_up_years)
    return SampleSize(shrinkage=first, optimism=second, overall_risk=third)


def _patients(parameters: int, shrinkage: float, cox_snell: float) -> int:
    return math.ceil(parameters / ((shrinkage - 1.0) * math.log(1.0 - cox_snell / shrinkage)))
