"""Predicted curves of the development cohort's risk groups, to compare a patient with.

A Cox model is known by its curves: log(-log S) of two patients differ by the same amount at
every time, the difference of their linear predictors. Then one curve and the cohort's linear
predictors give every patient's curve, and the mean over a group is the group's. A model of
another form gets no group curves.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.prognosis.package import RiskModel, RiskPackage, RiskPredictor
from engine.values.prognosis import GroupCurve

PROPORTIONALITY_TOLERANCE = 1e-5

Run = Callable[[NDArray[np.float64]], Mapping[str, NDArray[Any]]]


def group_curves(package: RiskPackage, model: RiskModel, run: Run) -> tuple[GroupCurve, ...]:
    """Mean predicted curve of each risk group over the development cohort.

    Args:
        package: The package, for its predictors.
        model: One of its models.
        run: Gives ``linear_predictor`` (n,) and ``survival`` (n, T) for rows (n, p).

    Returns:
        One curve per group that holds patients, lowest risk first; empty when hazards are
        not proportional, because then a linear predictor does not determine a curve.
    """
    outputs = run(_probes([package.predictor(name) for name in model.predictors]))
    risk = np.asarray(outputs["linear_predictor"], np.float64).reshape(-1)
    hazard = -np.log(np.clip(outputs["survival"].astype(np.float64), 1e-12, 1 - 1e-12))
    shift = np.log(hazard) - np.log(hazard[0])
    expected = (risk - risk[0])[:, None]
    varied = float(np.abs(expected).max()) > PROPORTIONALITY_TOLERANCE
    if not varied or not np.allclose(shift, expected, atol=PROPORTIONALITY_TOLERANCE):
        return ()
    cohort = np.array(model.percentiles)
    curves, lower = [], -np.inf
    for group in model.groups:
        members = cohort[(cohort > lower) & (cohort <= group.upper)]
        lower = group.upper
        if members.size:
            mean = np.exp(-hazard[0] * np.exp(members - risk[0])[:, None]).mean(0)
            curves.append(GroupCurve(name=group.name, survival=tuple(map(float, mean))))
    return tuple(curves)


def _probes(predictors: list[RiskPredictor]) -> NDArray[np.float64]:
    """A reference row and one row per predictor with that one at its other end."""
    ends = [_ends(predictor) for predictor in predictors]
    reference = np.array([low for low, _ in ends])
    rows = np.tile(reference, (len(ends) + 1, 1))
    for column, (_, high) in enumerate(ends):
        rows[column + 1, column] = high
    return rows


def _ends(predictor: RiskPredictor) -> tuple[float, float]:
    """Two numbers that the model may meet."""
    if predictor.words:
        numbers = [number for _, number in predictor.words]
        return min(numbers), max(numbers)
    low, high = predictor.development
    return (low, high) if np.isfinite([low, high]).all() else (0.0, 1.0)
