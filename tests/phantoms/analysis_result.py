"""Handmade analysis results for the reporting room, measured by brute force."""

import datetime
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.values.clinical import (
    ClinicalRecord,
    Course,
    CoursePoint,
    Observation,
    Rejection,
    RejectionKind,
)
from engine.values.features import Feature, FeatureSet
from engine.values.identity import (
    ContrastPhase,
    ImageReference,
    PatientIdentity,
    SeriesIdentity,
    StudyIdentity,
)
from engine.values.lesion import Diameter, Lesion, LesionFindings, TumorBurden
from engine.values.model import CodedSegment
from engine.values.nomogram import Nomogram, NomogramAxis, NomogramTick
from engine.values.prognosis import (
    Contribution,
    GroupCurve,
    Refusal,
    RiskPrediction,
    Score,
    ScoreInput,
)
from engine.values.provenance import AnalysisContext, ComputeDevice, ModelIdentity
from engine.values.result import AnalysisResult, NotAnalyzed, SeriesDecision
from engine.values.volume import Volume
from tests.phantoms.ct_headers import (
    PATIENT_NAME,
    SERIES_UID,
    STUDY_UID,
    make_enhanced,
    make_slices,
)
from tests.phantoms.report_patient import SMALL, TWO_LESIONS, Ball, make_grid, sample

SEGMENTS = (
    CodedSegment(
        label=1,
        name="Liver",
        category_code="91723000",
        category_meaning="Anatomical Structure",
        type_code="10200004",
        type_meaning="Liver",
        rgb=(221, 130, 101),
    ),
    CodedSegment(
        label=2,
        name="Tumor",
        category_code="49755003",
        category_meaning="Morphologically Abnormal Structure",
        type_code="108369006",
        type_meaning="Neoplasm",
        rgb=(240, 90, 70),
    ),
)
CREATED_AT = datetime.datetime(
    2024, 3, 11, 12, 30, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=1))
)
STUDY = StudyIdentity(
    study_instance_uid=STUDY_UID,
    patient=PatientIdentity(
        patient_id="PHANTOM-7",
        patient_name=PATIENT_NAME,
        patient_birth_date="19600229",
        patient_sex="F",
        patient_age_years=64.0,
    ),
    study_date="20240311",
    study_time="093015",
    accession_number="ACC-1",
    study_description="CT liver",
)


def make_volume(
    orientation: str = "axial",
    *,
    lesions: tuple[Ball, ...] = TWO_LESIONS,
    enhanced: bool = False,
    pixel_mm: float = SMALL,
) -> tuple[Volume, NDArray[np.bool_], NDArray[np.uint8]]:
    """A volume of the phantom with its true liver and lesion masks."""
    grid = make_grid(orientation, pixel_mm)
    hu, liver, labels = sample(grid, lesions)
    if enhanced:
        order = tuple(reversed(range(grid.shape[0])))
        headers = (make_enhanced(grid, order),)
        references = tuple(
            ImageReference(
                sop_class_uid=str(headers[0].SOPClassUID),
                sop_instance_uid=str(headers[0].SOPInstanceUID),
                frame_number=order.index(k) + 1,
            )
            for k in range(grid.shape[0])
        )
    else:
        headers = make_slices(grid)
        references = tuple(
            ImageReference(sop_class_uid=str(h.SOPClassUID), sop_instance_uid=str(h.SOPInstanceUID))
            for h in headers
        )
    volume = Volume(
        voxels_hu=hu,
        geometry=grid,
        study=STUDY,
        series=SeriesIdentity(
            series_instance_uid=SERIES_UID,
            series_number=4,
            series_description="Portal venous 3.0",
            phase=ContrastPhase.PORTAL_VENOUS,
        ),
        slice_sources=tuple((reference,) for reference in references),
        headers=headers,
    )
    return volume, liver, labels


def resampled(volume: Volume) -> Volume:
    """The same volume declared as resampled: every slice rests on two source images."""
    sources = [s[0] for s in volume.slice_sources]
    pairs = [*pairwise(sources), (sources[-1], sources[-2])]
    return replace(
        volume,
        voxels_hu=volume.voxels_hu.copy(),
        slice_sources=tuple(pairs),
        is_source_grid=False,
        notes=("Resampled to even slice spacing: gaps of 3 mm to 3.4 mm were found",),
    )


def _longest(points: NDArray[np.float64]) -> tuple[float, int, int]:
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    i, j = np.unravel_index(int(gaps.argmax()), gaps.shape)
    return float(gaps[i, j]), int(i), int(j)


