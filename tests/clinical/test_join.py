"""The clinical join survives its sources."""

from dataclasses import dataclass
from datetime import date

from engine.clinical.join import availability_warnings, join_sources
from engine.clinical.source import SourceAnswer, SourceUnavailableError
from engine.errors import ClinicalDataError
from engine.values.identity import PatientIdentity
from tests.phantoms.clinical_records import make_observation

PATIENT = PatientIdentity(patient_id="4711")


@dataclass
class Told:
    """A source that says what it is told to say."""

    answer: SourceAnswer | Exception
    name: str = "source"

    def fetch(self, patient: PatientIdentity) -> SourceAnswer:
        """Answer or raise."""
        assert patient is PATIENT
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_source_that_is_down_is_reported_and_the_others_count() -> None:
    afp = make_observation("afp", 10.0)
    record = join_sources(
        [
            Told(SourceUnavailableError("no answer within 5 s"), "FHIR"),
            Told(ClinicalDataError("Wrong patient: sex differs"), "HL7 feed"),
            Told(SourceAnswer(offered=(afp,), notes=("labs.csv: 1 row",)), "spreadsheet"),
        ],
        PATIENT,
        date(2024, 3, 1),
    )
    assert record.observations == (afp,)
    assert record.sources == (
        "FHIR: clinical data not available: no answer within 5 s",
        "HL7 feed: refused: Wrong patient: sex differs",
        "labs.csv: 1 row",
    )
    assert availability_warnings(record) == record.sources[:2]


def test_without_any_answer_the_record_is_empty_and_says_so() -> None:
    record = join_sources([Told(SourceUnavailableError("down"), "FHIR")], PATIENT, None)
    assert (record.observations, record.history) == ((), ())
    assert record.sources == ("FHIR: clinical data not available: down",)
