"""Published scores and model predictions for one patient."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreInput:
    """One input of a score: ``value`` None when missing."""

    name: str
    value: float | str | None = field(repr=False)
    unit: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A published score, computed exactly or refused by name.

    Attributes:
        name: "ALBI".
        value: Result; None when refused.
        unit: UCUM unit of the result ("1" for an index).
        category: Class or grade in the paper's words ("grade 2"); empty when refused.
        inputs: Everything the score needs, with what was there.
        missing: Names of the inputs that were missing or out of the paper's bounds.
        citation: DOI of the source.
        confirmed: False when a coefficient could not be found in a source; such scores
            are off by default.
        caveats: Population, limits, disagreements between sources.
        loinc: LOINC code of the score where one exists.
        population: Whom the paper studied.
        validation: Published discrimination or outcome figure; empty when none was confirmed.
    """

    name: str
    value: float | None = field(repr=False)
    unit: str
    category: str
    inputs: tuple[ScoreInput, ...]
    missing: tuple[str, ...]
    citation: str
    confirmed: bool
    caveats: tuple[str, ...] = ()
    loinc: str = ""
    population: str = ""
    validation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """How one predictor moved the linear predictor away from the cohort's mean.

    Attributes:
        unit: UCUM unit of ``value``; empty for a word or when unknown.
        code, code_system: Code of the value; empty where none fits.
    """

    predictor: str
    value: float | str | None = field(repr=False)
    effect: float
    unit: str = ""
    code: str = ""
    code_system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCurve:
    """Mean predicted survival of one risk group of the development cohort.

    Attributes:
        name: Group name of the package ("high").
        survival: Probability of being event-free on the prediction's time grid.
    """

    name: str
    survival: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalBound:
    """A time that a stated share of patients outlives.

    Attributes:
        confidence: Share of patients, on average, who stay event-free at least that long.
        months: The bound.
        at_end: True when the bound is the end of the prediction's time grid: the true one
            lies later.
    """

    confidence: float
    months: float
    at_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPrediction:
    """Survival prediction of one risk package for one patient.

    Attributes:
        package: "name version" of the risk package.
        outcome: "Recurrence-free survival after resection".
        times_months: Time grid, ascending.
        survival: Probability of being event-free at each time, 0..1.
        lower, upper: Interval bounds at each time; ``interval`` says which interval.
        interval: "95 % bootstrap interval".
        risk_group: Group name of the package ("high").
        linear_predictor: Higher means higher risk.
        percentile: Of the linear predictor in the development cohort, 0..100.
        contributions: Per predictor, largest first.
        used_modalities: What the prediction rests on.
        missing: Predictors that were missing and how that was handled.
        flags: Out-of-distribution and extrapolation warnings.
        limits: Sentences the report must carry.
        contribution_base: Linear predictor before any contribution; with them it sums to
            ``linear_predictor``.
        contribution_method: "TreeSHAP, path-dependent"; empty without contributions.
        lower_bounds: Lower bounds on the time to the event, ascending confidence.
        lower_bound: What kind of bound; empty without.
        group_curves: Curves of the development cohort's risk groups, lowest risk first;
            empty where the model's form gives none.
        package_sha256: Checksum of the risk package; empty when unknown.
        origin: What time zero is ("resection"); empty when unknown.
    """

    package: str
    outcome: str
    times_months: tuple[float, ...]
    survival: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    interval: str
    risk_group: str
    linear_predictor: float
    percentile: float
    contributions: tuple[Contribution, ...] = ()
    used_modalities: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    contribution_base: float = 0.0
    contribution_method: str = ""
    lower_bounds: tuple[SurvivalBound, ...] = ()
    lower_bound: str = ""
    group_curves: tuple[GroupCurve, ...] = ()
    package_sha256: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A model or score that was not computed, and why."""

    name: str
    reason: str
