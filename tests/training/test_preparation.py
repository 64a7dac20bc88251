"""Preparation inside a fold."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.cohort import Cohort, Column
from engine.training.cox import fit_cox
from engine.training.preparation import fit_preparation, univariate_scores
from engine.training.recipe import PreparationSpec


@pytest.fixture
def cohort(planted: Callable[..., Cohort]) -> Cohort:
    return planted(120, [0.8, 0.0, 0.5, 0.0], modalities=["a", "a", "b", "b"])


def with_gaps(cohort: Cohort) -> Cohort:
    values = cohort.values.copy()
    values[:40, 0] = np.nan
    values[:40, 1] = np.nan
    values[50:60, 2] = np.nan
    return replace(cohort, values=values)


@pytest.mark.parametrize("missing", ["mean", "median"])
def test_training_columns_are_standardized_and_gaps_neutral(cohort: Cohort, missing: str) -> None:
    gappy = with_gaps(cohort)
    prepared = fit_preparation(PreparationSpec(missing=missing), gappy)
    x = prepared.apply(gappy.values)
    assert x.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-12)
    assert x.std(axis=0) == pytest.approx(np.ones(4))
    assert len(np.unique(x[:40, 0])) == 1


def test_nothing_is_learned_from_rows_it_is_applied_to(cohort: Cohort) -> None:
    prepared = fit_preparation(PreparationSpec(), cohort.take(np.arange(60)))
    other = cohort.values[60:] * 1000 + 5
    again = fit_preparation(PreparationSpec(), cohort.take(np.arange(60)))
    assert (prepared.apply(other) == again.apply(other)).all()
    assert prepared.apply(cohort.values[:1]).shape == (1, 4)


def test_equal_gaps_share_one_indicator(cohort: Cohort) -> None:
    prepared = fit_preparation(PreparationSpec(missing="indicator"), with_gaps(cohort))
    assert prepared.names == ("x0", "x1", "x2", "x3", "x0 missing", "x2 missing")


def test_the_policy_refuse_refuses(cohort: Cohort) -> None:
    with pytest.raises(InputError, match=r'90 values are missing .* "refuse"'):
        fit_preparation(PreparationSpec(missing="refuse"), with_gaps(cohort))


def test_screening_keeps_the_planted_column_of_each_modality(cohort: Cohort) -> None:
    prepared = fit_preparation(PreparationSpec(screen=1), cohort)
    assert prepared.names == ("x0", "x2")


def test_univariate_scores_equal_the_score_test(cohort: Cohort) -> None:
    """Golden: gradient over root information of a Cox model at 0, column by column."""
    found = univariate_scores(cohort.values, cohort.outcome)
    for k in range(4):
        column = cohort.values[:, [k]]
        near = fit_cox(column, cohort.outcome, ridge=1e6)
        gradient = near.coefficients[0] * 1e6
        information = near.information[0, 0] - 1e6
        assert found[k] == pytest.approx(gradient / np.sqrt(information), rel=1e-3)


def test_components_are_uncorrelated_and_few(cohort: Cohort) -> None:
    prepared = fit_preparation(PreparationSpec(components=2), cohort)
    x = prepared.apply(cohort.values)
    assert x.shape == (120, 2)
    assert abs(np.corrcoef(x.T)[0, 1]) < 1e-9


def test_constant_columns_leave_and_all_constant_is_refused(cohort: Cohort) -> None:
    flat = replace(cohort, values=np.column_stack((cohort.values[:, :3], np.ones(120))))
    assert fit_preparation(PreparationSpec(), flat).names == ("x0", "x1", "x2")
    with pytest.raises(InputError, match="No predictor with any spread"):
        fit_preparation(PreparationSpec(), replace(cohort, values=np.ones((120, 4))))


def test_the_logarithm_takes_skewed_values(cohort: Cohort) -> None:
    columns = tuple(Column(name=c.name, modality="a", transform="log10") for c in cohort.columns)
    skewed = replace(cohort, columns=columns, values=10 ** (6 + cohort.values) - 1)
    x = fit_preparation(PreparationSpec(), skewed).apply(skewed.values)
    standard = (cohort.values - cohort.values.mean(axis=0)) / cohort.values.std(axis=0)
    assert x == pytest.approx(standard)
