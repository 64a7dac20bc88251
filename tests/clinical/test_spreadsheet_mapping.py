"""Mapping files of foreign spreadsheets."""

from pathlib import Path

import pytest

from engine.clinical.spreadsheet_mapping import read_mapping
from engine.errors import ClinicalDataError


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_keeps_the_defaults_it_does_not_change(tmp_path: Path) -> None:
    mapping = read_mapping(_write(tmp_path, 'decimal = ","\n[columns]\npatient_id = "MRN"\n'))
    assert mapping.columns["patient_id"] == "MRN"
    assert mapping.columns["value"] == "value"
    assert (mapping.decimal, mapping.delimiter) == (",", ",")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[colums]\nvalue = 'V'", "colums"),
        ("[columns]\nvalu = 'V'", "valu"),
        ("[codes]\nX = 'hemoglobin'", "hemoglobin"),
        ("[units]\nhemoglobin = 'g/L'", "hemoglobin"),
        ("decimal = ';'", "decimal"),
        ("delimiter = 'ab'", "delimiter"),
        ("columns = 3", r"\[columns\]"),
        ("not toml", "TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ClinicalDataError, match=named):
        read_mapping(_write(tmp_path, text))


def test_a_missing_mapping_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match="cannot be read"):
        read_mapping(tmp_path / "nothing.toml")
