"""The gated recurrent unit: gradient, absent visits, a golden step."""

import numpy as np
import pytest

from engine.training.recurrent_cell import Cell, cell_gradient, run_cell


@pytest.fixture
def parts() -> tuple[Cell, list[np.ndarray], np.ndarray]:
    random = np.random.default_rng(0)
    cell = Cell(random.normal(size=(4, 9)), random.normal(size=(3, 9)), random.normal(size=9))
    visits = [random.normal(size=(7, 4)) for _ in range(5)]
    return cell, visits, (random.random((7, 5)) < 0.7).astype(float)


def test_the_gradient_is_that_of_finite_differences(
    parts: tuple[Cell, list[np.ndarray], np.ndarray],
) -> None:
    cell, visits, present = parts
    weights = np.random.default_rng(1).normal(size=(7, 3))

    def loss(inputs: np.ndarray, states: np.ndarray, bias: np.ndarray) -> float:
        return float((run_cell(Cell(inputs, states, bias), visits, present)[0] * weights).sum())

    found = cell_gradient(cell, run_cell(cell, visits, present)[1], weights)
    arrays = [cell.inputs, cell.states, cell.bias]
    for k, own in enumerate((found.inputs, found.states, found.bias)):
        for index in np.ndindex(own.shape):
            moved = [a.copy() for a in arrays]
            moved[k][index] += 1e-6
            up = loss(*moved)
            moved[k][index] -= 2e-6
            assert own[index] == pytest.approx((up - loss(*moved)) / 2e-6, rel=1e-4, abs=1e-6)


def test_an_absent_visit_leaves_the_state(
    parts: tuple[Cell, list[np.ndarray], np.ndarray],
) -> None:
    cell, visits, present = parts
    present[:, 2] = 0.0
    without, _ = run_cell(cell, visits, present)
    visits[2] = visits[2] + 100.0
    assert (run_cell(cell, visits, present)[0] == without).all()


def test_one_step_is_the_published_formula() -> None:
    """Golden by hand: one unit, one input of 1, no state: h = (1 - σ(w_z)) · tanh(w_c)."""
    cell = Cell(np.array([[0.5, 0.3, -0.8]]), np.zeros((1, 3)), np.zeros(3))
    state, _ = run_cell(cell, [np.ones((1, 1))], np.ones((1, 1)))
    assert state[0, 0] == pytest.approx((1 - 1 / (1 + np.exp(-0.5))) * np.tanh(-0.8))
