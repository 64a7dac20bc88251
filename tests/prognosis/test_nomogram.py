"""The nomogram of a risk package says what the package predicts."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import ModelPackageError
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.nomogram import build_package_nomogram, round_values
from engine.prognosis.package import RiskModel
from engine.prognosis.prediction import OpenRiskPackage, Outputs, predict
from engine.values.prognosis import RiskPrediction

MONTHS = (12.0, 24.0)


def test_the_marked_total_is_the_linear_predictor(
    opened: OpenRiskPackage, patient: PatientInputs
) -> None:
    found = predict(opened, patient)
    assert isinstance(found, RiskPrediction)
    nomogram = build_package_nomogram(opened, patient, MONTHS)
    assert nomogram.patient_total == pytest.approx(found.linear_predictor, abs=1e-9)
    assert [axis.label for axis in nomogram.axes] == ["age, years", "afp_high", "number"]


def test_the_scale_read_below_the_total_is_the_predicted_survival(
    opened: OpenRiskPackage, patient: PatientInputs
) -> None:
    found = predict(opened, patient)
    assert isinstance(found, RiskPrediction)
    nomogram = build_package_nomogram(opened, patient, MONTHS)
    assert nomogram.patient_total is not None
    for month, scale in zip(MONTHS, nomogram.scales, strict=True):
        ticks = sorted((tick.effect, float(tick.label)) for tick in scale.ticks)
        totals, survival = zip(*ticks, strict=True)
        assert list(survival) == sorted(survival, reverse=True)
        if not totals[0] <= nomogram.patient_total <= totals[-1]:
            continue
        read = np.interp(nomogram.patient_total, totals, survival)
        predicted = found.survival[found.times_months.index(month)]
        assert read == pytest.approx(predicted, abs=0.02)


def test_a_missing_value_is_marked_where_the_model_puts_it(
    opened: OpenRiskPackage, patient: PatientInputs
) -> None:
    assert patient.record is not None
    record = replace(patient.record, observations=patient.record.observations[1:])
    without_age = replace(patient, record=record)
    found = predict(opened, without_age)
    assert isinstance(found, RiskPrediction)
    nomogram = build_package_nomogram(opened, without_age, MONTHS)
    mark = nomogram.axes[0].patient
    assert mark is not None
    assert mark.label == "missing"
    assert nomogram.patient_total == pytest.approx(found.linear_predictor, abs=1e-9)


def test_a_patient_no_model_fits_and_a_time_off_the_grid_are_refused(
    opened: OpenRiskPackage, patient: PatientInputs
) -> None:
    with pytest.raises(ModelPackageError, match="fits the patient"):
        build_package_nomogram(opened, PatientInputs(), MONTHS)
    with pytest.raises(ModelPackageError, match="not on the time grid"):
        build_package_nomogram(opened, patient, (13.0,))


class Multiplied(OpenRiskPackage):
    """A package whose risk is a product, as a forest's would not be a sum."""

    def run(self, model: RiskModel, values: np.ndarray, outputs: tuple[str, ...] = ()) -> Outputs:
        """Multiply the predictors."""
        del model, outputs
        return {"linear_predictor": np.prod(values, axis=1)}


def test_a_model_that_is_not_additive_has_no_nomogram(
    opened: OpenRiskPackage, patient: PatientInputs
) -> None:
    with pytest.raises(ModelPackageError, match="not additive"):
        build_package_nomogram(Multiplied(opened.package), patient, MONTHS)


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        (13.0, 79.0, [20.0, 30.0, 40.0, 50.0, 60.0, 70.0]),
        (1.0, 5.0, [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]),
        (0.0, 256.0, [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]),
        (3.0, 3.0, [3.0]),
    ],
)
def test_axes_show_round_values(low: float, high: float, values: list[float]) -> None:
    assert round_values(low, high) == values
