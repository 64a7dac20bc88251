"""The order of the stages, nothing else."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.clinical.clinical_file import read_file
from engine.clinical.scores.compute import compute_scores
from engine.errors import RegionError
from engine.inference.networks import open_networks
from engine.inference.providers import Device
from engine.inference.session import Session
from engine.lesions import find_lesions
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import OpenRiskPackage, predict
from engine.radiomics import RadiomicsSettings, extract_features
from engine.segmentation.cascade import segment
from engine.series.assembly import assemble_volume
from engine.series.input import StudyScan, scan_study
from engine.series.selection import select_series
from engine.values.clinical import ClinicalRecord
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase
from engine.values.lesion import LesionFindings
from engine.values.model import SegmentationPackage
from engine.values.prognosis import Refusal, RiskPrediction, Score
from engine.values.progress import Progress, StageProgress
from engine.values.provenance import AnalysisContext
from engine.values.result import AnalysisResult
from engine.values.volume import Volume

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedModel:
    """A verified package with its networks opened on a device."""

    package: SegmentationPackage
    sessions: Mapping[str, Session] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisSettings:
    """What the user chose.

    Attributes:
        clinical_file: Spreadsheet with clinical values; None for images only.
        radiomics: How features are extracted.
        include_unconfirmed_scores: Also compute scores with coefficients that no
            source confirmed.
        risk_packages: Opened risk packages to predict with.
    """

    clinical_file: Path | None = None
    radiomics: RadiomicsSettings = field(default_factory=RadiomicsSettings)
    include_unconfirmed_scores: bool = False
    risk_packages: tuple[OpenRiskPackage, ...] = ()


class Stopwatch:
    """Reports progress under the stage's name and keeps each stage's seconds."""

    def __init__(self, progress: StageProgress, clock: Clock) -> None:
        self._progress = progress
        self._clock = clock
        self.seconds: dict[str, float] = {}

    def stage(self, name: str) -> "RunningStage":
        """Start a stage; use as a context manager."""
        return RunningStage(name, self._progress, self._clock, self.seconds)


class RunningStage:
    """One stage between its start and its end."""

    def __init__(
        self, name: str, progress: StageProgress, clock: Clock, seconds: dict[str, float]
    ) -> None:
        self._name, self._progress, self._clock = name, progress, clock
        self._seconds = seconds
        self._fraction = 0.0

    def __enter__(self) -> Progress:
        self._start = self._clock()
        self.report(0.0)
        return self.report

    def report(self, fraction: float, text: str = "") -> None:
        """Pass progress on under the stage's name."""
        self._fraction = fraction
        self._progress(self._name, fraction, text)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        spent = self._clock() - self._start
        self._seconds[self._name] = self._seconds.get(self._name, 0.0) + spent
        if kind is None and self._fraction < 1:
            self.report(1.0)


def open_model(package: SegmentationPackage, device: Device) -> OpenedModel:
    """Open a package's networks once; keep the result for many studies."""
    return OpenedModel(package=package, sessions=open_networks(package, device=device))


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
        record = _clinical_record(study, settings)
    with watch.stage("volume") as progress:
        selection = select_series(study, package.criteria)
        progress(0.4, "series selected")
        chosen = selection.reference
        volume = assemble_volume(chosen.group, phase=chosen.phase)
    with watch.stage("segmentation") as progress:
        segmentation = segment(volume, package, model.sessions, progress)
    with watch.stage("lesions"):
        findings = find_lesions(volume, segmentation, context, minimum_ml=package.minimum_lesion_ml)
    with watch.stage("radiomics") as progress:
        features, refusals = _extract(volume, findings, settings, progress)
    scores, answers = _assess(study, record, findings, settings, watch)
    return AnalysisResult(
        context=context,
        model=package.identity,
        device=model.sessions["segmenter"].device,
        reference=volume,
        phases=(),
        series_decisions=selection.decisions,
        findings=findings,
        features=features,
        clinical=record,
        scores=scores,
        predictions=tuple(a for a in answers if isinstance(a, RiskPrediction)),
        refusals=(*refusals, *(a for a in answers if isinstance(a, Refusal))),
        warnings=_warnings(study, volume, findings),
        stage_seconds=tuple(watch.seconds.items()),
    )


Answer = RiskPrediction | Refusal


def _assess(
    study: StudyScan,
    record: ClinicalRecord | None,
    findings: LesionFindings,
    settings: AnalysisSettings,
    watch: Stopwatch,
) -> tuple[tuple[Score, ...], tuple[Answer, ...]]:
    """Published scores, and each risk package's answer."""
    with watch.stage("scores"):
        scores = compute_scores(
            record,
            findings.burden,
            study.study.patient,
            include_unconfirmed=settings.include_unconfirmed_scores,
        )
    with watch.stage("prognosis"):
        patient = PatientInputs(record=record, burden=findings.burden, scores=scores)
        answers = tuple(predict(risk, patient) for risk in settings.risk_packages)
    return scores, answers


def _extract(
    volume: Volume, findings: LesionFindings, settings: AnalysisSettings, progress: Progress
) -> tuple[tuple[FeatureSet, ...], tuple[Refusal, ...]]:
    """Features of every lesion in the reference phase, and which lesions have none."""
    sets: list[FeatureSet] = []
    refusals: list[Refusal] = []
    for lesion in findings.lesions:
        progress((lesion.number - 1) / len(findings.lesions), lesion.tracking_id)
        try:
            features = extract_features(
                volume.voxels_hu,
                findings.lesion_labels == lesion.number,
                volume.geometry,
                settings.radiomics,
                region=f"lesion {lesion.number}",
                phase=volume.series.phase,
            )
        except RegionError as error:
            refusals.append(Refusal(name=f"Radiomics of {lesion.tracking_id}", reason=str(error)))
        else:
            sets.append(features)
    return tuple(sets), tuple(refusals)


def _clinical_record(study: StudyScan, settings: AnalysisSettings) -> ClinicalRecord | None:
    """The clinical file's values for this patient, or None without a file."""
    if settings.clinical_file is None:
        return None
    return read_file(settings.clinical_file, study.study.patient, study.study.day)


def _warnings(study: StudyScan, volume: Volume, findings: LesionFindings) -> tuple[str, ...]:
    """What a reader of the result must know before trusting a number."""
    warnings = [*study.notes, *volume.notes]
    for reason, count in Counter(junk.reason for junk in study.junk).items():
        warnings.append(f"{count} file(s) of the input were not used: {reason}")
    if volume.series.phase is ContrastPhase.UNKNOWN:
        warnings.append("The contrast phase could not be established; see the series table.")
    edges = findings.liver[[0, -1]].any(axis=(1, 2))
    if edges.any():
        warnings.append(
            "The liver reaches the edge of the scan: its volume and lesions may be cut off."
        )
    return tuple(warnings)
