"""Cox regression against published numbers, scikit-survival and lifelines."""

import numpy as np
import pytest
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from engine.errors import InputError
from engine.training.cox import breslow_baseline, fit_cox, partial_log_likelihood
from engine.training.outcome import Floats, Outcome


def test_the_leukemia_hazard_ratio_is_the_published_one(leukemia: tuple[Floats, Outcome]) -> None:
    """Breslow ties: coefficient -1.509, standard error 0.410 (SAS PHREG, R coxph)."""
    fit = fit_cox(*leukemia)
    assert fit.coefficients[0] == pytest.approx(-1.5092, abs=1e-4)
    assert 1 / np.sqrt(fit.information[0, 0]) == pytest.approx(0.4096, abs=1e-4)


@pytest.mark.parametrize("ridge", [0.0, 5.0])
def test_coefficients_and_baseline_equal_scikit_survival(
    rounded: tuple[Floats, Outcome, Floats], ridge: float
) -> None:
    x, outcome, _ = rounded
    fit = fit_cox(x, outcome, ridge=ridge)
    golden = CoxPHSurvivalAnalysis(alpha=ridge).fit(
        x, Surv.from_arrays(outcome.event, outcome.time)
    )
    assert fit.coefficients == pytest.approx(golden.coef_, abs=1e-8)
    times = golden.unique_times_
    assert fit.baseline(times) == pytest.approx(golden.cum_baseline_hazard_.y, abs=1e-8)


def test_weights_equal_repeated_patients(rounded: tuple[Floats, Outcome, Floats]) -> None:
    x, outcome, _ = rounded
    counts = np.random.default_rng(0).integers(0, 4, len(outcome))
    rows = np.repeat(np.arange(len(outcome)), counts)
    weighted = fit_cox(x, outcome, weights=counts.astype(float))
    repeated = fit_cox(x[rows], outcome.take(rows))
    assert weighted.coefficients == pytest.approx(repeated.coefficients, abs=1e-8)


def test_splitting_follow_up_into_intervals_changes_nothing(
    rounded: tuple[Floats, Outcome, Floats],
) -> None:
    """Counting process: (0, t] and (0, s], (s, t] are the same patient."""
    x, outcome, _ = rounded
    cut = np.floor(outcome.time / 2)
    long = cut > 0
    start = np.concatenate((np.zeros(len(outcome)), cut[long]))
    stop = np.concatenate((np.where(long, cut, outcome.time), outcome.time[long]))
    event = np.concatenate((np.where(long, False, outcome.event), outcome.event[long]))
    split = fit_cox(np.concatenate((x, x[long])), Outcome(stop, event), start=start)
    whole = fit_cox(x, outcome)
    assert split.coefficients == pytest.approx(whole.coefficients, abs=1e-8)
    assert split.baseline(30.0) == pytest.approx(whole.baseline(30.0), abs=1e-10)


def test_delayed_entry_equals_lifelines() -> None:
    """Golden: lifelines 0.30.3 CoxPHFitter(entry_col), seed 0, no ties."""
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 3))
    time = random.exponential(np.exp(-x @ [0.5, -0.3, 0]))
    entry = time * random.uniform(0, 0.5, 400)
    event = random.random(400) < 0.7
    fit = fit_cox(x, Outcome(time, event), start=entry)
    assert fit.coefficients == pytest.approx([0.44471256, -0.23250603, -0.0149066], abs=2e-6)


def test_the_fit_is_the_maximum_of_the_likelihood(rounded: tuple[Floats, Outcome, Floats]) -> None:
    x, outcome, _ = rounded
    fit = fit_cox(x, outcome)
    for shift in (-0.05, 0.05):
        assert partial_log_likelihood(x, outcome, fit.coefficients + shift) < fit.log_likelihood


def test_the_breslow_baseline_is_the_fits_own(rounded: tuple[Floats, Outcome, Floats]) -> None:
    x, outcome, _ = rounded
    fit = fit_cox(x, outcome)
    again = breslow_baseline(fit.linear_predictor(x), outcome)
    assert again(20.0) == pytest.approx(fit.baseline(20.0), abs=1e-12)


def test_without_events_there_is_no_model() -> None:
    with pytest.raises(InputError, match="at least one event"):
        fit_cox(np.ones((3, 1)), Outcome(np.arange(3.0), np.zeros(3, bool)))


def test_perfect_separation_is_refused_with_advice() -> None:
    """An infinite coefficient must not pass for a fit; a ridge penalty makes it finite."""
    x = np.arange(20.0)[:, None]
    outcome = Outcome(np.arange(20.0)[::-1] + 1, np.ones(20, bool))
    with pytest.raises(InputError, match="ridge"):
        fit_cox(x * 10, outcome)
    assert np.isfinite(fit_cox(x, outcome, ridge=1.0).coefficients).all()
