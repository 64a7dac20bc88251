"""One result, all its objects: the order in which they refer to each other."""

from engine.reporting.fhir import compose_fhir
from engine.reporting.gate import check_geometry
from engine.reporting.key_images import open_viewer
from engine.reporting.pdf import compose_pdf, encapsulate_pdf
from engine.reporting.report_file import ReportFile, ReportOptions, SegmentationType
from engine.reporting.result_json import (
    compose_features_json,
    compose_refusal_json,
    compose_result_json,
)
from engine.reporting.rtstruct import compose_rtstruct
from engine.reporting.sc import compose_refusal_sc, compose_sc
from engine.reporting.seg import compose_seg
from engine.reporting.source_plane import find_planes
from engine.reporting.sr import compose_refusal_sr, compose_sr
from engine.reporting.sr_groups import Evidence
from engine.values.model import CodedSegment
from engine.values.result import AnalysisResult, NotAnalyzed


def compose_reports(
    result: AnalysisResult,
    segments: tuple[CodedSegment, ...],
    options: ReportOptions | None = None,
) -> tuple[ReportFile, ...]:
    """Make every report of a result, ready to be published and sent.

    Args:
        result: The analysis result.
        segments: What the model's labels mean, with codes.
        options: Choices of the caller; the defaults suit viewers best.

    Returns:
        SEG, SR, Secondary Captures, Encapsulated PDF, the plain PDF, fhir.json, features.json,
        the attachments and, last, result.json, which lists the others. The same result gives
        the same bytes.

    Raises:
        GeometryGateError: The SEG does not lie where the engine measured.
        InvalidGeometryError: A slice names no source image.
    """
    options = options or ReportOptions()
    planes = find_planes(result.reference)
    seg = compose_seg(result, segments, planes, SegmentationType(options.segmentation_type))
    check_geometry(seg.content, result.findings)
    sr = compose_sr(result, Evidence(segments=segments, planes=planes, seg=seg))
    viewer = open_viewer(result.reference, result.findings)
    captures = compose_sc(result, viewer, options.maximum_key_images)
    pdf = compose_pdf(result, viewer, options.maximum_key_images)
    document = encapsulate_pdf(pdf.content, result, (seg, sr))
    texts = (compose_fhir(result), compose_features_json(result))
    structures = (compose_rtstruct(result, planes),) if options.rtstruct else ()
    files = (seg, sr, *captures, document, pdf, *structures, *texts, *options.attachments)
    return (*files, compose_result_json(result, files))


def compose_not_analyzed(refused: NotAnalyzed) -> tuple[ReportFile, ...]:
    """Say in SR, Secondary Capture and JSON that a study was not analyzed, and why.

    Silence is never an answer (DESIGN decision 8).
    """
    files = (compose_refusal_sr(refused), compose_refusal_sc(refused))
    return (*files, compose_refusal_json(refused, files))