def _diameter(points: NDArray[np.float64], slice_index: int | None) -> Diameter:
    length, i, j = _longest(points)
    ends = tuple(tuple(map(float, points[n])) for n in (i, j))
    return Diameter(length_mm=length, ends_mm=ends, slice_index=slice_index)


def _short_axis(points: NDArray[np.float64], long_axis: Diameter) -> Diameter:
    along = np.subtract(*np.array(long_axis.ends_mm))
    along = along / np.linalg.norm(along)
    gaps = points[:, None] - points[None]
    lengths = np.linalg.norm(gaps, axis=-1)
    square = np.abs(gaps @ along) <= 0.1 * np.maximum(lengths, 1e-9)
    i, j = np.unravel_index(int(np.where(square, lengths, 0).argmax()), lengths.shape)
    ends = tuple(tuple(map(float, points[n])) for n in (i, j))
    return Diameter(length_mm=float(lengths[i, j]), ends_mm=ends, slice_index=long_axis.slice_index)


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    inner = padded.copy()
    for axis in range(3):
        inner &= np.roll(padded, 1, axis) & np.roll(padded, -1, axis)
    return np.asarray((padded & ~inner)[1:-1, 1:-1, 1:-1])


def _lesion(number: int, volume: Volume, labels: NDArray[np.uint8]) -> Lesion:
    grid, mask = volume.geometry, labels == number
    index = np.argwhere(mask).astype(np.float64)
    best = int(np.bincount(index[:, 0].astype(int)).argmax())
    in_slice = grid.to_patient(index[index[:, 0] == best])
    long_axis = _diameter(in_slice, best)
    shell = grid.to_patient(np.argwhere(_surface(mask))[::3].astype(np.float64))
    return Lesion(
        number=number,
        tracking_id=f"Lesion {number}",
        tracking_uid=f"2.25.5000{number}",
        volume_ml=float(mask.sum() * grid.spacing.voxel_ml),
        centroid_mm=tuple(map(float, grid.to_patient(index.mean(0)))),
        long_axis=long_axis,
        short_axis=_short_axis(in_slice, long_axis),
        maximum_3d_diameter=_diameter(shell, None),
        capsule_distance_mm=4.25 * number,
        confidence=0.97 - 0.11 * number,
        mean_hu=float(volume.voxels_hu[mask].mean()),
        source=volume.slice_sources[best][0],
    )


def make_findings(
    volume: Volume, liver: NDArray[np.bool_], labels: NDArray[np.uint8]
) -> LesionFindings:
    """Measure the phantom's own masks."""
    grid = volume.geometry
    lesions = tuple(_lesion(n, volume, labels) for n in range(1, int(labels.max()) + 1))
    sizes = [lesion.long_axis.length_mm for lesion in lesions]
    liver_ml = float(liver.sum() * grid.spacing.voxel_ml)
    total = float((labels > 0).sum() * grid.spacing.voxel_ml)
    largest, number = max(sizes, default=0.0), len(sizes)
    burden = TumorBurden(
        number=number,
        largest_mm=largest,
        sum_mm=sum(sizes),
        total_volume_ml=total,
        liver_volume_ml=liver_ml,
        tumor_fraction=total / liver_ml,
        tumor_burden_score=float(np.hypot(largest / 10, number)) if number else None,
        within_milan=(number <= 3 and largest <= 30) if number else None,
        within_ucsf=(number <= 3 and largest <= 45) if number else None,
        within_up_to_seven=(largest / 10 + number <= 7) if number else None,
    )
    return LesionFindings(
        liver=liver,
        lesion_labels=labels,
        geometry=grid,
        lesions=lesions,
        burden=burden,
        liver_centroid_mm=tuple(map(float, grid.to_patient(np.argwhere(liver).mean(0)))),
    )


