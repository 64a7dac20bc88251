"""The clinical file of ``--clinical FILE``."""

from datetime import date
from pathlib import Path

import pytest

from engine.clinical.spreadsheet import read_clinical_file
from engine.clinical.spreadsheet_mapping import SpreadsheetMapping
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord, RejectionKind
from engine.values.identity import PatientIdentity

IMAGES = PatientIdentity(
    patient_id="4711",
    issuer_of_patient_id="HOSP_A",
    patient_birth_date="19610504",
    patient_sex="M",
)
REFERENCE = date(2024, 3, 1)
HEADER = "patient_id,issuer,birth_date,sex,analyte,value,unit,date,status\n"
ME = "4711,HOSP_A,1961-05-04,M"


def _read(tmp_path: Path, *lines: str, header: str = HEADER) -> ClinicalRecord:
    path = tmp_path / "labs.csv"
    path.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    return read_clinical_file(path, IMAGES, REFERENCE)


def test_values_are_read_converted_and_carry_their_row(tmp_path: Path) -> None:
    record = _read(
        tmp_path,
        f"{ME},afp,100,IU/mL,2024-02-20,final",
        f"{ME},1751-7,3.9,g/dL,2024-02-20,",
        f"{ME},ascites,none,,2024-02-25,",
        f"{ME},hemoglobin,12,g/dL,2024-02-25,",
    )
    afp, albumin, ascites = (record.find(k) for k in ("afp", "albumin", "ascites"))
    assert afp is not None
    assert afp.value == pytest.approx(121.0)
    assert afp.source == "spreadsheet:labs.csv row 2"
    assert albumin is not None
    assert albumin.value == pytest.approx(39.0)
    assert ascites is not None
    assert ascites.value == "absent"
    assert record.sources == (
        "spreadsheet:labs.csv: 4 rows of this patient, 1 values of unknown analytes ignored",
    )


def test_the_same_number_from_another_issuer_never_mixes(tmp_path: Path) -> None:
    record = _read(
        tmp_path,
        f"{ME},afp,10,ng/mL,2024-02-20,",
        "4711,HOSP_B,1950-01-01,F,afp,9999,ng/mL,2024-02-28,",
        "9999,HOSP_A,not a date,zebra,albumin,40,g/L,2024-02-28,",
    )
    assert [(o.analyte, o.value) for o in record.observations] == [("afp", 10.0)]
    assert len(record.history) == 1


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match="none of the patient of the images"):
        _read(tmp_path, "4711,HOSP_B,1961-05-04,M,afp,10,ng/mL,2024-02-20,")


def test_one_row_with_another_birth_date_refuses_the_whole_file(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match="row 3: Wrong patient: birth date"):
        _read(
            tmp_path,
            f"{ME},afp,10,ng/mL,2024-02-20,",
            "4711,HOSP_A,1961-05-05,M,albumin,40,g/L,2024-02-20,",
        )


def test_unusable_values_are_reported_and_the_rest_is_used(tmp_path: Path) -> None:
    record = _read(
        tmp_path,
        f"{ME},afp,10,ng/mL,2024-02-20,",
        f"{ME},albumin,4.0,g/L,2024-02-20,",
        f"{ME},inr,1.1,,20.02.2024,",
        f"{ME},sodium,140,mmol/L,2024-03-09,",
        f"{ME},creatinine,80,umol/L,2023-01-01,",
        f"{ME},alt,30,U/L,2024-02-20,preliminary",
    )
    assert [o.analyte for o in record.observations] == ["afp"]
    reasons = {r.analyte: (r.source, r.reason) for r in record.rejections}
    assert set(reasons) == {"albumin", "inr", "sodium", "creatinine", "alt"}
    assert reasons["albumin"][0] == "spreadsheet:labs.csv row 3"
    assert "ISO 8601" in reasons["inr"][1]
    assert "after the reference date" in reasons["sodium"][1]
    assert "days old" in reasons["creatinine"][1]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("patient_id,analyte\n", "lacks the columns value"),
        ("mrn,analyte,value\n", "lacks the columns patient_id"),
    ],
)
def test_a_missing_column_is_named(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(ClinicalDataError, match=message):
        _read(tmp_path, "4711,afp,1", header=header)


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match="no rows"):
        _read(tmp_path)


def test_a_foreign_wide_layout_with_decimal_commas_reads_through_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "labor.csv"
    path.write_text(
        "Pat;Haus;Geb;Geschlecht;Datum;AFP;Albumin\n"
        "4711;HOSP_A;04.05.1961;M;20.02.2024;1.234,5;39,5\n",
        encoding="utf-8",
    )
    mapping = SpreadsheetMapping(
        columns=dict.fromkeys(SpreadsheetMapping().columns, "-")
        | {
            "patient_id": "Pat",
            "issuer": "Haus",
            "birth_date": "Geb",
            "sex": "Geschlecht",
            "date": "Datum",
        },
        units={"afp": "ng/mL", "albumin": "g/L"},
        wide={"AFP": "afp", "Albumin": "albumin"},
        delimiter=";",
        decimal=",",
        date_format="%d.%m.%Y",
    )
    record = read_clinical_file(path, IMAGES, REFERENCE, mapping)
    assert {o.analyte: o.value for o in record.observations} == {"afp": 1234.5, "albumin": 39.5}


def test_issuers_that_the_images_do_not_tell_apart_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv"
    path.write_text(
        HEADER
        + f"{ME},afp,1,ng/mL,2024-02-01,\n4711,HOSP_B,1961-05-04,M,afp,2,ng/mL,2024-02-02,\n",
        encoding="utf-8",
    )
    with pytest.raises(ClinicalDataError, match="several issuers"):
        read_clinical_file(path, PatientIdentity(patient_id="4711"), REFERENCE)


@pytest.mark.parametrize("value", ["3.8", "12.34", "1.23,4", "3,8,1"])
def test_a_decimal_point_where_commas_were_announced_is_not_guessed(
    tmp_path: Path, value: str
) -> None:
    """3.8 read as 38 would be a plausible AFP and a wrong one."""
    path = tmp_path / "labor.csv"
    path.write_text(
        "patient_id;issuer;birth_date;sex;analyte;value;unit;date\n"
        f"4711;HOSP_A;1961-05-04;M;afp;{value};ng/mL;2024-02-20\n"
    )
    mapping = SpreadsheetMapping(delimiter=";", decimal=",")
    record = read_clinical_file(path, IMAGES, REFERENCE, mapping)
    assert record.observations == ()
    assert record.rejections[0].kind is RejectionKind.UNREADABLE
