"""Small networks with the Cox loss, trained by L-BFGS with exact gradients in numpy."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from engine.training.cox import breslow_baseline
from engine.training.outcome import Floats, Outcome, StepFunction


@dataclass(frozen=True, slots=True)
class NetworkFit:
    """One hidden tanh layer and a linear risk (Cox-nnet, doi:10.1371/journal.pcbi.1006076).

    Attributes:
        hidden, bias: Hidden layer, shapes (r, h) and (h,).
        output: Weights of the hidden units, shape (h,).
        baseline: Cumulative hazard at a linear predictor of 0.
    """

    hidden: Floats
    bias: Floats
    output: Floats
    baseline: StepFunction

    def activations(self, x: Floats) -> Floats:
        """Hidden units, shape (n, h)."""
        return np.tanh(x @ self.hidden + self.bias)

    def risk(self, x: Floats) -> Floats:
        """Linear predictor, shape (n,); higher means higher risk."""
        return np.asarray(self.activations(x) @ self.output, np.float64)

    def survival(self, x: Floats, times: Floats) -> Floats:
        """Survival, shape (n, T)."""
        return np.exp(-self.baseline(times)[None, :] * np.exp(self.risk(x))[:, None])


class CoxLoss:
    """Mean negative Breslow partial log likelihood and its gradient in the risk."""

    def __init__(self, outcome: Outcome) -> None:
        self._order = np.argsort(-outcome.time, kind="stable")
        times = outcome.time[self._order]
        self._last = np.searchsorted(-times, -times, side="right") - 1
        self._event = outcome.event[self._order].astype(np.float64)
        self._first = np.searchsorted(-times, -times, side="left")
        self._events = max(float(self._event.sum()), 1.0)

    def __call__(self, risk: Floats) -> tuple[float, Floats]:
        """Loss and gradient, shape (n,)."""
        eta = risk[self._order]
        shift = float(eta.max())
        relative = np.exp(eta - shift)
        total = np.cumsum(relative)[self._last]
        loss = -float(self._event @ (eta - shift - np.log(total))) / self._events
        share = (self._event / total)[::-1].cumsum()[::-1][self._first]
        gradient = np.empty_like(risk)
        gradient[self._order] = -(self._event - relative * share) / self._events
        return loss, gradient


def fit_cox_network(
    x: Floats,
    outcome: Outcome,
    *,
    units: int = 8,
    decay: float = 0.1,
    seed: int = 0,
    steps: int = 200,
) -> NetworkFit:
    """Fit a one-hidden-layer Cox network.

    Args:
        x: Prepared predictors, shape (n, r).
        outcome: Training outcome.
        units: Hidden units; 0 takes the square root of r, as in the paper.
        decay: Weight decay on both layers.
        seed: Of the initial weights.
        steps: Most L-BFGS steps.
    """
    wide = x.shape[1]
    units = units or max(2, round(np.sqrt(wide)))
    random = np.random.default_rng(seed)
    start = np.concatenate(
        (
            random.normal(scale=1.0 / np.sqrt(wide), size=wide * units),
            np.zeros(units),
            random.normal(scale=0.1, size=units),
        )
    )
    loss = CoxLoss(outcome)

    def objective(weights: Floats) -> tuple[float, Floats]:
        hidden, bias, output = _split(weights, wide, units)
        active = np.tanh(x @ hidden + bias)
        value, slope = loss(active @ output)
        back = slope[:, None] * output * (1.0 - active**2)
        gradient = np.concatenate(((x.T @ back).ravel(), back.sum(axis=0), active.T @ slope))
        free = np.concatenate((hidden.ravel(), np.zeros(units), output))
        return value + 0.5 * decay * float(free @ free), gradient + decay * free

    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    hidden, bias, output = _split(found.x, wide, units)
    raw = NetworkFit(hidden, bias, output, StepFunction(np.empty(0), np.empty(0), 0.0))
    return NetworkFit(hidden, bias, output, breslow_baseline(raw.risk(x), outcome))


def _split(weights: Floats, wide: int, units: int) -> tuple[Floats, Floats, Floats]:
    edge = wide * units
    return weights[:edge].reshape(wide, units), weights[edge : edge + units], weights[-units:]
