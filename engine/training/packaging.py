"""Writing a risk package: manifest, graphs, reference case, license."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from engine.prognosis.manifest import FORMAT
from engine.prognosis.package import Encoding, RiskPredictor
from engine.training.cohort import Cohort
from engine.training.conformal import METHOD
from engine.training.contributions import contribution_method
from engine.training.export import Resamples, export_model
from engine.training.export_contributions import export_explanation
from engine.training.export_fusion import export_fused
from engine.training.export_recurrent import export_recurrent
from engine.training.feature_fusion import FeatureFusedModel
from engine.training.fusion_resampling import FusedResamples
from engine.training.linear import LinearFit
from engine.training.outcome import Floats
from engine.training.packaged_models import PackagedModel
from engine.training.recipe import Recipe, RecipeError
from engine.training.recurrent import RecurrentModel
from engine.training.strategies import PreparedModel
from engine.training.toml_text import to_toml

INTERVAL_WORDS = "95 % bootstrap interval of the model's estimate"
OVERLAP_NOTE = "C inside held-out folds, nested repeated cross-validation by patient"


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
    risk = model.fitted.risk(model.cohort.values)
    entry = {
        "name": model.name,
        "file": model.file,
        "sha256": _write_graph(_prediction_graph(model, times), target / model.file),
        "predictors": list(model.predictors),
        "required": list(model.required),
        "any_of": list(model.any_of),
        "missing_policy": model.policy,
        "percentiles": [float(v) for v in np.percentile(risk, np.arange(101))],
        "groups": _groups(risk, export.get("groups", DEFAULT_GROUPS)),
        "discrimination": {"measure": OVERLAP_NOTE, **asdict(model.concordance)},
        "interval": INTERVAL_WORDS if model.resamples is not None else "",
        "distance_limit": float(np.percentile(model.around.distance(model.cohort.values), 99)),
        "subsets": [
            {"modalities": subset.split(" + "), **asdict(found)} for subset, found in model.subsets
        ],
        "bound": f"{METHOD}; {_coverage_words(model)}",
        "bound_levels": [asdict(level) for level in model.levels],
    }
    if explanation := _write_explanation(model, target):
        entry["explanation"] = explanation
    return entry


def _coverage_words(model: PackagedModel) -> str:
    found = model.coverage
    return (
        f"held-out patients outlived their 90 % bound in {100 * found.value:.0f} % "
        f"({100 * found.lower:.0f} to {100 * found.upper:.0f} %)"
    )


def _prediction_graph(model: PackagedModel, times: Floats) -> onnx.ModelProto:
    count, resamples = len(model.predictors), model.resamples
    if isinstance(model.fitted, PreparedModel):
        return export_model(
            model.fitted,
            times,
            predictors=count,
            resamples=resamples if isinstance(resamples, Resamples) else None,
            near=model.around.near,
        )
    if isinstance(model.fitted, RecurrentModel):
        return export_recurrent(model.fitted, times, predictors=count, around=model.around)
    return export_fused(
        model.fitted,
        times,
        predictors=count,
        resamples=resamples if isinstance(resamples, FusedResamples) else None,
        around=model.around,
    )


def _write_explanation(model: PackagedModel, target: Path) -> dict[str, str]:
    """A graph of contributions where the prediction's own graph does not give them."""
    method, fitted = contribution_method(model.fitted), model.fitted
    if not method or isinstance(fitted, FeatureFusedModel | RecurrentModel):
        return {}
    if isinstance(fitted, PreparedModel) and isinstance(fitted.estimator, LinearFit):
        return {"method": method}
    name = f"{Path(model.file).stem}.contributions.onnx"
    graph = export_explanation(fitted, predictors=len(model.predictors))
    return {"method": method, "file": name, "sha256": _write_graph(graph, target / name)}


def _write_graph(graph: onnx.ModelProto, path: Path) -> str:
    """Write a graph and give its sha256."""
    content = graph.SerializeToString(deterministic=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


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
