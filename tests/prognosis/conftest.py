"""A small risk package trained on synthetic patients, and patients to predict."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package
from engine.training.cohort import Cohort, Column
from engine.training.outcome import Outcome
from engine.training.packaged_models import fit_packaged_models
from engine.training.packaging import write_package
from engine.training.recipe import PredictorSpec, Recipe, parse_recipe
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.lesion import TumorBurden

TIMES = np.array([6.0, 12.0, 24.0])
SERVE = {
    "age": {"source": "record", "key": "age", "plausible": [10, 110]},
    "afp_high": {
        "source": "record",
        "key": "afp",
        "encoding": "ramp",
        "lower": 10,
        "upper": 40,
        "plausible": [0, 1e7],
    },
    "number": {"source": "burden", "key": "number", "plausible": [1, 100]},
}
UNITS = {"age": "a", "afp_high": "ng/mL", "number": "1"}


def _recipe() -> Recipe:
    return parse_recipe(
        {
            "format": 1,
            "name": "test_risk",
            "title": "Test",
            "citation": "none",
            "data": "real",
            "cohort": {"table": "none.csv", "id": "patient"},
            "outcome": {"name": "Survival", "short": "OS", "time": "t", "event": "e"},
            "predictor": [
                {"name": n, "column": n, "label": n, "unit": UNITS[n], "serve": SERVE[n]}
                for n in SERVE
            ],
            "preparation": {"missing": "mean"},
            "strategy": [{"name": "ridge", "model": "ridge", "settings": {"ridge": 1.0}}],
            "validation": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 20},
            "export": {
                "name": "test_risk",
                "version": "1.2.3",
                "strategy": "ridge",
                "resamples": 50,
                "intended_use": "Tests.",
                "cohort": "300 synthetic patients",
                "limits": ["Synthetic."],
                "models": [
                    {
                        "name": "full",
                        "predictors": ["age", "afp_high", "number"],
                        "required": ["afp_high", "number"],
                    },
                    {"name": "age and AFP", "predictors": ["age", "afp_high"]},
                ],
            },
        },
        origin="test",
    )


def synthetic_cohort(patients: int = 300) -> Cohort:
    random = np.random.default_rng(5)
    values = np.column_stack(
        (
            random.uniform(30, 80, patients),
            random.integers(0, 2, patients),
            random.integers(1, 6, patients),
        )
    ).astype(float)
    log_hazard = 0.02 * (values[:, 0] - 55) + 0.8 * values[:, 1] + 0.3 * values[:, 2]
    time = random.exponential(30.0 / np.exp(log_hazard))
    end = random.uniform(20, 60, patients)
    columns = tuple(
        Column(
            name=name,
            modality="clinical",
            spec=PredictorSpec(
                name=name, column=name, label=name, unit=UNITS[name], serve=SERVE[name]
            ),
        )
        for name in SERVE
    )
    return Cohort(
        name="synthetic",
        columns=columns,
        values=values,
        outcome=Outcome(np.minimum(time, end), time <= end),
        patients=np.arange(patients),
        strata=np.zeros(patients, np.int64),
    )


@pytest.fixture(scope="session")
def package_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe, cohort = _recipe(), synthetic_cohort()
    models = fit_packaged_models(recipe, cohort, TIMES)
    return write_package(recipe, models, TIMES, tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def opened(package_folder: Path) -> OpenRiskPackage:
    return open_risk_package(package_folder)


def _observation(analyte: str, value: float | str, unit: str) -> Observation:
    return Observation(analyte=analyte, code="", code_system="LN", value=value, unit=unit)


@pytest.fixture
def observed():
    """Make an observation of (analyte, value, unit)."""
    return _observation


@pytest.fixture
def patient() -> PatientInputs:
    """Everything there: age 60, AFP 200 ng/mL, three tumors."""
    record = ClinicalRecord(
        reference_date=date(2026, 5, 1),
        observations=(_observation("age", 60.0, "a"), _observation("afp", 200.0, "ng/mL")),
    )
    burden = TumorBurden(
        number=3,
        largest_mm=40.0,
        sum_mm=80.0,
        total_volume_ml=50.0,
        liver_volume_ml=1500.0,
        tumor_fraction=50 / 1500,
        tumor_burden_score=5.0,
        within_milan=False,
        within_ucsf=True,
        within_up_to_seven=True,
    )
    return PatientInputs(record=record, burden=burden)


@pytest.fixture
def with_value(patient: PatientInputs):
    """Give the patient other observations."""

    def changed(*observations: Observation) -> PatientInputs:
        assert patient.record is not None
        return replace(patient, record=replace(patient.record, observations=observations))

    return changed
