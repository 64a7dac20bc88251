"""Bootstrap refits of a decision-level fusion whose bases are linear.

Preparations stay as fitted on everybody, as for single linear models; bases, their
cross-fitted standardization, weights and the final model are refitted on each sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.training.cohort import Cohort
from engine.training.folds import patient_folds
from engine.training.fusion import FusedModel, available, combine, fit_rule
from engine.training.linear import LinearFit
from engine.training.outcome import Booleans, Floats
from engine.training.recipe import StrategySpec
from engine.training.resampling import bootstrap_rows
from engine.training.strategies import MODELS


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedResamples:
    """B refits of a fusion of k linear bases.

    Attributes:
        coefficients: Per base, shape (r_k, B).
        center, scale, weights: Of the bases' risks, shape (k, B).
        final: Coefficients of the final model, shape (k or 1, B).
        hazard: Cumulative baseline hazard at the grid, shape (B, T).
    """

    coefficients: tuple[Floats, ...]
    center: Floats
    scale: Floats
    weights: Floats
    final: Floats
    hazard: Floats

    def survival(self, model: FusedModel, values: Floats) -> Floats:
        """Survival by every refit, shape (n, B, T)."""
        present = available(values, model.columns)
        risks = np.stack(
            [
                base.preparation.apply(values) @ own
                for base, own in zip(model.bases, self.coefficients, strict=True)
            ],
            axis=1,
        )
        standardized = (risks - self.center) / self.scale
        rounds = [
            combine(standardized[:, :, b], present, self.weights[:, b], model.rule)
            @ self.final[:, b]
            for b in range(self.hazard.shape[0])
        ]
        relative = np.exp(np.stack(rounds, axis=1))
        return np.asarray(np.exp(-relative[:, :, None] * self.hazard[None]), np.float64)


def resample_fusion(
    model: FusedModel,
    bases: Sequence[StrategySpec],
    cohort: Cohort,
    times: Floats,
    *,
    count: int,
    folds: int,
) -> FusedResamples | None:
    """Refit a fusion on bootstrap patients; None when a base is not linear or votes count.

    Args:
        model: Fitted on everybody.
        bases: The bases with the settings that were chosen for ``model``.
        cohort: The patients it was fitted on.
        times: Grid of the baseline hazards.
        count: Bootstrap samples.
        folds: For the cross-fitted risks inside each sample.
    """
    if model.rule == "vote" or not all(isinstance(b.estimator, LinearFit) for b in model.bases):
        return None
    present = available(cohort.values, model.columns)
    prepared = [base.preparation.apply(cohort.values) for base in model.bases]
    refits = [
        _refit(model, bases, _Sample(cohort.take(rows), [x[rows] for x in prepared], present[rows]),
               folds, seed)
        for seed, rows in enumerate(bootstrap_rows(cohort, resamples=count, seed=7))
    ]  # fmt: skip
    return FusedResamples(
        coefficients=tuple(
            np.stack([r[0][k] for r in refits], axis=1) for k in range(len(model.bases))
        ),
        center=np.stack([r[1].center for r in refits], axis=1),
        scale=np.stack([r[1].scale for r in refits], axis=1),
        weights=np.stack([r[1].weights for r in refits], axis=1),
        final=np.stack([r[1].final.coefficients for r in refits], axis=1),
        hazard=np.stack([r[1].final.baseline(times) for r in refits]),
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    cohort: Cohort
    prepared: list[Floats]
    present: Booleans


def _refit(
    model: FusedModel, bases: Sequence[StrategySpec], sample: _Sample, folds: int, seed: int
) -> tuple[list[Floats], FusedModel]:
    risks = np.zeros((len(sample.cohort), len(bases)))
    coefficients = []
    for k, spec in enumerate(bases):
        rows = sample.present[:, k]
        own, x = sample.cohort.take(rows), sample.prepared[k][rows]
        coefficients.append(_linear(spec, x, own).coefficients)
        fold, risk = patient_folds(own, folds=folds, seed=seed), np.empty(len(own))
        for f in range(folds):
            fit = _linear(spec, x[fold != f], own.take(fold != f))
            risk[fold == f] = fit.risk(x[fold == f])
        risks[rows, k] = risk
    return coefficients, fit_rule(
        model.rule, model.bases, model.columns, risks, sample.present, sample.cohort
    )


def _linear(spec: StrategySpec, x: Floats, cohort: Cohort) -> LinearFit:
    fit = MODELS[spec.model](x, cohort.outcome, **spec.settings)
    if not isinstance(fit, LinearFit):
        raise TypeError(f"Strategy {spec.name} is not linear")
    return fit
