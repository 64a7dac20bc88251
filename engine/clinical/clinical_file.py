"""One door for clinical files: CSV, XLSX, FHIR Bundle (.json) or NDJSON (.ndjson)."""

from datetime import date
from pathlib import Path

from engine.clinical.fhir_file import read_fhir_file
from engine.clinical.spreadsheet import read_clinical_file
from engine.clinical.spreadsheet_mapping import read_mapping
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity

_FHIR = frozenset({".json", ".ndjson"})
_SPREADSHEETS = frozenset({".csv", ".txt", ".xlsx", ".xlsm"})


def read_file(
    path: Path,
    patient: PatientIdentity,
    reference_date: date | None,
    mapping: Path | None = None,
) -> ClinicalRecord:
    """Read one patient's record from a file, by its suffix.

    Args:
        path: The file.
        patient: Patient of the images.
        reference_date: Imaging or surgery date.
        mapping: TOML layout of a foreign spreadsheet.

    Raises:
        ClinicalDataError: Unknown suffix, unreadable, or not this patient's.
    """
    suffix = path.suffix.lower()
    if suffix in _FHIR:
        return read_fhir_file(path, patient, reference_date)
    if suffix in _SPREADSHEETS:
        layout = read_mapping(mapping) if mapping is not None else None
        return read_clinical_file(path, patient, reference_date, layout)
    known = ", ".join(sorted(_FHIR | _SPREADSHEETS))
    raise ClinicalDataError(f"Clinical file has the suffix '{suffix}', needs one of {known}")
