"""Calibration of survival probabilities at a horizon.

The smoothed curve follows Austin, Harrell and van Klaveren (doi:10.1002/sim.8570): the
observed outcome is regressed on a restricted cubic spline of the complementary log-log of
the predicted risk, and compared with the prediction.
"""

from dataclasses import dataclass

import numpy as np

from engine.training.cox import fit_cox
from engine.training.outcome import Floats, Outcome, check_horizons, kaplan_meier

KNOT_PERCENTILES = {3: (10, 50, 90), 4: (5, 35, 65, 95)}
SMALLEST_RISK = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Agreement of predicted and observed risk at one horizon.

    Attributes:
        horizon: Months.
        predicted, observed: The smoothed curve, ascending predicted risk.
        ici: Mean absolute difference (integrated calibration index).
        e50, e90: Median and 90th percentile of the absolute difference.
        slope: Of log cumulative hazard; below 1 means predictions are too extreme.
        intercept: Shift of the log cumulative hazards that makes the mean predicted risk
            the observed one; above 0 means risks are too low.
        observed_risk, mean_predicted_risk: Kaplan–Meier against the mean prediction.
        groups: (mean predicted, Kaplan–Meier risk, patients) per fifth of predicted risk.
    """

    horizon: float
    predicted: Floats
    observed: Floats
    ici: float
    e50: float
    e90: float
    slope: float
    intercept: float
    observed_risk: float
    mean_predicted_risk: float
    groups: tuple[tuple[float, float, int], ...]


def judge_calibration(survival: Floats, outcome: Outcome, horizon: float) -> Calibration:
    """Judge the calibration of predicted survival at a horizon.

    Args:
        survival: Predicted probability of being event-free at the horizon, shape (n,).
        outcome: The patients' outcomes.
        horizon: Months.

    Raises:
        HorizonError: The horizon lies beyond follow-up.
    """
    check_horizons(outcome, (horizon,))
    risk = np.clip(1.0 - survival, SMALLEST_RISK, 1.0 - SMALLEST_RISK)
    cut = outcome.censored_at(horizon)
    transformed = np.log(-np.log(1.0 - risk))
    happened = 1.0 - float(kaplan_meier(outcome)(horizon))
    return summarize_calibration(
        horizon,
        risk,
        _smoothed_risk(transformed, cut, horizon),
        slope=calibration_slope(transformed, cut),
        happened=happened,
        groups=_groups(risk, outcome, horizon),
    )


def summarize_calibration(
    horizon: float,
    risk: Floats,
    observed: Floats,
    *,
    slope: float,
    happened: float,
    groups: tuple[tuple[float, float, int], ...],
) -> Calibration:
    """The figures of a smoothed curve; ``happened`` is the observed risk of everybody."""
    difference = np.abs(risk - observed)
    order = np.argsort(risk)
    return Calibration(
        horizon=horizon,
        predicted=risk[order],
        observed=observed[order],
        ici=float(difference.mean()),
        e50=float(np.median(difference)),
        e90=float(np.percentile(difference, 90)),
        slope=slope,
        intercept=shift_to_mean(risk, happened),
        observed_risk=happened,
        mean_predicted_risk=float(risk.mean()),
        groups=groups,
    )


def calibration_slope(log_hazard: Floats, outcome: Outcome) -> float:
    """Cox coefficient of a predicted log (cumulative) hazard; NaN when it is constant."""
    centered = log_hazard - log_hazard.mean()
    if np.ptp(centered) < SMALLEST_RISK:
        return float("nan")
    return float(fit_cox(centered[:, None], outcome).coefficients[0])


def _smoothed_risk(transformed: Floats, outcome: Outcome, horizon: float) -> Floats:
    basis = spline_basis(transformed, knots=3)
    if basis.shape[1] == 0:
        return np.full(len(outcome), 1.0 - float(kaplan_meier(outcome)(horizon)))
    center, scale = basis.mean(axis=0), basis.std(axis=0)
    scaled = (basis - center) / np.where(scale > 0, scale, 1.0)
    fit = fit_cox(scaled, outcome, ridge=1e-3)
    return 1.0 - fit.survival(scaled, np.array([horizon]))[:, 0]


def spline_basis(values: Floats, *, knots: int) -> Floats:
    """Restricted cubic spline basis (Harrell), shape (n, knots - 1); linear tails.

    Falls back to the line when the values have too few distinct percentiles, and to no
    column at all when they are constant.
    """
    if np.ptp(values) < SMALLEST_RISK:
        return np.empty((len(values), 0))
    at = np.percentile(values, KNOT_PERCENTILES[knots])
    if (np.diff(at) < SMALLEST_RISK).any():
        return values[:, None]
    last, before = at[-1], at[-2]
    columns = [values]
    for knot in at[:-2]:
        cubic = (
            np.maximum(values - knot, 0) ** 3
            - np.maximum(values - before, 0) ** 3 * (last - knot) / (last - before)
            + np.maximum(values - last, 0) ** 3 * (before - knot) / (last - before)
        )
        columns.append(cubic / (last - at[0]) ** 2)
    return np.column_stack(columns)


def shift_to_mean(risk: Floats, observed: float) -> float:
    """Shift of the log cumulative hazards that makes the mean risk the observed one.

    NaN when nobody or everybody has failed, where no finite shift does.
    """
    if not 0.0 < observed < 1.0:
        return float("nan")
    hazard = -np.log(1.0 - risk)
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if float(np.mean(1.0 - np.exp(-np.exp(middle) * hazard))) < observed:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _groups(risk: Floats, outcome: Outcome, horizon: float) -> tuple[tuple[float, float, int], ...]:
    rows = []
    for members in np.array_split(np.argsort(risk, kind="stable"), 5):
        if len(members):
            observed = 1.0 - float(kaplan_meier(outcome.take(members))(horizon))
            rows.append((float(risk[members].mean()), observed, len(members)))
    return tuple(rows)
