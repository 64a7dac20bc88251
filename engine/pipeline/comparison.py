"""Two results of one patient held against each other."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from engine.clinical.clinical_file import read_file
from engine.clinical.scores.compute import compute_scores
from engine.errors import ComparisonError
from engine.followup.matching import match_lesions
from engine.followup.response import Viable, assess_mrecist, assess_recist, choose_targets
from engine.followup.trend import marker_trends
from engine.pipeline.examination import Examination
from engine.pipeline.stopwatch import Stopwatch
from engine.prognosis.inputs import PatientInputs
from engine.prognosis.prediction import OpenRiskPackage, predict
from engine.spatial.registration import RegisteredPhase, register_phase
from engine.spatial.resampling import resample
from engine.values.followup import Comparison
from engine.values.geometry import VolumeGeometry, VoxelSpacing
from engine.values.lesion import TumorBurden
from engine.values.prognosis import Refusal, RiskPrediction

SHAPE_MM = 3.0
SHAPE_REACH_MM = 15.0
SHAPE_HU_PER_MM = 15.0
SHAPE_WARNING = (
    "The examinations were laid on each other by the shape of the liver alone; give both studies "
    "to use the images."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonSettings:
    """What the user adds to the two results.

    Attributes:
        earlier_nadir_mm: Smallest sum of target diameters at an examination in between.
        viable: Viable diameters a reader measured, for mRECIST.
        clinical_file: Values over time, for dynamic risk packages.
        risk_packages: Opened packages that may use them.
    """

    earlier_nadir_mm: float | None = None
    viable: Viable | None = None
    clinical_file: Path | None = None
    risk_packages: tuple[OpenRiskPackage, ...] = ()


def compare_examinations(
    baseline: Examination, followup: Examination, settings: ComparisonSettings, watch: Stopwatch
) -> Comparison:
    """Align, match, assess.

    Raises:
        ComparisonError: Another patient, the same study, or the wrong order in time.
        RegistrationError: The two livers cannot be laid on each other.
    """
    warnings = list(check_pair(baseline, followup))
    with watch.stage("registration"):
        registered, by = align(baseline, followup)
    if baseline.voxels_hu is None or followup.voxels_hu is None:
        warnings.append(SHAPE_WARNING)
    with watch.stage("matching"):
        shifted = _shifted(baseline, followup)
        carried = registered.carry(baseline.labels, shifted)
        groups = match_lesions(
            (carried, baseline.lesions),
            (followup.labels[registered.box], followup.lesions),
            registered.geometry,
        )
        groups = choose_targets(groups, slice_mm=baseline.geometry.spacing.slice_mm)
    nadir = settings.earlier_nadir_mm
    answers = _answers(followup, settings)
    return Comparison(
        baseline=baseline.time_point,
        followup=followup.time_point,
        groups=groups,
        assessments=(
            assess_recist(groups, earlier_nadir_mm=nadir),
            assess_mrecist(groups, settings.viable),
        ),
        markers=marker_trends(baseline.document["clinical"], followup.document["clinical"]),
        predictions=tuple(a for a in answers if isinstance(a, RiskPrediction)),
        refusals=tuple(a for a in answers if isinstance(a, Refusal)),
        alignment=f"{by}; edge correlation {registered.quality.edge_correlation:.2f} "
        f"(before {registered.quality.edge_correlation_before:.2f}), largest shift "
        f"{registered.quality.largest_shift_mm:.1f} mm",
        warnings=tuple(warnings),
    )


def check_pair(baseline: Examination, followup: Examination) -> tuple[str, ...]:
    """Refuse what is no follow-up; give warnings otherwise.

    Raises:
        ComparisonError: Says what differs, never a patient's name.
    """
    one, two = baseline.patient, followup.patient
    if (one.patient_id, one.issuer_of_patient_id) != (two.patient_id, two.issuer_of_patient_id):
        raise ComparisonError("The two results name different Patient IDs; nothing was compared")
    if one.patient_birth_date != two.patient_birth_date:
        raise ComparisonError("The two results name different birth dates; nothing was compared")
    if baseline.document["study_instance_uid"] == followup.document["study_instance_uid"]:
        raise ComparisonError("Both results are of the same study; a follow-up needs two")
    warnings = []
    if baseline.day is None or followup.day is None:
        warnings.append("A study date is missing: that the baseline is earlier is not checked.")
    elif baseline.day > followup.day:
        raise ComparisonError("The baseline study is later than the follow-up; swap the two")
    phases = [e.document["reference"]["phase"] for e in (baseline, followup)]
    if phases[0] != phases[1]:
        warnings.append(
            f"Lesions were measured in different phases ({phases[0]}, then {phases[1]}): part of "
            "a change may be contrast."
        )
    models = [e.document["model"] for e in (baseline, followup)]
    if models[0]["sha256"] != models[1]["sha256"]:
        warnings.append(
            "The two results come from different models: part of a change may be theirs."
        )
    spacing = [e.geometry.spacing.slice_mm for e in (baseline, followup)]
    if max(spacing) > 1.5 * min(spacing):
        warnings.append(f"Slice spacing differs: {spacing[0]:.1f} mm, then {spacing[1]:.1f} mm.")
    return tuple(warnings)


def align(baseline: Examination, followup: Examination) -> tuple[RegisteredPhase, str]:
    """Bring the baseline onto the follow-up's liver, by images or by the liver's shape."""
    moved = _shifted(baseline, followup)
    if baseline.voxels_hu is not None and followup.voxels_hu is not None:
        fixed = (followup.voxels_hu, followup.geometry)
        return register_phase(fixed, (baseline.voxels_hu, moved), followup.liver), "by the images"
    shapes = [liver_shape(followup.liver, followup.geometry), liver_shape(baseline.liver, moved)]
    (fixed_hu, grid), (moving_hu, other) = shapes
    coarse, _ = resample(
        followup.liver.astype(np.uint8), followup.geometry, grid.spacing, order="nearest"
    )
    found = register_phase((fixed_hu, grid), (moving_hu, other), coarse > 0)
    return _refined(found, followup), "by the shape of the liver"


def _refined(found: RegisteredPhase, followup: Examination) -> RegisteredPhase:
    """The same displacements, on the follow-up's own grid."""
    whole = tuple(slice(0, n) for n in followup.geometry.shape)
    return replace(found, box=(whole[0], whole[1], whole[2]), geometry=followup.geometry)


