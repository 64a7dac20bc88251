"""What each center would have to change before it uses a model: shift and slope."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError
from engine.training.calibration import (
    SMALLEST_RISK,
    calibration_slope,
    judge_calibration,
    shift_to_mean,
)
from engine.training.concordance import harrell_c
from engine.training.outcome import Floats, Outcome, kaplan_meier, largest_safe_horizon

FEWEST_PATIENTS = 20
FEWEST_EVENTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterCalibration:
    """A model at one center.

    Attributes:
        center: Its name in the table.
        concordance: Harrell's C.
        slope, intercept: Of the predicted log cumulative hazard at the horizon; the
            recalibrated one is intercept + slope · (log hazard - mean) + mean.
        ici, ici_recalibrated: Mean absolute error of the risk before and after. The latter is
            measured on the patients the two numbers came from, so it is optimistic.
        remark: Why there are no numbers; empty where there are.
    """

    center: str
    patients: int
    events: int
    concordance: float = float("nan")
    slope: float = float("nan")
    intercept: float = float("nan")
    ici: float = float("nan")
    ici_recalibrated: float = float("nan")
    remark: str = ""


def calibrate_centers(
    survival: Floats, outcome: Outcome, centers: NDArray[Any], horizon: float
) -> tuple[CenterCalibration, ...]:
    """Judge and recalibrate a model at every center.

    Args:
        survival: Predicted survival at the horizon, shape (n,).
        outcome: The patients' outcomes.
        centers: Name of each patient's center, shape (n,).
        horizon: Months.
    """
    return tuple(
        _center(str(name), survival[centers == name], outcome.take(centers == name), horizon)
        for name in np.unique(centers)
    )


def _center(name: str, survival: Floats, outcome: Outcome, horizon: float) -> CenterCalibration:
    patients, events = len(outcome), int(outcome.censored_at(horizon).event.sum())
    if patients < FEWEST_PATIENTS or events < FEWEST_EVENTS:
        return CenterCalibration(
            center=name,
            patients=patients,
            events=events,
            remark=f"needs {FEWEST_PATIENTS} patients and {FEWEST_EVENTS} events by then",
        )
    if horizon > (safe := largest_safe_horizon(outcome)):
        return CenterCalibration(
            center=name, patients=patients, events=events,
            remark=f"follow-up ends before; largest safe horizon {np.floor(safe):g} months",
        )  # fmt: skip
    try:
        slope, intercept, changed = recalibrate(survival, outcome, horizon)
    except InputError as error:
        return CenterCalibration(center=name, patients=patients, events=events, remark=str(error))
    return CenterCalibration(
        center=name,
        patients=patients,
        events=events,
        concordance=harrell_c(1.0 - survival, outcome),
        slope=slope,
        intercept=intercept,
        ici=judge_calibration(survival, outcome, horizon).ici,
        ici_recalibrated=judge_calibration(changed, outcome, horizon).ici,
    )


def recalibrate(survival: Floats, outcome: Outcome, horizon: float) -> tuple[float, float, Floats]:
    """Slope, shift and recalibrated survival at a horizon.

    The slope comes from a Cox model of the predicted log cumulative hazard, the shift makes
    the mean risk the observed one.
    """
    risk = np.clip(1.0 - survival, SMALLEST_RISK, 1.0 - SMALLEST_RISK)
    hazard = np.log(-np.log(1.0 - risk))
    slope = calibration_slope(hazard, outcome.censored_at(horizon))
    if not np.isfinite(slope):
        slope = 1.0
    middle = float(hazard.mean())
    stretched = 1.0 - np.exp(-np.exp(slope * (hazard - middle) + middle))
    happened = 1.0 - float(kaplan_meier(outcome)(horizon))
    inside = np.clip(stretched, SMALLEST_RISK, 1.0 - SMALLEST_RISK)
    shift = shift_to_mean(inside, happened)
    return slope, shift, np.exp(-np.exp(shift) * -np.log(1.0 - inside))
