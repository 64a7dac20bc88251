"""Right patient: a source's patient must agree with the DICOM header, or nothing is used.

Identifier, issuer, birth date and sex are compared. What the DICOM header states must be stated
by the source too and agree; what the header leaves empty cannot be compared and is noted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity

_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O", "other": "O"}
_UNKNOWN_SEXES = frozenset({"", "u", "unknown", "unk", "a", "n"})
"""With HL7 table 0001's A (ambiguous) and N (not applicable), which compare with nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIdentity:
    """Patient as a clinical source names it; hidden from repr.

    Attributes:
        patient_id: Identifier.
        issuer: Assigning authority of the identifier; empty when the source gives none.
        birth_date: None when the source gives none.
        sex: "M", "F", "O" or empty when the source gives none.
    """

    patient_id: str = field(repr=False)
    issuer: str = field(default="", repr=False)
    birth_date: date | None = field(default=None, repr=False)
    sex: str = field(default="", repr=False)


def fold_sex(text: str) -> str:
    """DICOM sex letter for a source's wording; empty when unknown.

    Raises:
        ClinicalDataError: The wording is none of the known ones.
    """
    folded = text.strip().lower()
    if folded in _UNKNOWN_SEXES:
        return ""
    if folded not in _SEXES:
        raise ClinicalDataError("Patient sex is none of M, F, O, U")
    return _SEXES[folded]


def is_same_identifier(source: SourceIdentity, patient: PatientIdentity) -> bool:
    """True when identifier and issuer name the same patient.

    Two patients with the same identifier from different issuers are different patients. An
    issuer that the DICOM header does not state is not compared.
    """
    if not patient.patient_id or source.patient_id.strip() != patient.patient_id.strip():
        return False
    issuer = patient.issuer_of_patient_id.strip()
    return not issuer or not source.issuer.strip() or source.issuer.strip() == issuer


def require_right_patient(source: SourceIdentity, patient: PatientIdentity) -> tuple[str, ...]:
    """Check that a source speaks about the patient of the images.

    Args:
        source: Patient as the source names it.
        patient: Patient of the DICOM header.

    Returns:
        Notes on what could not be compared.

    Raises:
        ClinicalDataError: An attribute disagrees, or the source leaves out one that the header
            states. The message names attributes, never their values.
    """
    if not patient.patient_id.strip():
        raise ClinicalDataError("Patient ID of the images is empty: clinical data cannot be joined")
    birth_date = source.birth_date.strftime("%Y%m%d") if source.birth_date else ""
    pairs = (
        ("identifier", source.patient_id.strip(), patient.patient_id.strip()),
        ("issuer", source.issuer.strip(), patient.issuer_of_patient_id.strip()),
        ("birth date", birth_date, patient.patient_birth_date.strip()),
        ("sex", source.sex, fold_sex(patient.patient_sex)),
    )
    wrong = [name for name, said, needed in pairs if needed and said and said != needed]
    if wrong:
        raise ClinicalDataError(
            f"Wrong patient: {' and '.join(wrong)} of the clinical source and of the images differ"
        )
    absent = [name for name, said, needed in pairs if needed and not said]
    if absent:
        raise ClinicalDataError(
            f"Right patient not shown: the clinical source gives no {' and no '.join(absent)}, "
            "the images do; add it to the source"
        )
    uncompared = [name for name, _, needed in pairs if not needed]
    return (f"{', '.join(uncompared)} not in the images: not compared",) if uncompared else ()


def match_identities(
    identities: Iterable[SourceIdentity], patient: PatientIdentity
) -> tuple[str, ...] | None:
    """Check every identifier a source gives for one person against the images.

    Args:
        identities: All identifiers of one person.
        patient: Patient of the images.

    Returns:
        None when no identifier is the patient's; otherwise what could not be compared.

    Raises:
        ClinicalDataError: An identifier is the patient's and something else disagrees, or the
            only one with this number names no issuer while the images do.
    """
    mine = [i for i in identities if is_same_identifier(i, patient)]
    issued = [i for i in mine if i.issuer.strip()]
    notes = None
    for identity in issued or mine:
        notes = require_right_patient(identity, patient)
    return notes


def require_same_person(source: SourceIdentity, patient: PatientIdentity) -> None:
    """Check a record that a merge joined to the patient's: other identifier, same person.

    Raises:
        ClinicalDataError: Birth date or sex disagree, or are missing where the images state them.
    """
    require_right_patient(
        replace(source, patient_id=patient.patient_id, issuer=patient.issuer_of_patient_id.strip()),
        patient,
    )
