"""Competing risks: cause-specific Cox models and the cumulative incidence they imply."""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.cox import CoxFit, fit_cox
from engine.training.outcome import Floats, Integers, Outcome


@dataclass(frozen=True, slots=True)
class CompetingFit:
    """One Cox model per cause on the same predictors.

    Attributes:
        causes: Cause numbers, ascending.
        models: Cause-specific hazards; the other causes count as censoring.
    """

    causes: tuple[int, ...]
    models: tuple[CoxFit, ...]

    def incidence(self, x: Floats, times: Floats, *, of: int) -> Floats:
        """Cumulative incidence of a cause, shape (n, T).

        Sums over event times: survival from all causes just before, times the cause's
        hazard step (doi:10.1002/sim.2712). A rise in a competing cause lowers it, which one
        minus a cause-specific survival would ignore.

        Raises:
            InputError: Not a cause of the fit.
        """
        if of not in self.causes:
            raise InputError(f"Cause {of} is not among {self.causes}")
        grid = np.unique(np.concatenate([m.baseline.times for m in self.models]))
        steps = [self._steps(m, x, grid) for m in self.models]
        total = np.sum(steps, axis=0)
        alive = np.cumprod(np.maximum(1.0 - total, 0.0), axis=1)
        before = np.column_stack((np.ones(len(x)), alive[:, :-1]))
        rising = np.cumsum(before * steps[self.causes.index(of)], axis=1)
        index = np.searchsorted(grid, times, side="right")
        return np.asarray(np.column_stack((np.zeros(len(x)), rising))[:, index], np.float64)

    @staticmethod
    def _steps(model: CoxFit, x: Floats, grid: Floats) -> Floats:
        """Hazard of each patient at each time of the grid, shape (n, g)."""
        cumulative = model.baseline(grid)
        baseline = np.diff(np.concatenate(([0.0], cumulative)))
        relative = np.exp(model.linear_predictor(x))
        return np.asarray(relative[:, None] * baseline[None, :], np.float64)


def fit_competing(x: Floats, time: Floats, cause: Integers, *, ridge: float = 1.0) -> CompetingFit:
    """Fit cause-specific Cox models.

    Args:
        x: Prepared predictors, shape (n, r).
        time: Months to the first event or censoring, shape (n,).
        cause: 0 censored, 1, 2, … the cause, shape (n,).
        ridge: Penalty of every model.

    Raises:
        InputError: No event of any cause.
    """
    causes = tuple(int(c) for c in np.unique(cause) if c > 0)
    if not causes:
        raise InputError("Competing risks need at least one event")
    models = tuple(fit_cox(x, Outcome(time, cause == c), ridge=ridge) for c in causes)
    return CompetingFit(causes, models)
