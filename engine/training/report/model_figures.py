"""Figures of a fitted linear model: effects with intervals, and the nomogram."""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes

from engine.training.cohort import Cohort
from engine.training.linear import LinearFit
from engine.training.outcome import Floats
from engine.training.pooled_effects import interval, pooled_effects
from engine.training.recipe import StrategySpec
from engine.training.resampling import bootstrap_rows
from engine.training.runs import RecipeRun, fit_function
from engine.training.strategies import PreparedModel, fit_estimator

LINEAR = ("ridge", "elastic_net", "lasso_cox", "svm", "logistic", "points", "fine_gray")
Row = tuple[str, ...]
RESAMPLES = 100
MOST_EFFECTS = 20
MOST_AXES = 16
INK = "#0072b2"


@dataclass(frozen=True, slots=True)
class ShownModel:
    """A linear strategy fitted on the whole cohort, with bootstrap bounds of its effects.

    Attributes:
        spec: The strategy with the settings that were chosen.
        lower, upper: Of the coefficients per standard deviation, shape (r,).
    """

    name: str
    spec: StrategySpec
    model: PreparedModel
    fit: LinearFit
    lower: Floats
    upper: Floats


def shown_model(run: RecipeRun) -> ShownModel | None:
    """The best strategy if it is linear in named predictors, else the best that is."""
    order = sorted(run.judgements, key=lambda j: -j.harrell.value)
    for judgement in order:
        spec = next(s for s in run.recipe.strategies if s.name == judgement.name)
        if spec.model not in LINEAR:
            continue
        model, settings = fit_function(run.recipe, spec)(run.cohort, run.recipe.validation.seed)
        if not isinstance(model, PreparedModel) or not isinstance(model.estimator, LinearFit):
            continue
        if model.preparation.rotation is not None:
            continue
        keep = {k: v for k, v in settings.items() if k not in ("screen", "components")}
        chosen = replace(spec, settings=keep)
        x = model.preparation.apply(run.cohort.values)
        drawn = [
            _coefficients(chosen, x[rows], run.cohort.take(rows))
            for rows in bootstrap_rows(run.cohort, resamples=RESAMPLES, seed=11)
        ]
        lower, upper = np.quantile(drawn, (0.025, 0.975), axis=0)
        return ShownModel(spec.name, chosen, model, model.estimator, lower, upper)
    return None


def rubin_rows(shown: ShownModel, cohort: Cohort) -> tuple[Row, ...]:
    """Hazard ratios pooled over imputations; none unless the ridge strategy imputes so."""
    preparation, spec = shown.model.preparation, shown.spec
    if spec.model != "ridge" or spec.preparation.missing != "multiple":
        return ()
    pool = pooled_effects(
        preparation,
        cohort,
        ridge=float(spec.settings.get("ridge", 10.0)),
        imputations=max(spec.preparation.imputations, 2),
        seed=11,
    )
    low, high = interval(pool)
    return tuple(
        (
            name,
            f"{np.exp(pool.estimate[k]):.2f} ({np.exp(low[k]):.2f} to {np.exp(high[k]):.2f})",
            f"{100 * pool.fraction[k]:.0f} %",
        )
        for k, name in enumerate(preparation.names)
    )


def _coefficients(spec: StrategySpec, x: Floats, cohort: Cohort) -> Floats:
    fit = fit_estimator(spec, x, cohort)
    if not isinstance(fit, LinearFit):
        raise TypeError(f"Strategy {spec.name} is not linear")
    return fit.coefficients


