"""Rows of a CSV or XLSX file as text, numbered as a spreadsheet shows them."""

import csv
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from engine.errors import ClinicalDataError

MAX_ROWS = 500_000
"""A file with more rows is refused rather than filling the memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file (the header is row 1) and its cells by column name."""

    number: int
    cells: dict[str, str] = field(repr=False)

    def cell(self, column: str) -> str:
        """Text of a cell without outer blanks; empty when the column is missing."""
        return self.cells.get(column, "").strip()


def read_rows(path: Path, delimiter: str = ",") -> list[Row]:
    """Read every row of a CSV (UTF-8) or XLSX (first sheet) file.

    Raises:
        ClinicalDataError: Unreadable, not UTF-8, without a header, or too long.
    """
    try:
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            return _numbered(_workbook_lines(path))
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _numbered(csv.reader(file, delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        raise ClinicalDataError("Clinical file is not UTF-8 text; save it as CSV UTF-8") from error
    except (OSError, csv.Error, InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise ClinicalDataError(
            f"Clinical file cannot be read as CSV or XLSX ({type(error).__name__})"
        ) from error


def _numbered(lines: Iterable[list[str]]) -> list[Row]:
    iterator = iter(lines)
    header = [name.strip() for name in next(iterator, [])]
    if not any(header):
        raise ClinicalDataError("Clinical file has no header row")
    repeated = {name for name in header if name and header.count(name) > 1}
    if repeated:
        raise ClinicalDataError(f"Clinical file repeats columns: {', '.join(sorted(repeated))}")
    rows: list[Row] = []
    for number, line in enumerate(iterator, start=2):
        if number > MAX_ROWS:
            raise ClinicalDataError(f"Clinical file has more than {MAX_ROWS} rows")
        if any(cell.strip() for cell in line):
            padded = [*line, *[""] * (len(header) - len(line))]
            rows.append(Row(number, dict(zip(header, padded, strict=False))))
    return rows


def _workbook_lines(path: Path) -> Iterator[list[str]]:
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for values in workbook.worksheets[0].iter_rows(values_only=True):
            yield [_text(value) for value in values]
    finally:
        workbook.close()


def _text(value: object) -> str:
    """A cell's value as the CSV of the same table would spell it (dates as ISO 8601)."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)
