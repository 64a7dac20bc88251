"""A Dask cluster gives the same results as one process.

The parts that start a cluster on the loopback interface need the extra [cluster]:
``make test-cluster``.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.training.cluster import scheduler
from engine.training.cohort import Cohort
from engine.training.recipe import PreparationSpec, StrategySpec, ValidationSpec
from engine.training.strategies import fit_tuned
from engine.training.validation import FittedStrategy, cross_validate

TIMES = np.array([12.0, 24.0])
CHECK = ValidationSpec(folds=3, repeats=2, inner_folds=2, seed=3)
FOREST = StrategySpec(
    name="forest", model="forest", preparation=PreparationSpec(), settings={"trees": 5}
)


def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
    model, chosen = fit_tuned(FOREST, train, inner_folds=2, seed=seed)
    return model, chosen.settings


@pytest.fixture
def cluster() -> Iterator[str]:
    """Address of a scheduler with two worker threads, loopback only."""
    from distributed import LocalCluster  # noqa: PLC0415 - extra [cluster]

    with (
        warnings.catch_warnings(),
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            host="127.0.0.1",
            protocol="tcp://",
            dashboard_address=None,
        ) as started,
    ):
        warnings.simplefilter("ignore")
        yield started.scheduler_address


def test_without_an_address_the_work_stays_here(planted: Callable[..., Cohort]) -> None:
    cohort = planted(90, [0.8, 0.0])
    with scheduler(""):
        found = cross_validate([("forest", fit)], cohort, CHECK, TIMES)[0]
    assert np.isfinite(found.risk).all()


@pytest.mark.cluster
def test_a_cluster_gives_what_one_process_gives(
    planted: Callable[..., Cohort], cluster: str
) -> None:
    cohort = planted(90, [0.8, 0.0])
    here = cross_validate([("forest", fit)], cohort, CHECK, TIMES)[0]
    with scheduler(cluster):
        there = cross_validate([("forest", fit)], cohort, CHECK, TIMES)[0]
    assert (there.risk == here.risk).all()
    assert (there.survival == here.survival).all()


@pytest.mark.cluster
def test_an_address_without_a_scheduler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.cluster.CONNECT_SECONDS", 1)
    with (
        pytest.raises(InputError, match="No Dask scheduler answers"),
        scheduler("tcp://127.0.0.1:9"),
    ):
        pytest.fail("a context without a cluster was opened")
