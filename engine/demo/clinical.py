"""Clinical values of the demo patient as a spreadsheet in HepatoCast's own layout."""

import csv
from datetime import date, timedelta
from pathlib import Path

from pydicom.dataset import Dataset

from engine.demo.acquisition import STUDY_STARTED_AT

COLUMNS = ("patient_id", "birth_date", "sex", "analyte", "value", "unit", "date")
_SAMPLE_DAY = STUDY_STARTED_AT.date() - timedelta(days=3)
_EARLIER_DAY = STUDY_STARTED_AT.date() - timedelta(days=66)

_VALUES = (
    ("age", "66", "a", _SAMPLE_DAY),
    ("sex", "male", "", _SAMPLE_DAY),
    ("ecog", "0", "", _SAMPLE_DAY),
    ("cirrhosis", "present", "", _SAMPLE_DAY),
    ("ascites", "absent", "", _SAMPLE_DAY),
    ("encephalopathy", "absent", "", _SAMPLE_DAY),
    ("afp", "61", "ng/mL", _EARLIER_DAY),
    ("afp", "184", "ng/mL", _SAMPLE_DAY),
    ("albumin", "3.8", "g/dL", _SAMPLE_DAY),
    ("bilirubin_total", "0.9", "mg/dL", _SAMPLE_DAY),
    ("inr", "1.12", "1", _SAMPLE_DAY),
    ("alt", "52", "U/L", _SAMPLE_DAY),
    ("ast", "58", "U/L", _SAMPLE_DAY),
    ("platelets", "128", "10*9/L", _SAMPLE_DAY),
    ("creatinine", "0.94", "mg/dL", _SAMPLE_DAY),
    ("sodium", "139", "mmol/L", _SAMPLE_DAY),
)


def write_demo_clinical(path: Path, study: Dataset) -> None:
    """Write the demo patient's laboratory values and findings as CSV.

    Invented values of one plausible patient with compensated cirrhosis; two AFP values so
    that a trajectory exists, US and SI units so that conversion is exercised.

    Args:
        path: File to write.
        study: Header with Patient ID, birth date and sex, which the rows repeat.
    """
    born = date.fromisoformat(str(study.PatientBirthDate))
    identity = (str(study.PatientID), born.isoformat(), str(study.PatientSex))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for analyte, value, unit, day in _VALUES:
            writer.writerow((*identity, analyte, value, unit, day.isoformat()))
