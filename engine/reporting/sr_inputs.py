"""Values that scores and forecasts were inferred from, as content items a reader can recompute.

Each input is written by value: its code, number, unit, the day it belongs to (Observation
DateTime, PS3.3 C.17.3) and where it came from.
"""

from datetime import date

from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from engine.coding import dicom, loinc, own, snomed, ucum
from engine.reporting.clinical_words import input_name
from engine.reporting.sr_content import (
    HAS_PROPERTIES,
    INFERRED_FROM,
    make_code,
    make_num,
    make_text,
)
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.prognosis import Contribution, ScoreInput

IMAGE_MEASUREMENTS = {
    "tumor_number": (snomed.NUMBER_OF_LESIONS, ucum.LESIONS),
    "tumor_largest": (own.LARGEST_DIAMETER, ucum.CENTIMETER),
    "tumor_sum": (own.SUM_OF_DIAMETERS, ucum.CENTIMETER),
    "tumor_fraction": (own.TUMOR_FRACTION, ucum.NO_UNITS),
}
WORDS = {
    "present": snomed.PRESENT,
    "absent": snomed.ABSENT,
    "male": dicom.MALE,
    "female": dicom.FEMALE,
}
"""Coded words; any other is written as text."""


def score_input(given: ScoreInput, record: ClinicalRecord | None) -> Dataset:
    """One input of a score that has a value.

    Args:
        given: The input.
        record: Gives code, day and marks of a clinical value.
    """
    measured = IMAGE_MEASUREMENTS.get(given.name)
    if measured is not None and isinstance(given.value, (int, float)):
        name, unit = measured
        children = [make_text(own.VALUE_SOURCE, given.source, HAS_PROPERTIES)]
        return make_num(name, float(given.value), unit, INFERRED_FROM, children)
    known = record.find(given.name) if record is not None else None
    if known is not None and (known.value, known.unit) != (given.value, given.unit):
        known = None  # the score took the value from elsewhere
    if known is None:
        name = own.named(given.name, input_name(given.name, record))
        return _item(name, given.value, given.unit, _origin(given.source))
    dated = _item(_concept(known), known.value, known.unit, _provenance(known))
    return _dated(dated, known.observed_on)


def predictor(contribution: Contribution, record: ClinicalRecord | None) -> Dataset | None:
    """One predictor of a forecast with its value and effect; None without a value."""
    if contribution.value is None:
        return None
    known = _same_code(contribution, record)
    effect = make_num(own.EFFECT, contribution.effect, ucum.NO_UNITS, HAS_PROPERTIES)
    if known is None:
        name = own.named(contribution.predictor, contribution.predictor)
        return _item(name, contribution.value, contribution.unit, [effect])
    label = make_text(own.PREDICTOR, contribution.predictor, HAS_PROPERTIES)
    children = [label, effect, *_provenance(known)]
    item = _item(_concept(known), contribution.value, known.unit, children)
    return _dated(item, known.observed_on)


def _same_code(contribution: Contribution, record: ClinicalRecord | None) -> Observation | None:
    """The record's observation that a predictor's value is."""
    for observation in record.observations if record is not None else ():
        same = (observation.code, observation.value) == (contribution.code, contribution.value)
        if contribution.code and same:
            return observation
    return None


def _concept(observation: Observation) -> Code:
    """The value's own code; the molar property where the value was converted to moles."""
    meaning = observation.name or input_name(observation.analyte)
    code, scheme = observation.code, observation.code_system
    if scheme == loinc.SCHEME and "mol" in observation.unit:
        code = loinc.MOLAR.get(code, code)
    if scheme == own.SCHEME:
        return own.named(code, meaning)
    return Code(code[: own.MAXIMUM_CODE_VALUE], scheme, meaning[:64])


def _provenance(observation: Observation) -> list[Dataset]:
    made = _origin(observation.source)
    if observation.imputed:
        made.append(make_code(own.IMPUTED, snomed.YES, HAS_PROPERTIES))
    return made


def _origin(source: str) -> list[Dataset]:
    return [make_text(own.VALUE_SOURCE, source, HAS_PROPERTIES)] if source else []


def _item(name: Code, value: float | str | None, unit: str, children: list[Dataset]) -> Dataset:
    if isinstance(value, (int, float)):
        return make_num(name, float(value), ucum.unit(unit), INFERRED_FROM, children)
    word = WORDS.get(str(value))
    if word is not None:
        return make_code(name, word, INFERRED_FROM, children)
    return make_text(name, str(value), INFERRED_FROM, children)


def _dated(item: Dataset, day: date | None) -> Dataset:
    if day is not None:
        item.ObservationDateTime = day.strftime("%Y%m%d")
    return item
