"""Clinical values with their provenance (DESIGN decision 11)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class RejectionKind(StrEnum):
    """Why an offered value is not used, in one word for reports and filters."""

    STALE = "stale"
    FUTURE = "future"
    CONFLICTING = "conflicting"
    IMPLAUSIBLE = "implausible"
    UNDATED = "undated"
    UNIT = "unit"
    STATUS = "status"
    REPLACED = "replaced"
    UNREADABLE = "unreadable"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One clinical value as a source gave it, unit converted.

    Attributes:
        analyte: Short stable key ("afp", "bilirubin_total", "albumin", "age", "sex" …);
            the list is engine.clinical.analytes.
        code: Code value in ``code_system``.
        code_system: "LN" (LOINC) or "SCT".
        value: Number in ``unit``, or a coded word ("present", "absent", "male").
        unit: UCUM unit; "1" for pure numbers and coded words.
        observed_on: Day the value belongs to; None when the source gave none.
        source: Where it came from ("spreadsheet:labs.csv row 4", "FHIR Observation/12").
        status: FHIR observation status ("final", "amended" …).
        imputed: True when a declared policy filled it in.
        name: What a report prints ("Total bilirubin"); empty when the maker gave none.
        received: Value and unit as the source sent them ("1.2 mg/dL"); empty when not kept.
        observed_at: Local moment of that day; None when the source gave no time.
    """

    analyte: str
    code: str
    code_system: str
    value: float | str = field(repr=False)
    unit: str
    observed_on: date | None = field(default=None, repr=False)
    source: str = ""
    status: str = "final"
    imputed: bool = False
    name: str = ""
    received: str = field(default="", repr=False)
    observed_at: datetime | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A value that was offered and not used, with the reason (no value, no PHI).

    Attributes:
        observed_on: Day the value belongs to; None when unknown.
        kind: The reason in one word.
        name: What a report prints; empty when the maker gave none.
    """

    analyte: str
    source: str
    reason: str
    observed_on: date | None = field(default=None, repr=False)
    kind: RejectionKind = RejectionKind.OTHER
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoursePoint:
    """One dated number of a course, in the course's unit."""

    observed_on: date = field(repr=False)
    value: float = field(repr=False)
    source: str = ""
    imputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One quantity over time: an analyte, or a score computed day by day (ALBI).

    Attributes:
        analyte: Analyte key, or "albi".
        name: What a report prints.
        unit: UCUM unit of every value; "1" for an index.
        points: At least one, one per day, oldest first, none after the reference date.
    """

    analyte: str
    name: str
    unit: str
    points: tuple[CoursePoint, ...]

    @property
    def latest(self) -> CoursePoint:
        """The newest point."""
        return self.points[-1]

    @property
    def change(self) -> float | None:
        """Newest value minus the one before it, in ``unit``; None for a single point."""
        if len(self.points) < 2:
            return None
        return self.points[-1].value - self.points[-2].value

    @property
    def days(self) -> int:
        """Days from the oldest point to the newest."""
        return (self.points[-1].observed_on - self.points[0].observed_on).days


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalRecord:
    """What is known of one patient on the reference date.

    Attributes:
        reference_date: Imaging or surgery date the values were selected for.
        observations: The selected value per analyte (at most one each).
        history: Every accepted value, oldest first, for trajectories.
        rejections: Stale, future, conflicting or impossible values.
        sources: The sources asked, with what each answered.
        courses: Every numeric analyte with a dated value, and ALBI, over time.
    """

    reference_date: date | None = field(default=None, repr=False)
    observations: tuple[Observation, ...] = ()
    history: tuple[Observation, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    sources: tuple[str, ...] = ()
    courses: tuple[Course, ...] = ()

    def find(self, analyte: str) -> Observation | None:
        """The selected observation of an analyte, or None."""
        return next((o for o in self.observations if o.analyte == analyte), None)

    def find_course(self, analyte: str) -> Course | None:
        """The course of an analyte ("afp", "pivka_ii", "albi" …), or None."""
        return next((c for c in self.courses if c.analyte == analyte), None)

    def age_days(self, observed_on: date | None) -> int | None:
        """Days from a value's day to the reference date; None when either is unknown."""
        if observed_on is None or self.reference_date is None:
            return None
        return (self.reference_date - observed_on).days

    def rejected(self, kind: RejectionKind) -> tuple[Rejection, ...]:
        """Rejections of one kind, in order."""
        return tuple(r for r in self.rejections if r.kind is kind)
