"""A recurrent network over the last visits, with competing risks.

The state after the last known visit sets piecewise constant hazards of every cause
(log hazard = level of the interval + state effect + state effect × time), so times count
exactly and incidences have closed forms. Trained by L-BFGS with exact gradients; what a
torch model would add on tables of this size is only the dependency.
"""

import re
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

from engine.training.cohort import Cohort
from engine.training.fusion import available
from engine.training.outcome import Floats, Integers, Outcome, largest_safe_horizon
from engine.training.preparation import Preparation, fit_preparation
from engine.training.recipe import RecipeError, StrategySpec
from engine.training.recurrent_cell import Cell, cell_gradient, run_cell

RECURRENT = "recurrent"
LAGGED = re.compile(r"^(?P<name>.+)@(?P<lag>\d+)$")
LARGEST_LOG_HAZARD = 6.0
SMALLEST_RISK = 1e-9


@dataclass(frozen=True, slots=True)
class Layout:
    """Which prepared columns are the network's inputs.

    Attributes:
        visits: Per visit, oldest first, the prepared column of each input; -1 for none,
            shape (visits, f).
        fixed: Prepared columns given at every visit (age), shape (s,).
        presence: Per visit, the cohort columns that tell whether it took place.
    """

    visits: Integers
    fixed: Integers
    presence: tuple[Integers, ...]

    def inputs(self, x: Floats) -> list[Floats]:
        """One matrix (n, f + s) per visit from prepared predictors."""
        fixed = x[:, self.fixed]
        return [
            np.column_stack((np.where(row >= 0, x[:, np.maximum(row, 0)], 0.0), fixed))
            for row in self.visits
        ]


def layout_of(preparation: Preparation, cohort: Cohort) -> Layout:
    """Sort columns named "name@lag" into visits.

    Raises:
        RecipeError: No such column.
    """
    found = [(k, LAGGED.match(name)) for k, name in enumerate(preparation.names)]
    lagged = {(m["name"], int(m["lag"])): k for k, m in found if m}
    if not lagged:
        raise RecipeError("A recurrent network needs columns of single visits (lags in [cohort])")
    names = sorted({name for name, _ in lagged})
    lags = sorted({lag for _, lag in lagged}, reverse=True)
    matches = [(k, LAGGED.match(c.name)) for k, c in enumerate(cohort.columns)]
    return Layout(
        np.array([[lagged.get((name, lag), -1) for name in names] for lag in lags], np.int64),
        np.array([k for k, m in found if not m], np.int64),
        tuple(
            np.array([k for k, m in matches if m and int(m["lag"]) == lag], np.int64)
            for lag in lags
        ),
    )


@dataclass(frozen=True, slots=True)
class Hazards:
    """How a state becomes hazards per month of C causes in T intervals.

    Attributes:
        edges: Ends of the intervals, months; the last one holds on, shape (T,).
        level: Shape (T, C).
        effect, tilt: Effects of the state, constant and growing from -1 to 1 over the
            intervals, shapes (h, C).
    """

    edges: Floats
    level: Floats
    effect: Floats
    tilt: Floats

    @property
    def clock(self) -> Floats:
        """-1 … 1 over the intervals, shape (T,)."""
        return np.linspace(-1.0, 1.0, len(self.edges))

    def rates(self, state: Floats) -> Floats:
        """Hazards, shape (n, T, C)."""
        score = self.level + (state @ self.effect)[:, None, :]
        score = score + (state @ self.tilt)[:, None, :] * self.clock[None, :, None]
        return np.asarray(np.exp(np.minimum(score, LARGEST_LOG_HAZARD)), np.float64)

    def pieces(self, times: Floats) -> tuple[Integers, Floats, Floats]:
        """Pieces between edges and asked-for times: interval, length, end, shapes (g,)."""
        ends = np.unique(np.concatenate((self.edges, times)))
        lengths = np.diff(np.concatenate(([0.0], ends)))
        interval = np.searchsorted(self.edges, ends, side="left")
        return np.minimum(interval, len(self.edges) - 1), lengths, ends

    def incidence(self, state: Floats, times: Floats) -> Floats:
        """Cumulative incidence of the first cause, shape (n, T)."""
        interval, lengths, ends = self.pieces(times)
        rates = self.rates(state)[:, interval]
        total = rates.sum(axis=2)
        hazard = total * lengths
        before = np.cumsum(hazard, axis=1) - hazard
        steps = np.exp(-before) * rates[:, :, 0] / total * -np.expm1(-hazard)
        until = (ends[:, None] <= times[None, :]).astype(np.float64)
        return np.asarray(steps @ until, np.float64)


@dataclass(frozen=True, slots=True)
class RecurrentModel:
    """Preparation, layout and network; ``survival`` is 1 - incidence of the first cause."""

    preparation: Preparation
    layout: Layout
    cell: Cell
    hazards: Hazards

    def state(self, values: Floats) -> Floats:
        """State after the last known visit, shape (n, h)."""
        present = available(values, self.layout.presence).astype(np.float64)
        visits = self.layout.inputs(self.preparation.apply(values))
        return run_cell(self.cell, visits, present)[0]

    def risk(self, values: Floats) -> Floats:
        """Complementary log-log of the incidence at the last edge; higher means earlier."""
        last = self.hazards.incidence(self.state(values), self.hazards.edges[-1:])[:, 0]
        inside = np.clip(last, SMALLEST_RISK, 1.0 - SMALLEST_RISK)
        return np.asarray(np.log(-np.log1p(-inside)), np.float64)

    def survival(self, values: Floats, times: Floats) -> Floats:
        """Probability of no event of the first cause yet, shape (n, T)."""
        return 1.0 - self.hazards.incidence(self.state(values), times)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentSettings:
    """Hyperparameters: width of the state, weight decay, intervals, L-BFGS steps."""

    units: int = 6
    decay: float = 1.0
    intervals: int = 8
    steps: int = 120
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Exposure:
    """Months at risk (n, T) and events (n, T, C) in each interval."""

    months: Floats
    events: Floats = field(repr=False)


