"""The patient of images, as far as clinical sources need it (PS3.3 C.7.1.1)."""

from pydicom.dataset import Dataset

from engine.values.identity import PatientIdentity

IDENTIFYING_TAGS = (
    "SpecificCharacterSet",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
)


def read_patient(header: Dataset, issuer: str = "") -> PatientIdentity:
    """Identity of the patient of a header.

    Args:
        header: Dataset with at least ``IDENTIFYING_TAGS``, where the images have them.
        issuer: Assumed where the images state none.

    Returns:
        Identifier, issuer, birth date and sex; empty where the images state none.
    """
    return PatientIdentity(
        patient_id=_text(header, "PatientID"),
        issuer_of_patient_id=_text(header, "IssuerOfPatientID") or issuer,
        patient_birth_date=_text(header, "PatientBirthDate"),
        patient_sex=_text(header, "PatientSex"),
    )


def _text(header: Dataset, name: str) -> str:
    value = header.get(name)
    return "" if value is None else str(value).strip()
