"""Clinical values with their provenance (DESIGN decision 11)."""

from dataclasses import dataclass, field
from datetime import date


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A value that was offered and not used, with the reason (no value, no PHI)."""

    analyte: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalRecord:
    """What is known of one patient on the reference date.

    Attributes:
        reference_date: Imaging or surgery date the values were selected for.
        observations: The selected value per analyte (at most one each).
        history: Every accepted value, oldest first, for trajectories.
        rejections: Stale, future, conflicting or impossible values.
        sources: The sources asked, with what each answered.
    """

    reference_date: date | None = field(default=None, repr=False)
    observations: tuple[Observation, ...] = ()
    history: tuple[Observation, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    sources: tuple[str, ...] = ()

    def find(self, analyte: str) -> Observation | None:
        """The selected observation of an analyte, or None."""
        return next((o for o in self.observations if o.analyte == analyte), None)
