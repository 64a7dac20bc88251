"""Clinical values from a spreadsheet (``--clinical FILE``).

Default layout, one row per value, header in the first row:

========== ==========================================================================
patient_id identifier as in the DICOM header (Patient ID)
issuer     Issuer of Patient ID; needed when the DICOM header has one
birth_date ISO 8601 (1961-05-04); needed when the DICOM header has one
sex        M, F, O; needed when the DICOM header has one
analyte    analyte key ("afp") or LOINC code ("1834-1")
value      number with a decimal point, "<2.0", or a word ("absent")
unit       UCUM unit or a known laboratory spelling; empty for words
date       ISO 8601 day of the sample or finding
status     FHIR observation status; empty means final
========== ==========================================================================

A file may hold many patients: rows of others are left alone. Rows of the right identifier with
another birth date or sex refuse the whole file.
"""

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from engine.clinical.analytes import find_analyte
from engine.clinical.intake import RawValue, accept
from engine.clinical.right_patient import (
    SourceIdentity,
    fold_sex,
    is_same_identifier,
    require_right_patient,
)
from engine.clinical.selection import select
from engine.clinical.spreadsheet_mapping import SpreadsheetMapping
from engine.clinical.table_reading import Row, read_rows
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord, Observation, Rejection, RejectionKind
from engine.values.identity import PatientIdentity

_COMMA_NUMBER = re.compile(r"\s*[<>≤≥]?=?\s*[-+]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?\s*$")
"""1.234,5 and 12,5; a dot anywhere else could be a decimal point and is not guessed."""

_NEEDED = ("patient_id", "analyte", "value")


def read_clinical_file(
    path: Path,
    patient: PatientIdentity,
    reference_date: date | None,
    mapping: SpreadsheetMapping | None = None,
) -> ClinicalRecord:
    """Read one patient's values from a CSV or XLSX file and select them in time.

    Args:
        path: The file.
        patient: Patient of the images.
        reference_date: Imaging or surgery date; None judges no ages.
        mapping: Layout of a foreign file; None for the default layout.

    Returns:
        The patient's record; unusable values are among its rejections.

    Raises:
        ClinicalDataError: Unreadable file, missing columns, no row of this patient, or rows of
            this identifier that belong to somebody else.
    """
    offered, notes = read_values(path, patient, mapping or SpreadsheetMapping())
    return select(offered, reference_date, notes)


def read_values(
    path: Path, patient: PatientIdentity, mapping: SpreadsheetMapping
) -> tuple[list[Observation | Rejection], tuple[str, ...]]:
    """Read one patient's values without selecting; arguments and errors as above.

    Returns:
        Observations and rejections in file order, and what the source answered.
    """
    rows = read_rows(path, mapping.delimiter)
    _require_columns(rows, mapping)
    mine, notes = _rows_of(rows, patient, mapping)
    offered: list[Observation | Rejection] = []
    unknown = 0
    for row in mine:
        for raw in _raw_values(row, path.name, mapping):
            item = raw if isinstance(raw, Rejection) else accept(raw)
            if item is None:
                unknown += 1
            else:
                offered.append(item)
    answer = f"spreadsheet:{path.name}: {len(mine)} rows of this patient"
    if unknown:
        answer += f", {unknown} values of unknown analytes ignored"
    return offered, (answer, *notes)


def _require_columns(rows: list[Row], mapping: SpreadsheetMapping) -> None:
    if not rows:
        raise ClinicalDataError("Clinical file has a header and no rows")
    needed = ("patient_id",) if mapping.wide else _NEEDED
    columns = [mapping.columns[name] for name in needed] + list(mapping.wide)
    missing = [column for column in columns if column not in rows[0].cells]
    if missing:
        raise ClinicalDataError(f"Clinical file lacks the columns {', '.join(missing)}")


def _rows_of(
    rows: list[Row], patient: PatientIdentity, mapping: SpreadsheetMapping
) -> tuple[list[Row], tuple[str, ...]]:
    """The patient's rows; refuses when any of them belongs to somebody else."""
    mine: list[Row] = []
    notes: tuple[str, ...] = ()
    issuers: set[str] = set()
    for row in rows:
        if not is_same_identifier(_identifier(row, mapping), patient):
            continue
        try:
            identity = _identity(row, mapping)
            notes = require_right_patient(identity, patient)
        except ClinicalDataError as error:
            raise ClinicalDataError(f"Clinical file row {row.number}: {error}") from error
        issuers.add(identity.issuer)
        mine.append(row)
    if len(issuers) > 1:
        raise ClinicalDataError(
            "Clinical file has this identifier from several issuers and the images name none; "
            "keep one issuer's rows"
        )
    if not mine:
        raise ClinicalDataError(
            f"Clinical file has {len(rows)} rows, none of the patient of the images "
            "(identifier and issuer must be the DICOM header's)"
        )
    return mine, notes


def _identifier(row: Row, mapping: SpreadsheetMapping) -> SourceIdentity:
    return SourceIdentity(
        patient_id=row.cell(mapping.columns["patient_id"]),
        issuer=mapping.issuer_of(row.cell(mapping.columns["issuer"])),
    )


def _identity(row: Row, mapping: SpreadsheetMapping) -> SourceIdentity:
    born = row.cell(mapping.columns["birth_date"])
    return replace(
        _identifier(row, mapping),
        birth_date=_day(born, mapping) if born else None,
        sex=fold_sex(row.cell(mapping.columns["sex"])),
    )


def _raw_values(
    row: Row, file_name: str, mapping: SpreadsheetMapping
) -> list[RawValue | Rejection]:
    source = f"spreadsheet:{file_name} row {row.number}"
    if mapping.wide:
        cells = [(analyte, row.cell(column), "") for column, analyte in mapping.wide.items()]
    else:
        code = row.cell(mapping.columns["analyte"])
        unit = row.cell(mapping.columns["unit"])
        cells = [(mapping.codes.get(code, code), row.cell(mapping.columns["value"]), unit)]
    return [_raw_value(row, source, cell, mapping) for cell in cells if cell[1]]


def _raw_value(
    row: Row, source: str, cell: tuple[str, str, str], mapping: SpreadsheetMapping
) -> RawValue | Rejection:
    code, value, unit = cell
    analyte = find_analyte(code)
    key = analyte.key if analyte is not None else ""
    observed = row.cell(mapping.columns["date"])
    try:
        observed_on = _day(observed, mapping) if observed else None
    except ClinicalDataError as error:
        kind = RejectionKind.UNREADABLE
        return Rejection(analyte=key or code, source=source, reason=str(error), kind=kind)
    if mapping.decimal == "," and analyte is not None and analyte.is_number:
        if not _COMMA_NUMBER.match(value):
            reason = "not a number with a decimal comma, as the mapping says"
            kind = RejectionKind.UNREADABLE
            return Rejection(analyte=key, source=source, reason=reason, kind=kind)
        value = value.replace(".", "").replace(",", ".")
    return RawValue(
        code=code,
        value=value,
        unit=unit or mapping.units.get(key, ""),
        observed_on=observed_on,
        source=source,
        status=row.cell(mapping.columns["status"]).lower() or "final",
    )


def _day(text: str, mapping: SpreadsheetMapping) -> date:
    try:
        if mapping.date_format:
            return datetime.strptime(text, mapping.date_format).date()
        return datetime.fromisoformat(text).date()
    except ValueError:
        needed = mapping.date_format or "ISO 8601 (2024-03-01)"
        raise ClinicalDataError(f"a date is not {needed}") from None
