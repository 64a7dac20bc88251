"""A package on other patients: centers, subgroups, subsets, references, lower bounds."""

import csv
from pathlib import Path

import numpy as np
import pytest

from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import open_risk_package, predict
from engine.training.cohort import Cohort, CohortError, Column
from engine.training.external import evaluate_package, evaluation_text
from engine.training.outcome import Outcome
from engine.training.packaged_models import fit_packaged_models
from engine.training.packaging import write_package
from engine.training.recipe import parse_recipe
from engine.training.report.evaluation import evaluation_sections
from engine.training.report.html import to_html
from engine.values.prognosis import RiskPrediction

TIMES = np.arange(3.0, 31.0, 3.0)
NAMES = ["x0", "x1"]


def times_of(values: np.ndarray, seed: int) -> Outcome:
    random = np.random.default_rng(seed)
    time = random.exponential(20 / np.exp(values @ [0.7, 0.7]))
    end = random.uniform(5, 60, len(values))
    return Outcome(np.minimum(time, end), time <= end)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fusion of two modalities; one value of either is enough."""
    values = np.random.default_rng(0).normal(size=(300, 2))
    cohort = Cohort(
        name="development",
        columns=(Column(name="x0", modality="ct"), Column(name="x1", modality="clinical")),
        values=values,
        outcome=times_of(values, 1),
        patients=np.arange(300),
        strata=np.zeros(300, np.int64),
    )
    prepared = {m: {"missing": "mean", "modalities": [m]} for m in ("ct", "clinical")}
    recipe = parse_recipe(
        {
            "format": 1, "name": "fused", "title": "Test", "citation": "none", "data": "real",
            "cohort": {"table": "none.csv", "id": "patient"},
            "outcome": {"name": "Survival", "short": "OS", "time": "t", "event": "e",
                        "horizons_months": [12, 24]},
            "predictor": [{"name": "x0", "column": "x0", "modality": "ct"},
                          {"name": "x1", "column": "x1", "modality": "clinical"}],
            "strategy": [
                {"name": "ct", "model": "ridge", "preparation": prepared["ct"]},
                {"name": "clinical", "model": "ridge", "preparation": prepared["clinical"]},
                {"name": "fused", "model": "late_fusion", "bases": ["ct", "clinical"]},
            ],
            "validation": {"folds": 3, "repeats": 1, "inner_folds": 2, "bootstrap": 20},
            "export": {
                "name": "fused", "version": "1.0.0", "strategy": "fused", "resamples": 10,
                "intended_use": "Tests.", "cohort": "synthetic", "limits": ["Synthetic."],
                "models": [{"name": "all", "predictors": NAMES}],
            },
        },
        origin="test",
    )  # fmt: skip
    models = fit_packaged_models(recipe, cohort, TIMES)
    return write_package(recipe, models, TIMES, tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two centers of 150 patients; a tenth has no value at all, a fifth no CT."""
    values = np.random.default_rng(5).normal(size=(300, 2))
    outcome = times_of(values, 6)
    values[::5, 0] = np.nan
    values[::10] = np.nan
    path = tmp_path_factory.mktemp("table") / "new.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["patient", "time_months", "event", *NAMES, "center", "sex", "stage"])
        for k in range(300):
            cells = ["" if np.isnan(v) else repr(float(v)) for v in values[k]]
            stage = "" if k % 3 == 0 else str(int(np.nansum(values[k]) > 0))
            center = "north" if k < 150 else "south"
            writer.writerow(
                [k, outcome.time[k], int(outcome.event[k]), *cells, center, k % 2, stage]
            )
    return path


def test_everything_that_was_asked_is_judged(package: Path, table: Path) -> None:
    found = evaluate_package(package, table, (12.0,), subgroups=("sex",), references=("stage",))
    model = found.models[0]
    assert model.refused == 30
    assert model.judgement.patients == 270
    assert [c.center for c in model.centers] == ["north", "south"]
    assert [label for label, *_ in model.subgroups] == ["sex = 0", "sex = 1"]
    assert [name for name, _ in model.subsets] == ["ct + clinical", "ct", "clinical"]
    whole = dict(model.subsets)["ct + clinical"].value
    assert whole > dict(model.subsets)["ct"].value
    assert model.references[0].difference.value > 0
    assert [confidence for confidence, _ in model.coverage] == [0.8, 0.9, 0.95]
    assert dict(model.coverage)[0.9] == pytest.approx(0.9, abs=0.06)


def test_text_and_report_carry_it(package: Path, table: Path) -> None:
    found = evaluate_package(package, table, (12.0,), subgroups=("sex",), references=("stage",))
    text = evaluation_text(found)
    for words in (
        "30 patients refused",
        "center north: ",
        "90 % lower bound outlived by",
        "shown clinical: C",
        "against stage: C",
    ):
        assert words in text
    html = to_html(evaluation_sections(found), statement="For research use only.")
    for words in ("north", "only clinical", "Patients who outlived it", "C minus its C"):
        assert words in html
    assert html.count("<svg") == 4


def test_a_missing_column_is_refused_by_name(package: Path, table: Path) -> None:
    with pytest.raises(CohortError, match="lacks the columns height"):
        evaluate_package(package, table, subgroups=("height",))


def test_too_few_usable_patients_are_said_and_nothing_is_judged(
    package: Path, tmp_path: Path
) -> None:
    path = tmp_path / "few.csv"
    path.write_text("patient,time_months,event,x0,x1\n1,5,1,0.2,\n2,9,0,,0.1\n")
    found = evaluate_package(package, path)
    assert found.models == ()
    assert found.remarks == ("all: only 2 patients have its values",)
    assert len(evaluation_sections(found)) == 1


def test_the_prediction_states_the_concordance_of_what_the_patient_has(package: Path) -> None:
    """With one modality the figure of that modality is given, not that of everything."""
    opened = open_risk_package(package)
    (model,) = opened.package.models
    assert [s.modalities for s in model.subsets] == [("ct", "clinical"), ("ct",), ("clinical",)]
    whole, part = (
        predict(opened, PatientInputs(measurements=m))
        for m in ({"x0": 0.5, "x1": 0.1}, {"x1": 0.1})
    )
    assert isinstance(whole, RiskPrediction)
    assert isinstance(part, RiskPrediction)
    assert f"patient {model.discrimination.value:.3f} (" in whole.limits[0]
    assert f"with clinical only {model.subsets[2].value:.3f} (" in part.limits[0]
    assert part.used_modalities == ("clinical",)
