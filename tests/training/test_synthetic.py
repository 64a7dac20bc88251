"""Synthetic cohorts: what is planted is there."""

import numpy as np
import pytest

from engine.training.concordance import harrell_c
from engine.training.cox import fit_cox
from engine.training.outcome import Outcome
from engine.training.recipe import SyntheticModality, SyntheticSpec
from engine.training.synthetic import synthetic_rows

SPEC = SyntheticSpec(
    patients=2000,
    seed=1,
    modalities=(
        SyntheticModality(name="ct", columns=3, signal=1, effect=0.7, noise=0.0, missing=0.25),
        SyntheticModality(name="rna", columns=2, signal=1, effect=0.0, noise=0.0),
    ),
)


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(r[name]) if r[name] else np.nan for r in rows])


def test_effects_gaps_and_truth_are_as_planted() -> None:
    rows = synthetic_rows(SPEC)
    outcome = Outcome(column(rows, "time"), column(rows, "event") == 1)
    seen = np.isfinite(column(rows, "ct_1"))
    assert seen.mean() == pytest.approx(0.75, abs=0.03)
    x = np.column_stack([column(rows, c)[seen] for c in ("ct_1", "ct_2", "rna_1")])
    found = fit_cox(x, outcome.take(seen)).coefficients
    assert found == pytest.approx([0.7, 0.0, 0.0], abs=0.1)
    assert harrell_c(column(rows, "true_log_hazard"), outcome) > 0.65


def test_the_same_seed_gives_the_same_patients() -> None:
    assert synthetic_rows(SPEC) == synthetic_rows(SPEC)
