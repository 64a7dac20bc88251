"""The clinical join: ask every source, keep what is the patient's, select in time.

A source that is down or speaks about somebody else never stops the imaging result: it is
reported in the record's ``sources`` and gives no values.
"""

from collections.abc import Sequence
from datetime import date

from engine.clinical.selection import select
from engine.clinical.source import ClinicalSource, SourceUnavailableError
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord, Observation, Rejection
from engine.values.identity import PatientIdentity

NOT_AVAILABLE = "clinical data not available"


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
    offered: list[Observation | Rejection] = []
    notes: list[str] = []
    for source in sources:
        try:
            answer = source.fetch(patient)
        except SourceUnavailableError as error:
            notes.append(f"{source.name}: {NOT_AVAILABLE}: {error}")
        except ClinicalDataError as error:
            notes.append(f"{source.name}: refused: {error}")
        else:
            offered += answer.offered
            notes += answer.notes
    return select(offered, reference_date, tuple(notes))


def availability_warnings(record: ClinicalRecord) -> tuple[str, ...]:
    """Notes of sources that gave nothing, for the result's warnings and thus every report."""
    return tuple(note for note in record.sources if NOT_AVAILABLE in note or ": refused: " in note)
