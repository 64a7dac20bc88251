"""Trajectory classes and path trees."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from engine.training.concordance import harrell_c
from engine.training.outcome import Outcome
from engine.training.trajectories import fit_classes, fit_path_tree


@pytest.fixture
def two_courses() -> tuple[np.ndarray, Outcome, np.ndarray]:
    """Falling and rising courses; the rising ones die three times as fast."""
    random = np.random.default_rng(0)
    rising = random.random(400) < 0.4
    x = np.column_stack(
        (np.where(rising, 1.5, -1.5), np.where(rising, 1.0, -1.0))
    ) + 0.4 * random.normal(size=(400, 2))
    time = random.exponential(np.where(rising, 8.0, 24.0))
    return x, Outcome(np.minimum(time, 40.0), time <= 40.0), rising


def test_planted_classes_are_found_without_the_outcome(
    two_courses: tuple[np.ndarray, Outcome, np.ndarray],
) -> None:
    x, outcome, rising = two_courses
    found = fit_classes(x, outcome, classes=2).probabilities(x).argmax(axis=1)
    agreement = np.mean(found == rising)
    assert max(agreement, 1 - agreement) > 0.98


def test_probabilities_equal_scikit_learn(
    two_courses: tuple[np.ndarray, Outcome, np.ndarray],
) -> None:
    x, outcome, _ = two_courses
    golden = GaussianMixture(
        3, covariance_type="diag", reg_covar=1e-3, n_init=2, random_state=0
    ).fit(x)
    found = fit_classes(x, outcome, classes=3).probabilities(x)
    assert found == pytest.approx(golden.predict_proba(x), abs=1e-9)


def test_the_rising_class_has_the_planted_hazard_ratio(
    two_courses: tuple[np.ndarray, Outcome, np.ndarray],
) -> None:
    x, outcome, rising = two_courses
    risk = fit_classes(x, outcome, classes=2, ridge=0.01).risk(x)
    difference = risk[rising].mean() - risk[~rising].mean()
    assert difference == pytest.approx(np.log(3), abs=0.3)


def test_a_path_tree_separates_the_courses(
    two_courses: tuple[np.ndarray, Outcome, np.ndarray],
) -> None:
    x, outcome, _ = two_courses
    fit = fit_path_tree(x, outcome, depth=2)
    assert len(np.unique(fit.risk(x))) <= 4
    assert harrell_c(fit.risk(x), outcome) > 0.6
