"""Clinical values of one patient from the messages an MLLP listener stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dicom_node.clinical_source.hl7_store import Hl7Store
from engine.clinical.hl7_reading import Hl7Message, current_values
from engine.clinical.intake import accept
from engine.clinical.join import REFUSED
from engine.clinical.right_patient import (
    SourceIdentity,
    is_same_identifier,
    require_right_patient,
    require_same_person,
)
from engine.clinical.source import SourceAnswer
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Source:
    """The HL7 feed behind the engine's port.

    Attributes:
        store: Where the listener keeps the messages.
        issuers: Issuer of Patient ID to assigning authority, where they differ.
        codes: Site codes, ``"system|code"`` to analyte key.
        name: For notes.
    """

    store: Hl7Store
    issuers: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    name: str = "HL7 feed"

    def fetch(self, patient: PatientIdentity) -> SourceAnswer:
        """Read every value that stands after all messages about the patient.

        Demographics are those of the latest message that names the patient (ADT^A08 updates).
        Values under a merged identifier count when its latest demographics are this person's.

        Raises:
            ClinicalDataError: No message about the patient, or its attributes disagree.
        """
        number = patient.patient_id.strip()
        if not number:
            raise ClinicalDataError("Patient ID of the images is empty")
        issuer = patient.issuer_of_patient_id.strip()
        asked = replace(patient, issuer_of_patient_id=self.issuers.get(issuer, issuer))
        known = self.store.identifiers_of(number, asked.issuer_of_patient_id)
        stored = self.store.messages_of(number, asked.issuer_of_patient_id, self.codes)
        messages = [entry.message for entry in stored]
        identities = [i for m in messages for i in m.identities if is_same_identifier(i, asked)]
        if not identities:
            raise ClinicalDataError("no message about the patient of the images")
        if len({identity.issuer for identity in identities}) > 1:
            raise ClinicalDataError(
                "this identifier comes from several issuers, the images name none"
            )
        notes = require_right_patient(identities[-1], asked)
        own, refusals = _same_person(known, messages, asked)
        values = current_values(message.about(own) for message in messages)
        offered = tuple(item for raw in values if (item := accept(raw)) is not None)
        answer = f"{self.name}: {len(offered)} values in {len(messages)} messages of this patient"
        refused = tuple(f"{self.name}: {REFUSED}: merged identifier: {r}" for r in refusals)
        return SourceAnswer(offered=offered, notes=(answer, *notes, *refused))


def _same_person(
    known: set[tuple[str, str]], messages: list[Hl7Message], patient: PatientIdentity
) -> tuple[set[tuple[str, str]], list[str]]:
    """The identifiers whose latest demographics are the patient's, and why others are not."""
    latest: dict[tuple[str, str], SourceIdentity] = {}
    for message in messages:
        for identity in message.identities:
            latest[identity.patient_id, identity.issuer] = identity
    own: set[tuple[str, str]] = set()
    refusals: list[str] = []
    for key in sorted(known):
        if key[0] == patient.patient_id.strip() or key not in latest:
            own.add(key)
            continue
        try:
            require_same_person(latest[key], patient)
        except ClinicalDataError as error:
            refusals.append(str(error))
        else:
            own.add(key)
    return own, refusals
