"""Building a risk package from a recipe: fit, validate, bootstrap, export, describe."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.prognosis.manifest import FORMAT
from engine.prognosis.package import Encoding, RiskPredictor
from engine.training.calibration import Calibration, judge_calibration
from engine.training.cohort import Cohort
from engine.training.export import Neighborhood, Resamples, export_model, neighborhood
from engine.training.linear import LinearFit
from engine.training.outcome import Floats, largest_safe_horizon
from engine.training.recipe import Recipe, RecipeError, StrategySpec
from engine.training.resampling import Interval, bootstrap_rows, concordance_interval
from engine.training.strategies import MODELS, PreparedModel, fit_tuned
from engine.training.toml_text import to_toml
from engine.training.validation import FittedStrategy, HeldOut, cross_validate

NEEDED = ("name", "version", "strategy", "intended_use", "limits", "models", "cohort")
INTERVAL_WORDS = "95 % bootstrap interval of the model's estimate"
OVERLAP_NOTE = "C inside held-out folds, nested repeated cross-validation by patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedModel:
    """One fitted model of a package with everything the manifest and the card say."""

    name: str
    file: str
    cohort: Cohort
    required: tuple[str, ...]
    spec: StrategySpec
    fitted: PreparedModel
    held: HeldOut
    concordance: Interval
    calibrations: tuple[Calibration, ...]
    resamples: Resamples | None
    near: Neighborhood

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

    Raises:
        RecipeError: The export section is not complete.
    """
    export = recipe.export
    if lacking := [k for k in NEEDED if k not in export]:
        raise RecipeError(f"Recipe {recipe.name}: [export] lacks {', '.join(lacking)}")
    base = next((s for s in recipe.strategies if s.name == export["strategy"]), None)
    if base is None:
        raise RecipeError(f"Recipe {recipe.name}: no strategy {export['strategy']!r} to export")
    return tuple(
        _packaged(recipe, base, cohort, declared, times, jobs) for declared in export["models"]
    )


def _packaged(
    recipe: Recipe,
    base: StrategySpec,
    cohort: Cohort,
    declared: Mapping[str, Any],
    times: Floats,
    jobs: int,
) -> PackagedModel:
    own = select_columns(cohort, tuple(declared["predictors"]))
    spec = replace(base, name=declared["name"])
    check = recipe.validation

    def fit(train: Cohort, seed: int) -> tuple[FittedStrategy, dict[str, Any]]:
        model, chosen = fit_tuned(spec, train, inner_folds=check.inner_folds, seed=seed)
        return model, chosen.settings

    held = cross_validate([(spec.name, fit)], own, check, times, jobs=jobs)[0]
    fitted, chosen = fit_tuned(spec, own, inner_folds=check.inner_folds, seed=check.seed)
    return PackagedModel(
        name=declared["name"],
        file=f"{re.sub('[^a-z0-9]+', '_', declared['name'].lower())}.onnx",
        cohort=own,
        required=tuple(declared.get("required", declared["predictors"])),
        spec=chosen,
        fitted=fitted,
        held=held,
        concordance=concordance_interval(
            held.pairs(), own.patients, resamples=check.bootstrap, seed=check.seed
        ),
        calibrations=_calibrations(held, recipe.outcome.horizons_months),
        resamples=_resamples(chosen, own, fitted, times, int(recipe.export.get("resamples", 200))),
        near=neighborhood(fitted.preparation.apply(own.values)),
    )


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
    spec: StrategySpec, cohort: Cohort, fitted: PreparedModel, times: Floats, count: int
) -> Resamples | None:
    """Refit a linear estimator on bootstrap patients, on the same preparation."""
    if not isinstance(fitted.estimator, LinearFit):
        return None
    x = fitted.preparation.apply(cohort.values)
    refits = []
    for rows in bootstrap_rows(cohort, resamples=count, seed=7):
        refit = MODELS[spec.model](x[rows], cohort.outcome.take(rows), **spec.settings)
        if isinstance(refit, LinearFit):
            refits.append(refit)
    return Resamples(
        coefficients=np.stack([r.coefficients for r in refits]),
        hazard=np.stack([r.baseline(times) for r in refits]),
    )


