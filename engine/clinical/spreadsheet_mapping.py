"""How a foreign file is laid out: ``labs.mapping.toml`` beside ``labs.csv``.

For a FHIR file only ``codes`` ("system|code") and ``issuers`` (identifier systems) count.

Example::

    delimiter = ";"
    decimal = ","
    date_format = "%d.%m.%Y"

    [columns]              # our column = theirs
    patient_id = "MRN"
    birth_date = "DOB"

    [codes]                # their code = analyte key or LOINC code
    "AFPQ" = "afp"

    [units]                # unit where theirs is empty
    afp = "ng/mL"

    [issuers]              # their name = Issuer of Patient ID of the images
    "urn:oid:1.2.3" = "HOSP_A"

    [wide]                 # one column per analyte instead of one row per value
    "Albumin" = "albumin"
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from engine.clinical.analytes import find_analyte
from engine.errors import ClinicalDataError

COLUMNS = (
    "patient_id",
    "issuer",
    "birth_date",
    "sex",
    "analyte",
    "value",
    "unit",
    "date",
    "status",
)
"""Columns of the default layout; unit, date, status, issuer, birth_date and sex may be missing."""

_TABLES = {"columns", "codes", "units", "wide", "issuers"}
_SCALARS = {"delimiter", "decimal", "date_format"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadsheetMapping:
    """Layout of a spreadsheet; the defaults are HepatoCast's own layout.

    Attributes:
        columns: Our column name to theirs.
        codes: Their analyte code to an analyte key or LOINC code.
        units: Analyte key to the unit that an empty unit cell means.
        issuers: Their name of an assigning authority to Issuer of Patient ID.
        wide: Their column to an analyte key, for one row per patient and day.
        delimiter: CSV delimiter.
        decimal: Decimal separator, "." or ",".
        date_format: strptime format; empty for ISO 8601.
    """

    columns: dict[str, str] = field(default_factory=lambda: {name: name for name in COLUMNS})
    codes: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    wide: dict[str, str] = field(default_factory=dict)
    issuers: dict[str, str] = field(default_factory=dict)
    delimiter: str = ","
    decimal: str = "."
    date_format: str = ""

    def issuer_of(self, name: str) -> str:
        """Issuer of Patient ID for their name of it; an unknown name stays as it is."""
        return self.issuers.get(name, name)


def read_mapping(path: Path) -> SpreadsheetMapping:
    """Read a mapping file.

    Raises:
        ClinicalDataError: Not readable, not TOML, or with a name HepatoCast does not know.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ClinicalDataError(f"Mapping file cannot be read as TOML: {error}") from error
    unknown = set(document) - _TABLES - _SCALARS
    unknown |= set(_strings(document, "columns")) - set(COLUMNS)
    if unknown:
        raise ClinicalDataError(f"Mapping file has unknown names: {', '.join(sorted(unknown))}")
    analytes = [
        *_strings(document, "codes").values(),
        *_strings(document, "units"),
        *_strings(document, "wide").values(),
    ]
    strange = sorted({name for name in analytes if find_analyte(name) is None})
    if strange:
        raise ClinicalDataError(f"Mapping file has unknown analytes: {', '.join(strange)}")
    return SpreadsheetMapping(
        columns={name: name for name in COLUMNS} | _strings(document, "columns"),
        codes=_strings(document, "codes"),
        units=_strings(document, "units"),
        wide=_strings(document, "wide"),
        issuers=_strings(document, "issuers"),
        delimiter=_scalar(document, "delimiter", ","),
        decimal=_decimal(document),
        date_format=_scalar(document, "date_format", ""),
    )


def _strings(document: dict[str, object], name: str) -> dict[str, str]:
    table = document.get(name, {})
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        raise ClinicalDataError(f"Mapping file: [{name}] must be a table of strings")
    return {str(key): str(value) for key, value in table.items()}


def _scalar(document: dict[str, object], name: str, default: str) -> str:
    value = document.get(name, default)
    if not isinstance(value, str) or (name == "delimiter" and len(value) != 1):
        raise ClinicalDataError(f"Mapping file: {name} must be a string (delimiter: one letter)")
    return value


def _decimal(document: dict[str, object]) -> str:
    value = _scalar(document, "decimal", ".")
    if value not in (".", ","):
        raise ClinicalDataError("Mapping file: decimal must be '.' or ','")
    return value
