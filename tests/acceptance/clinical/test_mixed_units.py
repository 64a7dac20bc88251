"""Issue 5, must show 3: a feed of mixed units gives the same scores, the impossible is refused."""

import json
from datetime import date
from pathlib import Path

import pytest

from dicom_node.clinical_source.hl7_source import Hl7Source
from dicom_node.clinical_source.hl7_store import Hl7Store, check_message
from engine.clinical.clinical_file import read_file
from engine.clinical.join import join_sources
from engine.clinical.scores.compute import compute_scores
from engine.values.clinical import ClinicalRecord, RejectionKind
from engine.values.identity import PatientIdentity
from tests.phantoms.clinical_records import make_burden
from tests.phantoms.fhir_people import make_observation, make_patient
from tests.phantoms.hl7_messages import oru

DAY = date(2024, 2, 20)
REFERENCE = date(2024, 3, 1)
IMAGES = PatientIdentity(patient_id="4711", patient_birth_date="19610504", patient_sex="M")

Told = tuple[tuple[str, float, str], ...]

CONVENTIONAL: Told = (
    ("1975-2", 1.2, "mg/dL"),
    ("1751-7", 3.6, "g/dL"),
    ("2160-0", 1.1, "mg/dL"),
    ("1834-1", 100.0, "[IU]/mL"),
    ("777-3", 110.0, "10*3/uL"),
    ("2951-2", 133.0, "meq/L"),
    ("6301-6", 1.3, "{INR}"),
)
INTERNATIONAL: Told = (
    ("1975-2", 20.5247494, "umol/L"),
    ("1751-7", 36.0, "g/L"),
    ("2160-0", 97.2418670, "umol/L"),
    ("1834-1", 121.0, "ug/L"),
    ("777-3", 110.0, "10*9/L"),
    ("2951-2", 133.0, "mmol/L"),
    ("6301-6", 1.3, "1"),
)
MIXED: Told = tuple((CONVENTIONAL, INTERNATIONAL)[n % 2][n] for n in range(len(CONVENTIONAL)))


def from_fhir(told: Told, folder: Path) -> ClinicalRecord:
    """A Bundle in a file."""
    resources = [make_patient("4711") | {"id": "p"}]
    for number, row in enumerate(told):
        resources.append(make_observation("p", (*row, DAY.isoformat())) | {"id": f"o{number}"})
    bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in resources]}
    path = folder / "bundle.json"
    path.write_text(json.dumps(bundle))
    return read_file(path, IMAGES, REFERENCE)


def from_hl7(told: Told, folder: Path) -> ClinicalRecord:
    """One message in a listener's store."""
    store = Hl7Store(folder / "hl7.sqlite")
    rows = [f"NM|{code}^x^LN||{value!r}|{unit}|||||F" for code, value, unit in told]
    content = oru(*rows, patient="4711").encode()
    store.put(content, check_message(content))
    try:
        return join_sources([Hl7Source(store=store)], IMAGES, REFERENCE)
    finally:
        store.close()


def from_spreadsheet(told: Told, folder: Path) -> ClinicalRecord:
    """A CSV file."""
    lines = ["patient_id,birth_date,sex,analyte,value,unit,date"]
    lines += [f"4711,1961-05-04,M,{code},{value!r},{unit},{DAY}" for code, value, unit in told]
    path = folder / "labs.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_file(path, IMAGES, REFERENCE)


@pytest.mark.parametrize("told", [INTERNATIONAL, MIXED], ids=["international", "mixed"])
@pytest.mark.parametrize("feed", [from_fhir, from_hl7, from_spreadsheet])
def test_every_feed_in_every_mixture_gives_the_same_scores(
    feed: object, told: Told, tmp_path: Path
) -> None:
    assert callable(feed)
    burden = make_burden(2, 35.0)
    expected = compute_scores(from_fhir(CONVENTIONAL, tmp_path), burden, IMAGES)
    found = compute_scores(feed(told, tmp_path), burden, IMAGES)
    assert sum(score.value is not None for score in expected) >= 9
    for left, right in zip(expected, found, strict=True):
        assert (left.name, left.category, left.missing) == (
            right.name,
            right.category,
            right.missing,
        )
        if left.value is not None:
            assert right.value == pytest.approx(left.value, rel=1e-6)


@pytest.mark.parametrize(
    ("feed", "source"),
    [
        (from_fhir, "FHIR Observation/o0"),
        (from_hl7, "HL7 message c1 OBX 1"),
        (from_spreadsheet, "spreadsheet:labs.csv row 2"),
    ],
)
def test_an_impossible_value_is_refused_with_its_source_named(
    feed: object, source: str, tmp_path: Path
) -> None:
    """4.0 g/L of albumin is 4.0 g/dL with the wrong unit."""
    assert callable(feed)
    record = feed((("1751-7", 4.0, "g/L"),), tmp_path)
    assert record.observations == ()
    (refused,) = record.rejections
    assert (refused.kind, refused.source) == (RejectionKind.IMPLAUSIBLE, source)
    assert "plausible range 5 to 80 g/L" in refused.reason
    (albi,) = [s for s in compute_scores(record, None, IMAGES) if s.name == "ALBI"]
    assert albi.missing == ("bilirubin_total", "albumin")
