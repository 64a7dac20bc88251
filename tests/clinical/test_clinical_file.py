"""One door for clinical files."""

from datetime import date
from pathlib import Path

import pytest

from engine.clinical.clinical_file import content_of, read_file
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity

PATIENT = PatientIdentity(patient_id="1")
DAY = date(2024, 3, 1)


def test_the_suffix_decides_how_a_file_is_read(tmp_path: Path) -> None:
    table = tmp_path / "labs.CSV"
    table.write_text("patient_id,analyte,value,unit,date\n1,afp,5,ng/mL,2024-02-20\n")
    bundle = tmp_path / "labs.json"
    bundle.write_text(
        '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p",'
        '"identifier":[{"value":"1"}]}},{"resource":{"resourceType":"Observation","id":"o",'
        '"status":"final","subject":{"reference":"Patient/p"},"code":{"coding":[{"system":'
        '"http://loinc.org","code":"1834-1"}]},"effectiveDateTime":"2024-02-20",'
        '"valueQuantity":{"value":5,"unit":"ng/mL"}}}]}'
    )
    for path in (table, bundle):
        found = read_file(path, PATIENT, DAY).find("afp")
        assert found is not None
        assert found.value == 5.0


def test_a_mapping_belongs_to_a_spreadsheet(tmp_path: Path) -> None:
    table = tmp_path / "labs.csv"
    table.write_text("MRN,analyte,value,unit,date\n1,afp,5,ng/mL,2024-02-20\n")
    mapping = tmp_path / "layout.toml"
    mapping.write_text('[columns]\npatient_id = "MRN"\n')
    assert read_file(table, PATIENT, DAY, mapping).find("afp") is not None


def test_the_layout_beside_a_file_is_used_and_counts_as_its_content(tmp_path: Path) -> None:
    table = tmp_path / "labs.csv"
    table.write_text("MRN,analyte,value,unit,date\n1,afp,5,ng/mL,2024-02-20\n")
    with pytest.raises(ClinicalDataError, match="lacks the columns patient_id"):
        read_file(table, PATIENT, DAY)
    before = content_of(table)
    (tmp_path / "labs.mapping.toml").write_text('[columns]\npatient_id = "MRN"\n')
    assert read_file(table, PATIENT, DAY).find("afp") is not None
    assert content_of(table) != before


def test_a_mapping_translates_issuers_and_codes_of_a_fhir_file(tmp_path: Path) -> None:
    bundle = tmp_path / "labs.json"
    bundle.write_text(
        '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p",'
        '"identifier":[{"system":"urn:a","value":"1"}]}},{"resource":{"resourceType":'
        '"Observation","id":"o","status":"final","subject":{"reference":"Patient/p"},"code":'
        '{"coding":[{"system":"urn:lab","code":"AFPQ"}]},"effectiveDateTime":"2024-02-20",'
        '"valueQuantity":{"value":5,"unit":"ng/mL"}}}]}'
    )
    mapping = tmp_path / "layout.toml"
    mapping.write_text('[codes]\n"urn:lab|AFPQ" = "afp"\n[issuers]\n"urn:a" = "HOSP_A"\n')
    patient = PatientIdentity(patient_id="1", issuer_of_patient_id="HOSP_A")
    assert read_file(bundle, patient, DAY, mapping).find("afp") is not None
    with pytest.raises(ClinicalDataError):
        read_file(bundle, patient, DAY)


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match=r"suffix '\.pdf'"):
        read_file(tmp_path / "labs.pdf", PATIENT, DAY)
