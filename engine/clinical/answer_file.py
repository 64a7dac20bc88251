"""What clinical sources answered, as a file: the node asks, the engine reads (``.answers``).

The engine knows no network, so the node writes here what its sources gave for one patient.
Values are in canonical units and are checked again on the way in; they are selected in time by
the engine, which knows the study's day. A file that cannot be used never stops the imaging
result: the record says "clinical data not available" instead.
"""

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from engine.clinical.analytes import ANALYTES
from engine.clinical.join import REFUSED, not_available
from engine.clinical.right_patient import SourceIdentity, fold_sex, require_right_patient
from engine.clinical.selection import select
from engine.clinical.source import SourceAnswer
from engine.errors import ClinicalDataError
from engine.values.clinical import ClinicalRecord, Observation, Rejection, RejectionKind
from engine.values.identity import PatientIdentity

SUFFIX = ".answers"
FORMAT = "hepatocast clinical answers 1"
MAX_BYTES = 256 << 20
_NAME = "Clinical sources"


def write_answers(path: Path, answer: SourceAnswer, patient: PatientIdentity) -> None:
    """Write what the sources said about one patient; readable by the owner only.

    Raises:
        OSError: The disk does not take it.
    """
    document = {
        "format": FORMAT,
        "patient": {
            "patient_id": patient.patient_id,
            "issuer": patient.issuer_of_patient_id,
            "birth_date": patient.patient_birth_date,
            "sex": patient.patient_sex,
        },
        "notes": list(answer.notes),
        "observations": [_plain(o) for o in answer.offered if isinstance(o, Observation)],
        "rejections": [_plain(r) for r in answer.offered if isinstance(r, Rejection)],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(document), encoding="utf-8")


def read_answers(
    path: Path, patient: PatientIdentity, reference_date: date | None
) -> ClinicalRecord:
    """One patient's record from a file of answers, selected in time.

    Args:
        path: The file.
        patient: Patient of the images; a file about anybody else gives no value.
        reference_date: Imaging or surgery date.

    Returns:
        The record; without observations when the file cannot be used, ``sources`` says why.
    """
    try:
        document = _document(path)
        answer = _answer(document)
        notes = require_right_patient(_identity(document["patient"]), patient)
    except ClinicalDataError as error:
        return ClinicalRecord(
            reference_date=reference_date, sources=(f"{_NAME}: {REFUSED}: {error}",)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"the file of answers cannot be read ({type(error).__name__})"
        return ClinicalRecord(
            reference_date=reference_date, sources=(not_available(_NAME, reason),)
        )
    sources = (*answer.notes, *(note for note in notes if note not in answer.notes))
    return select(answer.offered, reference_date, sources)


def _document(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_BYTES:
        raise ClinicalDataError(f"the file is larger than {MAX_BYTES >> 20} MiB")
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise ClinicalDataError(f"the file is no '{FORMAT}'")
    return document


def _plain(item: Observation | Rejection) -> dict[str, Any]:
    values = asdict(item)
    moments = {k: v.isoformat() for k, v in values.items() if isinstance(v, date | datetime)}
    return values | moments


def _answer(document: dict[str, Any]) -> SourceAnswer:
    observations = [_checked(Observation(**_dated(o))) for o in document["observations"]]
    rejections = [
        Rejection(**_dated(r) | {"kind": RejectionKind(r["kind"])}) for r in document["rejections"]
    ]
    return SourceAnswer(
        offered=(*observations, *rejections), notes=tuple(str(n) for n in document["notes"])
    )


def _dated(values: dict[str, Any]) -> dict[str, Any]:
    dated = dict(values)
    if values["observed_on"] is not None:
        dated["observed_on"] = date.fromisoformat(values["observed_on"])
    if values.get("observed_at") is not None:
        dated["observed_at"] = datetime.fromisoformat(values["observed_at"])
    return dated


def _checked(item: Observation) -> Observation | Rejection:
    """The observation, or a rejection when it is not what the engine would have accepted."""
    analyte = ANALYTES.get(item.analyte)
    if analyte is None or item.unit != analyte.unit:
        reason = "not an analyte in its canonical unit"
    elif isinstance(item.value, str):
        reason = "" if item.value in analyte.words else "not a word of this analyte"
    else:
        fits = analyte.is_number and analyte.low <= item.value <= analyte.high
        reason = "" if fits else "outside the plausible range"
    if not reason:
        return item
    return Rejection(
        analyte=item.analyte,
        source=item.source,
        reason=reason,
        observed_on=item.observed_on,
        kind=RejectionKind.IMPLAUSIBLE,
        name=item.name,
    )


def _identity(patient: dict[str, Any]) -> SourceIdentity:
    born = str(patient["birth_date"]).strip()
    return SourceIdentity(
        patient_id=str(patient["patient_id"]),
        issuer=str(patient["issuer"]),
        birth_date=date.fromisoformat(born) if born else None,
        sex=fold_sex(str(patient["sex"])),
    )
