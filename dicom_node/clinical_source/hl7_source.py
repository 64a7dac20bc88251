"""Clinical values of one patient from the messages an MLLP listener stored."""

from dataclasses import dataclass

from dicom_node.clinical_source.hl7_store import Hl7Store
from engine.clinical.hl7_reading import Hl7Message, current_values
from engine.clinical.intake import accept
from engine.clinical.right_patient import (
    SourceIdentity,
    is_same_identifier,
    require_right_patient,
)
from engine.clinical.source import SourceAnswer
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Source:
    """The HL7 feed behind the engine's port."""

    store: Hl7Store
    name: str = "HL7 feed"

    def fetch(self, patient: PatientIdentity) -> SourceAnswer:
        """Read every value that stands after all messages about the patient.

        Demographics are those of the latest message that names the patient (ADT^A08 updates).

        Raises:
            ClinicalDataError: No message about the patient, or its attributes disagree.
        """
        number = patient.patient_id.strip()
        if not number:
            raise ClinicalDataError("Patient ID of the images is empty")
        stored = self.store.messages_of(number, patient.issuer_of_patient_id.strip())
        messages = [entry.message for entry in stored]
        identities = _naming(messages, patient)
        if not identities:
            raise ClinicalDataError("no message about the patient of the images")
        if len({identity.issuer for identity in identities}) > 1:
            raise ClinicalDataError(
                "this identifier comes from several issuers, the images name none"
            )
        notes = require_right_patient(identities[-1], patient)
        values = current_values(messages)
        offered = tuple(item for raw in values if (item := accept(raw)) is not None)
        answer = f"{self.name}: {len(offered)} values in {len(messages)} messages of this patient"
        return SourceAnswer(offered=offered, notes=(answer, *notes))


def _naming(messages: list[Hl7Message], patient: PatientIdentity) -> list[SourceIdentity]:
    """Identities of the messages that are the patient's, oldest first."""
    return [
        identity
        for message in messages
        for identity in message.identities
        if is_same_identifier(identity, patient)
    ]
