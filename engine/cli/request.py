"""One analysis as asked for on a command line, and how it is carried out."""

import hashlib
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from engine.cli.opened_models import FreshModels, ModelSource
from engine.cli.software import software_version
from engine.clinical.clinical_file import content_of
from engine.deep_features.extraction import OpenEncoder
from engine.errors import InputError, UnreadableStudyError
from engine.inference.providers import Device
from engine.model_package.encoder import load_encoder
from engine.model_package.loading import embedded_models, find_package, load_package
from engine.pipeline import AnalysisSettings, Stopwatch, analyze, scan
from engine.pipeline.deep import BOTTLENECK, bottleneck_of, open_encoder
from engine.pipeline.feature_files import TableFormat, feature_tables
from engine.pipeline.phases import PhaseScope
from engine.reporting.composition import compose_reports
from engine.reporting.report_file import ReportFile, ReportOptions, SegmentationType
from engine.reporting.writing import check_destination, publish
from engine.series.input import StudyScan
from engine.values.identity import ImageReference
from engine.values.model import SegmentationPackage
from engine.values.progress import StageProgress
from engine.values.provenance import AnalysisContext
from engine.values.result import AnalysisResult

REPORT_TAGS = ("Modality", "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID")
DEFAULT_MODEL = "liver_tumor_ct"
DEFAULT_RISK_MODELS = ("resection_rfs", "resection_os")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzeRequest:
    """What the user asked for; see ``hepatocast analyze --help``."""

    study: Path
    out: Path
    model: str = DEFAULT_MODEL
    models: tuple[Path, ...] = ()
    risk_models: tuple[str, ...] = DEFAULT_RISK_MODELS
    clinical: Path | None = None
    device: Device = "auto"
    segmentation_type: SegmentationType = SegmentationType.BINARY
    rtstruct: bool = False
    unconfirmed_scores: bool = False
    predecessors: tuple[Path, ...] = ()
    refuse: str = ""
    job_id: str = ""
    created_at: datetime | None = None
    phases: PhaseScope = PhaseScope.ALL
    ring_mm: float = 10.0
    tables: TableFormat = TableFormat.CSV
    deep: tuple[str, ...] = ()
    deep_cache: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """A request on its way: study read, identity fixed."""

    request: AnalyzeRequest
    package: SegmentationPackage
    scan: StudyScan
    context: AnalysisContext
    watch: Stopwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished, published analysis."""

    result: AnalysisResult
    files: tuple[ReportFile, ...]
    seconds: dict[str, float]


def start(request: AnalyzeRequest, progress: StageProgress) -> Analysis:
    """Read the study's headers and fix the job's identity.

    Raises:
        InputError: The study cannot be read, or mixes patients.
        ModelPackageError: The model cannot be used.
        OutputError: The result folder holds something else.
    """
    watch = Stopwatch(progress, time.perf_counter)
    check_destination(request.out)
    package = load_package(request.model, search_paths=[*request.models, embedded_models()])
    predecessors = tuple(read_predecessor(path) for path in request.predecessors)
    study = scan(request.study, watch)
    context = AnalysisContext(
        job_id=request.job_id
        or default_job_id(request, study, (package.identity.sha256, predecessors)),
        created_at=request.created_at or datetime.now(UTC).replace(microsecond=0),
        software_version=software_version(),
        predecessors=predecessors,
    )
    return Analysis(request=request, package=package, scan=study, context=context, watch=watch)


def finish(analysis: Analysis, models: ModelSource | None = None) -> Outcome:
    """Run every stage, compose the reports and publish them together.

    Args:
        analysis: The started analysis.
        models: Where opened models come from; None opens them anew.

    Raises:
        EngineError: Anything that keeps the study from being analyzed or written.
    """
    request, watch = analysis.request, analysis.watch
    if request.refuse:
        raise InputError(request.refuse)
    package, models = analysis.package, models or FreshModels()
    model = models.open_model(package, request.device)
    settings = settings_of(request, models)
    result = analyze(analysis.scan, model, settings, analysis.context, watch)
    with watch.stage("reporting") as progress:
        options = options_of(request, result)
        files = compose_reports(result, package.segments, options)
        progress(0.9, "writing")
        publish(files, request.out)
    return Outcome(result=result, files=files, seconds=watch.seconds)


def options_of(request: AnalyzeRequest, result: AnalysisResult) -> ReportOptions:
    """What the reports need to know, with the feature tables.

    Raises:
        InstallationError: Parquet is asked for and pyarrow is missing.
    """
    return ReportOptions(
        segmentation_type=request.segmentation_type,
        rtstruct=request.rtstruct,
        attachments=feature_tables(result.features, request.tables),
    )


def settings_of(request: AnalyzeRequest, models: ModelSource | None = None) -> AnalysisSettings:
    """What the stages after the segmentation need; opens the risk packages.

    Raises:
        ModelPackageError: A risk package cannot be used.
    """
    models = models or FreshModels()
    folders = [*request.models, embedded_models()]
    return AnalysisSettings(
        clinical_file=request.clinical,
        include_unconfirmed_scores=request.unconfirmed_scores,
        phases=request.phases,
        ring_mm=request.ring_mm,
        encoders=tuple(_open_encoder(name, request, folders) for name in request.deep),
        risk_packages=tuple(
            models.open_risk_package(find_package(name, search_paths=folders))
            for name in request.risk_models
        ),
    )


def _open_encoder(name: str, request: AnalyzeRequest, folders: list[Path]) -> OpenEncoder:
    """An encoder package, or the segmentation network's own bottleneck."""
    if name == BOTTLENECK:
        spec = bottleneck_of(load_package(request.model, search_paths=folders))
    else:
        spec = load_encoder(find_package(name, search_paths=folders))
    return open_encoder(spec, request.device, request.deep_cache)


def read_predecessor(path: Path) -> ImageReference:
    """The identity of an earlier report (PS3.3 C.17.2.6, Predecessor Documents Sequence).

    Raises:
        UnreadableStudyError: The file is no DICOM structured report.
    """
    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=list(REPORT_TAGS))
        if header.Modality != "SR":
            raise UnreadableStudyError(f"{path.name} is no structured report: {header.Modality}")
        return ImageReference(
            sop_class_uid=str(header.SOPClassUID),
            sop_instance_uid=str(header.SOPInstanceUID),
            series_instance_uid=str(header.SeriesInstanceUID),
        )
    except (OSError, InvalidDicomError, AttributeError, ValueError) as error:
        raise UnreadableStudyError(
            f"{path.name} cannot be read as a DICOM structured report; give the earlier SR file"
        ) from error


def default_job_id(
    request: AnalyzeRequest, study: StudyScan, basis: tuple[str, tuple[ImageReference, ...]]
) -> str:
    """The same study, model and options give the same identity, so a rerun overwrites itself.

    Args:
        request: What was asked for.
        study: The images.
        basis: Checksum of the model package, and the reports that are superseded.
    """
    model_sha256, predecessors = basis
    digest = hashlib.sha256()
    options = (
        request.segmentation_type,
        str(request.unconfirmed_scores),
        request.phases,
        f"{request.ring_mm:g}",
        request.tables,
        *request.deep,
        software_version(),
    )
    earlier = [document.sop_instance_uid for document in predecessors]
    images = sorted(i.sop_instance_uid for series in study.series for i in series.instances)
    for part in (model_sha256, *options, *request.risk_models, *images, *earlier):
        digest.update(part.encode() + b"\0")
    if request.clinical is not None and request.clinical.is_file():
        digest.update(content_of(request.clinical))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, digest.hexdigest()))
