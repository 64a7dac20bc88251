"""Fine–Gray regression against Aalen–Johansen and planted subdistribution effects."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.cox import fit_cox
from engine.training.fine_gray import fit_fine_gray, subdistribution_cox
from engine.training.outcome import Outcome, aalen_johansen

Causes = tuple[np.ndarray, np.ndarray, np.ndarray]


def simulated(patients: int, beta: float, seed: int) -> Causes:
    """The design of Fine and Gray's simulations: mass p = 0.4 of cause 1 at x = 0."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(patients, 1))
    relative = np.exp(beta * x[:, 0])
    first = random.random(patients) < 1.0 - 0.6**relative
    u = random.random(patients) * (1.0 - 0.6**relative)
    time = np.where(
        first,
        -np.log1p(-(1.0 - (1.0 - u) ** (1.0 / relative)) / 0.4),
        random.exponential(1.0, patients),
    )
    end = random.uniform(0.5, 5.0, patients)
    cause = np.where(time <= end, np.where(first, 1, 2), 0)
    return x, np.minimum(time, end), cause


def test_planted_subdistribution_effects_are_recovered() -> None:
    x, time, cause = simulated(4000, 0.5, 1)
    fit = subdistribution_cox(x, time, cause)
    assert fit.coefficients[0] == pytest.approx(0.5, abs=0.06)
    model = fit_fine_gray(x, time, cause)
    at = np.array([0.5, 1.5])
    truth = 1.0 - (1.0 - 0.4 * (1.0 - np.exp(-at))) ** np.exp(0.5)
    assert 1.0 - model.survival(np.array([[1.0]]), at)[0] == pytest.approx(truth, abs=0.04)


def test_without_predictors_the_incidence_is_aalen_johansen() -> None:
    """The product over subdistribution hazards is the Aalen–Johansen estimate."""
    x, time, cause = simulated(300, 0.0, 2)
    fit = subdistribution_cox(np.zeros_like(x), time, cause, ridge=1.0)
    steps = np.diff(np.concatenate(([0.0], fit.baseline.values)))
    found = 1.0 - np.cumprod(1.0 - steps)
    golden = aalen_johansen(time, cause, of=1)(fit.baseline.times)
    assert found == pytest.approx(golden, abs=1e-9)


def test_without_competing_events_it_is_cox_regression() -> None:
    x, time, cause = simulated(200, 0.5, 3)
    single = np.where(cause == 2, 0, cause)
    golden = fit_cox(x, Outcome(time, single == 1))
    assert subdistribution_cox(x, time, single).coefficients == pytest.approx(golden.coefficients)


def test_a_cause_nobody_has_is_refused() -> None:
    x, time, cause = simulated(50, 0.0, 4)
    with pytest.raises(InputError, match="No patient has cause 3"):
        subdistribution_cox(x, time, cause, of=3)