def paint_effects(axes: Axes, shown: ShownModel) -> None:
    """Hazard ratios per standard deviation with bootstrap intervals, largest first."""
    order = np.argsort(-np.abs(shown.fit.coefficients))[:MOST_EFFECTS][::-1]
    for row, k in enumerate(order):
        low, middle, high = np.exp([shown.lower[k], shown.fit.coefficients[k], shown.upper[k]])
        axes.plot([low, high], [row, row], color=INK)
        axes.plot(middle, row, "s", color=INK, markersize=5)
        axes.annotate(
            f"{middle:.2f} ({low:.2f} to {high:.2f})",
            (1.02, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
        )
    axes.axvline(1.0, color="gray", linestyle=":", linewidth=0.8)
    names = [shown.model.preparation.names[k] for k in order]
    axes.set(
        yticks=range(len(order)),
        yticklabels=names,
        xlabel="Hazard ratio per standard deviation",
        ylim=(-0.6, len(order) - 0.4),
    )
    axes.tick_params(axis="y", labelsize=8)


@dataclass(frozen=True, slots=True)
class NomogramAxis:
    """One predictor's axis: raw values and their points."""

    name: str
    values: Floats
    points: Floats


def nomogram_axes(shown: ShownModel, cohort: Cohort) -> tuple[NomogramAxis, ...]:
    """Axes of the predictors; 100 points are the widest effect between 2.5 and 97.5 %."""
    preparation = shown.model.preparation
    axes, spans = [], []
    for k, source in enumerate(preparation.sources[: len(preparation.columns)]):
        column = cohort.values[:, source]
        seen = column[np.isfinite(column)]
        marks = np.unique(seen)
        if len(marks) > 6:
            low, high = np.quantile(seen, (0.025, 0.975))
            marks = np.linspace(low, high, 5)
        moved = np.log10(np.maximum(marks, 0) + 1) if preparation.logarithmic[k] else marks
        effect = shown.fit.coefficients[k] * moved / preparation.scale[k]
        axes.append((preparation.names[k], marks, effect - effect.min()))
        spans.append(float(np.ptp(effect)))
    unit = max(*spans, 1e-12) / 100.0
    return tuple(NomogramAxis(name, marks, effect / unit) for name, marks, effect in axes)


def total_points_scale(
    shown: ShownModel, cohort: Cohort, axes: tuple[NomogramAxis, ...]
) -> tuple[float, float]:
    """Linear predictor of 0 total points, and its rise per point."""
    preparation, base, unit = shown.model.preparation, 0.0, 1.0
    for k, axis in enumerate(axes):
        lowest = int(np.argmin(axis.points))
        value = axis.values[lowest]
        moved = np.log10(max(value, 0) + 1) if preparation.logarithmic[k] else value
        scale = shown.fit.coefficients[k] / preparation.scale[k]
        base += float(scale * (moved - preparation.center[k]))
        if axis.points.max() >= 100.0 - 1e-6:
            top = axis.values[int(np.argmax(axis.points))]
            far = np.log10(max(top, 0) + 1) if preparation.logarithmic[k] else top
            unit = abs(float(scale * (far - moved))) / 100.0
    return base, unit


def paint_nomogram(
    axes: Axes, shown: ShownModel, cohort: Cohort, horizons: tuple[float, ...]
) -> None:
    """Points per predictor, total points, and event-free probability at the horizons."""
    rows = nomogram_axes(shown, cohort)
    base, unit = total_points_scale(shown, cohort, rows)
    most = sum(float(r.points.max()) for r in rows)
    height = len(rows) + 1 + len(horizons)
    _ruler(axes, height, np.linspace(0, 100, 11), [f"{p:g}" for p in range(0, 101, 10)], "Points")
    for k, row in enumerate(rows):
        labels = [f"{v:.3g}" for v in row.values]
        _ruler(axes, height - 1 - k, row.points, labels, row.name)
    ticks = np.linspace(0, most, 9)
    _ruler(axes, len(horizons), 100 * ticks / most, [f"{t:.0f}" for t in ticks], "Total points")
    for k, horizon in enumerate(horizons):
        wanted = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
        hazard = float(shown.fit.baseline(horizon))
        points = (np.log(-np.log(wanted) / max(hazard, 1e-12)) - base) / unit
        inside = (points >= 0) & (points <= most)
        _ruler(
            axes,
            len(horizons) - 1 - k,
            100 * points[inside] / most,
            [f"{100 * w:.0f} %" for w in wanted[inside]],
            f"Event-free at {horizon:g} mo",
        )
    axes.set(xlim=(-38, 103), ylim=(-0.7, height + 0.7))
    axes.axis("off")


def _ruler(axes: Axes, row: float, at: Floats, labels: list[str], name: str) -> None:
    axes.annotate(name, (-37, row), va="center", fontsize=7.5)
    if not len(at):
        axes.annotate("outside the range shown", (0, row), va="center", fontsize=6.5, color="gray")
        return
    axes.plot([at.min(), at.max()], [row, row], color="black", linewidth=0.8)
    last = -np.inf
    for place, label in sorted(zip(at.tolist(), labels, strict=True)):
        axes.plot([place, place], [row, row + 0.12], color="black", linewidth=0.8)
        if place - last > 1.1 + 1.3 * len(label):
            axes.annotate(label, (place, row + 0.16), ha="center", fontsize=6.5)
            last = place