def fit_recurrent(spec: StrategySpec, cohort: Cohort) -> RecurrentModel:
    """Fit the network on training rows.

    Raises:
        RecipeError: Unknown setting, or no columns of single visits.
    """
    try:
        settings = RecurrentSettings(**spec.settings)
    except TypeError as error:
        raise RecipeError(f"Strategy {spec.name}: {error}") from error
    preparation = fit_preparation(spec.preparation, cohort)
    layout = layout_of(preparation, cohort)
    present = available(cohort.values, layout.presence).astype(np.float64)
    visits = layout.inputs(preparation.apply(cohort.values))
    edges = _edges(cohort.outcome, settings.intervals)
    exposure = _exposure(cohort, edges)
    shapes = Shapes(visits[0].shape[1], settings.units, len(edges), exposure.events.shape[2])

    def objective(weights: Floats) -> tuple[float, Floats]:
        cell, hazards = shapes.split(weights, edges)
        loss, gradient = _loss(cell, hazards, (visits, present), exposure)
        free = weights * shapes.penalized
        slope = shapes.join(*gradient) + settings.decay * free
        return loss + 0.5 * settings.decay * float(free @ free), slope

    found = minimize(
        objective,
        shapes.start(exposure, np.random.default_rng(settings.seed)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": settings.steps},
    )
    return RecurrentModel(preparation, layout, *shapes.split(found.x, edges))


@dataclass(frozen=True, slots=True)
class Shapes:
    """Sizes of the parameters, flat and in parts."""

    inputs: int
    units: int
    intervals: int
    causes: int

    @property
    def sizes(self) -> list[int]:
        """Of inputs, states, bias, level, effect and tilt."""
        h = self.units
        outputs = h * self.causes
        return [
            self.inputs * 3 * h,
            h * 3 * h,
            3 * h,
            self.intervals * self.causes,
            outputs,
            outputs,
        ]

    @property
    def penalized(self) -> Floats:
        """1 for weights, 0 for biases and levels."""
        return np.repeat(np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0]), self.sizes)

    def split(self, weights: Floats, edges: Floats) -> tuple[Cell, Hazards]:
        """The parts of flat weights."""
        parts = np.split(weights, np.cumsum(self.sizes)[:-1])
        h, c = self.units, self.causes
        cell = Cell(parts[0].reshape(-1, 3 * h), parts[1].reshape(h, 3 * h), parts[2])
        level, effect, tilt = (parts[k].reshape(-1, c) for k in (3, 4, 5))
        return cell, Hazards(edges, level, effect, tilt)

    def join(self, cell: Cell, hazards: Hazards) -> Floats:
        """Flat weights (or gradients) of the parts."""
        parts = (cell.inputs, cell.states, cell.bias, hazards.level, hazards.effect, hazards.tilt)
        return np.concatenate([part.ravel() for part in parts])

    def start(self, exposure: Exposure, random: np.random.Generator) -> Floats:
        """Small random weights; levels are the observed rates."""
        scales = np.repeat([0.3 / np.sqrt(self.inputs), 0.2, 0.0, 0.0, 0.1, 0.05], self.sizes)
        weights = random.normal(size=sum(self.sizes)) * scales
        rates = (exposure.events.sum(axis=0) + 0.5) / exposure.months.sum(axis=0)[:, None]
        at = sum(self.sizes[:3])
        weights[at : at + self.sizes[3]] = np.log(rates).ravel()
        return np.asarray(weights, np.float64)


def _edges(outcome: Outcome, intervals: int) -> Floats:
    """Quantiles of the event times inside follow-up; the last edge is its safe end."""
    end = largest_safe_horizon(outcome)
    inside = outcome.time[outcome.event & (outcome.time < end)]
    if not len(inside):
        return np.array([end])
    inner = np.quantile(inside, np.arange(1, intervals) / intervals)
    return np.asarray(np.unique(np.append(inner, end)), np.float64)


def _exposure(cohort: Cohort, edges: Floats) -> Exposure:
    cause = cohort.outcome.event.astype(np.int64) if cohort.cause is None else cohort.cause
    time = np.minimum(cohort.outcome.time, edges[-1])
    starts = np.concatenate(([0.0], edges[:-1]))
    months = np.clip(time[:, None] - starts, 0.0, edges - starts)
    events = np.zeros((*months.shape, max(int(cause.max()), 1)))
    happened = np.flatnonzero((cause > 0) & (cohort.outcome.time <= edges[-1]))
    interval = np.searchsorted(edges, time[happened], side="left")
    events[happened, interval, cause[happened] - 1] = 1.0
    return Exposure(months, events)


def _loss(
    cell: Cell, hazards: Hazards, seen: tuple[list[Floats], Floats], exposure: Exposure
) -> tuple[float, tuple[Cell, Hazards]]:
    """Negative log likelihood of piecewise exponential times, and its gradient."""
    state, steps = run_cell(cell, *seen)
    rates = hazards.rates(state)
    expected = exposure.months[:, :, None] * rates
    value = float(expected.sum() - (exposure.events * np.log(rates)).sum())
    slope = expected - exposure.events
    over_time, tilted = slope.sum(axis=1), np.einsum("ntc,t->nc", slope, hazards.clock)
    to_state = over_time @ hazards.effect.T + tilted @ hazards.tilt.T
    gradient = Hazards(hazards.edges, slope.sum(axis=0), state.T @ over_time, state.T @ tilted)
    return value, (cell_gradient(cell, steps, to_state), gradient)
