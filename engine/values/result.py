"""The result of one analysis, as the reporting stage receives it."""

from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from engine.values.clinical import ClinicalRecord
from engine.values.features import FeatureSet
from engine.values.identity import ContrastPhase, StudyIdentity
from engine.values.lesion import LesionFindings
from engine.values.nomogram import Nomogram
from engine.values.prognosis import Refusal, RiskPrediction, Score
from engine.values.provenance import AnalysisContext, ComputeDevice, ModelIdentity
from engine.values.registration import PhaseRegistration
from engine.values.revision import Revision
from engine.values.volume import Volume

RESEARCH_USE_STATEMENT = (
    "For research use only. Not for diagnostic or therapeutic decisions. "
    "Not a medical device; not cleared by any authority."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesDecision:
    """What became of one series of the study, and why.

    Attributes:
        series_instance_uid: The series.
        description: Series Description (may carry PHI; shown in reports, never logged).
        phase: Decided contrast phase.
        role: "reference" (segmented), "phase" (features) or "refused".
        reason: Why, in one sentence.
        evidence: What the decision rests on, header and pixels (JSON-able).
    """

    series_instance_uid: str
    description: str = field(repr=False)
    phase: ContrastPhase
    role: str
    reason: str
    evidence: dict[str, str | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisResult:
    """Everything one analysis found.

    Attributes:
        reference: Volume that was segmented; SEG and SR refer to its images.
        phases: Further phases around the liver, registered: each volume lies on a part of the
            reference grid (may be empty).
        findings: Liver, lesions and burden on the reference grid.
        stage_seconds: Wall seconds per stage, in order; not part of the result's identity.
        nomograms: Additive models and scores with the patient marked.
        revision: What a person changed; None for an automatic result.
        registrations: Every further phase with its fit to the reference phase, or why it
            was not used.
    """

    context: AnalysisContext
    model: ModelIdentity
    device: ComputeDevice
    reference: Volume
    phases: tuple[Volume, ...]
    series_decisions: tuple[SeriesDecision, ...]
    findings: LesionFindings
    features: tuple[FeatureSet, ...] = ()
    clinical: ClinicalRecord | None = None
    scores: tuple[Score, ...] = ()
    predictions: tuple[RiskPrediction, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()
    stage_seconds: tuple[tuple[str, float], ...] = ()
    nomograms: tuple[Nomogram, ...] = ()
    revision: Revision | None = None
    registrations: tuple[PhaseRegistration, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnalyzed:
    """A study that was looked at and not analyzed (DESIGN decision 8).

    Attributes:
        study: Study and patient of the images.
        headers: At least one source dataset (no pixels) to take study attributes from.
        reason: One sentence, no PHI.
    """

    context: AnalysisContext
    study: StudyIdentity
    headers: tuple[Dataset, ...] = field(repr=False)
    reason: str
    series_decisions: tuple[SeriesDecision, ...] = ()
