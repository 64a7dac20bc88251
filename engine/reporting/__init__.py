"""Results as objects: SEG, SR, Secondary Capture, PDF and JSON, derived from one value."""

from engine.reporting.composition import compose_not_analyzed, compose_reports
from engine.reporting.report_file import ReportFile, ReportKind, ReportOptions, SegmentationType
from engine.reporting.writing import publish

__all__ = [
    "ReportFile",
    "ReportKind",
    "ReportOptions",
    "SegmentationType",
    "compose_not_analyzed",
    "compose_reports",
    "publish",
]
