"""Preparation of predictors inside a training fold: nothing is learned from held-out rows."""

from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.training.cohort import Cohort
from engine.training.imputation import ChainedEquations, complete_several, fit_chained
from engine.training.outcome import Booleans, Floats, Integers, Outcome
from engine.training.recipe import PreparationSpec

SMALLEST_SCALE = 1e-9
CHAINED = ("chained", "multiple")


@dataclass(frozen=True, slots=True)
class Preparation:
    """A fitted preparation: select, transform, fill in, standardize, rotate.

    Attributes:
        columns: Which of the cohort's columns enter, shape (q,).
        logarithmic: Which of them enter as log10(value + 1), shape (q,).
        fill: Replacement for a missing value after the transform, shape (q,).
        indicators: Positions (in 0..q) whose missingness is a column of its own.
        center, scale: Standardization of the q + indicators columns.
        rotation: Principal axes, shape (q + indicators, r); None for none.
        names: Names of the output columns.
        sources: Cohort column of each output column before rotation.
        policy: The missing policy, for the manifest.
        equations: Chained equations after the first filling in; None for other policies.
    """

    columns: Integers
    logarithmic: Booleans
    fill: Floats
    indicators: Integers
    center: Floats
    scale: Floats
    rotation: Floats | None
    names: tuple[str, ...]
    sources: Integers
    policy: str
    equations: ChainedEquations | None = None

    def apply(self, values: Floats) -> Floats:
        """Prepare raw values, shape (n, p) → (n, r)."""
        scaled = self.scaled(values)
        return scaled if self.rotation is None else np.asarray(scaled @ self.rotation, np.float64)

    def scaled(self, values: Floats) -> Floats:
        """Prepared values before rotation, shape (n, q + indicators)."""
        chosen = values[:, self.columns]
        observed = np.isfinite(chosen)
        moved = np.where(self.logarithmic, np.log10(np.maximum(chosen, 0.0) + 1.0), chosen)
        filled = np.where(observed, moved, self.fill)
        if self.equations is not None:
            filled = self.equations.complete(filled, observed)
        missing = (~observed[:, self.indicators]).astype(np.float64)
        return np.asarray(
            (np.column_stack((filled, missing)) - self.center) / self.scale, np.float64
        )


def fit_preparation(spec: PreparationSpec, cohort: Cohort) -> Preparation:
    """Learn a preparation from training rows.

    Raises:
        InputError: A value is missing although the policy refuses missing values, or no
            column with any spread is left.
    """
    columns = cohort.of_modalities(spec.modalities)
    values = cohort.values[:, columns]
    if spec.missing == "refuse" and not np.isfinite(values).all():
        raise InputError(
            f"{int((~np.isfinite(values)).sum())} values are missing and the recipe's policy "
            'is "refuse"; choose mean, median or indicator'
        )
    logarithmic = np.array([cohort.columns[k].transform == "log10" for k in columns], bool)
    moved = np.where(logarithmic, np.log10(np.maximum(values, 0.0) + 1.0), values)
    keep = _usable(moved)
    columns, moved, logarithmic = columns[keep], moved[:, keep], logarithmic[keep]
    fill = np.nanmean(moved, axis=0) if spec.missing == "mean" else np.nanmedian(moved, axis=0)
    filled = np.where(np.isfinite(moved), moved, fill)
    if spec.screen:
        kept = _screen(filled, cohort, columns, spec.screen)
        columns, moved, filled = columns[kept], moved[:, kept], filled[:, kept]
        logarithmic, fill = logarithmic[kept], fill[kept]
    equations, filled = _chained(spec, moved, filled)
    indicators = _indicators(moved) if spec.missing == "indicator" else np.array([], np.int64)
    full = np.column_stack((filled, (~np.isfinite(moved[:, indicators])).astype(np.float64)))
    center, scale = full.mean(axis=0), np.maximum(full.std(axis=0), SMALLEST_SCALE)
    names = [cohort.columns[k].name for k in columns]
    names += [f"{names[k]} missing" for k in indicators]
    rotation = _rotation((full - center) / scale, spec.components) if spec.components else None
    if rotation is not None:
        names = [f"component {k + 1}" for k in range(rotation.shape[1])]
    return Preparation(
        columns,
        logarithmic,
        fill,
        indicators,
        center,
        scale,
        rotation,
        tuple(names),
        np.concatenate((columns, columns[indicators])),
        spec.missing,
        equations,
    )