def _features(findings: LesionFindings) -> tuple[FeatureSet, ...]:
    return tuple(
        FeatureSet(
            region=lesion.tracking_id,
            phase=ContrastPhase.PORTAL_VENOUS,
            features=(
                Feature(
                    name="Volume (mesh)",
                    ibsi_code="RNU0",
                    family="Morphology",
                    value=lesion.volume_ml * 998.0,
                    unit="mm3",
                ),
                Feature(
                    name="Sphericity", ibsi_code="QCFX", family="Morphology", value=0.91, unit="1"
                ),
                Feature(
                    name="Mean intensity",
                    ibsi_code="Q4LE",
                    family="Intensity statistics",
                    value=lesion.mean_hu,
                    unit="[hnsf'U]",
                ),
                Feature(
                    name="Intensity histogram entropy",
                    ibsi_code="TLU2",
                    family="Intensity histogram",
                    value=2.75,
                    unit="1",
                ),
                Feature(
                    name="Ring contrast",
                    ibsi_code="",
                    family="HepatoCast",
                    value=float("nan"),
                    unit="1",
                    reason="The ring leaves the liver",
                ),
            ),
            settings={"bin_size_hu": 25, "lower_bound_hu": -500},
        )
        for lesion in findings.lesions
    )


SCORES = (
    Score(
        name="ALBI",
        value=-2.61,
        unit="1",
        category="grade 1",
        inputs=(
            ScoreInput(name="albumin", value=41.0, unit="g/L", source="labs.csv row 2"),
            ScoreInput(
                name="bilirubin_total", value=14.0, unit="umol/L", source="FHIR Observation/12"
            ),
        ),
        missing=(),
        citation="doi:10.1200/JCO.2014.57.9151",
        confirmed=True,
        caveats=("Liver function only; derived before resection in HCC.",),
    ),
    Score(
        name="FIB-4",
        value=None,
        unit="1",
        category="",
        inputs=(
            ScoreInput(name="age", value=64.0, unit="a", source="images"),
            ScoreInput(name="platelets", value=None, unit="10*9/L"),
        ),
        missing=("platelets",),
        citation="doi:10.1002/hep.21178",
        confirmed=True,
    ),
)
PREDICTION = RiskPrediction(
    package="phantom-risk 0.1.0",
    outcome="Recurrence-free survival after resection",
    times_months=(0.0, 6.0, 12.0, 24.0, 36.0, 60.0),
    survival=(1.0, 0.91, 0.80, 0.66, 0.55, 0.41),
    lower=(1.0, 0.86, 0.72, 0.55, 0.43, 0.28),
    upper=(1.0, 0.95, 0.87, 0.76, 0.67, 0.55),
    interval="95 % bootstrap interval",
    risk_group="intermediate",
    linear_predictor=0.42,
    percentile=63.0,
    contributions=(
        Contribution(predictor="Tumor burden score", value=3.9, effect=0.31, unit="1"),
        Contribution(
            predictor="AFP", value=18.0, effect=-0.12, unit="ng/mL", code="1834-1", code_system="LN"
        ),
    ),
    used_modalities=("CT", "laboratory"),
    missing=("Microvascular invasion: unknown before surgery, model does without",),
    flags=("Age outside the development cohort's 5th to 95th percentile",),
    limits=("Developed on one cohort; not validated at this site.",),
    group_curves=(
        GroupCurve(name="low", survival=(1.0, 0.97, 0.93, 0.87, 0.82, 0.74)),
        GroupCurve(name="intermediate", survival=(1.0, 0.92, 0.82, 0.69, 0.58, 0.45)),
        GroupCurve(name="high", survival=(1.0, 0.80, 0.60, 0.38, 0.26, 0.14)),
    ),
    package_sha256="7c" * 32,
)
NOMOGRAM = Nomogram(
    title="phantom-risk 0.1.0: Recurrence-free survival after resection",
    axes=(
        NomogramAxis(
            label="Tumor burden score",
            ticks=(NomogramTick(label="1", effect=0.0), NomogramTick(label="9", effect=0.8)),
            patient=NomogramTick(label="3.9", effect=0.29),
        ),
        NomogramAxis(
            label="AFP, ng/mL",
            ticks=(NomogramTick(label="0", effect=0.0), NomogramTick(label="400", effect=0.4)),
            patient=NomogramTick(label="18", effect=0.13),
        ),
    ),
    scales=(
        NomogramAxis(
            label="Event-free at 24 months",
            ticks=(NomogramTick(label="0.8", effect=0.1), NomogramTick(label="0.4", effect=1.1)),
        ),
    ),
    note="Additive model. Research use only.",
)
RECORD = ClinicalRecord(
    reference_date=datetime.date(2024, 3, 11),
    observations=(
        Observation(
            analyte="afp",
            code="1834-1",
            code_system="LN",
            value=18.0,
            unit="ng/mL",
            observed_on=datetime.date(2024, 3, 1),
            source="spreadsheet:labs.csv row 2",
            name="Alpha-fetoprotein",
        ),
        Observation(
            analyte="albumin",
            code="1751-7",
            code_system="LN",
            value=41.0,
            unit="g/L",
            observed_on=datetime.date(2024, 3, 1),
            source="spreadsheet:labs.csv row 2",
            name="Albumin",
            received="4.1 g/dL",
        ),
        Observation(
            analyte="bilirubin_total",
            code="1975-2",
            code_system="LN",
            value=14.0,
            unit="umol/L",
            observed_on=datetime.date(2024, 3, 4),
            source="FHIR Observation/12",
            name="Total bilirubin",
        ),
    ),
    rejections=(
        Rejection(
            analyte="platelets",
            source="labs.csv row 9",
            reason="older than 90 days",
            observed_on=datetime.date(2023, 10, 1),
            kind=RejectionKind.STALE,
            name="Platelets",
        ),
    ),
    sources=("spreadsheet:labs.csv: 3 values",),
    courses=(
        Course(
            analyte="afp",
            name="Alpha-fetoprotein",
            unit="ng/mL",
            points=(
                CoursePoint(observed_on=datetime.date(2023, 9, 1), value=7.0),
                CoursePoint(observed_on=datetime.date(2023, 12, 4), value=11.0),
                CoursePoint(observed_on=datetime.date(2024, 3, 1), value=18.0),
            ),
        ),
    ),
)


