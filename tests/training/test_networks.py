"""Networks: gradients are exact, and the Cox loss is the partial likelihood."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.training.cohort import Cohort
from engine.training.cox import partial_log_likelihood
from engine.training.feature_fusion import Architecture, GatedAttention, TensorFusion
from engine.training.networks import CoxLoss, fit_cox_network
from engine.training.outcome import Floats, Outcome

Case = tuple[Floats, Outcome, Floats]


def numeric(function: Callable[[Floats], float], at: Floats) -> Floats:
    steps = 1e-6 * np.eye(len(at))
    return np.array([(function(at + s) - function(at - s)) / 2e-6 for s in steps])


def test_the_loss_is_the_mean_negative_partial_likelihood(rounded: Case) -> None:
    x, outcome, _ = rounded
    beta = np.array([0.3, -0.2, 0.1])
    loss, _ = CoxLoss(outcome)(x @ beta)
    events = outcome.event.sum()
    assert loss * events == pytest.approx(-partial_log_likelihood(x, outcome, beta))


def test_the_gradient_of_the_loss_is_exact(rounded: Case) -> None:
    _, outcome, risk = rounded
    small = outcome.take(np.arange(30))
    loss = CoxLoss(small)
    assert loss(risk[:30])[1] == pytest.approx(numeric(lambda r: loss(r)[0], risk[:30]), abs=1e-8)


@pytest.mark.parametrize(
    "network", [TensorFusion([2, 3], units=2, rank=2), GatedAttention([2, 3], units=2)]
)
def test_the_gradient_of_a_fusion_network_is_exact(network: Architecture) -> None:
    """Also with absent modalities."""
    random = np.random.default_rng(0)
    blocks = [random.normal(size=(25, 2)), random.normal(size=(25, 3))]
    present = random.random((25, 2)) < 0.7
    present[~present.any(axis=1)] = True
    loss = CoxLoss(Outcome(np.ceil(random.exponential(9, 25)), random.random(25) < 0.7))
    weights = network.start(random) + 0.1 * random.normal(size=network.size)

    def value(w: Floats) -> float:
        return loss(network.forward(w, blocks, present))[0]

    slope = loss(network.forward(weights, blocks, present))[1]
    found = network.backward(weights, blocks, present, slope)
    assert found == pytest.approx(numeric(value, weights), abs=1e-7)


def test_the_network_repeats_with_its_seed(planted: Callable[..., Cohort]) -> None:
    cohort = planted(100, [0.8, -0.5])
    first = fit_cox_network(cohort.values, cohort.outcome, seed=4).risk(cohort.values)
    again = fit_cox_network(cohort.values, cohort.outcome, seed=4).risk(cohort.values)
    assert (first == again).all()


def test_a_heavy_decay_says_nothing(planted: Callable[..., Cohort]) -> None:
    cohort = planted(100, [0.8, -0.5])
    risk = fit_cox_network(cohort.values, cohort.outcome, decay=100.0).risk(cohort.values)
    assert np.ptp(risk) < 1e-3
