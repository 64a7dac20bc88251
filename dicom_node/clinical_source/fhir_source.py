"""Clinical values of one patient from a FHIR R4 server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dicom_node.clinical_source.fhir_client import FhirClient, Resource
from engine.clinical.analyte import LOINC, SNOMED_CT
from engine.clinical.analytes import ANALYTES
from engine.clinical.fhir_file import read_one
from engine.clinical.fhir_reading import read_identities, read_person, replacing_patient
from engine.clinical.right_patient import (
    is_same_identifier,
    require_right_patient,
    require_same_person,
)
from engine.clinical.source import SourceAnswer
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity

_SEARCHED = ("Observation", "Condition", "Procedure", "MedicationStatement")
_SYSTEMS = {LOINC: "http://loinc.org", SNOMED_CT: "http://snomed.info/sct"}
_MAX_MERGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirSource:
    """A FHIR server behind the engine's port.

    Attributes:
        client: Connection to the server.
        issuers: Issuer of Patient ID to identifier system; an issuer that is not listed is
            taken as the system itself.
        codes: Site codes, ``"system|code"`` to analyte key.
        ask_for_codes: Restrict the Observation search to known codes; off for servers that
            cannot search long lists of codes.
        resource_types: What to search; MedicationStatement and others may be absent.
        name: For notes.
    """

    client: FhirClient
    issuers: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    ask_for_codes: bool = True
    resource_types: tuple[str, ...] = _SEARCHED
    name: str = "FHIR"

    def fetch(self, patient: PatientIdentity) -> SourceAnswer:
        """Find the patient, check that it is the right one, read everything known.

        Args:
            patient: Patient of the images.

        Raises:
            SourceUnavailableError: No usable answer from the server.
            ClinicalDataError: Not exactly one such patient, or its attributes disagree.
        """
        ids, notes = self._find(patient)
        offered = []
        for patient_id in ids:
            for kind in self.resource_types:
                parameters = {"patient": patient_id}
                if kind == "Observation" and self.ask_for_codes:
                    parameters["code"] = ",".join(self._codes())
                for resource in self.client.search(kind, parameters):
                    offered += read_one(resource, self.codes)
        answer = f"{self.name}: {len(offered)} values of this patient"
        return SourceAnswer(offered=tuple(offered), notes=(answer, *notes))

    def find_patient(self, patient: PatientIdentity) -> str:
        """Id of the patient on the server after all merges; errors as in ``fetch``."""
        ids, _ = self._find(patient)
        return ids[0]

    def _find(self, patient: PatientIdentity) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of the patient (surviving and merged), and what could not be compared."""
        found = self.client.search("Patient", {"identifier": self._token(patient)})
        systems = {system: issuer for issuer, system in self.issuers.items()}
        mine: dict[str, tuple[str, ...]] = {}
        for resource in found:
            for identity in read_identities(resource, systems):
                if is_same_identifier(identity, patient):
                    mine[str(resource["id"])] = require_right_patient(identity, patient)
        if not mine:
            raise ClinicalDataError("no Patient with the identifier of the images")
        survivors = {self._survivor(r, patient) for r in found if str(r["id"]) in mine}
        if len(survivors) > 1:
            raise ClinicalDataError(f"{len(survivors)} Patients with the identifier of the images")
        notes = next(iter(mine.values()))
        return tuple(dict.fromkeys([*survivors, *mine])), notes

    def _survivor(self, resource: Resource, patient: PatientIdentity) -> str:
        """Id of the Patient that a merge left, following the links; must be the same person."""
        for _ in range(_MAX_MERGES):
            following = replacing_patient(resource)
            if not following:
                return str(resource["id"])
            resource = self.client.read("Patient", following)
            require_same_person(read_person(resource), patient)
        raise ClinicalDataError(f"Patient was merged more than {_MAX_MERGES} times")

    def _token(self, patient: PatientIdentity) -> str:
        issuer = patient.issuer_of_patient_id.strip()
        system = self.issuers.get(issuer, issuer)
        number = patient.patient_id.strip()
        if not number:
            raise ClinicalDataError("Patient ID of the images is empty")
        return f"{system}|{_escaped(number)}" if system else _escaped(number)

    def _codes(self) -> list[str]:
        tokens = [
            f"{_SYSTEMS[system]}|{code}"
            for analyte in ANALYTES.values()
            for system, code in ((analyte.code_system, analyte.code), *analyte.further_codes)
            if system in _SYSTEMS
        ]
        return [*tokens, *self.codes]


def _escaped(text: str) -> str:
    """A search value with FHIR's own separators escaped (hl7.org/fhir/R4/search.html#escaping)."""
    for separator in ("\\", "$", ",", "|"):
        text = text.replace(separator, "\\" + separator)
    return text