def make_context(job_id: str = "job-1") -> AnalysisContext:
    """A context with a fixed moment."""
    return AnalysisContext(job_id=job_id, created_at=CREATED_AT, software_version="0.1.0")


def make_result(
    orientation: str = "axial",
    *,
    lesions: tuple[Ball, ...] = TWO_LESIONS,
    enhanced: bool = False,
    pixel_mm: float = SMALL,
) -> AnalysisResult:
    """A full analysis result of the phantom."""
    volume, liver, labels = make_volume(
        orientation, lesions=lesions, enhanced=enhanced, pixel_mm=pixel_mm
    )
    findings = make_findings(volume, liver, labels)
    return AnalysisResult(
        context=make_context(),
        model=ModelIdentity(
            name="liver-ct-compact",
            version="0.1.0",
            sha256="5f" * 32,
            intended_use="Research on segmentation of liver and liver tumors in CT.",
            limits=(
                "Trained on portal venous CT of adults.",
                "Lesions under 10 mm are often missed.",
            ),
        ),
        device=ComputeDevice(
            requested="auto", execution_provider="CPUExecutionProvider", onnxruntime_version="1.26"
        ),
        reference=volume,
        phases=(),
        series_decisions=(
            SeriesDecision(
                series_instance_uid=SERIES_UID,
                description="Portal venous 3.0",
                phase=ContrastPhase.PORTAL_VENOUS,
                role="reference",
                reason="Portal venous by header and pixels, 3 mm slices",
                evidence={"aorta_hu": 152.0, "header": "portal"},
            ),
            SeriesDecision(
                series_instance_uid="2.25.2001",
                description="Scout",
                phase=ContrastPhase.UNKNOWN,
                role="refused",
                reason="Localizer image",
                evidence={"image_type": "LOCALIZER"},
            ),
        ),
        findings=findings,
        features=_features(findings),
        clinical=RECORD,
        scores=SCORES,
        predictions=(PREDICTION,) if findings.lesions else (),
        nomograms=(NOMOGRAM,) if findings.lesions else (),
        refusals=(Refusal(name="resection-os 0.2.0", reason="AFP older than 90 days"),),
        warnings=("Slice 12 is noisier than the rest",),
        stage_seconds=(("series", 0.5), ("segmentation", 12.25)),
    )


@cache
def cached_result(orientation: str = "axial") -> AnalysisResult:
    """A result that tests share; values are frozen, so nobody can spoil it."""
    return make_result(orientation)


def make_not_analyzed() -> NotAnalyzed:
    """A refused study."""
    volume, _, _ = make_volume()
    return NotAnalyzed(
        context=make_context(),
        study=STUDY,
        headers=volume.headers[:2],
        reason="No eligible series: slice spacing 7.5 mm, at most 5 mm",
        series_decisions=(
            SeriesDecision(
                series_instance_uid=SERIES_UID,
                description="Portal venous 7.5",
                phase=ContrastPhase.PORTAL_VENOUS,
                role="refused",
                reason="Slice spacing 7.5 mm, at most 5 mm",
                evidence={},
            ),
        ),
    )