def write_package(
    recipe: Recipe, models: tuple[PackagedModel, ...], times: Floats, folder: Path
) -> Path:
    """Write manifest, graphs and reference case.

    Returns:
        The version folder ``folder/<name>/<version>``.
    """
    export = recipe.export
    target: Path = folder / str(export["name"]) / str(export["version"])
    (target / "reference").mkdir(parents=True, exist_ok=True)
    entries = [_write_model(model, times, target, export) for model in models]
    manifest = {
        "format": FORMAT,
        "kind": "risk",
        "name": export["name"],
        "version": export["version"],
        "license": export.get("license", "Apache-2.0"),
        "intended_use": export["intended_use"],
        "limits": list(export["limits"]),
        "outcome": recipe.outcome.name,
        "outcome_short": recipe.outcome.short,
        "origin": recipe.outcome.origin,
        "times_months": [float(t) for t in times],
        "cohort": export["cohort"],
        "recipe": recipe.name,
        "predictor": _predictor_entries(models),
        "model": entries,
    }
    (target / "manifest.toml").write_text(to_toml(manifest), encoding="utf-8")
    _write_reference(models[0], times, target / "reference")
    (target / "LICENSE").write_text(_license(recipe), encoding="utf-8")
    return target


def _license(recipe: Recipe) -> str:
    return (
        f"The model in this folder is licensed under {recipe.export.get('license', 'Apache-2.0')} "
        "(https://www.apache.org/licenses/LICENSE-2.0).\n"
        f"Developed on: {recipe.cohort.source} ({recipe.cohort.license}).\n"
    )


def _write_model(
    model: PackagedModel, times: Floats, target: Path, export: Mapping[str, Any]
) -> dict[str, Any]:
    graph = export_model(
        model.fitted,
        times,
        predictors=len(model.predictors),
        resamples=model.resamples,
        near=model.near,
    )
    content = graph.SerializeToString(deterministic=True)
    (target / model.file).write_bytes(content)
    risk = model.fitted.risk(model.cohort.values)
    x = model.fitted.preparation.apply(model.cohort.values)
    return {
        "name": model.name,
        "file": model.file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "predictors": list(model.predictors),
        "required": list(model.required),
        "missing_policy": model.spec.preparation.missing,
        "percentiles": [float(v) for v in np.percentile(risk, np.arange(101))],
        "groups": _groups(risk, export.get("groups", DEFAULT_GROUPS)),
        "discrimination": {"measure": OVERLAP_NOTE, **asdict(model.concordance)},
        "interval": INTERVAL_WORDS if model.resamples is not None else "",
        "distance_limit": float(np.percentile(model.near.distance(x), 99)),
    }


DEFAULT_GROUPS = {"low": 33.3, "intermediate": 66.7, "high": 100.0}


def _groups(risk: Floats, cuts: Mapping[str, float]) -> list[dict[str, Any]]:
    last = list(cuts)[-1]
    return [
        {
            "name": name,
            "upper": float("inf") if name == last else float(np.percentile(risk, percent)),
        }
        for name, percent in cuts.items()
    ]


def _predictor_entries(models: tuple[PackagedModel, ...]) -> list[dict[str, Any]]:
    seen: dict[str, dict[str, Any]] = {}
    for model in models:
        for k, column in enumerate(model.cohort.columns):
            if column.name not in seen:
                seen[column.name] = _predictor_entry(model.cohort, k)
    return list(seen.values())


def _predictor_entry(cohort: Cohort, k: int) -> dict[str, Any]:
    column = cohort.columns[k]
    spec = column.spec
    serve = dict(spec.serve) if spec else {}
    values = cohort.values[:, k]
    entry: dict[str, Any] = {
        "name": column.name,
        "label": (spec.label if spec and spec.label else column.name),
        "source": serve.pop("source", "measurement"),
        "key": serve.pop("key", column.name),
        "unit": spec.unit if spec else "1",
        "modality": column.modality,
        **serve,
        "development": [float(np.nanmin(values)), float(np.nanmax(values))],
    }
    known = set(RiskPredictor.__dataclass_fields__)
    if unknown := sorted(set(entry) - known):
        raise RecipeError(f"Predictor {column.name}: unknown serve keys {', '.join(unknown)}")
    Encoding(entry.get("encoding", "number"))
    return entry


def _write_reference(model: PackagedModel, times: Floats, folder: Path) -> None:
    """The first complete patient-free case: the cohort's column medians."""
    values = np.nanmedian(model.cohort.values, axis=0)[None, :]
    case = {
        "model": model.name,
        "values": dict(zip(model.predictors, values[0].tolist(), strict=True)),
        "linear_predictor": float(model.fitted.risk(values)[0]),
        "survival": model.fitted.survival(values, times)[0].tolist(),
    }
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n", encoding="utf-8")
