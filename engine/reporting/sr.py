"""Comprehensive 3D SR after TID 1500 Imaging Measurement Report (PS3.3 A.35.13)."""

from collections.abc import Iterable

from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage

from engine.coding import dicom, language, loinc, own, umls
from engine.errors import OutputError
from engine.reporting.attributes import encode, make_object
from engine.reporting.corrections import correction_sentences
from engine.reporting.identity import (
    DEVICE_NAME,
    MANUFACTURER,
    MODEL_NAME,
    SR_SERIES,
    device_serial_number,
)
from engine.reporting.image_library import image_library
from engine.reporting.report_file import ReportFile, ReportKind
from engine.reporting.sr_content import (
    HAS_CONCEPT_MOD,
    HAS_OBS_CONTEXT,
    make_code,
    make_container,
    make_text,
    make_uidref,
)
from engine.reporting.sr_derived import Statement, derived_measurements, derived_statements
from engine.reporting.sr_groups import (
    Evidence,
    list_findings,
    planar_group,
    volumetric_group,
)
from engine.reporting.sr_radiomics import radiomics_groups
from engine.reporting.wording import LESION_MEANING, findings_sentence
from engine.values.provenance import AnalysisContext, ModelIdentity
from engine.values.result import RESEARCH_USE_STATEMENT, AnalysisResult, NotAnalyzed
from engine.values.revision import Observer


def _observation_context(context: AnalysisContext, model: ModelIdentity | None) -> list[Dataset]:
    """Language, the device as observer, the procedure (TID 1204, 1001, 100)."""
    serial = device_serial_number(model)
    observer_uid = context.derive_uid("report", "observer")
    facts = (
        (dicom.DEVICE_OBSERVER_NAME, DEVICE_NAME),
        (dicom.DEVICE_OBSERVER_MANUFACTURER, MANUFACTURER),
        (dicom.DEVICE_OBSERVER_MODEL, MODEL_NAME),
        (dicom.DEVICE_OBSERVER_SERIAL, serial),
    )
    return [
        make_code(dicom.LANGUAGE, language.ENGLISH_US, HAS_CONCEPT_MOD),
        make_code(dicom.OBSERVER_TYPE, dicom.DEVICE, HAS_OBS_CONTEXT),
        make_uidref(dicom.DEVICE_OBSERVER_UID, observer_uid, HAS_OBS_CONTEXT),
        *(make_text(name, value, HAS_OBS_CONTEXT) for name, value in facts),
        make_code(dicom.PROCEDURE_REPORTED, loinc.CT_PROCEDURE, HAS_CONCEPT_MOD),
    ]


def _evaluations(items: Iterable[Statement]) -> Dataset:
    """Qualitative evaluations of the whole study (TID 1500)."""
    made = [
        make_text(name, value) if isinstance(value, str) else make_code(name, value)
        for name, value in items
        if value
    ]
    return make_container(umls.QUALITATIVE_EVALUATIONS, made)


def _statements(result: AnalysisResult) -> list[Statement]:
    """What the report says in words, the finding first."""
    found = bool(result.findings.lesions)
    summary = dicom.SUCCEEDED_WITH_FINDINGS if found else dicom.SUCCEEDED_WITHOUT_FINDINGS
    model = result.model
    return [
        (dicom.FINDINGS_SUMMARY, summary),
        (dicom.FINDING, findings_sentence(result)),
        (own.RESEARCH_USE, RESEARCH_USE_STATEMENT),
        (own.MODEL_CHECKSUM, f"{model.name} {model.version}: {model.sha256}"),
        (own.LIMITATION, LESION_MEANING),
        *((own.LIMITATION, limit) for limit in model.limits),
        *((own.WARNING, warning) for warning in result.warnings),
        *((own.WARNING, note) for note in result.reference.notes),
        *((dicom.COMMENT, told) for told in correction_sentences(result.revision)),
        *derived_statements(result),
    ]


def _references(sops: Iterable[tuple[str, str]]) -> list[Dataset]:
    items = []
    for sop_class_uid, sop_instance_uid in sops:
        item = Dataset()
        item.ReferencedSOPClassUID = sop_class_uid
        item.ReferencedSOPInstanceUID = sop_instance_uid
        items.append(item)
    return items


def _hierarchy(
    study_instance_uid: str, series: Iterable[tuple[str, list[tuple[str, str]]]]
) -> Dataset:
    """Study, series and instances of references (PS3.3 table C.17-3)."""
    study = Dataset()
    study.StudyInstanceUID = study_instance_uid
    study.ReferencedSeriesSequence = []
    for series_instance_uid, sops in series:
        item = Dataset()
        item.SeriesInstanceUID = series_instance_uid
        item.ReferencedSOPSequence = _references(sops)
        study.ReferencedSeriesSequence.append(item)
    return study


def _predecessors(context: AnalysisContext, study_instance_uid: str) -> list[Dataset]:
    """Documents this one supersedes, by study and series.

    Raises:
        OutputError: A predecessor does not name its series, which the standard asks for.
    """
    series: dict[str, list[tuple[str, str]]] = {}
    for predecessor in context.predecessors:
        if not predecessor.series_instance_uid:
            raise OutputError(
                f"Predecessor {predecessor.sop_instance_uid} needs its Series Instance UID"
            )
        sop = (predecessor.sop_class_uid, predecessor.sop_instance_uid)
        series.setdefault(predecessor.series_instance_uid, []).append(sop)
    return [_hierarchy(study_instance_uid, series.items())] if series else []


