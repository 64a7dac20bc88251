"""Declarative training recipes: a TOML file in, one frozen and validated Recipe out.

A recipe says what is predicted, from which columns with which codes, units and ranges,
how values are prepared inside the folds, which strategies compete and how they are judged.
Unknown keys are refused, so a misspelled setting cannot pass for its default.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import InputError

FORMAT = 1
MISSING_POLICIES = ("refuse", "mean", "median", "indicator", "chained", "multiple")
TRANSFORMS = ("identity", "log10")
Settings = dict[str, Any]
T = TypeVar("T")


class RecipeError(InputError):
    """A recipe cannot be used as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkSpec:
    """How repeated visits become landmark rows (see engine.training.landmarks).

    Attributes:
        day: Column of the visit's day.
        at_days: Landmarks.
        age_limit_days: A patient whose last visit is older is left out at the landmark.
        summarized: Columns that get trajectory summaries.
        first: Columns kept from the first visit too, as "column:first".
        ever: 0/1 columns that count when they were ever 1, as "column:ever".
        total: 0/1 columns that are counted up to the landmark, as "column:total".
        since: Columns for which the days since they were last above 0 are kept, as
            "column:since"; empty when they never were.
        lagged: Columns whose last visits are kept one by one, as "column@0" (the last),
            "column@1" …, with "days_ago@0" … beside them, for recurrent networks.
        lags: How many of the last visits.
        onset: Column that turns above 0 when the event is first seen (new lesions): makes
            "onset:time" (days from the landmark) and "onset:cause" (1 the event, 2 death
            without it, 0 neither); see engine.training.onset.
        death: 0/1 column of death, needed with onset.
        follow_up: Column of the follow-up that remains from a visit; the outcome's time
            column when empty.
    """

    day: str
    at_days: tuple[float, ...]
    age_limit_days: float = 180.0
    summarized: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    ever: tuple[str, ...] = ()
    total: tuple[str, ...] = ()
    since: tuple[str, ...] = ()
    lagged: tuple[str, ...] = ()
    lags: int = 0
    onset: str = ""
    death: str = ""
    follow_up: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticModality:
    """One modality of a synthetic cohort.

    Attributes:
        name: Modality; its columns are "name_1" …
        columns: Number of columns, of which the first ``signal`` carry the latent factor.
        effect: Log hazard ratio per standard deviation of the latent factor.
        noise: Standard deviation of the noise on the signal columns.
        missing: Share of patients without this modality.
        bend: Adds this much of the factor's (square - 1) to the log hazard: trees see it,
            linear models do not.
    """

    name: str
    columns: int
    signal: int
    effect: float
    noise: float = 1.0
    missing: float = 0.0
    bend: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSpec:
    """A synthetic cohort with planted effects (see engine.training.synthetic)."""

    patients: int
    seed: int
    modalities: tuple[SyntheticModality, ...]
    median_months: float = 24.0
    follow_up_months: float = 72.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortSpec:
    """Where the patients come from.

    Attributes:
        table: CSV (or .csv.gz) below the cohort folder; a name for a synthetic cohort.
        id: Column that identifies the patient; rows of one patient stay in one fold.
        join: Further tables as (file, column equal to ``id``).
        where: Column → accepted values; other rows are left out and counted.
        present: Columns that must not be empty; other rows are left out and counted.
        landmark: Makes landmark rows out of visit rows.
        synthetic: Makes the cohort instead of reading it.
        source, license: For the card.
    """

    table: str
    id: str
    join: tuple[tuple[str, str], ...] = ()
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    present: tuple[str, ...] = ()
    landmark: LandmarkSpec | None = None
    synthetic: SyntheticSpec | None = None
    source: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeSpec:
    """What is predicted: columns of time and event, and the words for reports.

    Attributes:
        unit: Unit of the time column: "days", "weeks", "months" or "years".
        event_value: Value of the event column that is the event.
        start: Column subtracted from the time (survival after recurrence); empty for none.
        competing: Column of the competing event (death before recurrence); empty for none.
            Its value ``competing_value`` is the event, at ``competing_time`` (the time column
            when empty). What happens first counts.
        horizons_months: Horizons that are judged; beyond follow-up they are refused.
    """

    name: str
    short: str
    time: str
    event: str
    unit: str = "months"
    event_value: str = "1"
    start: str = ""
    competing: str = ""
    competing_value: str = "1"
    competing_time: str = ""
    origin: str = "resection"
    horizons_months: tuple[float, ...] = (12.0, 24.0, 36.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorSpec:
    """One predictor, or all columns whose name fits a pattern.

    Attributes:
        name: Its name; for a group the columns' own names are kept.
        column: Column of the cohort table.
        pattern: Takes every column it fits ("*_rnaseq"); excludes column.
        words: Cell text → number.
        transform: "identity" or "log10" (of value + 1).
        range: Values outside become missing and are counted in the report.
        serve: How a new patient's value is found (fields of RiskPredictor).
    """

    name: str
    column: str = ""
    pattern: str = ""
    label: str = ""
    unit: str = "1"
    modality: str = "clinical"
    words: dict[str, float] = field(default_factory=dict)
    transform: str = "identity"
    range: tuple[float, float] = (float("-inf"), float("inf"))
    serve: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationSpec:
    """What happens to predictors inside each training fold.

    Attributes:
        missing: Policy for missing values: see MISSING_POLICIES. "chained" fills in by
            chained equations; "multiple" also trains on several noisy completions and pools
            the coefficients (linear models only).
        imputations: How many completions "multiple" makes.
        screen: Keep this many columns per modality by univariate Cox score; 0 keeps all.
        components: Principal components per modality after screening; 0 for none.
        modalities: Which modalities enter; empty for all.
    """

    missing: str = "median"
    imputations: int = 10
    screen: int = 0
    components: int = 0
    modalities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySpec:
    """One competing strategy.

    Attributes:
        name: Name in the comparison table.
        model: A key of engine.training.strategies.MODELS or of the fusion rules.
        preparation: Overrides of the recipe's preparation.
        settings: Fixed settings of the model.
        tune: Setting → values, searched by inner cross-validation.
        bases: For decision-level fusion: names of strategies that are fused.
        paper: The figure the paper reports, for the card ("C 0.71 in validation").
    """

    name: str
    model: str
    preparation: PreparationSpec
    settings: Settings = field(default_factory=dict)
    tune: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    paper: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationSpec:
    """Nested, repeated, patient-wise cross-validation and its bootstrap.

    Attributes:
        optimism: Bootstrap samples for the optimism of the best strategy; 0 for none.
    """

    folds: int = 5
    repeats: int = 3
    inner_folds: int = 4
    seed: int = 20260101
    bootstrap: int = 200
    optimism: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A validated recipe.

    Attributes:
        data: "real" or "synthetic".
        paper_did: For a recipe of a published system: what the paper did.
        differs: What differs here, and further remarks for the card.
        subgroups: Numeric columns whose values are judged apart.
        stages: Numeric columns (larger is worse) the best strategy is compared with.
        export: Declaration of the package to write; empty for none.
    """

    name: str
    title: str
    citation: str
    data: str
    cohort: CohortSpec
    outcome: OutcomeSpec
    predictors: tuple[PredictorSpec, ...]
    strategies: tuple[StrategySpec, ...]
    validation: ValidationSpec
    paper_did: str = ""
    differs: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    export: Settings = field(default_factory=dict)


def read_recipe(path: Path) -> Recipe:
    """Read and validate a recipe file.

    Raises:
        RecipeError: The file is missing, is no TOML, has an unknown key, lacks a needed
            one or contradicts itself.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"Recipe {path.name} cannot be read: {error}") from error
    return parse_recipe(content, origin=path.name)


