"""The Freireich leukemia trial, a random cohort, and cohorts with planted effects."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest

from engine.training.cohort import Cohort, Column
from engine.training.outcome import Floats, Outcome

NO_CLUSTER = find_spec("distributed") is None
MERCAPTOPURINE = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "cluster: needs the extra [cluster] (dask, distributed)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the cluster's tests out, visibly counted as deselected, where dask is missing."""
    clustered = [item for item in items if item.get_closest_marker("cluster")]
    if NO_CLUSTER and clustered:
        config.hook.pytest_deselected(items=clustered)
        items[:] = [item for item in items if item not in clustered]


def pytest_report_header() -> str:
    """Say whether this run uses a cluster."""
    return f"cluster: {'deselected, dask is not installed' if NO_CLUSTER else 'run'}"


@pytest.fixture
def leukemia() -> tuple[Floats, Outcome]:
    """6-MP against placebo (Freireich et al., Blood 1963;21:699): treated = 1."""
    time = np.array(MERCAPTOPURINE + PLACEBO, float)
    event = np.array([True] * 9 + [False] * 12 + [True] * 21)
    treated = np.array([1.0] * 21 + [0.0] * 21)
    return treated[:, None], Outcome(time, event)


def planted_cohort(
    patients: int, effects: list[float], *, seed: int = 0, modalities: list[str] | None = None
) -> Cohort:
    """Normal predictors with known log hazard ratios, exponential times, censoring."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(patients, len(effects)))
    time = random.exponential(20.0 / np.exp(values @ np.array(effects)))
    end = random.uniform(5, 60, patients)
    names = modalities or ["clinical"] * len(effects)
    return Cohort(
        name="planted",
        columns=tuple(Column(name=f"x{k}", modality=m) for k, m in enumerate(names)),
        values=values,
        outcome=Outcome(np.minimum(time, end), time <= end),
        patients=np.arange(patients),
        strata=np.zeros(patients, np.int64),
    )


@pytest.fixture(scope="session")
def planted() -> Callable[..., Cohort]:
    return planted_cohort


@pytest.fixture
def rounded(planted: Callable[..., Cohort]) -> tuple[Floats, Outcome, Floats]:
    """Predictors, an outcome in whole months with many ties, and a risk with ties."""
    cohort = planted(150, [0.6, -0.4, 0.0], seed=3)
    outcome = Outcome(np.ceil(cohort.outcome.time), cohort.outcome.event)
    return cohort.values, outcome, np.round(cohort.values @ [0.6, -0.4, 0.0], 1)
