"""What a risk package declares about itself, as frozen values.

A risk package is a folder ``models/<name>/<version>/`` with ``manifest.toml``, one ONNX
graph per model, a model card, a license and a reference case. Its models are ordered:
the first one whose required predictors are all there is used, so a patient with fewer
values falls back to a declared subset model and the report says which.

Every graph has the same interface (n patients, p predictors, T times, B resamples):

    values            float64 (n, p)    predictor values; content ignored where not observed
    observed          bool    (n, p)    the missing mask
    linear_predictor  float64 (n,)      higher means higher risk
    survival          float64 (n, T)    on the manifest's time grid
    contributions     float64 (n, p)    optional; sums to linear_predictor
    contribution_base float64 (n,)      optional; joins that sum, 0 where it is absent
    survival_samples  float64 (n, B, T) optional; bootstrap refits of the model
    distance          float64 (n,)      optional; Mahalanobis distance to the cohort

Contributions that cost more than the prediction (trees, fusions) come from a graph of their
own with the same inputs, so that a batch of patients does not pay for them.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.values.provenance import ModelIdentity


class PredictorSource(StrEnum):
    """Where the value of a predictor comes from."""

    RECORD = "record"
    BURDEN = "burden"
    TRAJECTORY = "trajectory"
    SCORE = "score"
    MEASUREMENT = "measurement"


class Encoding(StrEnum):
    """How a source value becomes the model's number.

    NUMBER takes it as it is, WORDS looks a coded word up, RAMP is 0 up to ``lower``,
    1 from ``upper`` on, and rises with the logarithm between them: the expected class
    when the development cohort's cut-off is only known to lie in that range.
    """

    NUMBER = "number"
    WORDS = "words"
    RAMP = "ramp"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPredictor:
    """One named input of a risk package.

    Attributes:
        name: Column name in the graph and in cohort tables.
        label: Words for reports ("AFP above the cohort's cut-off").
        source: Kind of source; ``key`` names the value in it: an analyte, a field of
            TumorBurden, "analyte:summary" for a trajectory, a score's name or a
            measurement's name.
        unit: UCUM unit the source value must have.
        code, code_system: Code of the source value ("1834-1", "LN"); empty where none fits.
        modality: "clinical", "imaging", "pathology", "omics" or "radiomics".
        words: For WORDS: coded word → number.
        lower, upper: For RAMP: bounds of the cut-off range, in ``unit``.
        ceiling: Larger numbers count as this one, as they did in the development cohort.
        plausible: Source values outside are refused as impossible.
        development: Range of the model's number in the development cohort; a value
            outside is predicted with an extrapolation flag.
        maximum_age_days: Oldest usable observation at the reference date; None for any.
        note: What a reader must know ("cut-off undocumented").
        settings_sha256: For a measurement: fingerprint of the extraction settings the model was
            developed with; a number extracted otherwise is refused. Empty for any.
    """

    name: str
    label: str
    source: PredictorSource
    key: str
    unit: str
    code: str = ""
    code_system: str = ""
    modality: str = "clinical"
    encoding: Encoding = Encoding.NUMBER
    words: tuple[tuple[str, float], ...] = ()
    lower: float = 0.0
    upper: float = 0.0
    ceiling: float = float("inf")
    plausible: tuple[float, float] = (float("-inf"), float("inf"))
    development: tuple[float, float] = (float("-inf"), float("inf"))
    maximum_age_days: int | None = None
    note: str = ""
    settings_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskGroup:
    """A risk group: linear predictors up to ``upper`` (the last group has infinity)."""

    name: str
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrimination:
    """Cross-validated concordance with its 95 % bootstrap interval."""

    measure: str
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsetDiscrimination:
    """Cross-validated concordance when only some modalities are there."""

    modalities: tuple[str, ...]
    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """How contributions are computed; ``file`` is empty when the model's graph gives them."""

    method: str
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundLevel:
    """The lower bound at a confidence is where predicted survival falls to this level."""

    confidence: float
    survival: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskModel:
    """One graph of the package and the predictors it needs.

    Attributes:
        name: "full", "age and AFP".
        file, sha256: The graph inside the package.
        predictors: Names in the order of the graph's columns.
        required: Must be observed; the others may be missing, the graph fills them in
            by ``missing_policy``.
        missing_policy: "refuse", "mean" or "indicator" for the predictors not required.
        percentiles: Linear predictor at the 0th … 100th percentile of the development
            cohort (101 ascending numbers).
        groups: Risk groups by ascending upper bound.
        discrimination: Internal validation of this very model.
        interval: What ``survival_samples`` gives ("95 % bootstrap interval"); empty
            without samples.
        distance_limit: 99th percentile of ``distance`` in the development cohort.
        any_of: At least one of these must be observed besides the required ones; empty for
            no such rule (fusions that serve every subset of their modalities).
        subsets: Concordance per subset of modalities, for a model that serves subsets.
        explanation: How contributions are computed; None for a package that says nothing.
        bound_levels: For lower bounds on survival time, ascending confidence.
        bound: What kind of bound ("conformal lower bound …"); empty without.
    """

    name: str
    file: str
    sha256: str
    predictors: tuple[str, ...]
    required: tuple[str, ...]
    missing_policy: str
    percentiles: tuple[float, ...]
    groups: tuple[RiskGroup, ...]
    discrimination: Discrimination
    interval: str
    distance_limit: float
    any_of: tuple[str, ...] = ()
    subsets: tuple[SubsetDiscrimination, ...] = ()
    explanation: Explanation | None = None
    bound_levels: tuple[BoundLevel, ...] = ()
    bound: str = ""

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """(file, sha256) of the model's graphs."""
        own = ((self.file, self.sha256),)
        if self.explanation is None or not self.explanation.file:
            return own
        return (*own, (self.explanation.file, self.explanation.sha256))


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPackage:
    """A verified risk package.

    Attributes:
        outcome: "Recurrence-free survival after resection".
        outcome_short: "RFS".
        origin: What time zero is ("resection", "the visit").
        times_months: Time grid of ``survival``, ascending; ends at the largest safe
            horizon of the development cohort.
        cohort: Development cohort in one sentence, with patients, events, source, license.
    """

    identity: ModelIdentity
    folder: Path
    outcome: str
    outcome_short: str
    origin: str
    times_months: tuple[float, ...]
    predictors: tuple[RiskPredictor, ...]
    models: tuple[RiskModel, ...]
    cohort: str

    def predictor(self, name: str) -> RiskPredictor:
        """The predictor of that name."""
        return next(p for p in self.predictors if p.name == name)