def parse_recipe(content: Mapping[str, Any], *, origin: str) -> Recipe:
    """Validate a recipe's content; see ``read_recipe``."""
    content = dict(content)
    if content.pop("format", None) != FORMAT:
        raise RecipeError(f"Recipe {origin} needs format = {FORMAT}")
    shared = content.pop("preparation", {})
    try:
        cohort = dict(content.pop("cohort"))
        cohort["join"] = tuple((j["table"], j["on"]) for j in cohort.get("join", []))
        cohort["where"] = tuple(
            (column, tuple(str(v) for v in values))
            for column, values in cohort.get("where", {}).items()
        )
        if "landmark" in cohort:
            cohort["landmark"] = _build(LandmarkSpec, cohort["landmark"], "cohort.landmark")
        if "synthetic" in cohort:
            cohort["synthetic"] = _synthetic(cohort["synthetic"])
        recipe = Recipe(
            cohort=_build(CohortSpec, cohort, "cohort"),
            outcome=_build(OutcomeSpec, content.pop("outcome"), "outcome"),
            predictors=tuple(
                _build(PredictorSpec, p, f"predictor {p.get('name', '?')}")
                for p in content.pop("predictor")
            ),
            strategies=tuple(_strategy(s, shared) for s in content.pop("strategy")),
            validation=_build(ValidationSpec, content.pop("validation", {}), "validation"),
            **_rest(content),
        )
    except (KeyError, TypeError) as error:
        raise RecipeError(f"Recipe {origin} is not complete: {error}") from error
    except RecipeError as error:
        raise RecipeError(f"Recipe {origin}: {error}") from None
    if problems := _problems(recipe):
        raise RecipeError(f"Recipe {origin}: " + "; ".join(problems))
    return recipe


