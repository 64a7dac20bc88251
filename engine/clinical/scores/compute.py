"""Compute every score of one patient from the record, the images and the DICOM header."""

from engine.clinical.scores.definition import evaluate
from engine.clinical.scores.inputs import gather
from engine.clinical.scores.liver_function import CHILD_PUGH
from engine.clinical.scores.table import SCORES
from engine.values.clinical import ClinicalRecord
from engine.values.identity import PatientIdentity
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Score, ScoreInput


def compute_scores(
    record: ClinicalRecord | None,
    burden: TumorBurden | None,
    patient: PatientIdentity | None = None,
    *,
    include_unconfirmed: bool = False,
) -> tuple[Score, ...]:
    """Compute every published score, or refuse it naming what is missing.

    Args:
        record: Selected clinical values; None when no clinical source answered.
        burden: Tumor burden measured on the images; None without an imaging result.
        patient: Patient of the images; gives age and sex where the record does not.
        include_unconfirmed: Also compute scores with a coefficient that no source confirmed.

    Returns:
        One Score per definition, in the table's order; refused ones have value None.
    """
    inputs = gather(record, burden, patient)
    complete(inputs)
    return tuple(
        evaluate(definition, inputs)
        for definition in SCORES
        if definition.confirmed or include_unconfirmed
    )


def complete(inputs: dict[str, ScoreInput]) -> None:
    """Add the Child-Pugh class to inputs when it was not recorded and can be computed."""
    if "child_pugh_class" in inputs:
        return
    child_pugh = evaluate(CHILD_PUGH, inputs)
    if child_pugh.value is not None:
        inputs["child_pugh_class"] = ScoreInput(
            name="child_pugh_class",
            value=child_pugh.category.removeprefix("class "),
            unit="1",
            source=f"computed: Child-Pugh {child_pugh.value:g} points",
        )
