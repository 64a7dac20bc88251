"""Where the inputs of a score come from: the record, the images, the DICOM header."""

from datetime import date

from engine.clinical.analyte import ABSENT, PRESENT
from engine.clinical.analytes import ANALYTES
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity
from engine.values.lesion import TumorBurden
from engine.values.prognosis import ScoreInput

IMAGE_UNITS = {
    "tumor_number": "1",
    "tumor_largest": "cm",
    "tumor_sum": "cm",
    "tumor_fraction": "1",
}
"""Inputs measured on the images, with their units."""

_IMAGE_SOURCE = "measured on the images"
_HEADER_SOURCE = "DICOM header"
_DERIVED = "derived from"
_SEXES = {"M": "male", "F": "female"}


def unit_of(name: str) -> str:
    """UCUM unit of a score input."""
    if name in IMAGE_UNITS:
        return IMAGE_UNITS[name]
    return ANALYTES[name].unit


def gather(
    record: ClinicalRecord | None, burden: TumorBurden | None, patient: PatientIdentity | None
) -> dict[str, ScoreInput]:
    """Collect every input that is known, by name.

    Args:
        record: Selected clinical values; the record's age and sex win over the header's.
        burden: Tumor burden measured on the images.
        patient: Patient of the images, for age and sex.

    Returns:
        Inputs in canonical units, each with its source.
    """
    inputs: dict[str, ScoreInput] = {}
    reference = record.reference_date if record is not None else None
    if patient is not None:
        _add_header(inputs, patient, reference)
    for observation in record.observations if record is not None else ():
        inputs[observation.analyte] = ScoreInput(
            name=observation.analyte,
            value=observation.value,
            unit=observation.unit,
            source=observation.source,
        )
    if burden is not None:
        _add_burden(inputs, burden)
    _add_implied(inputs)
    return inputs


def _add_header(
    inputs: dict[str, ScoreInput], patient: PatientIdentity, reference: date | None
) -> None:
    age = patient.patient_age_years
    if age is None and reference is not None:
        age = _age_years(patient.patient_birth_date, reference)
    if age is not None:
        inputs["age"] = ScoreInput(name="age", value=float(age), unit="a", source=_HEADER_SOURCE)
    sex = _SEXES.get(patient.patient_sex.upper())
    if sex is not None:
        inputs["sex"] = ScoreInput(name="sex", value=sex, unit="1", source=_HEADER_SOURCE)


def _age_years(birth_date: str, reference: date) -> float | None:
    """Completed years on the reference date; None without a full DICOM DA birth date."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return None
    had_birthday = (reference.month, reference.day) >= (born.month, born.day)
    years = reference.year - born.year - (0 if had_birthday else 1)
    return float(years) if years >= 0 else None


def _add_burden(inputs: dict[str, ScoreInput], burden: TumorBurden) -> None:
    measured = {
        "tumor_number": float(burden.number),
        "tumor_largest": burden.largest_mm / 10.0,
        "tumor_sum": burden.sum_mm / 10.0,
        "tumor_fraction": burden.tumor_fraction,
    }
    for name, value in measured.items():
        inputs[name] = ScoreInput(
            name=name, value=value, unit=IMAGE_UNITS[name], source=_IMAGE_SOURCE
        )


def _add_implied(inputs: dict[str, ScoreInput]) -> None:
    """Findings that follow by definition from others, when not given themselves."""
    for name, parts in (
        ("macrovascular_invasion", ("portal_vein_thrombosis", "major_branch_invasion")),
        ("extrahepatic_spread", ("lymph_node_metastasis", "distant_metastasis")),
    ):
        if name in inputs:
            continue
        given = [inputs[part] for part in parts if part in inputs]
        word = ""
        if any(part.value == PRESENT for part in given):
            word = PRESENT
        elif name == "extrahepatic_spread" and len(given) == len(parts):
            word = ABSENT
        if word:
            source = f"{_DERIVED} {', '.join(part.name for part in given)}"
            inputs[name] = ScoreInput(name=name, value=word, unit="1", source=source)
