"""The PDF on what the hospital knows: values, trajectories, scores, and what was missing."""

from reportlab.platypus import Flowable, KeepTogether, Spacer, Table

from engine.reporting.clinical_words import (
    availability,
    given_text,
    input_name,
    is_measured,
    observation_name,
    prevented,
    quantity,
    score_result,
    unit_text,
)
from engine.reporting.pdf_style import BARE, TEXT_WIDTH, callout, heading, paragraph, table
from engine.reporting.pdf_trends import TRAJECTORIES, CourseChart, Sparkline
from engine.values.clinical import ClinicalRecord, Observation
from engine.values.prognosis import Score
from engine.values.result import AnalysisResult

VALUE_WIDTHS = (0.32, 1.9, 1.25, 0.95, 0.6, 1.5, 2.4)
ROOM = 320.0
"""The values begin a new page rather than run over one."""
NOTE_ON_AGE = (
    "Age: days before the reference date. A value older than its kind may be, later than the "
    "reference date, contradicted by another or outside its plausible range is not used; it is "
    "listed below with the reason. Reference ranges of laboratories are not read."
)


def clinical_data(result: AnalysisResult) -> list[Flowable]:
    """What was known of the patient, where from, how old, and how it developed."""
    record = result.clinical
    parts = heading("Clinical data", ROOM)
    if told := availability(record):
        parts.append(callout(told, caution=True))
    if record is None:
        return parts
    if record.observations:
        day = record.reference_date.isoformat() if record.reference_date else "unknown"
        parts += [
            paragraph(f"Reference date {day}. Sources: {'; '.join(record.sources) or '–'}."),
            _values(record),
            Spacer(1, 3),
            paragraph(NOTE_ON_AGE, "small"),
        ]
    return [*parts, *_trajectories(record), *_unused(record)]


def _values(record: ClinicalRecord) -> Table:
    heads = ("#", "Value", "Result", "Date", "Age, d", "Trend", "Source")
    rows: list[tuple[str | Flowable, ...]] = [heads]
    for number, observation in enumerate(record.observations, 1):
        age = record.age_days(observation.observed_on)
        rows.append(
            (
                str(number),
                observation_name(observation),
                _result(observation),
                observation.observed_on.isoformat() if observation.observed_on else "no date",
                "–" if age is None else str(age),
                _trend(record, observation),
                observation.source,
            )
        )
    return table(rows, VALUE_WIDTHS)


def _result(observation: Observation) -> str:
    shown = quantity(observation.value, observation.unit)
    received = observation.received.replace("{INR}", "").strip()
    if not received or _same(received, shown):
        return shown
    return f"{shown} (sent as {received})"


def _same(received: str, shown: str) -> bool:
    """Tell whether a value was sent as it is shown, spelling of the unit aside."""
    number, _, unit = received.partition(" ")
    told, _, told_unit = shown.partition(" ")
    try:
        equal = float(number) == float(told)
    except ValueError:
        return received.casefold() == shown.casefold()
    return equal and unit_text(unit) in (told_unit, unit_text("1"))


def _trend(record: ClinicalRecord, observation: Observation) -> str | Flowable:
    course = record.find_course(observation.analyte)
    if course is None or len(course.points) < 2:
        return ""
    width = TEXT_WIDTH * VALUE_WIDTHS[5] / sum(VALUE_WIDTHS) - 6
    return Sparkline(course, width)


def _trajectories(record: ClinicalRecord) -> list[Flowable]:
    """Charts of tumor markers and liver function; a course of one value has no direction."""
    found = [record.find_course(analyte) for analyte in TRAJECTORIES]
    courses = [course for course in found if course is not None and len(course.points) > 1]
    if not courses:
        return []
    width = TEXT_WIDTH / 3
    charts: list[Flowable | str] = [
        CourseChart(course, record.reference_date, width - 10) for course in courses
    ]
    charts += [""] * (3 - len(charts))
    row = Table([charts], colWidths=[width] * 3, style=BARE)
    return [KeepTogether([paragraph("Trajectories", "subsection"), row])]


def _unused(record: ClinicalRecord) -> list[Flowable]:
    if not record.rejections:
        return []
    rows: list[tuple[str | Flowable, ...]] = [("Value not used", "Date", "Why", "Reason", "Source")]
    rows += [
        (
            rejection.name or input_name(rejection.analyte),
            rejection.observed_on.isoformat() if rejection.observed_on else "–",
            rejection.kind.value,
            rejection.reason,
            rejection.source,
        )
        for rejection in record.rejections
    ]
    return [
        paragraph("Values that were offered and not used", "subsection"),
        table(rows, (1.7, 0.95, 0.95, 3.0, 2.2)),
    ]


def scores(result: AnalysisResult) -> list[Flowable]:
    """Computed scores with inputs, class, citation, population, caveats."""
    computed = [score for score in result.scores if score.value is not None]
    if not computed:
        return []
    numbers = {}
    if result.clinical is not None:
        numbers = {o.analyte: n for n, o in enumerate(result.clinical.observations, 1)}
    rows: list[tuple[str | Flowable, ...]] = [
        ("Score", "Result", "Inputs", "Population and caveats", "Source")
    ]
    rows += [
        (
            score.name + ("" if score.confirmed else " (unconfirmed)"),
            score_result(score),
            paragraph(_inputs(score, numbers, result.clinical), "fine"),
            paragraph(_caveats(score), "fine"),
            paragraph(score.citation, "fine"),
        )
        for score in computed
    ]
    note = (
        "[n] is the number of the value in the table of clinical data; [CT] is measured on these "
        "images; [header] is from the DICOM header."
    )
    return [
        *heading("Published scores"),
        table(rows, (1.2, 1.2, 2.8, 3.3, 2.1)),
        Spacer(1, 3),
        paragraph(note, "small"),
    ]


def _inputs(score: Score, numbers: dict[str, int], record: ClinicalRecord | None) -> str:
    told = []
    for given in score.inputs:
        name = input_name(given.name, record)
        if given.value is None:
            told.append(f"{name}: not known")
            continue
        if is_measured(given):
            mark = "CT"
        elif given.source == "DICOM header":
            mark = "header"
        else:
            mark = str(numbers.get(given.name, given.source))
        told.append(f"{name} {given_text(given)} [{mark}]")
    return "; ".join(told)


def _caveats(score: Score) -> str:
    parts = [score.population, score.validation, *score.caveats]
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts if part)


def missing(result: AnalysisResult) -> list[Flowable]:
    """What was missing, and which scores that prevented."""
    entries = prevented(result.scores)
    if not entries:
        return []
    rows: list[tuple[str | Flowable, ...]] = [("Missing or out of bounds", "Kept from computing")]
    rows += [(input_name(name, result.clinical), ", ".join(names)) for name, names in entries]
    return [
        *heading("What was missing, and what that prevented"),
        table(rows, (2.2, 4.6)),
    ]
