"""The clinical join: ask every source, keep what is the patient's, select in time.

A source that is down or speaks about somebody else never stops the imaging result: it is
reported in the record's ``sources`` and gives no values.
"""

from collections.abc import Sequence
from datetime import date

from engine.clinical.selection import select
from engine.clinical.source import ClinicalSource, SourceAnswer, SourceUnavailableError
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord, Observation, Rejection
from engine.values.identity import PatientIdentity

NOT_AVAILABLE = "clinical data not available"
REFUSED = "refused"


def join_sources(
    sources: Sequence[ClinicalSource], patient: PatientIdentity, reference_date: date | None
) -> ClinicalRecord:
    """Make one record from all sources.

    Args:
        sources: In order of preference; agreeing values of one day keep the last one's source.
        patient: Patient of the images.
        reference_date: Imaging or surgery date.

    Returns:
        The record; ``sources`` tells what each source answered or why it did not.
    """
    answer = gather_answers(sources, patient)
    return select(answer.offered, reference_date, answer.notes)


def gather_answers(sources: Sequence[ClinicalSource], patient: PatientIdentity) -> SourceAnswer:
    """Ask every source; what one does not answer is a note and costs nothing else.

    Args:
        sources: In order of preference.
        patient: Patient of the images.
    """
    offered: list[Observation | Rejection] = []
    notes: list[str] = []
    for source in sources:
        try:
            answer = source.fetch(patient)
        except SourceUnavailableError as error:
            notes.append(not_available(source.name, str(error)))
        except ClinicalDataError as error:
            notes.append(f"{source.name}: {REFUSED}: {error}")
        else:
            offered += answer.offered
            notes += answer.notes
    return SourceAnswer(offered=tuple(offered), notes=tuple(notes))


def not_available(name: str, reason: str) -> str:
    """The note of a source, or of a part of it, that did not answer."""
    return f"{name}: {NOT_AVAILABLE}: {reason}"


def availability_warnings(record: ClinicalRecord) -> tuple[str, ...]:
    """Notes of sources that gave nothing, for the result's warnings and thus every report."""
    return tuple(
        note for note in record.sources if NOT_AVAILABLE in note or f": {REFUSED}: " in note
    )
