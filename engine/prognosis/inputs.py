"""One patient's predictor values for a risk package, each with what became of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.prognosis.package import Encoding, PredictorSource, RiskPredictor
from engine.prognosis.trajectory import summarize
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientInputs:
    """Everything a prediction may draw on.

    Attributes:
        record: Clinical values; None when no clinical source answered.
        burden: Tumor burden measured on the images; None without an imaging result.
        scores: Published scores already computed.
        measurements: Further named numbers (radiomics, deep features, omics).
        measurement_settings: By the same names the fingerprint of the settings a number was
            extracted with.
    """

    record: ClinicalRecord | None = None
    burden: TumorBurden | None = None
    scores: tuple[Score, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict, repr=False)
    measurement_settings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorValue:
    """The model's number for one predictor.

    Attributes:
        number: None when missing; then ``reason`` says why.
        given: The source value as it came, for the report.
        flags: Warnings about a value that is used.
    """

    predictor: RiskPredictor
    number: float | None = field(repr=False)
    given: float | str | None = field(default=None, repr=False)
    reason: str = ""
    flags: tuple[str, ...] = ()


def collect(
    predictors: tuple[RiskPredictor, ...], patient: PatientInputs
) -> tuple[PredictorValue, ...]:
    """Look every predictor up in its source; nothing is guessed.

    A missing, stale, wrongly united or impossible value has number None and a reason.
    """
    return tuple(_value(p, patient) for p in predictors)


def _value(predictor: RiskPredictor, patient: PatientInputs) -> PredictorValue:
    given, reason = _look_up(predictor, patient)
    if given is None:
        return PredictorValue(predictor=predictor, number=None, reason=reason)
    number, reason = encode(predictor, given)
    if number is None:
        return PredictorValue(predictor=predictor, number=None, given=given, reason=reason)
    return PredictorValue(
        predictor=predictor, number=number, given=given, flags=_flags(predictor, number)
    )


def _look_up(predictor: RiskPredictor, patient: PatientInputs) -> tuple[float | str | None, str]:
    match predictor.source:
        case PredictorSource.RECORD:
            return _from_record(predictor, patient.record)
        case PredictorSource.BURDEN:
            return _from_burden(predictor, patient.burden)
        case PredictorSource.TRAJECTORY:
            return _from_trajectory(predictor, patient.record)
        case PredictorSource.SCORE:
            return _from_scores(predictor, patient.scores)
        case PredictorSource.MEASUREMENT:
            return _from_measurements(predictor, patient)


def _from_measurements(
    predictor: RiskPredictor, patient: PatientInputs
) -> tuple[float | str | None, str]:
    value = patient.measurements.get(predictor.key)
    if value is None:
        return None, "not measured"
    wanted = predictor.settings_sha256
    found = patient.measurement_settings.get(predictor.key, "unknown")
    if wanted and found != wanted:
        return None, (
            f"extracted with other settings ({found[:12]}) than the model's ({wanted[:12]})"
        )
    return value, ""


def _from_record(
    predictor: RiskPredictor, record: ClinicalRecord | None
) -> tuple[float | str | None, str]:
    if record is None:
        return None, "no clinical record"
    observation = record.find(predictor.key)
    if observation is None:
        return None, "not in the clinical record"
    if reason := _unusable(predictor, observation, record):
        return None, reason
    return observation.value, ""


def _unusable(predictor: RiskPredictor, observation: Observation, record: ClinicalRecord) -> str:
    if isinstance(observation.value, float | int) and observation.unit != predictor.unit:
        return f"unit {observation.unit}, needs {predictor.unit}"
    if observation.imputed:
        return "imputed by the source's policy, not by the model's"
    limit, day, reference = (
        predictor.maximum_age_days,
        observation.observed_on,
        record.reference_date,
    )
    if limit is not None and day is not None and reference is not None:
        age = (reference - day).days
        if age > limit:
            return f"{age} days old, at most {limit}"
        if age < 0:
            return "dated after the reference date"
    return ""


def _from_burden(
    predictor: RiskPredictor, burden: TumorBurden | None
) -> tuple[float | str | None, str]:
    if burden is None:
        return None, "no lesion measurement"
    value = getattr(burden, predictor.key, None)
    return (None, "not decided on the images") if value is None else (float(value), "")


def _from_trajectory(
    predictor: RiskPredictor, record: ClinicalRecord | None
) -> tuple[float | str | None, str]:
    if record is None:
        return None, "no clinical record"
    analyte, _, summary = predictor.key.partition(":")
    reference = record.reference_date
    series = [
        (o.observed_on, float(o.value))
        for o in record.history
        if o.analyte == analyte
        and isinstance(o.value, float | int)
        and o.unit == predictor.unit
        and o.observed_on is not None
        and (reference is None or o.observed_on <= reference)
    ]
    if not series:
        return None, f"no dated {analyte} in {predictor.unit}"
    series.sort(key=lambda entry: entry[0])
    limit, last = predictor.maximum_age_days, series[-1][0]
    if limit is not None and reference is not None and (reference - last).days > limit:
        return None, f"last value {(reference - last).days} days old, at most {limit}"
    start = series[0][0]
    value = summarize([(d - start).days for d, _ in series], [v for _, v in series], summary)
    return value, "" if value is not None else f"{len(series)} dated values, too few"


def _from_scores(
    predictor: RiskPredictor, scores: tuple[Score, ...]
) -> tuple[float | str | None, str]:
    score = next((s for s in scores if s.name == predictor.key), None)
    if score is None or score.value is None:
        return None, f"score {predictor.key} not computed"
    return score.value, ""


def encode(predictor: RiskPredictor, given: float | str) -> tuple[float | None, str]:
    """The model's number of a source value; None with the reason when unusable."""
    if predictor.encoding is Encoding.WORDS:
        words = dict(predictor.words)
        number = words.get(str(given))
        return number, "" if number is not None else f"needs one of {', '.join(words)}"
    if isinstance(given, str):
        return None, "a word where a number is needed"
    low, high = predictor.plausible
    if not (math.isfinite(given) and low <= given <= high):
        return None, f"outside the plausible range {low:g}–{high:g} {predictor.unit}"
    if predictor.encoding is Encoding.RAMP:
        return ramp(given, predictor.lower, predictor.upper), ""
    return min(float(given), predictor.ceiling), ""


def ramp(value: float, lower: float, upper: float) -> float:
    """Expected class (0..1) when the cut-off is log-uniform between lower and upper."""
    if value <= lower:
        return 0.0
    if value >= upper:
        return 1.0
    return math.log(value / lower) / math.log(upper / lower)


def _flags(predictor: RiskPredictor, number: float) -> tuple[str, ...]:
    low, high = predictor.development
    if predictor.encoding is Encoding.RAMP and 0 < number < 1:
        return (
            f"{predictor.label}: the value lies between {predictor.lower:g} and "
            f"{predictor.upper:g} {predictor.unit}, where the development cohort's "
            f"undocumented cut-off must be; counted as {number:.2f} of the higher class",
        )
    if not low <= number <= high:
        return (
            f"{predictor.label}: outside the development cohort's range {low:g}–{high:g} "
            "(extrapolation)",
        )
    return ()
