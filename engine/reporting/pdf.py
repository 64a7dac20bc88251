"""The PDF report, and its Encapsulated PDF object (PS3.3 A.45.1).

The same result gives the same bytes: reportlab runs in its invariant mode, which writes no
clock and no random identifier. All fonts are embedded.
"""

import io

from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from engine.coding import loinc
from engine.reporting import pdf_clinical, pdf_findings, pdf_sources
from engine.reporting.attributes import encode, legal_text, make_object
from engine.reporting.corrections import correction_section
from engine.reporting.fonts import register_pdf_fonts
from engine.reporting.identity import MANUFACTURER, PDF_SERIES, code_item
from engine.reporting.key_images import Viewer
from engine.reporting.pdf_forecast import forecasts
from engine.reporting.pdf_glance import glance
from engine.reporting.pdf_lesion_charts import lesion_charts
from engine.reporting.pdf_style import (
    BOTTOM,
    PAGE_HEIGHT,
    SIDE,
    TEXT_WIDTH,
    TOP,
    PageFrame,
    numbered_canvas,
)
from engine.reporting.person_names import format_name
from engine.reporting.report_file import ReportFile, ReportKind
from engine.reporting.wording import model_sentence
from engine.values.result import AnalysisResult

TITLE = "Liver CT analysis (research use only)"


def _frame(result: AnalysisResult) -> PageFrame:
    header = result.reference.headers[0]
    name = format_name(legal_text(header, "PatientName")) or "name unknown"
    born = pdf_findings.format_date(legal_text(header, "PatientBirthDate"))
    study = pdf_findings.format_date(legal_text(header, "StudyDate"))
    patient_id = legal_text(header, "PatientID") or "no patient ID"
    return PageFrame(
        patient_line=f"{name}   ID {patient_id}   born {born}   study of {study}",
        made_line=f"{model_sentence(result)}   HepatoCast {result.context.software_version}   "
        f"job {result.context.job_id[:24]}",
    )


def _story(result: AnalysisResult, viewer: Viewer, maximum_key_images: int) -> list[Flowable]:
    return [
        *pdf_findings.identification(result),
        *pdf_findings.summary(result),
        *correction_section(result.revision),
        *glance(result),
        *pdf_findings.lesion_table(result),
        *pdf_findings.key_images(result, viewer, maximum_key_images),
        *pdf_findings.burden(result),
        *lesion_charts(result),
        *forecasts(result),
        *pdf_clinical.clinical_data(result),
        *pdf_clinical.scores(result),
        *pdf_clinical.missing(result),
        *pdf_sources.series_table(result),
        *pdf_sources.provenance(result),
    ]


def compose_pdf(result: AnalysisResult, viewer: Viewer, maximum_key_images: int) -> ReportFile:
    """The report as a plain PDF file."""
    register_pdf_fonts()
    rl_config.useA85 = 0  # binary streams: ASCII armor doubles the time of every image
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer,
        pagesize=A4,
        title=TITLE,
        author=MANUFACTURER,
        subject="Research use only",
        creator=f"HepatoCast {result.context.software_version}",
        invariant=1,
        pageCompression=1,
        lang="en-US",
    )
    height = PAGE_HEIGHT - TOP - BOTTOM
    frame = Frame(
        SIDE,
        BOTTOM,
        TEXT_WIDTH,
        height,
        leftPadding=0,
        rightPadding=0,
        topPadding=0,
        bottomPadding=0,
    )
    document.addPageTemplates([PageTemplate(id="page", frames=[frame])])
    document.build(
        _story(result, viewer, maximum_key_images), canvasmaker=numbered_canvas(_frame(result))
    )
    return ReportFile(name="report.pdf", kind=ReportKind.PDF, content=buffer.getvalue())


def _source_instances(files: tuple[ReportFile, ...]) -> list[Dataset]:
    items = []
    for file in files:
        item = Dataset()
        item.ReferencedSOPClassUID = file.sop_class_uid
        item.ReferencedSOPInstanceUID = file.sop_instance_uid
        items.append(item)
    return items


def encapsulate_pdf(
    payload: bytes, result: AnalysisResult, evidence: tuple[ReportFile, ...]
) -> ReportFile:
    """Put a PDF into a DICOM object.

    Args:
        payload: The PDF.
        result: For patient, study, equipment.
        evidence: SEG and SR that the document is made from.
    """
    context, header = result.context, result.reference.headers[0]
    target = make_object(PDF_SERIES, EncapsulatedPDFStorage, header, context, result.model)
    target.ConversionType = "WSD"
    target.AcquisitionDateTime = ""
    target.BurnedInAnnotation = "YES"
    target.DocumentTitle = TITLE
    target.ConceptNameCodeSequence = [code_item(loinc.DIAGNOSTIC_IMAGING_REPORT)]
    if evidence:
        target.SourceInstanceSequence = _source_instances(evidence)
    target.MIMETypeOfEncapsulatedDocument = "application/pdf"
    target.EncapsulatedDocumentLength = len(payload)
    target.EncapsulatedDocument = payload + b"\0" * (len(payload) % 2)
    return ReportFile(
        name="report.dcm",
        kind=ReportKind.PDF,
        content=encode(target, context),
        sop_class_uid=str(target.SOPClassUID),
        sop_instance_uid=str(target.SOPInstanceUID),
        series_instance_uid=str(target.SeriesInstanceUID),
    )
