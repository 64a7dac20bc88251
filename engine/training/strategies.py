"""From a strategy's declaration to a fitted model, with tuning inside the training rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Protocol

import numpy as np

from engine.errors import InputError
from engine.training import linear, networks, trajectories, trees
from engine.training.cohort import Cohort
from engine.training.competing import fit_competing
from engine.training.concordance import pair_table
from engine.training.cox import breslow_baseline
from engine.training.fine_gray import fit_fine_gray
from engine.training.folds import patient_folds
from engine.training.outcome import Floats, Integers, Outcome, StepFunction
from engine.training.preparation import Preparation, completed_several, fit_preparation
from engine.training.recipe import RecipeError, StrategySpec

IMPUTATION_SEED = 20090610


class Estimator(Protocol):
    """A fitted model on prepared predictors."""

    def risk(self, x: Floats) -> Floats:
        """Risk of each row, shape (n,); higher means earlier failure."""
        ...

    def survival(self, x: Floats, times: Floats) -> Floats:
        """Survival, shape (n, T)."""
        ...


MODELS: Mapping[str, Callable[..., Estimator]] = {
    "ridge": linear.fit_ridge,
    "elastic_net": linear.fit_elastic_net,
    "lasso_cox": linear.fit_lasso_then_cox,
    "svm": linear.fit_svm,
    "logistic": linear.fit_logistic,
    "points": linear.fit_points,
    "forest": trees.fit_forest,
    "lasso_forest": trees.fit_lasso_forest,
    "boosting": lambda x, y, **s: trees.fit_boosting(x, y, trees.BoostingSettings(**s)),
    "cox_net": networks.fit_cox_network,
    "trajectory_classes": trajectories.fit_classes,
    "path_tree": trajectories.fit_path_tree,
}

COMPETING_MODELS: Mapping[str, Callable[..., Estimator]] = {
    "fine_gray": fit_fine_gray,
    "cause_specific": fit_competing,
}


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A preparation and the estimator fitted behind it."""

    preparation: Preparation
    estimator: Estimator

    def risk(self, values: Floats) -> Floats:
        """Risk from raw values, shape (n, p) → (n,)."""
        return self.estimator.risk(self.preparation.apply(values))

    def survival(self, values: Floats, times: Floats) -> Floats:
        """Survival from raw values, shape (n, T)."""
        return self.estimator.survival(self.preparation.apply(values), times)


def fit_once(spec: StrategySpec, cohort: Cohort) -> PreparedModel:
    """Fit a strategy with its fixed settings.

    Raises:
        RecipeError: Unknown model or setting.
    """
    if spec.model not in MODELS and spec.model not in COMPETING_MODELS:
        known = ", ".join(sorted((*MODELS, *COMPETING_MODELS)))
        raise RecipeError(f"Unknown model {spec.model}; known are {known}")
    preparation = fit_preparation(spec.preparation, cohort)
    if spec.preparation.missing == "multiple" and preparation.equations is not None:
        return PreparedModel(preparation, _fit_pooled(spec, preparation, cohort))
    return PreparedModel(preparation, fit_estimator(spec, preparation.apply(cohort.values), cohort))


def _fit_pooled(spec: StrategySpec, preparation: Preparation, cohort: Cohort) -> linear.LinearFit:
    """Fit on each completion; mean coefficients (Rubin) and mean baseline at them."""
    rounds = completed_several(
        preparation, cohort, times=spec.preparation.imputations, seed=IMPUTATION_SEED
    )
    fits = [fit_estimator(spec, x, cohort) for x in rounds]
    own = [fit for fit in fits if isinstance(fit, linear.LinearFit)]
    if len(own) < len(fits):
        raise RecipeError(
            f"Strategy {spec.name}: multiple imputation pools linear models only; "
            'use missing = "chained"'
        )
    mean = np.mean([fit.coefficients for fit in own], axis=0)
    baselines = [breslow_baseline(x @ mean, cohort.outcome) for x in rounds]
    hazard = np.mean([b.values for b in baselines], axis=0)
    return linear.LinearFit(mean, StepFunction(baselines[0].times, hazard, 0.0))


