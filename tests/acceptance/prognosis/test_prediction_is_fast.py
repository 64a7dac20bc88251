"""Issue 6: one patient ≤ 20 ms with everything explained, 10,000 patients ≤ 2 s.

The heaviest kind of package: a random survival forest of 150 trees on 17 predictors, with
TreeSHAP contributions. CPU time of this process, so that a busy machine does not count.
"""

import time

import numpy as np
import pytest

from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package, predict
from engine.training.cohort import Cohort, Column
from engine.training.outcome import Outcome
from engine.training.packaged_models import fit_packaged_models
from engine.training.packaging import write_package
from engine.training.recipe import parse_recipe
from engine.values.prognosis import RiskPrediction

TIMES = np.arange(3.0, 37.0, 3.0)
NAMES = [f"x{k}" for k in range(17)]


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> OpenRiskPackage:
    random = np.random.default_rng(1)
    values = random.normal(size=(227, 17))
    time_to = random.exponential(20 / np.exp(values[:, 0]))
    end = random.uniform(10, 80, 227)
    cohort = Cohort(
        name="c",
        columns=tuple(Column(name=n, modality="clinical") for n in NAMES),
        values=values,
        outcome=Outcome(np.minimum(time_to, end), time_to <= end),
        patients=np.arange(227),
        strata=np.zeros(227, np.int64),
    )
    recipe = parse_recipe(
        {
            "format": 1, "name": "forest", "title": "t", "citation": "", "data": "real",
            "cohort": {"table": "none.csv", "id": "patient"},
            "outcome": {"name": "S", "short": "OS", "time": "t", "event": "e",
                        "horizons_months": [12]},
            "predictor": [{"name": n, "column": n} for n in NAMES],
            "strategy": [{"name": "forest", "model": "forest", "settings": {"trees": 150}}],
            "validation": {"folds": 2, "repeats": 1, "inner_folds": 2, "bootstrap": 5},
            "export": {
                "name": "forest", "version": "1.0.0", "strategy": "forest", "limits": ["Test."],
                "intended_use": "Tests.", "cohort": "synthetic",
                "models": [{"name": "all", "predictors": NAMES}],
            },
        },
        origin="test",
    )  # fmt: skip
    models = fit_packaged_models(recipe, cohort, TIMES)
    return open_risk_package(write_package(recipe, models, TIMES, tmp_path_factory.mktemp("p")))


def test_one_patient_is_predicted_and_explained_in_20_ms(forest: OpenRiskPackage) -> None:
    patient = PatientInputs(measurements={n: 0.1 * k for k, n in enumerate(NAMES)})
    predict(forest, patient)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        found = predict(forest, patient)
        seconds.append(time.process_time() - start)
    assert isinstance(found, RiskPrediction)
    assert len(found.contributions) == 17
    assert min(seconds) <= 0.020


def test_ten_thousand_patients_are_predicted_in_2_s(forest: OpenRiskPackage) -> None:
    values = np.random.default_rng(0).normal(size=(10_000, 17))
    start = time.process_time()
    found = forest.run(forest.package.models[0], values)
    assert time.process_time() - start <= 2.0
    assert found["survival"].shape == (10_000, len(TIMES))