def _chained(
    spec: PreparationSpec, moved: Floats, filled: Floats
) -> tuple[ChainedEquations | None, Floats]:
    """Equations where the policy asks for them and something is missing; the filled rows."""
    observed = np.isfinite(moved)
    if spec.missing not in CHAINED or observed.all():
        return None, filled
    equations = fit_chained(filled, observed)
    return equations, equations.complete(filled, observed)


def completed_several(
    preparation: Preparation, cohort: Cohort, *, times: int, seed: int
) -> list[Floats]:
    """Prepared training rows, completed several times with noise, shapes (n, r)."""
    chosen = cohort.values[:, preparation.columns]
    observed = np.isfinite(chosen)
    moved = np.where(preparation.logarithmic, np.log10(np.maximum(chosen, 0.0) + 1.0), chosen)
    filled = np.where(observed, moved, preparation.fill)
    rounds = complete_several(filled, observed, cohort.outcome, times=times, seed=seed)
    scaled = [(x - preparation.center) / preparation.scale for x in rounds]
    rotation = preparation.rotation
    return [x if rotation is None else np.asarray(x @ rotation, np.float64) for x in scaled]


def _usable(moved: Floats) -> Integers:
    seen = np.isfinite(moved)
    low = np.where(seen, moved, np.inf).min(axis=0, initial=np.inf)
    high = np.where(seen, moved, -np.inf).max(axis=0, initial=-np.inf)
    keep = np.flatnonzero(high - low > SMALLEST_SCALE)
    if not len(keep):
        raise InputError("No predictor with any spread is left to train on")
    return keep


def _indicators(moved: Floats) -> Integers:
    """One indicator per distinct pattern of missingness: copies would be collinear."""
    missing = ~np.isfinite(moved)
    chosen: dict[bytes, int] = {}
    for k in range(moved.shape[1]):
        if missing[:, k].any():
            chosen.setdefault(missing[:, k].tobytes(), k)
    return np.array(sorted(chosen.values()), np.int64)


def _screen(filled: Floats, cohort: Cohort, columns: Integers, keep: int) -> Integers:
    score = np.abs(univariate_scores(filled, cohort.outcome))
    modality = np.array([cohort.columns[k].modality for k in columns])
    chosen = [
        members[np.argsort(-score[members], kind="stable")[:keep]]
        for members in (np.flatnonzero(modality == m) for m in dict.fromkeys(modality))
    ]
    return np.sort(np.concatenate(chosen))


def univariate_scores(x: Floats, outcome: Outcome) -> Floats:
    """Standardized Cox score statistic at β = 0 of each column, shape (p,)."""
    order = np.argsort(-outcome.time, kind="stable")
    ordered = x[order]
    count = np.arange(1, len(order) + 1)[:, None]
    times = outcome.time[order]
    last = np.searchsorted(-times, -times, side="right") - 1
    mean = (np.cumsum(ordered, axis=0) / count)[last]
    spread = (np.cumsum(ordered**2, axis=0) / count)[last] - mean**2
    event = outcome.event[order]
    score = (ordered - mean)[event].sum(axis=0)
    variance = spread[event].sum(axis=0)
    return np.asarray(score / np.sqrt(np.maximum(variance, SMALLEST_SCALE)), np.float64)


def _rotation(scaled: Floats, components: int) -> Floats:
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    axes = axes[:components]
    sign = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    return np.asarray((axes * sign[:, None]).T, np.float64)
