"""The first page's overview: what a tumor board asks first, each with where to read on."""

from reportlab.platypus import Flowable, KeepTogether

from engine.reporting.clinical_words import availability, quantity, score_result, unit_text
from engine.reporting.forecast_words import headline, is_forecast
from engine.reporting.pdf_style import table
from engine.values.clinical import ClinicalRecord, Course
from engine.values.prognosis import RiskPrediction, Score
from engine.values.result import AnalysisResult

LIVER_FUNCTION = ("ALBI", "Child-Pugh", "MELD 3.0")
STAGES = (
    "BCLC 2022",
    "CNLC",
    "AJCC TNM 8",
    "Milan criteria",
    "UCSF criteria",
    "Up-to-seven criteria",
)
MARKERS = ("afp", "pivka_ii")


def glance(result: AnalysisResult) -> list[Flowable]:
    """One row per question: function, stage, markers, forecast, what is missing."""
    rows: list[tuple[str | Flowable, ...]] = [("At a glance", "")]
    rows += [
        ("Liver function", _of(result.scores, LIVER_FUNCTION)),
        ("Stage, criteria", _of(result.scores, STAGES)),
        ("Tumor markers", _markers(result.clinical)),
    ]
    rows += [(prediction.outcome, _told(prediction)) for prediction in result.predictions]
    rows += [(r.name, f"refused: {r.reason}") for r in result.refusals if is_forecast(r)]
    rows.append(("Clinical data", _data(result)))
    return [KeepTogether([table(rows, (1.3, 5.2))])]


def _of(scores: tuple[Score, ...], names: tuple[str, ...]) -> str:
    """Computed scores among those named; the others are said to be missing."""
    found = {score.name: score for score in scores}
    told = [
        f"{name} {score_result(found[name])}"
        for name in names
        if name in found and found[name].value is not None
    ]
    absent = [name for name in names if name in found and found[name].value is None]
    if absent:
        told.append(f"not computed: {', '.join(absent)}")
    return "; ".join(told) or "none"


def _markers(record: ClinicalRecord | None) -> str:
    told = []
    for analyte in MARKERS:
        observation = record.find(analyte) if record is not None else None
        if record is None or observation is None:
            continue
        age = record.age_days(observation.observed_on)
        old = "" if age is None else f", {age} d before the reference date"
        value = quantity(observation.value, observation.unit)
        told.append(
            f"{observation.name or analyte.upper()} {value}{old}{_direction(record, analyte)}"
        )
    return "; ".join(told) or "none given"


def _direction(record: ClinicalRecord, analyte: str) -> str:
    course: Course | None = record.find_course(analyte)
    if course is None or len(course.points) < 2:
        return ""
    before = course.points[-2]
    days = (course.latest.observed_on - before.observed_on).days
    word = "unchanged from" if course.change == 0 else "up from"
    if course.change is not None and course.change < 0:
        word = "down from"
    return f", {word} {before.value:.3g} {unit_text(course.unit)} {days} d earlier".replace(
        "  ", " "
    )


def _told(prediction: RiskPrediction) -> str:
    cautions = len(prediction.flags)
    more = f" {cautions} caution{'s' if cautions > 1 else ''}, see Prognosis." if cautions else ""
    return headline(prediction) + more


def _data(result: AnalysisResult) -> str:
    record = result.clinical
    if told := availability(record):
        return told
    used = len(record.observations) if record is not None else 0
    unused = len(record.rejections) if record is not None else 0
    refused = sum(score.value is None for score in result.scores)
    return (
        f"{used} value{'s' * (used != 1)} used, {unused} offered and not used; {refused} "
        f"score{'s' * (refused != 1)} not computed for want of values."
    )
