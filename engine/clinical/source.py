"""The port behind which every clinical source lives.

The engine knows no network: clients for FHIR servers and HL7 feeds implement this port in
``dicom_node.clinical_source``; files implement it here.
"""

from dataclasses import dataclass
from typing import Protocol

from engine.errors import ClinicalDataError
from engine.values.clinical import Observation, Rejection
from engine.values.identity import PatientIdentity


class SourceUnavailableError(ClinicalDataError):
    """A clinical source did not answer in time or not in its own language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAnswer:
    """What one source knows of one patient.

    Attributes:
        offered: Observations in canonical units, and values that were refused on the way.
        notes: What was asked and found, without patient data.
    """

    offered: tuple[Observation | Rejection, ...]
    notes: tuple[str, ...] = ()


class ClinicalSource(Protocol):
    """A place that knows clinical values of patients."""

    @property
    def name(self) -> str:
        """Short name for notes ("FHIR", "HL7 feed")."""

    def fetch(self, patient: PatientIdentity) -> SourceAnswer:
        """Everything this source knows of the patient of the images.

        Raises:
            SourceUnavailableError: No usable answer.
            ClinicalDataError: The source speaks about somebody else.
        """
