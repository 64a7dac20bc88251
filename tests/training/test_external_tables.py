"""Subgroups and references."""

import numpy as np
import pytest

from engine.training.external_tables import compare_with_reference, groups_of, split_by_column
from engine.training.outcome import Outcome


@pytest.fixture
def patients() -> tuple[np.ndarray, Outcome]:
    random = np.random.default_rng(2)
    risk = random.normal(size=400)
    time = random.exponential(20 / np.exp(risk))
    end = random.uniform(5, 50, 400)
    return risk, Outcome(np.minimum(time, end), time <= end)


def test_few_values_are_subgroups_and_many_are_halved() -> None:
    few = groups_of("sex", np.array([0.0, 1.0, np.nan]))
    assert [(label, members.tolist()) for label, members in few] == [
        ("sex = 0", [True, False, False]),
        ("sex = 1", [False, True, False]),
    ]
    many = groups_of("age", np.arange(20.0))
    assert [(label, int(m.sum())) for label, m in many] == [("age ≤ 9.5", 10), ("age > 9.5", 10)]


def test_a_coarse_stage_is_beaten_and_the_risk_itself_is_not(
    patients: tuple[np.ndarray, Outcome],
) -> None:
    risk, outcome = patients
    probability = 1 - np.exp(-np.exp(risk) * 24 / 20)
    stage = (risk > 0.5).astype(float)
    stage[:50] = np.nan
    found = compare_with_reference("stage", stage, (risk, probability), outcome, 24.0)
    assert found.patients == 350
    assert found.difference.lower > 0
    assert found.total.value > 0
    itself = compare_with_reference("self", risk, (risk, probability), outcome, 24.0)
    assert itself.difference.value == 0.0


def test_a_subgroup_without_signal_shows_it(patients: tuple[np.ndarray, Outcome]) -> None:
    risk, outcome = patients
    column = (np.arange(400) % 2).astype(float)
    shuffled = np.where(column == 1, np.random.default_rng(0).permutation(risk), risk)
    rows = split_by_column("arm", column, shuffled, outcome, np.arange(400))
    assert [label for label, *_ in rows] == ["arm = 0", "arm = 1"]
    assert rows[0][3].value > 0.65
    assert abs(rows[1][3].value - 0.5) < 0.08
    assert rows[0][1] == 200