def liver_shape(
    liver: NDArray[np.bool_], geometry: VolumeGeometry
) -> tuple[NDArray[np.int16], VolumeGeometry]:
    """An image of the organ's surface that registration can follow.

    Returns:
        Signed distance to the surface, cut off at 15 mm and scaled to the registration's HU
        window, on a 3 mm grid.
    """
    spacing = VoxelSpacing(slice_mm=SHAPE_MM, row_mm=SHAPE_MM, column_mm=SHAPE_MM)
    coarse, grid = resample(liver.astype(np.uint8), geometry, spacing, order="nearest")
    image = sitk.GetImageFromArray(coarse)
    image.SetSpacing(grid.spacing.as_tuple()[::-1])
    distance = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
    )
    depth_mm = np.clip(sitk.GetArrayFromImage(distance), -SHAPE_REACH_MM, SHAPE_REACH_MM)
    return np.rint(depth_mm * SHAPE_HU_PER_MM).astype(np.int16), grid


def _shifted(baseline: Examination, followup: Examination) -> VolumeGeometry:
    """The baseline's grid moved so that both livers have one center; a first guess."""
    here = np.array(followup.document["liver"]["centroid_mm"])
    there = np.array(baseline.document["liver"]["centroid_mm"])
    x, y, z = (np.array(baseline.geometry.origin_mm) + here - there).tolist()
    return replace(baseline.geometry, origin_mm=(x, y, z))


def _answers(
    followup: Examination, settings: ComparisonSettings
) -> tuple[RiskPrediction | Refusal, ...]:
    """What risk packages say at the follow-up from values over time."""
    if settings.clinical_file is None:
        return ()
    record = read_file(settings.clinical_file, followup.patient, followup.day)
    burden = TumorBurden(**followup.document["burden"])
    scores = compute_scores(record, burden, followup.patient, include_unconfirmed=False)
    patient = PatientInputs(record=record, burden=burden, scores=scores)
    return tuple(predict(package, patient) for package in settings.risk_packages)
