"""From a person's contours to a result: what ``analyze`` does without the network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.correction.automatic import AutomaticResult, read_automatic
from engine.correction.difference import compare, compare_risks
from engine.correction.drawn import Drawn, DrawnLesion, decide, number_lesions
from engine.correction.labelmap_reading import read_labelmap
from engine.correction.seg_reading import is_dicom, read_seg
from engine.lesions import measure_drawn
from engine.pipeline.analysis import clinical_record
from engine.pipeline.interpretation import Recognized, interpret
from engine.pipeline.opening import AnalysisSettings
from engine.pipeline.stopwatch import Stopwatch
from engine.series.input import StudyScan
from engine.series.readable import read_reference
from engine.values.lesion import LesionFindings
from engine.values.model import SegmentationPackage
from engine.values.provenance import AnalysisContext, ComputeDevice
from engine.values.result import AnalysisResult
from engine.values.revision import Observer, Revision
from engine.values.volume import Volume

NO_NETWORK = ComputeDevice(
    requested="none",
    execution_provider="none",
    onnxruntime_version="not used",
    description="contours by hand, no network was run",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person hands over.

    Attributes:
        drawing: DICOM SEG, NRRD or NIfTI with liver and lesions.
        automatic: Folder of the automatic result; None when it is not at hand.
        observer: Who verifies; None for a correction without a name to it.
        accepted, rejected: Lesions by number, name or tracking UID.
    """

    drawing: Path
    automatic: Path | None = None
    observer: Observer | None = None
    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


def revise(
    study: StudyScan,
    correction: Correction,
    package: SegmentationPackage,
    settings: AnalysisSettings,
    context: AnalysisContext,
    watch: Stopwatch,
) -> AnalysisResult:
    """Measure, extract, score and predict again on drawn contours.

    Raises:
        CorrectionError: The drawing does not belong to the images or does not lie on them.
        InputError: The images or the clinical file cannot be used as sent.
    """
    with watch.stage("clinical"):
        record = clinical_record(study, settings)
    with watch.stage("volume") as progress:
        selection, volume = read_reference(study, package.criteria, progress)
    with watch.stage("correction"):
        drawn, automatic = read_drawing(correction, volume, package)
        drawn = replace(
            drawn,
            liver_tracking_uid=drawn.liver_tracking_uid or context.derive_uid("tracking", "liver"),
        )
        labels, numbered, notes = number_lesions(drawn, volume.geometry)
        drawn = replace(drawn, notes=(*drawn.notes, *notes))
    with watch.stage("lesions"):
        uids = [
            lesion.tracking_uid or context.derive_uid("drawn lesion", str(number))
            for number, lesion in enumerate(numbered, start=1)
        ]
        findings = measure_drawn(volume, drawn.liver, labels, uids)
        revision = compare(drawn, numbered, findings, automatic, correction.observer)
        findings = keep_confidence(findings, revision, automatic)
    recognized = Recognized(
        study=study,
        record=record,
        selection=selection,
        volume=volume,
        findings=findings,
        model=package.identity,
        device=NO_NETWORK,
    )
    result = interpret(recognized, settings, context, watch)
    revision = replace(revision, risks=compare_risks(automatic, result.predictions))
    return replace(result, revision=revision, warnings=(*result.warnings, *drawn.notes))


def read_drawing(
    correction: Correction, volume: Volume, package: SegmentationPackage
) -> tuple[Drawn, AutomaticResult | None]:
    """Read the drawing and the automatic result, and give every lesion its identity."""
    read = read_seg if is_dicom(correction.drawing) else read_labelmap
    drawn = read(correction.drawing, volume, package.segments)
    automatic = None
    if correction.automatic is not None:
        automatic = read_automatic(correction.automatic, volume, package)
    lesions = identify(drawn.lesions, () if automatic is None else automatic.drawn.lesions)
    drawn = replace(drawn, lesions=lesions)
    return decide(drawn, correction.accepted, correction.rejected), automatic


def identify(
    drawn: Sequence[DrawnLesion], automatic: Sequence[DrawnLesion]
) -> tuple[DrawnLesion, ...]:
    """Give back to lesions without a tracking UID the one of their namesake.

    A UID that two segments carry (a copied segment) stays with the first of them.
    """
    by_name = {lesion.name: lesion.tracking_uid for lesion in automatic}
    taken: set[str] = set()
    known = []
    for lesion in drawn:
        uid = lesion.tracking_uid or by_name.get(lesion.name, "")
        uid = "" if uid in taken else uid
        taken.add(uid)
        known.append(replace(lesion, tracking_uid=uid))
    return tuple(known)


def keep_confidence(
    findings: LesionFindings, revision: Revision, automatic: AutomaticResult | None
) -> LesionFindings:
    """A lesion nobody touched keeps what the network said about it."""
    if automatic is None:
        return findings
    said = {entry["tracking_uid"]: entry["confidence"] for entry in automatic.document["lesions"]}
    untouched = {change.tracking_uid for change in revision.changes if change.dice == 1.0}
    lesions = (
        replace(lesion, confidence=said.get(lesion.tracking_uid))
        if lesion.tracking_uid in untouched
        else lesion
        for lesion in findings.lesions
    )
    return replace(findings, lesions=tuple(lesions))
