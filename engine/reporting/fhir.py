"""Results as FHIR R4 resources (pure builders; posting is the node's, and only when configured).

- RiskAssessment per risk prediction, status ``preliminary``, based on the ImagingStudy.
- DiagnosticReport, status ``preliminary``, with every computed score as a contained Observation.

Probabilities are percentages, as RiskAssessment.prediction.probability[x] wants them.
Identifiers are UUIDv5 of the job and of the content's name, so building the same result twice
gives the same resource and a server can be updated instead of filled with copies.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from engine.reporting.report_file import ReportFile, ReportKind
from engine.values.identity import StudyIdentity
from engine.values.prognosis import RiskPrediction, Score
from engine.values.provenance import AnalysisContext
from engine.values.result import RESEARCH_USE_STATEMENT, AnalysisResult

Resource = dict[str, Any]

FHIR_NAME = "fhir.json"

_URI = "urn:ietf:rfc:3986"
_UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirSubject:
    """The patient as the receiving server knows them.

    Attributes:
        reference: "Patient/12" when the id on the server is known; else the identifier is used.
        system: Identifier system of the Issuer of Patient ID.
    """

    reference: str = field(default="", repr=False)
    system: str = ""


def compose_fhir(result: AnalysisResult) -> ReportFile:
    """Every FHIR resource of one analysis as a collection Bundle, in a file.

    The patient is named by identifier; who posts the resources puts the reference in.
    """
    resources = build_resources(result, FhirSubject())
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _moment(result.context),
        "entry": [{"resource": resource} for resource in resources],
    }
    text = json.dumps(bundle, indent=1, ensure_ascii=False, allow_nan=False)
    return ReportFile(name=FHIR_NAME, kind=ReportKind.JSON, content=(text + "\n").encode())


def build_resources(result: AnalysisResult, subject: FhirSubject) -> tuple[Resource, ...]:
    """Every FHIR resource of one analysis: the report first, then one per prediction.

    Args:
        result: The analysis.
        subject: How the patient is referred to.
    """
    study = result.reference.study
    report = build_diagnostic_report(result, subject)
    risks = [
        build_risk_assessment(prediction, result.context, study, subject)
        for prediction in result.predictions
    ]
    return (report, *risks)


def build_risk_assessment(
    prediction: RiskPrediction,
    context: AnalysisContext,
    study: StudyIdentity,
    subject: FhirSubject,
) -> Resource:
    """RiskAssessment of one prediction: probability of the event in % by each time of its grid."""
    return {
        "resourceType": "RiskAssessment",
        "identifier": [_identifier(context, f"RiskAssessment/{prediction.package}")],
        "status": "preliminary",
        "method": {"text": prediction.package},
        "code": {"text": prediction.outcome},
        "subject": _subject(study, subject),
        "occurrenceDateTime": _moment(context),
        "basis": [_imaging_study(study)],
        "prediction": [
            {
                "outcome": {"text": f"Event against: {prediction.outcome}"},
                "probabilityDecimal": round(100.0 * (1.0 - survival), 4),
                "qualitativeRisk": {"text": prediction.risk_group},
                "whenRange": {"low": _months(0.0), "high": _months(months)},
                "rationale": f"{prediction.interval}: "
                f"{100.0 * (1.0 - upper):.1f} % to {100.0 * (1.0 - lower):.1f} %",
            }
            for months, survival, lower, upper in zip(
                prediction.times_months,
                prediction.survival,
                prediction.lower,
                prediction.upper,
                strict=True,
            )
        ],
        "note": [
            {"text": text}
            for text in (RESEARCH_USE_STATEMENT, *prediction.limits, *prediction.flags)
        ],
    }


def build_diagnostic_report(result: AnalysisResult, subject: FhirSubject) -> Resource:
    """DiagnosticReport with every computed score as a contained Observation."""
    study, context = result.reference.study, result.context
    computed = [score for score in result.scores if score.value is not None]
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "identifier": [_identifier(context, "DiagnosticReport")],
        "status": "preliminary",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "18748-4"}],
            "text": "Liver CT analysis (HepatoCast)",
        },
        "subject": _subject(study, subject),
        "issued": _moment(context),
        "imagingStudy": [_imaging_study(study)],
        "conclusion": _conclusion(result),
    }
    if len(study.study_date) == 8:
        report["effectiveDateTime"] = "-".join(
            (study.study_date[:4], study.study_date[4:6], study.study_date[6:])
        )
    if computed:
        report["contained"] = [
            _observation(f"score{number}", score, report["subject"])
            for number, score in enumerate(computed, start=1)
        ]
        report["result"] = [{"reference": f"#{entry['id']}"} for entry in report["contained"]]
    return report


def _observation(key: str, score: Score, subject: Resource) -> Resource:
    """A score with its inputs as components and its citation as a note."""
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "preliminary",
        "code": {"text": score.name},
        "subject": subject,
        "valueQuantity": _quantity(float(score.value or 0.0), score.unit),
        "interpretation": [{"text": score.category}],
        "component": [
            {"code": {"text": given.name}, **_component_value(given.value, given.unit)}
            for given in score.inputs
            if given.value is not None
        ],
        "note": [{"text": text} for text in (f"Citation: {score.citation}", *score.caveats)],
    }


def _component_value(value: float | str | None, unit: str) -> Resource:
    if isinstance(value, float | int):
        return {"valueQuantity": _quantity(float(value), unit)}
    return {"valueString": str(value)}


def _quantity(value: float, unit: str) -> Resource:
    return {"value": round(value, 6), "unit": unit, "system": _UCUM, "code": unit}


def _months(value: float) -> Resource:
    return {"value": value, "unit": "months", "system": _UCUM, "code": "mo"}


def _conclusion(result: AnalysisResult) -> str:
    burden = result.findings.burden
    lesions = (
        f"{burden.number} liver lesions, largest {burden.largest_mm:.0f} mm"
        if burden.number
        else "No liver lesion found"
    )
    return f"{lesions}. {RESEARCH_USE_STATEMENT}"


def _identifier(context: AnalysisContext, name: str) -> Resource:
    return {"system": _URI, "value": f"urn:uuid:{uuid5(NAMESPACE_OID, f'{context.job_id}/{name}')}"}


def _subject(study: StudyIdentity, subject: FhirSubject) -> Resource:
    if subject.reference:
        return {"reference": subject.reference}
    identifier = {"value": study.patient.patient_id}
    if subject.system:
        identifier["system"] = subject.system
    return {"type": "Patient", "identifier": identifier}


def _imaging_study(study: StudyIdentity) -> Resource:
    identifier = {"system": "urn:dicom:uid", "value": f"urn:oid:{study.study_instance_uid}"}
    return {"type": "ImagingStudy", "identifier": identifier}


def _moment(context: AnalysisContext) -> str:
    return context.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
