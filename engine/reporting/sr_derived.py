"""Groups without a region of their own: burden, criteria, scores, predictions (TID 1501)."""

from pydicom.dataset import Dataset

from engine.coding import dicom, own, snomed, ucum
from engine.reporting.sr_content import (
    CONTAINS,
    HAS_CONCEPT_MOD,
    HAS_OBS_CONTEXT,
    INFERRED_FROM,
    make_code,
    make_container,
    make_num,
    make_text,
    make_uidref,
)
from engine.reporting.wording import BURDEN_ASSUMPTION
from engine.values.prognosis import RiskPrediction, Score, ScoreInput
from engine.values.result import AnalysisResult

VERDICT = {True: snomed.YES, False: snomed.NO, None: snomed.UNDETERMINED}


def _group(result: AnalysisResult, name: str, children: list[Dataset]) -> Dataset:
    tracking = result.context.derive_uid("tracking", name)
    head = [
        make_text(dicom.TRACKING_IDENTIFIER, name, HAS_OBS_CONTEXT),
        make_uidref(dicom.TRACKING_UID, tracking, HAS_OBS_CONTEXT),
        make_code(snomed.FINDING_SITE, snomed.LIVER, HAS_CONCEPT_MOD),
    ]
    return make_container(dicom.MEASUREMENT_GROUP, [*head, *children], template="1501")


def burden_group(result: AnalysisResult) -> Dataset:
    """Tumor burden and the size-and-number criteria, with their assumption."""
    found = result.findings.burden
    number = make_num(snomed.NUMBER_OF_LESIONS, found.number, ucum.LESIONS)
    children = [
        number,
        make_num(own.LIVER_VOLUME, found.liver_volume_ml, ucum.CUBIC_CENTIMETER),
        make_num(own.TUMOR_VOLUME, found.total_volume_ml, ucum.CUBIC_CENTIMETER),
        make_num(own.TUMOR_FRACTION, found.tumor_fraction * 100, ucum.PERCENT),
    ]
    if found.number:
        children += [
            make_num(own.LARGEST_DIAMETER, found.largest_mm, ucum.MILLIMETER),
            make_num(own.SUM_OF_DIAMETERS, found.sum_mm, ucum.MILLIMETER),
        ]
    if found.tumor_burden_score is not None:
        inputs = [
            make_num(own.LARGEST_DIAMETER, found.largest_mm, ucum.MILLIMETER, INFERRED_FROM),
            make_num(snomed.NUMBER_OF_LESIONS, found.number, ucum.LESIONS, INFERRED_FROM),
        ]
        score = found.tumor_burden_score
        children.append(make_num(own.TUMOR_BURDEN_SCORE, score, ucum.NO_UNITS, CONTAINS, inputs))
    if found.number:
        children += [
            make_code(own.WITHIN_MILAN, VERDICT[found.within_milan]),
            make_code(own.WITHIN_UCSF, VERDICT[found.within_ucsf]),
            make_code(own.WITHIN_UP_TO_SEVEN, VERDICT[found.within_up_to_seven]),
            make_text(dicom.COMMENT, BURDEN_ASSUMPTION),
        ]
    return _group(result, "Tumor burden", children)


def _input(given: ScoreInput) -> Dataset:
    name = own.named(given.name, given.name)
    if isinstance(given.value, (int, float)):
        return make_num(name, float(given.value), ucum.unit(given.unit), INFERRED_FROM)
    return make_text(name, str(given.value), INFERRED_FROM)


def score_group(result: AnalysisResult, score: Score) -> Dataset | None:
    """One computed score, inferred from its inputs; None for a refused one."""
    if score.value is None:
        return None
    inputs = [_input(given) for given in score.inputs if given.value is not None]
    name = own.named(score.name, f"{score.name} score")
    children = [make_num(name, score.value, ucum.unit(score.unit), CONTAINS, inputs)]
    if score.category:
        children.append(make_text(own.SCORE_CLASS, score.category))
    notes = [*score.caveats, f"Source {score.citation}"]
    if not score.confirmed:
        notes.append("Coefficients are not confirmed by a source.")
    children.append(make_text(dicom.COMMENT, " ".join(notes)))
    return _group(result, f"Score {score.name}", children)


def prediction_group(result: AnalysisResult, prediction: RiskPrediction) -> Dataset:
    """One risk prediction: probabilities with their interval, group, cautions, limits."""
    children = []
    for month, value, low, high in zip(
        prediction.times_months,
        prediction.survival,
        prediction.lower,
        prediction.upper,
        strict=True,
    ):
        if month <= 0:
            continue
        name = own.named(
            f"EVENTFREE{month:g}", f"Predicted event-free probability at {month:g} months"
        )
        told = f"{prediction.interval}: {low * 100:.1f} % to {high * 100:.1f} %"
        bounds = make_text(dicom.COMMENT, told, INFERRED_FROM)
        children.append(make_num(name, value * 100, ucum.PERCENT, CONTAINS, [bounds]))
    children.append(make_text(own.RISK_GROUP, prediction.risk_group))
    notes = (
        f"{prediction.outcome}; model {prediction.package}.",
        *(f"Missing: {text}" for text in prediction.missing),
        *prediction.flags,
        *prediction.limits,
    )
    children.append(make_text(dicom.COMMENT, " ".join(notes)))
    return _group(result, f"Prediction {prediction.package}", children)


def derived_groups(result: AnalysisResult) -> list[Dataset]:
    """All groups without a region, in the order of the report."""
    groups = [burden_group(result)]
    groups += [g for score in result.scores if (g := score_group(result, score)) is not None]
    groups += [prediction_group(result, prediction) for prediction in result.predictions]
    return groups
