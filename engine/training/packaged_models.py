"""Fitting, judging and resampling the models that a recipe packages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.training.calibration import Calibration, judge_calibration
from engine.training.cohort import Cohort
from engine.training.conformal import ConformalLevel, calibrate, nested_coverage
from engine.training.export import Resamples, Surroundings, neighborhood
from engine.training.feature_fusion import FeatureFusedModel
from engine.training.fusion import FusedModel
from engine.training.fusion_resampling import FusedResamples, resample_fusion
from engine.training.linear import LinearFit
from engine.training.outcome import Floats, largest_safe_horizon
from engine.training.preparation import fit_preparation
from engine.training.recipe import PreparationSpec, Recipe, RecipeError, StrategySpec
from engine.training.recurrent import RecurrentModel
from engine.training.resampling import Interval, bootstrap_rows, concordance_interval
from engine.training.runs import FUSION, fit_function
from engine.training.strategies import MODELS, PreparedModel
from engine.training.subsets import subset_concordances
from engine.training.validation import FittedStrategy, HeldOut, cross_validate

NEEDED = ("name", "version", "strategy", "intended_use", "limits", "models", "cohort")
Fitted = PreparedModel | FusedModel | FeatureFusedModel | RecurrentModel
AVAILABLE_CASE = "a modality without any value is left out of the fusion; inside a modality: "


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedModel:
    """One fitted model of a package with everything the manifest and the card say.

    Attributes:
        required: Predictors that must be observed.
        any_of: At least one of these must be; empty for no such rule.
        policy: What happens to missing predictors, in words.
        levels: Conformal levels for lower bounds on survival time.
        coverage: Held-out share of patients who outlive their 90 % bound (nested).
        around: Where the cohort lies.
        subsets: Held-out concordance per subset of modalities, all of them first; only for
            fusions, which serve every subset.
    """

    name: str
    file: str
    cohort: Cohort
    required: tuple[str, ...]
    any_of: tuple[str, ...]
    policy: str
    fitted: Fitted
    held: HeldOut
    concordance: Interval
    calibrations: tuple[Calibration, ...]
    resamples: Resamples | FusedResamples | None
    levels: tuple[ConformalLevel, ...]
    coverage: Interval
    around: Surroundings
    subsets: tuple[tuple[str, Interval], ...] = ()

    @property
    def predictors(self) -> tuple[str, ...]:
        """Input columns of the graph."""
        return tuple(c.name for c in self.cohort.columns)


def time_grid(cohort: Cohort, *, step: float, limit: float) -> Floats:
    """Ascending months from ``step`` up to the limit or the largest safe horizon."""
    end = min(limit, largest_safe_horizon(cohort.outcome))
    return np.asarray(np.arange(1, int(end // step) + 1) * step, np.float64)


def fit_packaged_models(
    recipe: Recipe, cohort: Cohort, times: Floats, *, jobs: int = 1
) -> tuple[PackagedModel, ...]:
    """Fit and judge every model the recipe's export section declares.

    A model may name a ``strategy`` of its own; the section's strategy is the default. For a
    late fusion, ``required`` may be empty: then one predictor of ``any_of`` (all, unless
    declared) is enough.

    Raises:
        RecipeError: The export section is not complete, or names an unknown strategy or
            one that cannot be exported.
    """
    export = recipe.export
    if lacking := [k for k in NEEDED if k not in export]:
        raise RecipeError(f"Recipe {recipe.name}: [export] lacks {', '.join(lacking)}")
    return tuple(
        _packaged(recipe, _strategy(recipe, declared), cohort, declared, times, jobs)
        for declared in export["models"]
    )


def _strategy(recipe: Recipe, declared: Mapping[str, Any]) -> StrategySpec:
    name = declared.get("strategy", recipe.export["strategy"])
    found = next((s for s in recipe.strategies if s.name == name), None)
    if found is None:
        raise RecipeError(f"Recipe {recipe.name}: no strategy {name!r} to export")
    return found


def _packaged(
    recipe: Recipe,
    spec: StrategySpec,
    cohort: Cohort,
    declared: Mapping[str, Any],
    times: Floats,
    jobs: int,
) -> PackagedModel:
    own = select_columns(cohort, tuple(declared["predictors"]))
    check = recipe.validation
    fit = fit_function(recipe, spec)
    held = replace(
        cross_validate([(spec.name, fit)], own, check, times, jobs=jobs)[0], name=declared["name"]
    )
    fitted, settings = fit(own, check.seed)
    if not isinstance(fitted, PreparedModel | FusedModel | FeatureFusedModel | RecurrentModel):
        raise RecipeError(f"Recipe {recipe.name}: strategy {spec.name} has no ONNX form")
    fused = spec.model == FUSION
    required = tuple(declared.get("required", () if fused else declared["predictors"]))
    neutral = fit_preparation(PreparationSpec(missing="mean"), own)
    preparation = fitted.preparation if isinstance(fitted, PreparedModel) else neutral
    return PackagedModel(
        name=declared["name"],
        file=f"{re.sub('[^a-z0-9]+', '_', declared['name'].lower())}.onnx",
        cohort=own,
        required=required,
        any_of=tuple(declared.get("any_of", () if required else declared["predictors"])),
        policy=_policy(recipe, spec),
        fitted=fitted,
        held=held,
        concordance=concordance_interval(
            held.pairs(), own.patients, resamples=check.bootstrap, seed=check.seed
        ),
        calibrations=_calibrations(held, recipe.outcome.horizons_months),
        resamples=_resamples(recipe, replace(spec, settings=settings), own, fitted, times),
        levels=calibrate(held),
        coverage=nested_coverage(fit, own, check, times),
        around=Surroundings(
            preparation=preparation, near=neighborhood(preparation.apply(own.values))
        ),
        subsets=() if isinstance(fitted, PreparedModel) else subset_concordances(fit, own, check),
    )


def _policy(recipe: Recipe, spec: StrategySpec) -> str:
    if spec.model != FUSION:
        return spec.preparation.missing
    bases = [s.preparation.missing for s in recipe.strategies if s.name in spec.bases]
    return AVAILABLE_CASE + ", ".join(dict.fromkeys(bases))


def select_columns(cohort: Cohort, names: tuple[str, ...]) -> Cohort:
    """The cohort with some of its columns, in the order given.

    Raises:
        RecipeError: A name is no column.
    """
    known = {c.name: k for k, c in enumerate(cohort.columns)}
    if unknown := [n for n in names if n not in known]:
        raise RecipeError(f"Unknown predictors {', '.join(unknown)}")
    index = [known[n] for n in names]
    return replace(
        cohort,
        columns=tuple(cohort.columns[k] for k in index),
        values=cohort.values[:, index],
    )


def _calibrations(held: HeldOut, horizons: tuple[float, ...]) -> tuple[Calibration, ...]:
    survival = held.mean_survival()
    at = {float(t): k for k, t in enumerate(held.times)}
    return tuple(
        judge_calibration(survival[:, at[h]], held.outcome, h) for h in horizons if h in at
    )


def _resamples(
    recipe: Recipe, spec: StrategySpec, cohort: Cohort, fitted: FittedStrategy, times: Floats
) -> Resamples | FusedResamples | None:
    """Bootstrap refits where the model is linear or fuses linear ones, on its preparations."""
    count = int(recipe.export.get("resamples", 200))
    if isinstance(fitted, FusedModel):
        folds = recipe.validation.inner_folds
        return resample_fusion(fitted, fitted.specs, cohort, times, count=count, folds=folds)
    if not (isinstance(fitted, PreparedModel) and isinstance(fitted.estimator, LinearFit)):
        return None
    if spec.model not in MODELS:
        return None
    x = fitted.preparation.apply(cohort.values)
    settings = {k: v for k, v in spec.settings.items() if k not in ("screen", "components")}
    refits = []
    for rows in bootstrap_rows(cohort, resamples=count, seed=7):
        refit = MODELS[spec.model](x[rows], cohort.outcome.take(rows), **settings)
        if isinstance(refit, LinearFit):
            refits.append(refit)
    return Resamples(
        coefficients=np.stack([r.coefficients for r in refits]),
        hazard=np.stack([r.baseline(times) for r in refits]),
    )
