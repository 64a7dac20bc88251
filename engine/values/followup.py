"""Two examinations of one patient held against each other."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from engine.values.prognosis import Refusal, RiskPrediction


class LesionCourse(StrEnum):
    """What became of lesions between two examinations."""

    MATCHED = "matched"
    NEW = "new"
    DISAPPEARED = "disappeared"
    SPLIT = "split"
    MERGED = "merged"
    ENTANGLED = "split and merged"


class Response(StrEnum):
    """Response categories of RECIST 1.1 and mRECIST."""

    COMPLETE = "complete response"
    PARTIAL = "partial response"
    STABLE = "stable disease"
    PROGRESSION = "progressive disease"
    NON_CR_NON_PD = "non-CR/non-PD"
    NO_DISEASE = "no disease"
    NOT_DECIDED = "not decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionSize:
    """One lesion at one time.

    Attributes:
        number: In its own result.
        tracking_uid: In its own result.
        long_axis_mm: Longest diameter in the axial plane.
        volume_ml: Volume.
    """

    number: int
    tracking_uid: str
    long_axis_mm: float
    volume_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionGroup:
    """Lesions of both examinations that belong together.

    Attributes:
        course: What became of them.
        baseline: Lesions at baseline; empty for a new one.
        followup: Lesions at follow-up; empty for one that disappeared.
        evidence: Why they belong together ("82 % of the smaller overlaps").
        is_target: Whether the group counts in the sum of target diameters.
        baseline_mm: Its share in the baseline sum.
        followup_mm: Its share in the follow-up sum: 0 when it disappeared, the sum of the
            parts when it split, the merged lesion's diameter (RECIST 1.1, 4.3.2).
    """

    course: LesionCourse
    baseline: tuple[LesionSize, ...]
    followup: tuple[LesionSize, ...]
    evidence: str
    is_target: bool = False
    baseline_mm: float = 0.0
    followup_mm: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseAssessment:
    """One set of criteria applied.

    Attributes:
        criteria: "RECIST 1.1" or "mRECIST", with its DOI.
        baseline_sum_mm, followup_sum_mm, nadir_sum_mm: Sums over target lesions; None where
            they cannot be told.
        change_from_baseline, change_from_nadir: Fractions (0.2 is 20 %); None likewise.
        target, non_target, overall: Categories.
        rules: The rules that led to them, in order.
        undecided: What cannot be decided from these data, and why.
    """

    criteria: str
    baseline_sum_mm: float | None
    followup_sum_mm: float | None
    nadir_sum_mm: float | None
    change_from_baseline: float | None
    change_from_nadir: float | None
    target: Response
    non_target: Response
    overall: Response
    rules: tuple[str, ...]
    undecided: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerTrend:
    """A laboratory value at both examinations.

    Attributes:
        analyte: "afp".
        unit: UCUM.
        baseline, followup: Values.
        baseline_on, followup_on: Their days; None when a source gave none.
        change: Fraction of the baseline value; None when that is 0.
        doubling_days: Days in which a rising value doubles; None when it does not rise or a
            day is missing.
    """

    analyte: str
    unit: str
    baseline: float = field(repr=False)
    followup: float = field(repr=False)
    baseline_on: date | None = field(repr=False)
    followup_on: date | None = field(repr=False)
    change: float | None = field(repr=False)
    doubling_days: float | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """One of the two examinations.

    Attributes:
        study_instance_uid, series_instance_uid, job_id: Where its result comes from.
        day: Study date; None when the images have none.
        phase: Contrast phase of the reference series.
        liver_ml, tumor_ml: Volumes.
        is_corrected: Whether a person corrected the contours.
    """

    study_instance_uid: str
    series_instance_uid: str
    job_id: str
    day: date | None = field(repr=False)
    phase: str
    liver_ml: float
    tumor_ml: float
    is_corrected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything a follow-up says.

    Attributes:
        baseline, followup: The examinations.
        groups: What became of each lesion; baseline order, then new ones.
        assessments: RECIST 1.1 and mRECIST.
        markers: Laboratory trends.
        predictions: Risk from values over time, where a dynamic package applies.
        alignment: How the two were laid on each other, and how well.
        warnings: What a reader must know.
        refusals: Risk packages that gave no answer, and why.
    """

    baseline: TimePoint
    followup: TimePoint
    groups: tuple[LesionGroup, ...]
    assessments: tuple[ResponseAssessment, ...]
    markers: tuple[MarkerTrend, ...]
    predictions: tuple[RiskPrediction, ...]
    alignment: str
    warnings: tuple[str, ...]
    refusals: tuple[Refusal, ...] = ()