def fit_estimator(spec: StrategySpec, x: Floats, cohort: Cohort) -> Estimator:
    """Fit a strategy's model on prepared predictors.

    Raises:
        RecipeError: Unknown setting, or a model of competing risks without such an outcome.
    """
    try:
        if spec.model in MODELS:
            return MODELS[spec.model](x, cohort.outcome, **spec.settings)
        if cohort.cause is None:
            raise RecipeError(f"Strategy {spec.name}: the outcome names no competing event")
        time = cohort.outcome.time
        return COMPETING_MODELS[spec.model](x, time, cohort.cause, **spec.settings)
    except TypeError as error:
        raise RecipeError(f"Strategy {spec.name}: {error}") from error


class Ranking(Protocol):
    """Anything that gives a risk from raw values."""

    def risk(self, values: Floats) -> Floats:
        """Shape (n, p) → (n,)."""
        ...


FitOnce = Callable[[StrategySpec, Cohort], Ranking]


def tuned(
    spec: StrategySpec,
    cohort: Cohort,
    *,
    inner_folds: int,
    seed: int,
    fitting: FitOnce = fit_once,
) -> StrategySpec:
    """Choose the settings with the best inner cross-validated concordance.

    Ties go to the setting named first. Settings called ``screen`` or ``components`` belong
    to the preparation, the others to the model.
    """
    options = [dict(zip(spec.tune, v, strict=True)) for v in product(*spec.tune.values())]
    if len(options) < 2:
        return _with(spec, options[0]) if options else spec
    scores = [
        cross_validated_c(
            _with(spec, option), cohort, folds=inner_folds, seed=seed, fitting=fitting
        )
        for option in options
    ]
    return _with(spec, options[int(np.argmax(scores))])


def fit_tuned(
    spec: StrategySpec, cohort: Cohort, *, inner_folds: int, seed: int
) -> tuple[PreparedModel, StrategySpec]:
    """Tune on the cohort, then fit on all of it."""
    chosen = tuned(spec, cohort, inner_folds=inner_folds, seed=seed)
    return fit_once(chosen, cohort), chosen


def fit_best(
    bases: Sequence[StrategySpec], cohort: Cohort, *, inner_folds: int, seed: int
) -> tuple[PreparedModel, StrategySpec]:
    """Fit the strategy with the best inner cross-validated concordance.

    Choosing inside the training rows is what makes the winner's held-out figure honest.
    """
    chosen = [tuned(base, cohort, inner_folds=inner_folds, seed=seed) for base in bases]
    scores = [cross_validated_c(spec, cohort, folds=inner_folds, seed=seed) for spec in chosen]
    best = chosen[int(np.argmax(scores))]
    return fit_once(best, cohort), best


def cross_fitted_risk(
    spec: StrategySpec, cohort: Cohort, *, folds: int, seed: int, fitting: FitOnce = fit_once
) -> Floats:
    """Risk of each row by a model that has not seen the row's patient, shape (n,)."""
    fold = patient_folds(cohort, folds=folds, seed=seed)
    risk = np.empty(len(cohort))
    for k in range(folds):
        held = fold == k
        risk[held] = fitting(spec, cohort.take(~held)).risk(cohort.values[held])
    return risk


def cross_validated_c(
    spec: StrategySpec, cohort: Cohort, *, folds: int, seed: int, fitting: FitOnce = fit_once
) -> float:
    """Concordance inside held-out folds; 0.5 for a setting that cannot be fitted."""
    fold = patient_folds(cohort, folds=folds, seed=seed)
    try:
        risk = cross_fitted_risk(spec, cohort, folds=folds, seed=seed, fitting=fitting)
    except RecipeError:
        raise
    except InputError:
        return 0.5
    return concordance_in_groups(risk, cohort.ranking, cohort.comparison_groups(fold))


def concordance_in_groups(risk: Floats, outcome: Outcome, groups: Integers) -> float:
    """Concordance over pairs inside a group; 0.5 when nothing can be compared."""
    value = pair_table(risk, outcome, groups=groups).concordance()
    return value if np.isfinite(value) else 0.5


def _with(spec: StrategySpec, option: Mapping[str, Any]) -> StrategySpec:
    ours = {k: v for k, v in option.items() if k in ("screen", "components")}
    settings = {**spec.settings, **{k: v for k, v in option.items() if k not in ours}}
    return replace(spec, preparation=replace(spec.preparation, **ours), settings=settings, tune={})
