"""The unrolled graph gives what the recurrent network gives, for every length of course."""

from pathlib import Path

import numpy as np
import pytest

from engine.inference.session import open_session
from engine.training.cohort import Cohort, Column
from engine.training.export_recurrent import export_recurrent
from engine.training.outcome import Outcome
from engine.training.recipe import PreparationSpec, StrategySpec
from engine.training.recurrent import fit_recurrent

TIMES = np.array([2.0, 9.0, 30.0])


@pytest.mark.parametrize("causes", [1, 2])
def test_parity_for_every_number_of_visits(causes: int, tmp_path: Path) -> None:
    random = np.random.default_rng(causes)
    values = random.normal(size=(200, 7))
    values[:, 2] = 1.0
    for lag in range(3):
        values[random.random(200) < 0.2 * lag, 2 * lag : 2 * lag + 2] = np.nan
    names = ["a@0", "b@0", "a@1", "b@1", "a@2", "b@2", "age"]
    time, cause = random.exponential(10, 200), random.integers(0, causes + 1, 200)
    cohort = Cohort(
        name="c",
        columns=tuple(Column(name=n, modality="h") for n in names),
        values=values,
        outcome=Outcome(time, cause == 1),
        patients=np.arange(200),
        strata=np.zeros(200, np.int64),
        cause=cause if causes == 2 else None,
    )
    spec = StrategySpec(
        name="gru",
        model="recurrent",
        preparation=PreparationSpec(missing="mean"),
        settings={"units": 3, "steps": 30, "decay": 0.01},
    )
    model = fit_recurrent(spec, cohort)
    path = tmp_path / "gru.onnx"
    path.write_bytes(export_recurrent(model, TIMES, predictors=7).SerializeToString())
    session = open_session(path, device="cpu", threads=1)
    for shown in (values, np.full((3, 7), np.nan)):
        observed = np.isfinite(shown)
        found = session.run_named({"values": np.where(observed, shown, 0.0), "observed": observed})
        assert np.abs(found["linear_predictor"] - model.risk(shown)).max() <= 1e-6
        assert np.abs(found["survival"] - model.survival(shown, TIMES)).max() <= 1e-6
