"""One door for clinical files: CSV, XLSX, FHIR Bundle (.json), NDJSON (.ndjson), .answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from engine.clinical.answer_file import SUFFIX as ANSWERS
from engine.clinical.answer_file import read_answers
from engine.clinical.fhir_file import answer_from, read_resources
from engine.clinical.selection import select
from engine.clinical.source import SourceAnswer
from engine.clinical.spreadsheet import read_values
from engine.clinical.spreadsheet_mapping import SpreadsheetMapping, read_mapping
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity

_FHIR = frozenset({".json", ".ndjson"})
_SPREADSHEETS = frozenset({".csv", ".txt", ".xlsx", ".xlsm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A file behind the port for clinical sources.

    Attributes:
        path: CSV, XLSX, FHIR Bundle or NDJSON, told apart by the suffix.
        mapping: TOML layout of a foreign file; None takes the one beside it, if there is one.
        issuers: Further names of assigning authorities to Issuer of Patient ID.
    """

    path: Path
    mapping: Path | None = None
    issuers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def fetch(self, patient: PatientIdentity) -> SourceAnswer:
        """Everything the file knows of the patient of the images.

        Raises:
            ClinicalDataError: Unknown suffix, unreadable, or not this patient's.
        """
        suffix = self.path.suffix.lower()
        mapping = self.mapping or mapping_beside(self.path)
        layout = read_mapping(mapping) if mapping else SpreadsheetMapping()
        layout = replace(layout, issuers={**layout.issuers, **self.issuers})
        if suffix in _FHIR:
            resources = read_resources(self.path)
            return answer_from(resources, patient, layout.issuers, layout.codes)
        if suffix in _SPREADSHEETS:
            offered, notes = read_values(self.path, patient, layout)
            return SourceAnswer(offered=tuple(offered), notes=notes)
        known = ", ".join(sorted(_FHIR | _SPREADSHEETS | {ANSWERS}))
        raise ClinicalDataError(f"Clinical file has the suffix '{suffix}', needs one of {known}")


def mapping_beside(path: Path) -> Path | None:
    """The layout that lies beside a file: ``labs.mapping.toml`` beside ``labs.csv``."""
    mapping = path.with_name(f"{path.stem}.mapping.toml")
    return mapping if mapping.is_file() else None


def content_of(path: Path) -> bytes:
    """What decides the record of a clinical file: its bytes and those of its layout.

    Raises:
        OSError: It cannot be read.
    """
    mapping = mapping_beside(path)
    return path.read_bytes() + (b"" if mapping is None else b"\0" + mapping.read_bytes())


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
        mapping: TOML layout of a foreign file; None takes the one beside it, if there is one.

    Raises:
        ClinicalDataError: Unknown suffix, unreadable, or not this patient's; never for a file
            of answers, whose record says so instead (see ``answer_file``).
    """
    if path.suffix.lower() == ANSWERS:
        return read_answers(path, patient, reference_date)
    answer = FileSource(path=path, mapping=mapping).fetch(patient)
    return select(answer.offered, reference_date, answer.notes)
