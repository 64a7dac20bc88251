"""Scores and risk again for a finished result, on clinical values typed since: no images needed."""

import csv
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.clinical.clinical_file import read_file
from engine.clinical.scores.compute import compute_scores
from engine.errors import InputError
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import OpenRiskPackage, predict
from engine.reporting.result_json import RESULT_NAME
from engine.series.input import scan_study
from engine.values.clinical import ClinicalRecord, Rejection
from engine.values.identity import StudyIdentity
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Refusal, RiskPrediction, Score

SEG_NAME = "seg.dcm"
COLUMNS = ("patient_id", "birth_date", "sex", "analyte", "value", "unit", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedPatient:
    """What a result folder says of its patient, read once."""

    study: StudyIdentity = field(repr=False)
    burden: TumorBurden


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassessment:
    """Scores and risk on the values given now."""

    scores: tuple[Score, ...]
    predictions: tuple[RiskPrediction, ...]
    refusals: tuple[Refusal, ...]
    rejections: tuple[Rejection, ...]


def read_patient(folder: Path) -> AssessedPatient:
    """Read patient and tumor burden of a result folder.

    Raises:
        InputError: It is no analysis.
    """
    try:
        document = json.loads((folder / RESULT_NAME).read_text("utf-8"))
        burden = TumorBurden(**document["burden"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder.name} is no analysis of HepatoCast") from error
    return AssessedPatient(study=scan_study(folder / SEG_NAME).study, burden=burden)


def read_typed(patient: AssessedPatient, rows: Sequence[Mapping[str, Any]]) -> ClinicalRecord:
    """Typed values as a record, by the same way as a file: units, ages, plausibility.

    Args:
        patient: Whose values they are.
        rows: "analyte", "value", "unit" and "date" (YYYY-MM-DD, or empty) of each.

    Raises:
        ClinicalDataError: The values cannot be used as typed.
    """
    person = patient.study.patient
    born = person.patient_birth_date
    identity = (
        person.patient_id,
        f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 else "",
        person.patient_sex,
    )
    with tempfile.TemporaryDirectory(prefix="hepatocast-values-") as folder:
        path = Path(folder) / "typed.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(COLUMNS)
            for row in rows:
                typed = (str(row.get(name, "")).strip() for name in COLUMNS[3:])
                table.writerow((*identity, *typed))
        return read_file(path, person, patient.study.day)


def reassess(
    patient: AssessedPatient,
    record: ClinicalRecord | None,
    packages: Sequence[OpenRiskPackage],
) -> Reassessment:
    """Compute scores and ask every risk package again."""
    scores = compute_scores(
        record, patient.burden, patient.study.patient, include_unconfirmed=False
    )
    inputs = PatientInputs(record=record, burden=patient.burden, scores=scores)
    answers = [predict(package, inputs) for package in packages]
    return Reassessment(
        scores=scores,
        predictions=tuple(a for a in answers if isinstance(a, RiskPrediction)),
        refusals=tuple(a for a in answers if isinstance(a, Refusal)),
        rejections=() if record is None else record.rejections,
    )
