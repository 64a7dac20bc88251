"""From a scanned study to a result."""

from pathlib import Path

from engine.clinical.clinical_file import read_file
from engine.lesions import find_lesions
from engine.pipeline.interpretation import Recognized, interpret
from engine.pipeline.opening import AnalysisSettings, OpenedModel
from engine.pipeline.stopwatch import Stopwatch
from engine.segmentation.cascade import segment
from engine.series.input import StudyScan, scan_study
from engine.series.readable import read_reference
from engine.values.clinical import ClinicalRecord
from engine.values.provenance import AnalysisContext
from engine.values.result import AnalysisResult


def scan(study: Path, watch: Stopwatch) -> StudyScan:
    """Read every header below a folder, zip or DICOMDIR."""
    with watch.stage("series") as progress:
        return scan_study(study, progress)


def analyze(
    study: StudyScan,
    model: OpenedModel,
    settings: AnalysisSettings,
    context: AnalysisContext,
    watch: Stopwatch,
) -> AnalysisResult:
    """Run every stage up to, not including, the reports.

    Raises:
        NoEligibleSeriesError: No series fits the model; one reason per series.
        NoLiverError: The network saw no liver.
        InputError: The images or the clinical file cannot be used as sent.
    """
    package = model.package
    with watch.stage("clinical"):  # first, because a wrong file should not cost a segmentation
        record = clinical_record(study, settings)
    with watch.stage("volume") as progress:
        selection, volume = read_reference(study, package.criteria, progress)
    with watch.stage("segmentation") as progress:
        segmentation = segment(volume, package, model.sessions, progress)
    with watch.stage("lesions"):
        findings = find_lesions(volume, segmentation, context, minimum_ml=package.minimum_lesion_ml)
    recognized = Recognized(
        study=study,
        record=record,
        selection=selection,
        volume=volume,
        findings=findings,
        model=package.identity,
        device=model.sessions["segmenter"].device,
    )
    return interpret(recognized, settings, context, watch)


def clinical_record(study: StudyScan, settings: AnalysisSettings) -> ClinicalRecord | None:
    """The clinical file's values for this patient, or None without a file."""
    if settings.clinical_file is None:
        return None
    return read_file(settings.clinical_file, study.study.patient, study.study.day)
