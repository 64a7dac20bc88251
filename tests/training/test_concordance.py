"""Concordance against scikit-survival."""

import numpy as np
import pytest
from sksurv.metrics import (
    concordance_index_censored,
    concordance_index_ipcw,
)
from sksurv.metrics import cumulative_dynamic_auc as golden_auc
from sksurv.util import Surv

from engine.errors import InputError
from engine.training.concordance import (
    cumulative_dynamic_auc,
    harrell_c,
    merged,
    pair_table,
    uno_c,
)
from engine.training.outcome import Floats, Outcome

Case = tuple[Floats, Outcome, Floats]


def test_harrell_equals_scikit_survival(rounded: Case) -> None:
    _, outcome, risk = rounded
    golden = concordance_index_censored(outcome.event, outcome.time, risk)[0]
    assert harrell_c(risk, outcome) == pytest.approx(golden, abs=1e-12)


@pytest.mark.parametrize("tau", [12.0, 36.0])
def test_uno_equals_scikit_survival(rounded: Case, tau: float) -> None:
    _, outcome, risk = rounded
    target = Surv.from_arrays(outcome.event, outcome.time)
    golden = concordance_index_ipcw(target, target, risk, tau=tau)[0]
    assert uno_c(risk, outcome, tau=tau) == pytest.approx(golden, abs=1e-12)


@pytest.mark.parametrize("horizon", [6.0, 12.0, 30.0])
def test_auc_equals_scikit_survival(rounded: Case, horizon: float) -> None:
    _, outcome, risk = rounded
    target = Surv.from_arrays(outcome.event, outcome.time)
    golden = golden_auc(target, target, risk, [horizon])[0][0]
    assert cumulative_dynamic_auc(risk, outcome, horizon) == pytest.approx(golden, abs=1e-9)


def test_reversed_risk_gives_the_complement(rounded: Case) -> None:
    _, outcome, risk = rounded
    assert harrell_c(-risk, outcome) == pytest.approx(1 - harrell_c(risk, outcome))


def test_a_constant_risk_is_a_coin_toss(rounded: Case) -> None:
    _, outcome, risk = rounded
    assert harrell_c(np.zeros_like(risk), outcome) == 0.5


def test_row_weights_equal_repeated_patients(rounded: Case) -> None:
    """The bootstrap's shortcut is exact: copies of a patient never make a pair."""
    _, outcome, risk = rounded
    counts = np.random.default_rng(0).integers(0, 4, len(outcome))
    rows = np.repeat(np.arange(len(outcome)), counts)
    weighted = pair_table(risk, outcome).concordance(counts.astype(float))
    assert weighted == pytest.approx(harrell_c(risk[rows], outcome.take(rows)), abs=1e-12)


def test_pairs_of_different_groups_are_not_compared(rounded: Case) -> None:
    """Adding a constant to one group's risk changes nothing."""
    _, outcome, risk = rounded
    groups = np.arange(len(outcome)) % 3
    moved = risk + 100.0 * (groups == 1)
    assert pair_table(moved, outcome, groups=groups).concordance() == pytest.approx(
        pair_table(risk, outcome, groups=groups).concordance()
    )


def test_rounds_are_pooled_by_pairs(rounded: Case) -> None:
    _, outcome, risk = rounded
    table = pair_table(risk, outcome)
    both = merged((table, pair_table(-risk, outcome)))
    assert both.concordance() == pytest.approx(0.5)


def test_no_comparable_pair_is_an_error() -> None:
    outcome = Outcome(np.ones(4), np.zeros(4, bool))
    with pytest.raises(InputError, match="No comparable pair"):
        harrell_c(np.arange(4.0), outcome)
    assert np.isnan(cumulative_dynamic_auc(np.arange(4.0), outcome, 1.0))
