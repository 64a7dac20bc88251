"""Time-updated Cox regression on repeated visits."""

from engine.errors import InputError
from engine.training.cohort import Cohort
from engine.training.cox import fit_cox
from engine.training.linear import recalibrated
from engine.training.outcome import Outcome
from engine.training.preparation import fit_preparation
from engine.training.recipe import StrategySpec
from engine.training.strategies import PreparedModel

TIME_UPDATED = "time_updated"


def fit_time_updated(spec: StrategySpec, cohort: Cohort) -> PreparedModel:
    """Cox model on counting-process rows: every visit's values hold until the next visit.

    The risk is then given a baseline that counts from the landmark, so that survival is
    "given alive at the landmark".

    Raises:
        InputError: The cohort has no visits behind its rows.
    """
    visits = cohort.visits
    if visits is None:
        raise InputError(f"Strategy {spec.name}: a time-updated model needs repeated visits")
    preparation = fit_preparation(spec.preparation, cohort)
    fit = fit_cox(
        preparation.apply(visits.values),
        Outcome(visits.stop, visits.event),
        start=visits.start,
        ridge=float(spec.settings.get("ridge", 10.0)),
    )
    x = preparation.apply(cohort.values)
    return PreparedModel(preparation, recalibrated(fit.coefficients, x, cohort.outcome, slope=1.0))
