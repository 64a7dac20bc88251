"""A gated recurrent unit over visits, and its exact gradient, in numpy.

Reset-after form: z, r = σ(x W + h U + b), c = tanh(x W + b + r · (h U)),
h' = z · h + (1 - z) · c (doi:10.3115/v1/D14-1179). A visit that did not take place leaves the
state as it is.
"""

from dataclasses import dataclass

import numpy as np

from engine.training.outcome import Floats


@dataclass(frozen=True, slots=True)
class Cell:
    """Weights of the unit; columns are update, reset, candidate.

    Attributes:
        inputs: Shape (d, 3h).
        states: Shape (h, 3h).
        bias: Shape (3h,).
    """

    inputs: Floats
    states: Floats
    bias: Floats

    @property
    def units(self) -> int:
        """Width of the state."""
        return int(self.states.shape[0])


@dataclass(frozen=True, slots=True)
class Step:
    """What one visit leaves behind for the gradient."""

    x: Floats
    present: Floats
    before: Floats
    update: Floats
    reset: Floats
    candidate: Floats
    inner: Floats


def run_cell(cell: Cell, visits: list[Floats], present: Floats) -> tuple[Floats, list[Step]]:
    """State after all visits, oldest first.

    Args:
        cell: Weights.
        visits: Inputs of each visit, shapes (n, d).
        present: 1 where a visit took place, shape (n, visits).

    Returns:
        Final state (n, h) and the steps for ``cell_gradient``.
    """
    h = np.zeros((len(present), cell.units))
    steps = []
    for k, x in enumerate(visits):
        there = present[:, [k]]
        outer = x @ cell.inputs + cell.bias
        inner = h @ cell.states
        units = cell.units
        gates = 1.0 / (1.0 + np.exp(-(outer[:, : 2 * units] + inner[:, : 2 * units])))
        update, reset = gates[:, :units], gates[:, units:]
        candidate = np.tanh(outer[:, 2 * units :] + reset * inner[:, 2 * units :])
        steps.append(Step(x, there, h, update, reset, candidate, inner[:, 2 * units :]))
        h = h + there * (1.0 - update) * (candidate - h)
    return h, steps


def cell_gradient(cell: Cell, steps: list[Step], slope: Floats) -> Cell:
    """Gradient of a loss in the weights given its slope in the final state (n, h)."""
    inputs, states = np.zeros_like(cell.inputs), np.zeros_like(cell.states)
    bias = np.zeros_like(cell.bias)
    for step in reversed(steps):
        moved = slope * step.present
        to_candidate = moved * (1.0 - step.update) * (1.0 - step.candidate**2)
        to_update = moved * (step.before - step.candidate) * step.update * (1.0 - step.update)
        to_reset = to_candidate * step.inner * step.reset * (1.0 - step.reset)
        outer = np.concatenate((to_update, to_reset, to_candidate), axis=1)
        inner = np.concatenate((to_update, to_reset, to_candidate * step.reset), axis=1)
        inputs += step.x.T @ outer
        states += step.before.T @ inner
        bias += outer.sum(axis=0)
        kept = slope * (1.0 - step.present) + moved * step.update
        slope = kept + inner @ cell.states.T
    return Cell(inputs, states, bias)
