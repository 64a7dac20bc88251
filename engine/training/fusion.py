"""Decision-level fusion: separate models per modality, their risks combined.

The combination is learned on cross-fitted risks of the training rows, never on risks of
models that have seen the row. A modality without any value in a row is left out for that
row, so every subset of modalities is served.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.training.cohort import Cohort
from engine.training.cox import fit_cox
from engine.training.linear import LinearFit, recalibrated
from engine.training.outcome import Booleans, Floats, Integers
from engine.training.recipe import RecipeError, StrategySpec
from engine.training.strategies import (
    PreparedModel,
    concordance_in_groups,
    cross_fitted_risk,
    fit_once,
    tuned,
)

RULES = ("average", "weighted", "vote", "stack", "nomogram")


@dataclass(frozen=True, slots=True)
class FusedModel:
    """Base models and the rule that joins their risks.

    Attributes:
        bases: One model per modality (or per strategy).
        columns: Cohort columns of each base; a row without a value in them lacks the base.
        center, scale: Standardization of the cross-fitted base risks, shape (k,).
        weights: Weight of each base in a mean, shape (k,).
        rule: One of RULES.
        final: Proportional hazards model on the combined score or scores.
        specs: The bases with the settings that were chosen for them.
    """

    bases: tuple[PreparedModel, ...]
    columns: tuple[Integers, ...]
    center: Floats
    scale: Floats
    weights: Floats
    rule: str
    final: LinearFit
    specs: tuple[StrategySpec, ...] = ()

    def scores(self, values: Floats) -> Floats:
        """Inputs of the final model from raw values."""
        risks = np.column_stack([base.risk(values) for base in self.bases])
        return combine(
            (risks - self.center) / self.scale,
            available(values, self.columns),
            self.weights,
            self.rule,
        )

    def risk(self, values: Floats) -> Floats:
        """Linear predictor, shape (n,); higher means higher risk."""
        return self.final.risk(self.scores(values))

    def survival(self, values: Floats, times: Floats) -> Floats:
        """Survival, shape (n, T)."""
        return self.final.survival(self.scores(values), times)


def available(values: Floats, columns: Sequence[Integers]) -> Booleans:
    """Whether each row has any value for each base, shape (n, k)."""
    return np.column_stack([np.isfinite(values[:, own]).any(axis=1) for own in columns])


def combine(standardized: Floats, present: Booleans, weights: Floats, rule: str) -> Floats:
    """Join standardized base risks (n, k) into the inputs of the final model.

    "stack" and "nomogram" keep one column per base (0, the mean, where it is absent); the
    others give one column: a weighted mean or a share of votes over the present bases.
    """
    if rule in ("stack", "nomogram"):
        return np.where(present, standardized, 0.0)
    votes = (standardized > 0).astype(np.float64) - 0.5 if rule == "vote" else standardized
    share = present * weights
    total = share.sum(axis=1, keepdims=True)
    mean = (share * votes).sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    return np.asarray(mean, np.float64)


def fit_fused(
    spec: StrategySpec,
    bases: Sequence[StrategySpec],
    cohort: Cohort,
    *,
    inner_folds: int,
    seed: int,
) -> FusedModel:
    """Fit the bases and the rule on training rows.

    Args:
        spec: Strategy whose setting ``rule`` is one of RULES.
        bases: The strategies that are fused.
        cohort: Training rows; bases are trained on the rows that have their modality.
        inner_folds: Folds of the cross-fitting and of the bases' own tuning.
        seed: Of the splits.

    Raises:
        RecipeError: Unknown rule.
    """
    rule = str(spec.settings.get("rule", "average"))
    if rule not in RULES:
        raise RecipeError(f"Strategy {spec.name}: rule must be one of {', '.join(RULES)}")
    columns = tuple(cohort.of_modalities(b.preparation.modalities) for b in bases)
    present = available(cohort.values, columns)
    chosen, models, risks = [], [], np.zeros((len(cohort), len(bases)))
    for k, base in enumerate(bases):
        own = cohort.take(present[:, k])
        best = tuned(base, own, inner_folds=inner_folds, seed=seed)
        chosen.append(best)
        models.append(fit_once(best, own))
        risks[present[:, k], k] = cross_fitted_risk(best, own, folds=inner_folds, seed=seed)
    fused = fit_rule(rule, tuple(models), columns, risks, present, cohort)
    return replace(fused, specs=tuple(chosen))


def fit_rule(
    rule: str,
    models: tuple[PreparedModel, ...],
    columns: tuple[Integers, ...],
    risks: Floats,
    present: Booleans,
    cohort: Cohort,
) -> FusedModel:
    """Join fitted bases by a rule learned on their cross-fitted risks (n, k)."""
    center, scale = _moments(risks, present)
    weights = _weights(risks, present, cohort) if rule == "weighted" else np.ones(len(models))
    combined = combine((risks - center) / scale, present, weights, rule)
    final = _final(combined, cohort, rule)
    return FusedModel(models, columns, center, scale, weights, rule, final)


def _moments(risks: Floats, present: Booleans) -> tuple[Floats, Floats]:
    masked = np.where(present, risks, np.nan)
    spread = np.nanstd(masked, axis=0)
    return np.nanmean(masked, axis=0), np.where(spread > 0, spread, 1.0)


def _weights(risks: Floats, present: Booleans, cohort: Cohort) -> Floats:
    """Concordance above chance of each base on its cross-fitted risks."""
    skill = [
        concordance_in_groups(risks[p, k], cohort.outcome.take(p), cohort.strata[p]) - 0.5
        for k, p in enumerate(present.T)
    ]
    positive = np.maximum(skill, 0.0)
    return positive if positive.sum() > 0 else np.ones(len(skill))


def _final(combined: Floats, cohort: Cohort, rule: str) -> LinearFit:
    fit = fit_cox(combined, cohort.outcome, ridge=1.0)
    if rule != "nomogram":
        return LinearFit(fit.coefficients, fit.baseline)
    unit = max(float(np.abs(fit.coefficients).max()) / 10.0, 1e-9)
    return recalibrated(np.round(fit.coefficients / unit), combined, cohort.outcome)


def without_modality(cohort: Cohort, modality: str) -> Cohort:
    """The cohort as if a modality had never been measured."""
    values = cohort.values.copy()
    values[:, cohort.of_modalities((modality,))] = np.nan
    return replace(cohort, values=values)
