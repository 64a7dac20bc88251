"""The demo patient's spreadsheet is read by the engine's own reader."""

from datetime import date
from pathlib import Path

import pydicom
import pytest

from engine.clinical.spreadsheet import read_clinical_file
from engine.demo.study import DemoStudy
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity


@pytest.fixture
def record(study: DemoStudy) -> ClinicalRecord:
    image = pydicom.dcmread(next(study.dicom_folder.rglob("*.dcm")))
    patient = PatientIdentity(
        patient_id=image.PatientID,
        patient_birth_date=image.PatientBirthDate,
        patient_sex=image.PatientSex,
    )
    return read_clinical_file(study.clinical_file, patient, date(2026, 1, 5))


@pytest.mark.parametrize(
    ("analyte", "value", "unit"),
    [
        ("afp", 184, "ng/mL"),
        ("albumin", 38, "g/L"),
        ("bilirubin_total", 15.39, "umol/L"),
        ("platelets", 128, "10*9/L"),
        ("inr", 1.12, "1"),
        ("alt", 52, "U/L"),
        ("ast", 58, "U/L"),
        ("creatinine", 83.1, "umol/L"),
        ("sodium", 139, "mmol/L"),
        ("age", 66, "a"),
    ],
)
def test_every_value_is_read_in_its_canonical_unit(
    record: ClinicalRecord, analyte: str, value: float, unit: str
) -> None:
    found = record.find(analyte)
    assert found is not None
    assert found.value == pytest.approx(value, rel=1e-3)
    assert found.unit == unit


def test_nothing_is_rejected_and_afp_has_a_history(record: ClinicalRecord) -> None:
    assert record.rejections == ()
    assert [o.value for o in record.history if o.analyte == "afp"] == [61, 184]


def test_the_file_belongs_to_the_phantom_alone(study: DemoStudy, tmp_path: Path) -> None:
    lines = study.clinical_file.read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("PHANTOM-") for line in lines[1:])
