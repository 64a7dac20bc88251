"""CSV and XLSX become the same rows."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from engine.clinical import table_reading
from engine.clinical.table_reading import read_rows
from engine.errors import ClinicalDataError


def test_csv_and_workbook_of_one_table_read_the_same(tmp_path: Path) -> None:
    csv_path = tmp_path / "labs.csv"
    csv_path.write_text("a,when,b\n1.5,2024-03-01,x\n\n2,2024-03-02,\n", encoding="utf-8-sig")
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    for line in (
        ("a", "when", "b"),
        (1.5, date(2024, 3, 1), "x"),
        (None, None, None),
        (2, datetime(2024, 3, 2, 8, 30), None),
    ):
        sheet.append(line)
    workbook.save(tmp_path / "labs.xlsx")
    from_csv, from_xlsx = read_rows(csv_path), read_rows(tmp_path / "labs.xlsx")
    assert [row.cells for row in from_csv] == [row.cells for row in from_xlsx]
    assert [row.number for row in from_xlsx] == [2, 4]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labs.csv", b"\xff\xfe\x00bad", "not UTF-8"),
        ("labs.csv", b"", "no header"),
        ("labs.csv", b"a,a\n1,2\n", "repeats columns: a"),
        ("labs.csv", b'a,b\n"1,2\n', "cannot be read"),
        ("labs.xlsx", b"not a zip", "cannot be read"),
    ],
)
def test_a_broken_file_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ClinicalDataError, match=message):
        read_rows(path)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ClinicalDataError, match="cannot be read"):
        read_rows(tmp_path / "nothing.csv")


def test_an_endless_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_reading, "MAX_ROWS", 3)
    path = tmp_path / "labs.csv"
    path.write_text("a\n1\n2\n3\n", encoding="utf-8")
    with pytest.raises(ClinicalDataError, match="more than 3 rows"):
        read_rows(path)