def _verify(target: Dataset, observer: Observer | None) -> None:
    """Write who verified the document (PS3.3 C.17.2); nobody verifies an automatic one."""
    target.VerificationFlag = "UNVERIFIED" if observer is None else "VERIFIED"
    if observer is None:
        return
    item = Dataset()
    item.VerifyingObserverName = observer.name
    item.VerifyingObserverIdentificationCodeSequence = []
    item.VerifyingOrganization = observer.organization
    item.VerificationDateTime = observer.verified_at.strftime("%Y%m%d%H%M%S%z")
    target.VerifyingObserverSequence = [item]


def _finish(
    target: Dataset, context: AnalysisContext, children: list[Dataset], evidence: list[Dataset]
) -> ReportFile:
    """Fill document modules and encode."""
    target.update(
        make_container(
            dicom.IMAGING_MEASUREMENT_REPORT, children, relationship=None, template="1500"
        )
    )
    target.CompletionFlag = "COMPLETE"
    if "VerificationFlag" not in target:
        _verify(target, None)
    target.PreliminaryFlag = "FINAL"
    target.PerformedProcedureCodeSequence = []
    target.ReferencedPerformedProcedureStepSequence = []
    target.CurrentRequestedProcedureEvidenceSequence = evidence
    if predecessors := _predecessors(context, str(target.StudyInstanceUID)):
        target.PredecessorDocumentsSequence = predecessors
    scheme = Dataset()
    scheme.CodingSchemeDesignator = own.SCHEME
    scheme.CodingSchemeName = own.SCHEME_NAME
    scheme.CodingSchemeResponsibleOrganization = MANUFACTURER
    target.CodingSchemeIdentificationSequence = [scheme]
    return ReportFile(
        name="sr.dcm",
        kind=ReportKind.SR,
        content=encode(target, context),
        sop_class_uid=str(target.SOPClassUID),
        sop_instance_uid=str(target.SOPInstanceUID),
        series_instance_uid=str(target.SeriesInstanceUID),
    )


def compose_sr(result: AnalysisResult, evidence: Evidence) -> ReportFile:
    """The measurement report of a result.

    Args:
        result: The analysis result.
        evidence: Segmentation and source planes the measurements refer to.
    """
    volume = result.reference
    liver, *lesions = list_findings(result, evidence.segments)
    # Viewers open a report at its first group (OHIF 3.13): the largest lesion, if there is one.
    findings = [*lesions, liver]
    groups = []
    for finding in findings:
        planar = planar_group(result, finding, evidence)
        groups += [planar] if planar is not None else []
        groups.append(volumetric_group(result, finding, evidence))
    radiomics = [
        group for finding in findings for group in radiomics_groups(result, finding, evidence)
    ]
    cited = [evidence.planes[finding.slice_index] for finding in findings]
    frame_of_reference = volume.geometry.frame_of_reference_uid
    children = [
        *_observation_context(result.context, result.model),
        image_library(cited, volume.geometry, frame_of_reference),
        make_container(dicom.IMAGING_MEASUREMENTS, groups),
        derived_measurements(result, radiomics),
        _evaluations(_statements(result)),
    ]
    sources = [(str(h.SOPClassUID), str(h.SOPInstanceUID)) for h in volume.headers]
    seg = evidence.seg
    references = _hierarchy(
        volume.study.study_instance_uid,
        [
            (volume.series.series_instance_uid, sources),
            (seg.series_instance_uid, [(seg.sop_class_uid, seg.sop_instance_uid)]),
        ],
    )
    target = make_object(
        SR_SERIES, Comprehensive3DSRStorage, volume.headers[0], result.context, result.model
    )
    _verify(target, None if result.revision is None else result.revision.observer)
    return _finish(target, result.context, children, [references])


def compose_refusal_sr(refused: NotAnalyzed) -> ReportFile:
    """The report that says "not analyzed", with the reason per series."""
    statements: list[Statement] = [
        (dicom.FINDINGS_SUMMARY, dicom.NONE_SUCCEEDED),
        (own.NOT_ANALYZED, f"Not analyzed: {refused.reason}"),
        (own.RESEARCH_USE, RESEARCH_USE_STATEMENT),
    ]
    for decision in refused.series_decisions:
        told = f"Series {decision.series_instance_uid}: {decision.reason}"
        statements.append((dicom.COMMENT, told))
    header = refused.headers[0]
    sops = [(str(h.SOPClassUID), str(h.SOPInstanceUID)) for h in refused.headers]
    series = [(str(header.SeriesInstanceUID), sops)]
    evidence = [_hierarchy(refused.study.study_instance_uid, series)]
    target = make_object(SR_SERIES, Comprehensive3DSRStorage, header, refused.context, None)
    children = [
        *_observation_context(refused.context, None),
        _evaluations(statements),
    ]
    return _finish(target, refused.context, children, evidence)
