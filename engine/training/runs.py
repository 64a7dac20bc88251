"""Running a recipe: every strategy on the same splits, judged and compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from engine.training.cohort import Cohort
from engine.training.dynamic import TIME_UPDATED, fit_time_updated
from engine.training.feature_fusion import KINDS, fit_feature_fused
from engine.training.fusion import fit_fused
from engine.training.judging import Judgement, held_out_predictions, judge
from engine.training.optimism import Optimism, bootstrap_optimism
from engine.training.outcome import Floats, largest_safe_horizon
from engine.training.recipe import Recipe, StrategySpec, ValidationSpec
from engine.training.recurrent import RECURRENT, fit_recurrent
from engine.training.resampling import Interval, difference_interval
from engine.training.staging_reference import StageComparison, compare_with_stage
from engine.training.strategies import fit_best, fit_tuned, tuned
from engine.training.subsets import subgroup_concordances, subset_concordances
from engine.training.validation import Fit, FittedStrategy, HeldOut, cross_validate

FUSION = "late_fusion"
BEST_OF = "best_of"
GRID_STEP = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeRun:
    """What came out of a recipe.

    Attributes:
        held: Out-of-fold predictions per strategy.
        judgements: One per strategy, same order.
        differences: Concordance of each later strategy minus the first one's, paired.
        subsets: Per fusion strategy, concordance for every subset of modalities.
        stages: The best strategy against each declared stage, per horizon.
        subgroups: (subgroup, rows, events, concordance) of the best strategy.
        optimism: Of the best strategy; None where the recipe asks for none.
    """

    recipe: Recipe
    cohort: Cohort
    held: tuple[HeldOut, ...]
    judgements: tuple[Judgement, ...]
    differences: tuple[tuple[str, Interval], ...]
    subsets: tuple[tuple[str, tuple[tuple[str, Interval], ...]], ...] = ()
    subgroups: tuple[tuple[str, int, int, Interval], ...] = ()
    stages: tuple[StageComparison, ...] = ()
    optimism: Optimism | None = None

    @property
    def best(self) -> Judgement:
        """The strategy with the highest concordance; under competing risks the highest skill.

        A model that censors the competing event orders patients as well as one that does not;
        only a proper score sees that its probabilities are wrong.
        """
        if self.cohort.cause is None:
            return max(self.judgements, key=lambda j: j.harrell.value)
        return max(self.judgements, key=lambda j: j.skill.value)

    @property
    def best_strategy(self) -> StrategySpec:
        """Its declaration."""
        return next(s for s in self.recipe.strategies if s.name == self.best.name)


def run_recipe(recipe: Recipe, cohort: Cohort, *, jobs: int = 1) -> RecipeRun:
    """Cross-validate and judge all strategies of a recipe."""
    strategies = [(s.name, fit_function(recipe, s)) for s in recipe.strategies]
    times = grid(recipe, cohort)
    held = cross_validate(strategies, cohort, recipe.validation, times, jobs=jobs)
    check = recipe.validation
    judgements = tuple(
        judge(
            held_out_predictions(h, cohort.patients),
            recipe.outcome.horizons_months,
            resamples=check.bootstrap,
            seed=check.seed,
        )
        for h in held
    )
    run = RecipeRun(
        recipe=recipe,
        cohort=cohort,
        held=held,
        judgements=judgements,
        differences=_paired_differences(held, cohort, check),
    )
    best = next(h for h in held if h.name == run.best.name)
    return replace(
        run,
        subsets=tuple(
            (s.name, subset_concordances(fit_function(recipe, s), cohort, check, jobs=jobs))
            for s in recipe.strategies
            if s.model == FUSION or s.model in KINDS
        ),
        subgroups=subgroup_concordances(best, cohort, check, recipe.subgroups),
        stages=tuple(
            compare_with_stage(best, cohort, check, stage=stage, horizon=horizon)
            for stage in recipe.stages
            for horizon, _ in run.best.auc
        ),
        optimism=_optimism(run),
    )


def _optimism(run: RecipeRun) -> Optimism | None:
    check, spec = run.recipe.validation, run.best_strategy
    if not check.optimism:
        return None
    fit = fit_function(run.recipe, spec)
    return bootstrap_optimism(fit, run.cohort, resamples=check.optimism, seed=check.seed)


def _paired_differences(
    held: tuple[HeldOut, ...], cohort: Cohort, check: ValidationSpec
) -> tuple[tuple[str, Interval], ...]:
    reference = held[0].pairs()
    return tuple(
        (
            h.name,
            difference_interval(
                h.pairs(), reference, cohort.patients, resamples=check.bootstrap, seed=check.seed
            ),
        )
        for h in held[1:]
    )


def grid(recipe: Recipe, cohort: Cohort) -> Floats:
    """Every third month up to the last horizon inside follow-up, horizons included."""
    safe = largest_safe_horizon(cohort.outcome)
    horizons = [h for h in recipe.outcome.horizons_months if h <= safe]
    end = max(horizons, default=safe)
    steps = np.arange(1, int(end // GRID_STEP) + 1) * GRID_STEP
    return np.unique(np.concatenate((steps, horizons)))


def _bases(recipe: Recipe, spec: StrategySpec) -> tuple[StrategySpec, ...]:
    return tuple(s for name in spec.bases for s in recipe.strategies if s.name == name)


def fit_function(recipe: Recipe, spec: StrategySpec) -> Fit:
    """The function that tunes and fits a strategy inside training rows."""
    makers: dict[str, Callable[[Recipe, StrategySpec], Fit]] = {
        FUSION: _fusing,
        BEST_OF: _choosing,
        RECURRENT: partial(_seeded, fitting=fit_recurrent),
        TIME_UPDATED: _updating,
        **dict.fromkeys(KINDS, partial(_seeded, fitting=fit_feature_fused)),
    }
    return makers.get(spec.model, _plain)(recipe, spec)


def _plain(recipe: Recipe, spec: StrategySpec) -> Fit:
    inner = recipe.validation.inner_folds

    def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
        model, chosen = fit_tuned(spec, train, inner_folds=inner, seed=seed)
        return model, dict(chosen.settings)

    return fit


def _fusing(recipe: Recipe, spec: StrategySpec) -> Fit:
    bases, inner = _bases(recipe, spec), recipe.validation.inner_folds

    def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
        return fit_fused(spec, bases, train, inner_folds=inner, seed=seed), dict(spec.settings)

    return fit


def _choosing(recipe: Recipe, spec: StrategySpec) -> Fit:
    bases, inner = _bases(recipe, spec), recipe.validation.inner_folds

    def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
        model, chosen = fit_best(bases, train, inner_folds=inner, seed=seed)
        return model, {"chosen": chosen.name, **chosen.settings}

    return fit


def _seeded(recipe: Recipe, spec: StrategySpec, fitting: Callable[..., FittedStrategy]) -> Fit:
    """Networks: tuned inside the folds, each from the seed of its fold."""
    inner = recipe.validation.inner_folds

    def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
        own = replace(spec, settings={"seed": seed, **spec.settings})
        best = tuned(own, train, inner_folds=inner, seed=seed, fitting=fitting)
        return fitting(best, train), dict(best.settings)

    return fit


def _updating(_recipe: Recipe, spec: StrategySpec) -> Fit:
    def fit(train: Cohort, _seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
        return fit_time_updated(spec, train), dict(spec.settings)

    return fit
