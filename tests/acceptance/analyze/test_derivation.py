"""A score in the SR can be recomputed by whoever reads it, from nothing but the SR.

The reader is pydicom and the papers' formulas; none of our code takes part in reading.
"""

import io
import math
from dataclasses import replace

import highdicom as hd
import pydicom
import pytest
from pydicom.dataset import Dataset

from engine.clinical.scores.compute import compute_scores
from engine.reporting.composition import compose_reports
from engine.values.clinical import ClinicalRecord
from tests.phantoms.analysis_result import SEGMENTS, cached_result
from tests.phantoms.clinical_records import DAY, make_observation
from tests.phantoms.conformance import dciodvfy_errors

VALUES = {
    "bilirubin_total": 21.0,
    "albumin": 36.0,
    "inr": 1.2,
    "creatinine": 90.0,
    "sodium": 138.0,
    "platelets": 130.0,
    "age": 61.0,
    "sex": "male",
    "ascites": "absent",
    "encephalopathy": "absent",
}


@pytest.fixture(scope="module")
def report() -> Dataset:
    """The SR of the phantom with a record of today."""
    record = ClinicalRecord(
        reference_date=DAY,
        observations=tuple(make_observation(name, value) for name, value in VALUES.items()),
    )
    result = cached_result()
    patient = result.reference.study.patient
    scores = compute_scores(record, result.findings.burden, patient)
    made = replace(result, clinical=record, scores=scores)
    (sr,) = [f for f in compose_reports(made, SEGMENTS) if f.name == "sr.dcm"]
    return pydicom.dcmread(io.BytesIO(sr.content))


def items(parent: Dataset) -> list[Dataset]:
    return list(parent.get("ContentSequence", []))


def find(parent: Dataset, value: str) -> list[Dataset]:
    """Content items under a concept, anywhere below."""
    found = []
    for item in items(parent):
        if "ConceptNameCodeSequence" in item and item.ConceptNameCodeSequence[0].CodeValue == value:
            found.append(item)
        found += find(item, value)
    return found


def measured(item: Dataset) -> tuple[float, str]:
    value = item.MeasuredValueSequence[0]
    return float(value.NumericValue), str(value.MeasurementUnitsCodeSequence[0].CodeValue)


def inputs(score: Dataset) -> dict[str, tuple[float, str]]:
    """Numbers a score was inferred from, by LOINC code, with their UCUM units."""
    return {
        item.ConceptNameCodeSequence[0].CodeValue: measured(item)
        for item in items(score)
        if item.RelationshipType == "INFERRED FROM" and item.ValueType == "NUM"
    }


def test_albi_follows_from_the_encoded_inputs(report: Dataset) -> None:
    """0.66 log10(bilirubin, µmol/L) − 0.085 albumin, g/L (doi:10.1200/JCO.2014.57.9151)."""
    (albi,) = find(report, "ALBI")
    given = inputs(albi)
    assert given.keys() == {"14631-6", "1751-7"}
    (bilirubin, moles), (albumin, grams) = given["14631-6"], given["1751-7"]
    assert (moles, grams) == ("umol/L", "g/L")
    assert measured(albi)[0] == pytest.approx(0.66 * math.log10(bilirubin) - 0.085 * albumin)


def test_meld_follows_from_the_encoded_inputs(report: Dataset) -> None:
    """Kamath 2001 with the lower bounds of 1 and rounding (doi:10.1053/jhep.2001.22172)."""
    (meld,) = find(report, "MELD")
    given = inputs(meld)
    bilirubin = max(given["14631-6"][0] / 17.1, 1)
    creatinine = max(given["14682-9"][0] / 88.4, 1)
    inr = max(given["6301-6"][0], 1)
    raw = 3.78 * math.log(bilirubin) + 11.2 * math.log(inr) + 9.57 * math.log(creatinine) + 6.43
    assert measured(meld)[0] == pytest.approx(round(raw), abs=0.5)


def test_the_tumor_burden_score_follows_from_the_images_measurements(report: Dataset) -> None:
    (score,) = find(report, "TBS")
    given = inputs(score)
    largest, unit = given["LARGESTDIAMETER"]
    number, _ = given["246206008"]
    assert unit == "mm"
    assert measured(score)[0] == pytest.approx(math.hypot(largest / 10, number))


def test_every_clinical_input_has_its_day_and_source(report: Dataset) -> None:
    (child_pugh,) = find(report, "CHILDPUGH")
    given = [i for i in items(child_pugh) if i.RelationshipType == "INFERRED FROM"]
    assert len(given) == 5
    for item in given:
        assert item.ObservationDateTime == DAY.strftime("%Y%m%d")
    (ascites,) = [i for i in given if i.ConceptNameCodeSequence[0].CodeValue == "389026000"]
    assert ascites.ConceptCodeSequence[0].CodeMeaning == "Absent"


@pytest.mark.peer
def test_other_readers_accept_the_report(report: Dataset, tmp_path_factory) -> None:  # noqa: ANN001
    path = tmp_path_factory.mktemp("sr") / "sr.dcm"
    report.save_as(path)
    assert dciodvfy_errors(path) == []
    read = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(path))
    assert len(read.content.get_volumetric_roi_measurement_groups()) == 3
