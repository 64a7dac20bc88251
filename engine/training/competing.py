"""Competing risks: cause-specific Cox models and the cumulative incidence they imply."""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.cox import CoxFit, fit_cox
from engine.training.outcome import Floats, Integers, Outcome

SMALLEST_INCIDENCE = 1e-9


@dataclass(frozen=True, slots=True)
class CompetingFit:
    """One Cox model per cause on the same predictors.

    Attributes:
        causes: Cause numbers, ascending.
        models: Cause-specific hazards; the other causes count as censoring.
    """

    causes: tuple[int, ...]
    models: tuple[CoxFit, ...]

    @property
    def grid(self) -> Floats:
        """Every time at which some cause happened, ascending."""
        return np.unique(np.concatenate([m.baseline.times for m in self.models]))

    def risk(self, x: Floats) -> Floats:
        """Complementary log-log of the first cause's incidence at the last time, shape (n,).

        It orders patients by the probability of the event itself, which a cause-specific
        hazard alone does not.
        """
        last = self.incidence(x, self.grid[-1:], of=self.causes[0])[:, 0]
        inside = np.clip(last, SMALLEST_INCIDENCE, 1.0 - SMALLEST_INCIDENCE)
        return np.asarray(np.log(-np.log1p(-inside)), np.float64)

    def survival(self, x: Floats, times: Floats) -> Floats:
        """1 - incidence of the first cause, shape (n, T)."""
        return np.asarray(1.0 - self.incidence(x, times, of=self.causes[0]), np.float64)

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
        grid = self.grid
        steps = [
            np.exp(m.linear_predictor(x))[:, None] * hazard_steps(m, grid) for m in self.models
        ]
        total = np.sum(steps, axis=0)
        alive = np.cumprod(np.maximum(1.0 - total, 0.0), axis=1)
        before = np.column_stack((np.ones(len(x)), alive[:, :-1]))
        rising = np.cumsum(before * steps[self.causes.index(of)], axis=1)
        index = np.searchsorted(grid, times, side="right")
        return np.asarray(np.column_stack((np.zeros(len(x)), rising))[:, index], np.float64)


def hazard_steps(model: CoxFit, grid: Floats) -> Floats:
    """Steps of a model's baseline hazard on a grid, shape (1, g)."""
    return np.diff(np.concatenate(([0.0], model.baseline(grid))))[None, :]


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
