"""Records, burdens and patients for the clinical tests."""

import math
from datetime import date

from engine.clinical.analytes import ANALYTES
from engine.clinical.scores.compute import compute_scores
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.identity import PatientIdentity
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score

DAY = date(2024, 3, 1)


def make_observation(analyte: str, value: float | str, **more: object) -> Observation:
    """A final observation in the canonical unit, dated on the reference day."""
    known = ANALYTES[analyte]
    fields: dict[str, object] = {
        "analyte": analyte,
        "code": known.code,
        "code_system": known.code_system,
        "value": value,
        "unit": known.unit,
        "observed_on": DAY,
        "source": f"test {analyte}",
    }
    return Observation(**(fields | more))  # type: ignore[arg-type]


def make_record(**values: float | str) -> ClinicalRecord:
    """A record of final observations in canonical units."""
    observations = tuple(make_observation(key, value) for key, value in values.items())
    return ClinicalRecord(reference_date=DAY, observations=observations)


def make_burden(
    number: int, largest_mm: float, *, sum_mm: float | None = None, fraction: float = 0.05
) -> TumorBurden:
    """A tumor burden of equal lesions unless the sum is given."""
    total = number * largest_mm if sum_mm is None else sum_mm
    return TumorBurden(
        number=number,
        largest_mm=largest_mm,
        sum_mm=total,
        total_volume_ml=fraction * 1500.0,
        liver_volume_ml=1500.0,
        tumor_fraction=fraction,
        tumor_burden_score=math.hypot(largest_mm / 10, number) if number else None,
        within_milan=None,
        within_ucsf=None,
        within_up_to_seven=None,
    )


def make_score(
    name: str,
    burden: TumorBurden | None = None,
    patient: PatientIdentity | None = None,
    **values: float | str,
) -> Score:
    """One score by name from canonical values, unconfirmed ones included."""
    scores = compute_scores(make_record(**values), burden, patient, include_unconfirmed=True)
    return next(score for score in scores if score.name == name)