def _rest(content: dict[str, Any]) -> dict[str, Any]:
    known = {"name", "title", "citation", "data", "paper_did", "differs", "subgroups", "stages"}
    known |= {"export"}
    if unknown := sorted(set(content) - known):
        raise RecipeError(f"unknown keys {', '.join(unknown)}")
    rest = {key: content[key] for key in known if key in content}
    for key in ("differs", "subgroups", "stages"):
        rest[key] = tuple(rest.get(key, ()))
    return rest


def _build(kind: type[T], entry: Mapping[str, Any], where: str) -> T:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # every kind is a dataclass
    if unknown := sorted(set(entry) - known):
        raise RecipeError(f"unknown keys in {where}: {', '.join(unknown)}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return kind(**values)


def _synthetic(entry: Mapping[str, Any]) -> SyntheticSpec:
    modalities = [
        _build(SyntheticModality, m, "cohort.synthetic.modalities") for m in entry["modalities"]
    ]
    return _build(SyntheticSpec, {**entry, "modalities": modalities}, "cohort.synthetic")


def _strategy(entry: Mapping[str, Any], shared: Mapping[str, Any]) -> StrategySpec:
    entry = dict(entry)
    where = f"strategy {entry.get('name', '?')}"
    merged = {**shared, **entry.pop("preparation", {})}
    entry["preparation"] = _build(PreparationSpec, merged, f"{where}, preparation")
    entry["tune"] = {k: tuple(v) for k, v in entry.get("tune", {}).items()}
    return _build(StrategySpec, entry, where)


def _problems(recipe: Recipe) -> list[str]:
    problems = []
    names = [s.name for s in recipe.strategies]
    if len(set(names)) != len(names):
        problems.append("strategy names are not unique")
    if recipe.data not in ("real", "synthetic"):
        problems.append('data must be "real" or "synthetic"')
    if (recipe.cohort.synthetic is not None) != (recipe.data == "synthetic"):
        problems.append('data = "synthetic" and [cohort.synthetic] belong together')
    if not recipe.predictors:
        problems.append("no predictor")
    for predictor in recipe.predictors:
        if bool(predictor.column) == bool(predictor.pattern):
            problems.append(f"predictor {predictor.name} needs either column or pattern")
        if predictor.transform not in TRANSFORMS:
            problems.append(f"predictor {predictor.name}: unknown transform {predictor.transform}")
    modalities = {p.modality for p in recipe.predictors}
    for strategy in recipe.strategies:
        problems += _strategy_problems(strategy, set(names), modalities)
    if recipe.validation.folds < 2 or recipe.validation.inner_folds < 2:
        problems.append("validation needs at least 2 folds, inner and outer")
    return problems


def _strategy_problems(strategy: StrategySpec, names: set[str], modalities: set[str]) -> list[str]:
    problems = []
    if strategy.preparation.missing not in MISSING_POLICIES:
        problems.append(
            f"strategy {strategy.name}: missing must be one of {', '.join(MISSING_POLICIES)}"
        )
    if unknown := [b for b in strategy.bases if b not in names or b == strategy.name]:
        problems.append(f"strategy {strategy.name} fuses unknown strategies {unknown}")
    if unknown := [m for m in strategy.preparation.modalities if m not in modalities]:
        problems.append(f"strategy {strategy.name} names unknown modalities {unknown}")
    return problems
