"""A record as text."""

from datetime import date
from pathlib import Path

from engine.clinical.clinical_file import read_file
from engine.clinical.record_text import record_text
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity

LABS = """patient_id,analyte,value,unit,date
1,afp,<2.0,ng/mL,2024-02-20
1,afp,9,ng/mL,2024-01-20
1,bilirubin_total,1.2,mg/dL,2024-02-21
1,albumin,4.0,g/L,2024-02-20
1,cirrhosis,yes,,
1,creatinine,80,umol/L,2020-01-01
"""


def _lines(tmp_path: Path) -> list[str]:
    path = tmp_path / "labs.csv"
    path.write_text(LABS)
    record = read_file(path, PatientIdentity(patient_id="1"), date(2024, 3, 1))
    return record_text(record).splitlines()


def _row(lines: list[str], analyte: str) -> list[str]:
    (line,) = [x for x in lines if x.strip().startswith(f"{analyte} ") and "row" in x]
    return [cell for cell in line.strip().split("  ") if cell]


def test_every_used_value_is_shown_converted_and_as_received(tmp_path: Path) -> None:
    lines = _lines(tmp_path)
    bilirubin = [cell.strip() for cell in _row(lines, "bilirubin_total")]
    assert bilirubin[1:5] == ["20.5247 umol/L", "1.2 mg/dL", "2024-02-21", "9 d"]
    assert bilirubin[5:] == ["final", "spreadsheet:labs.csv row 4"]
    afp = [cell.strip() for cell in _row(lines, "afp")]
    assert afp[1:3] == ["2 ng/mL (limit of the assay)", "<2.0 ng/mL"]
    assert "no date" in _row(lines, "cirrhosis")[3]


def test_every_refused_value_is_shown_with_its_reason(tmp_path: Path) -> None:
    lines = _lines(tmp_path)
    assert _row(lines, "albumin")[1].strip() == "implausible"
    assert [c.strip() for c in _row(lines, "creatinine")][1:4] == [
        "stale",
        "2020-01-01",
        "1521 days old, at most 30",
    ]


def test_a_course_is_shown_from_its_oldest_to_its_newest_value(tmp_path: Path) -> None:
    lines = _lines(tmp_path)
    assert lines[-1].split("  ")[1:] == ["afp", "2 values in 31 days", "9 → 2 ng/mL"]


def test_a_record_of_nothing_says_so() -> None:
    text = record_text(ClinicalRecord(sources=("EHR: clinical data not available: HTTP 401",)))
    assert "HTTP 401" in text
    assert "Used: nothing" in text
    assert "Not used: nothing was refused" in text
