"""What is derived from the measurements: burden, criteria, scores, predictions.

Numbers stand under "Derived Imaging Measurements" (TID 1420), each inferred from its inputs;
coded verdicts and sentences are qualitative evaluations. They are not measurement groups:
a group without a region makes OHIF show the whole report as a black page (3.13.2 reads the
first coordinate of every group).
"""

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from engine.coding import dicom, loinc, own, snomed, ucum
from engine.reporting.sr_content import (
    CONTAINS,
    HAS_PROPERTIES,
    INFERRED_FROM,
    make_container,
    make_num,
    make_text,
)
from engine.reporting.sr_forecast import forecast
from engine.reporting.sr_inputs import score_input
from engine.reporting.wording import BURDEN_ASSUMPTION
from engine.values.clinical import ClinicalRecord
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score
from engine.values.result import AnalysisResult

VERDICT = {True: snomed.YES, False: snomed.NO, None: snomed.UNDETERMINED}

Statement = tuple[Code, Code | str]


def _burden(found: TumorBurden) -> list[Dataset]:
    numbers = [
        make_num(snomed.NUMBER_OF_LESIONS, found.number, ucum.LESIONS),
        make_num(own.LIVER_VOLUME, found.liver_volume_ml, ucum.CUBIC_CENTIMETER),
        make_num(own.TUMOR_VOLUME, found.total_volume_ml, ucum.CUBIC_CENTIMETER),
        make_num(own.TUMOR_FRACTION, found.tumor_fraction * 100, ucum.PERCENT),
    ]
    if found.number:
        numbers += [
            make_num(own.LARGEST_DIAMETER, found.largest_mm, ucum.MILLIMETER),
            make_num(own.SUM_OF_DIAMETERS, found.sum_mm, ucum.MILLIMETER),
        ]
    if found.tumor_burden_score is not None:
        inputs = [
            make_num(own.LARGEST_DIAMETER, found.largest_mm, ucum.MILLIMETER, INFERRED_FROM),
            make_num(snomed.NUMBER_OF_LESIONS, found.number, ucum.LESIONS, INFERRED_FROM),
        ]
        score = found.tumor_burden_score
        numbers.append(make_num(own.TUMOR_BURDEN_SCORE, score, ucum.NO_UNITS, CONTAINS, inputs))
    return numbers


def _score(score: Score, value: float, record: ClinicalRecord | None) -> Dataset:
    """One computed score: inputs it was inferred from, class, source."""
    children = [score_input(given, record) for given in score.inputs if given.value is not None]
    if score.category:
        children.append(make_text(own.SCORE_CLASS, score.category, HAS_PROPERTIES))
    notes = [f"Source {score.citation}.", score.population, score.validation, *score.caveats]
    if not score.confirmed:
        notes.append("Coefficients are not confirmed by a source.")
    children.append(make_text(dicom.COMMENT, " ".join(filter(None, notes)), HAS_PROPERTIES))
    name = own.named(score.name, f"{score.name} score")
    if score.loinc:
        name = Code(score.loinc, loinc.SCHEME, score.name)
    return make_num(name, value, ucum.unit(score.unit), CONTAINS, children)


def derived_measurements(result: AnalysisResult, radiomics: list[Dataset]) -> Dataset:
    """Every derived number in the order of the report, then the radiomics groups."""
    numbers = _burden(result.findings.burden)
    record = result.clinical
    numbers += [
        _score(score, score.value, record) for score in result.scores if score.value is not None
    ]
    for prediction in result.predictions:
        numbers += forecast(prediction, record)
    return make_container(dicom.DERIVED_IMAGING_MEASUREMENTS, [*numbers, *radiomics])


def derived_statements(result: AnalysisResult) -> list[Statement]:
    """Verdicts of the criteria, risk groups with their limits, and what was not computed."""
    statements: list[Statement] = []
    found = result.findings.burden
    if found.number:
        statements += [
            (own.WITHIN_MILAN, VERDICT[found.within_milan]),
            (own.WITHIN_UCSF, VERDICT[found.within_ucsf]),
            (own.WITHIN_UP_TO_SEVEN, VERDICT[found.within_up_to_seven]),
            (own.LIMITATION, BURDEN_ASSUMPTION),
        ]
    for prediction in result.predictions:
        told = f"{prediction.outcome}: {prediction.risk_group} ({prediction.package})"
        notes = (*(f"Missing: {m}" for m in prediction.missing), *prediction.flags)
        statements.append((own.RISK_GROUP, told))
        statements += [(own.LIMITATION, note) for note in (*notes, *prediction.limits)]
    for score in result.scores:
        if score.value is None:
            missing = ", ".join(score.missing) or "see report"
            statements.append((dicom.COMMENT, f"{score.name} not computed, missing: {missing}."))
    for refusal in result.refusals:
        statements.append((dicom.COMMENT, f"{refusal.name}, refused: {refusal.reason}."))
    return statements
