"""Clinical values of one patient from a FHIR R4 server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from dicom_node.clinical_source.fhir_client import FhirClient, Resource
from engine.clinical.analyte import LOINC, SNOMED_CT
from engine.clinical.analytes import ANALYTES
from engine.clinical.fhir_file import read_one
from engine.clinical.fhir_reading import (
    read_identities,
    read_person,
    replaced_patients,
    replacing_patient,
    subject_id,
)
from engine.clinical.join import not_available
from engine.clinical.right_patient import match_identities, require_same_person
from engine.clinical.source import SourceAnswer, SourceUnavailableError
from engine.errors import ClinicalDataError
from engine.values.clinical import Observation, Rejection
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
        zone: The hospital's time zone; None takes moments as the server wrote them.
        name: For notes.
    """

    client: FhirClient
    issuers: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    ask_for_codes: bool = True
    resource_types: tuple[str, ...] = _SEARCHED
    zone: tzinfo | None = None
    name: str = "FHIR"

    def fetch(self, patient: PatientIdentity) -> SourceAnswer:
        """Find the patient, check that it is the right one, read everything known.

        A resource type that the server does not offer or not allow costs only itself, except
        Observation: without laboratory values the source counts as not available. Resources
        about anybody else, which a server that ignores a search parameter sends, are left out.

        Args:
            patient: Patient of the images.

        Raises:
            SourceUnavailableError: No usable answer from the server.
            ClinicalDataError: Not exactly one such patient, or its attributes disagree.
        """
        deadline = self.client.deadline()
        ids, notes = self._find(patient, deadline)
        offered: dict[str, list[Observation | Rejection]] = {}
        strangers = 0
        for kind in self.resource_types:
            try:
                strangers += self._read(kind, ids, offered, deadline)
            except SourceUnavailableError as error:
                if kind == "Observation":
                    raise
                notes = (*notes, not_available(f"{self.name} {kind}", str(error)))
        if strangers:
            notes = (*notes, f"{self.name}: refused: {strangers} resources of other patients")
        values = tuple(item for items in offered.values() for item in items)
        answer = f"{self.name}: {len(values)} values of this patient"
        return SourceAnswer(offered=values, notes=(answer, *notes))

    def _read(
        self,
        kind: str,
        ids: tuple[str, ...],
        offered: dict[str, list[Observation | Rejection]],
        deadline: float,
    ) -> int:
        """Read one resource type into ``offered`` by resource id; number of others' resources."""
        strangers = 0
        for patient_id in ids:
            parameters = {"patient": patient_id}
            if kind == "Observation" and self.ask_for_codes:
                parameters["code"] = ",".join(self._codes())
            for page in self.client.pages(kind, parameters, deadline):
                for resource in page:
                    if subject_id(resource) not in ids:
                        strangers += 1
                        continue
                    key = f"{kind}/{resource.get('id') or f'unnamed {len(offered)}'}"
                    offered[key] = read_one(resource, self.codes, self.zone)
        return strangers

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def find_patient(self, patient: PatientIdentity) -> str:
        """Id of the patient on the server after all merges; errors as in ``fetch``."""
        ids, _ = self._find(patient, self.client.deadline())
        return ids[0]

    def _find(
        self, patient: PatientIdentity, deadline: float
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of the patient (surviving and merged), and what could not be compared."""
        found = self.client.search("Patient", {"identifier": self._token(patient)}, deadline)
        systems = {system: issuer for issuer, system in self.issuers.items()}
        mine: dict[str, tuple[str, ...]] = {}
        for resource in found:
            compared = match_identities(read_identities(resource, systems), patient)
            if compared is not None:
                mine[_id_of(resource)] = compared
        if not mine:
            raise ClinicalDataError(self._nobody(patient))
        survivors = {
            _id_of(s): s
            for s in (self._survivor(r, patient, deadline) for r in found if _id_of(r) in mine)
        }
        if len(survivors) > 1:
            raise ClinicalDataError(f"{len(survivors)} Patients with the identifier of the images")
        older, refusals = self._replaced(next(iter(survivors.values())), patient, deadline)
        notes = (*next(iter(mine.values())), *refusals)
        return tuple(dict.fromkeys([*survivors, *mine, *older])), notes

    def _replaced(
        self, survivor: Resource, patient: PatientIdentity, deadline: float
    ) -> tuple[list[str], list[str]]:
        """Ids of the Patients that merges joined to this one, and notes on those left out."""
        ids: list[str] = []
        notes: list[str] = []
        for key in replaced_patients(survivor)[:_MAX_MERGES]:
            try:
                person = read_person(self.client.read("Patient", key, deadline))
                require_same_person(person, patient)
            except SourceUnavailableError as error:
                notes.append(not_available(f"{self.name} merged Patient", str(error)))
            except ClinicalDataError as error:
                notes.append(f"{self.name}: refused: merged Patient: {error}")
            else:
                ids.append(key)
        return ids, notes

    def _survivor(self, resource: Resource, patient: PatientIdentity, deadline: float) -> Resource:
        """The Patient that a merge left, following the links; must be the same person."""
        for _ in range(_MAX_MERGES):
            following = replacing_patient(resource)
            if not following:
                return resource
            resource = self.client.read("Patient", following, deadline)
            require_same_person(read_person(resource), patient)
        raise ClinicalDataError(f"Patient was merged more than {_MAX_MERGES} times")

    def _nobody(self, patient: PatientIdentity) -> str:
        issuer = patient.issuer_of_patient_id.strip()
        text = "no Patient with the identifier of the images"
        if not issuer or issuer in self.issuers:
            return text
        return f"{text}; was asked for with the system {issuer!r}, issuers can name another"

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


def _id_of(resource: Resource) -> str:
    key = str(resource.get("id", ""))
    if not key:
        raise SourceUnavailableError("the server sent a Patient without an id")
    return key


def _escaped(text: str) -> str:
    """A search value with FHIR's own separators escaped (hl7.org/fhir/R4/search.html#escaping)."""
    for separator in ("\\", "$", ",", "|"):
        text = text.replace(separator, "\\" + separator)
    return text
