"""Forecasts in words and rows, so that PDF, pictures and report state them alike."""

import math

from engine.reporting.clinical_words import quantity
from engine.values.prognosis import Contribution, Refusal, RiskPrediction

HORIZONS_MONTHS = (12, 24, 36, 60)
PREMISE = (
    "A forecast describes patients like this one in the development cohort, all of whom had the "
    "treatment named; it does not say what treatment is right, and single outcomes differ widely."
)
FEATURES = ("Features of ", "Radiomics of ")
NO_INTERVAL = "no interval given"


def is_forecast(refusal: Refusal) -> bool:
    """Tell whether what was refused is a forecast; regions refuse their features too."""
    return not refusal.name.startswith(FEATURES)


def has_interval(prediction: RiskPrediction) -> bool:
    """Tell whether the bounds say more than the curve itself."""
    return any(low < high for low, high in zip(prediction.lower, prediction.upper, strict=True))


def interval_text(prediction: RiskPrediction, index: int) -> str:
    """Bounds at one time of the grid, or that there are none."""
    if not has_interval(prediction):
        return NO_INTERVAL
    return f"{prediction.lower[index]:.0%} to {prediction.upper[index]:.0%}"


def horizon_rows(prediction: RiskPrediction) -> list[tuple[str, str, str]]:
    """Months, event-free probability, interval; a refusal where the model does not reach."""
    rows = []
    grid = prediction.times_months
    for month in HORIZONS_MONTHS:
        if month > grid[-1]:
            rows.append((str(month), "not predicted", f"model ends at {grid[-1]:g} months"))
        elif month not in grid:
            rows.append((str(month), "not predicted", "not on the model's time grid"))
        else:
            index = grid.index(month)
            value = f"{prediction.survival[index]:.0%}"
            rows.append((str(month), value, interval_text(prediction, index)))
    return rows


def headline(prediction: RiskPrediction) -> str:
    """Group, percentile and one probability in a sentence."""
    month = next(
        (m for m in (24, 12, 36, 60) if m in prediction.times_months), prediction.times_months[-1]
    )
    index = prediction.times_months.index(month)
    within = f" ({interval_text(prediction, index)})" if has_interval(prediction) else ""
    group = prediction.risk_group[:1].upper() + prediction.risk_group[1:]
    return (
        f"{group} risk group: percentile {prediction.percentile:.0f} of the development cohort "
        f"(100 is the highest risk). Event-free at {month:g} months: "
        f"{prediction.survival[index]:.0%}{within}."
    )


def bound_sentences(prediction: RiskPrediction) -> list[str]:
    """Lower bounds on the time to the event in one sentence, and what they are in another.

    Months are rounded down: a lower bound must not be printed higher than it is.
    """
    if not prediction.lower_bounds:
        return []
    told = ", ".join(
        f"{bound.confidence:.0%} {'at least' if bound.at_end else 'longer than'} "
        f"{math.floor(10 * bound.months) / 10:.1f} months"
        for bound in prediction.lower_bounds
    )
    kind = prediction.lower_bound[:1].upper() + prediction.lower_bound[1:]
    return [f"Of such patients stay event-free: {told}.", *([f"{kind}."] if kind else [])]


def contribution_value(contribution: Contribution) -> str:
    """The patient's value of a predictor."""
    return quantity(contribution.value, contribution.unit)


def effect_note(prediction: RiskPrediction) -> str:
    """What the bars of the contributions mean."""
    method = prediction.contribution_method
    how = f" ({method})" if method else ""
    base = prediction.contribution_base
    start = f" from {base:+.2f}" if base else ""
    return (
        f"Effect of each predictor on the linear predictor, which they move{start} to "
        f"{prediction.linear_predictor:+.2f}{how}; above 0 raises the risk. Associations in the "
        "development cohort, not causes."
    )
