"""Forecasts in the report: the risk with its interval and horizon, the model, the predictors.

Every number names its outcome and its model (Algorithm Name and Version as in TID 4019), so
that two forecasts for one horizon cannot be taken for each other.
"""

from pydicom.dataset import Dataset

from engine.coding import dicom, own, ucum
from engine.reporting.forecast_words import has_interval
from engine.reporting.sr_content import (
    CONTAINS,
    HAS_CONCEPT_MOD,
    HAS_PROPERTIES,
    make_num,
    make_text,
)
from engine.reporting.sr_inputs import predictor
from engine.values.clinical import ClinicalRecord
from engine.values.prognosis import RiskPrediction


def forecast(prediction: RiskPrediction, record: ClinicalRecord | None) -> list[Dataset]:
    """The linear predictor with what it was inferred from, then the risk at every time."""
    inferred = [predictor(c, record) for c in prediction.contributions]
    about = [
        *_identity(prediction),
        make_num(own.PERCENTILE, prediction.percentile, ucum.NO_UNITS, HAS_PROPERTIES),
        make_text(own.RISK_GROUP, prediction.risk_group, HAS_PROPERTIES),
        *(item for item in inferred if item is not None),
    ]
    value = prediction.linear_predictor
    numbers = [make_num(own.LINEAR_PREDICTOR, value, ucum.NO_UNITS, CONTAINS, about)]
    bounded = has_interval(prediction)
    for index, month in enumerate(prediction.times_months):
        if month <= 0:
            continue
        properties = [make_num(own.TIME_HORIZON, month, ucum.MONTH, HAS_PROPERTIES)]
        if bounded:
            properties += _bounds(prediction, index)
        share = prediction.survival[index] * 100
        children = [*_identity(prediction), *properties]
        numbers.append(make_num(own.EVENT_FREE, share, ucum.PERCENT, CONTAINS, children))
    return numbers


def _identity(prediction: RiskPrediction) -> list[Dataset]:
    """What is predicted, by which model."""
    name, _, version = prediction.package.rpartition(" ")
    made = [
        make_text(own.OUTCOME, prediction.outcome, HAS_CONCEPT_MOD),
        make_text(dicom.ALGORITHM_NAME, name or prediction.package, HAS_CONCEPT_MOD),
        make_text(dicom.ALGORITHM_VERSION, version, HAS_CONCEPT_MOD),
    ]
    if prediction.package_sha256:
        checksum = prediction.package_sha256
        made.append(make_text(own.MODEL_CHECKSUM, checksum, HAS_CONCEPT_MOD))
    return made


def _bounds(prediction: RiskPrediction, index: int) -> list[Dataset]:
    low, high = prediction.lower[index] * 100, prediction.upper[index] * 100
    return [
        make_num(own.LOWER_BOUND, low, ucum.PERCENT, HAS_PROPERTIES),
        make_num(own.UPPER_BOUND, high, ucum.PERCENT, HAS_PROPERTIES),
        make_text(own.INTERVAL_KIND, prediction.interval, HAS_PROPERTIES),
    ]
