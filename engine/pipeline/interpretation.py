"""From measured lesions to a result: features, scores, predictions.

Everything here depends on the lesions and not on how they were found, so that a
radiologist's correction goes the same way as the network's segmentation.
"""

from dataclasses import dataclass

from engine.clinical.scores.compute import compute_scores
from engine.pipeline.features import Extraction, cut_off, extract_all
from engine.pipeline.measurements import measurements_of
from engine.pipeline.nomograms import draw_nomograms
from engine.pipeline.notices import notices
from engine.pipeline.opening import AnalysisSettings
from engine.pipeline.phases import AlignedPhase, PhaseScope, align_phases
from engine.pipeline.stopwatch import Stopwatch
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import predict
from engine.series.input import StudyScan
from engine.series.selection import Selection
from engine.values.clinical import ClinicalRecord
from engine.values.features import FeatureSet
from engine.values.lesion import LesionFindings
from engine.values.nomogram import Nomogram
from engine.values.prognosis import Refusal, RiskPrediction, Score
from engine.values.provenance import AnalysisContext, ComputeDevice, ModelIdentity
from engine.values.result import AnalysisResult
from engine.values.volume import Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """A study with its lesions found, by whom or what ever.

    Attributes:
        study: The study as scanned.
        record: Clinical values of this patient, or None.
        selection: Which series were chosen, and why.
        volume: The reference volume.
        findings: Liver and lesions on the volume's grid.
        model: Identity of the package that segmented.
        device: Where it ran.
    """

    study: StudyScan
    record: ClinicalRecord | None
    selection: Selection
    volume: Volume
    findings: LesionFindings
    model: ModelIdentity
    device: ComputeDevice


def interpret(
    recognized: Recognized,
    settings: AnalysisSettings,
    context: AnalysisContext,
    watch: Stopwatch,
) -> AnalysisResult:
    """Extract, score, predict."""
    volume, findings = recognized.volume, recognized.findings
    study, record = recognized.study, recognized.record
    phases, extraction = _measure(recognized, settings, watch)
    assessed = _assess(recognized, extraction.features, settings, watch)
    answers = assessed.answers
    return AnalysisResult(
        context=context,
        model=recognized.model,
        device=recognized.device,
        reference=volume,
        phases=tuple(p.volume for p in phases if p.volume is not None),
        series_decisions=recognized.selection.decisions,
        findings=findings,
        features=extraction.features,
        clinical=record,
        scores=assessed.scores,
        predictions=tuple(a for a in answers if isinstance(a, RiskPrediction)),
        refusals=(*extraction.refusals, *(a for a in answers if isinstance(a, Refusal))),
        warnings=(*notices(study, volume, findings, record), *cut_off(findings)),
        stage_seconds=tuple(watch.seconds.items()),
        nomograms=assessed.nomograms,
        registrations=tuple(p.registration for p in phases),
    )


def _measure(
    recognized: Recognized, settings: AnalysisSettings, watch: Stopwatch
) -> tuple[tuple[AlignedPhase, ...], Extraction]:
    """Line up the further phases and extract the features of all."""
    phases: tuple[AlignedPhase, ...] = ()
    volume, findings = recognized.volume, recognized.findings
    with watch.stage("phases") as progress:
        if settings.phases is PhaseScope.ALL:
            groups = recognized.selection.phases
            phases = align_phases(groups, volume, findings.liver, progress)
    with watch.stage("radiomics") as progress:
        return phases, extract_all(volume, phases, findings, settings, progress)


Answer = RiskPrediction | Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assessment:
    """What scores and risk packages say about one patient."""

    scores: tuple[Score, ...]
    answers: tuple[Answer, ...]
    nomograms: tuple[Nomogram, ...]


def _assess(
    recognized: Recognized,
    features: tuple[FeatureSet, ...],
    settings: AnalysisSettings,
    watch: Stopwatch,
) -> _Assessment:
    """Published scores, each risk package's answer, and their nomograms."""
    study, record, findings = recognized.study, recognized.record, recognized.findings
    with watch.stage("scores"):
        scores = compute_scores(
            record,
            findings.burden,
            study.study.patient,
            include_unconfirmed=settings.include_unconfirmed_scores,
        )
    with watch.stage("prognosis"):
        values, fingerprints = measurements_of(features)
        patient = PatientInputs(
            record=record,
            burden=findings.burden,
            scores=scores,
            measurements=values,
            measurement_settings=fingerprints,
        )
        packages = settings.risk_packages
        answers = tuple(predict(risk, patient) for risk in packages)
        nomograms = draw_nomograms(packages, answers, patient, study.study.patient)
    return _Assessment(scores=scores, answers=answers, nomograms=nomograms)
