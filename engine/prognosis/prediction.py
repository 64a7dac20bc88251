"""Prediction of one patient's survival by a risk package, with its limits."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelPackageError
from engine.inference.session import Session, open_session
from engine.prognosis.group_curves import group_curves
from engine.prognosis.inputs import PatientInputs, PredictorValue, collect
from engine.prognosis.manifest import load_risk_package
from engine.prognosis.package import (
    BoundLevel,
    Discrimination,
    RiskModel,
    RiskPackage,
    SubsetDiscrimination,
)
from engine.values.prognosis import (
    Contribution,
    GroupCurve,
    Refusal,
    RiskPrediction,
    SurvivalBound,
)

Outputs = Mapping[str, NDArray[Any]]


class OpenRiskPackage:
    """A verified risk package with its graphs opened on first use.

    Graphs are small: they run on one CPU thread, where results repeat bit for bit.
    """

    def __init__(self, package: RiskPackage) -> None:
        self.package = package
        self._sessions: dict[str, Session] = {}
        self._explanations: dict[str, Session] = {}
        self._group_curves: dict[str, tuple[GroupCurve, ...]] = {}

    def run(
        self, model: RiskModel, values: NDArray[np.float64], outputs: tuple[str, ...] = ()
    ) -> Outputs:
        """Run one model.

        Args:
            model: A model of this package.
            values: Shape (n, p) in the order of ``model.predictors``; NaN where missing.
            outputs: Names of the outputs wanted; all when empty.

        Raises:
            ModelPackageError: The graph cannot be opened or lacks a required output.
        """
        session = self._session(model)
        observed = np.isfinite(values)
        feeds = {"values": np.where(observed, values, 0.0), "observed": observed}
        return session.run_named(feeds, outputs)

    def explain(self, model: RiskModel, values: NDArray[np.float64]) -> Outputs:
        """Outputs ``contributions`` and ``contribution_base`` of a model's explanation graph.

        Empty for a model that has no graph of its own for them. Arguments as in ``run``.
        """
        if model.explanation is None or not model.explanation.file:
            return {}
        if model.name not in self._explanations:
            path = self.package.folder / model.explanation.file
            self._explanations[model.name] = open_session(path, device="cpu", threads=1)
        observed = np.isfinite(values)
        feeds = {"values": np.where(observed, values, 0.0), "observed": observed}
        return self._explanations[model.name].run_named(feeds)

    def group_curves(self, model: RiskModel) -> tuple[GroupCurve, ...]:
        """Curves of the development cohort's risk groups under a model; computed once."""
        if model.name not in self._group_curves:
            wanted = ("linear_predictor", "survival")
            self._group_curves[model.name] = group_curves(
                self.package, model, lambda rows: self.run(model, rows, wanted)
            )
        return self._group_curves[model.name]

    def outputs(self, model: RiskModel) -> frozenset[str]:
        """Names of the outputs the model's graph has."""
        return frozenset(o.name for o in self._session(model).outputs)

    def _session(self, model: RiskModel) -> Session:
        if model.name not in self._sessions:
            session = open_session(self.package.folder / model.file, device="cpu", threads=1)
            names = {o.name for o in session.outputs}
            if missing := {"linear_predictor", "survival"} - names:
                raise ModelPackageError(f"{model.file} has no output {', '.join(sorted(missing))}")
            self._sessions[model.name] = session
        return self._sessions[model.name]


def open_risk_package(folder: Path) -> OpenRiskPackage:
    """Verify a risk package and make it ready to predict.

    Raises:
        ModelPackageError: See ``load_risk_package``.
    """
    return OpenRiskPackage(load_risk_package(folder))


def predict(opened: OpenRiskPackage, patient: PatientInputs) -> RiskPrediction | Refusal:
    """Predict one patient, or refuse with the reason.

    The first model of the package whose required predictors are all usable is taken.

    Returns:
        The prediction, or a Refusal that names what was missing for each model.
    """
    package = opened.package
    values = {v.predictor.name: v for v in collect(package.predictors, patient)}
    model = choose_model(package, values)
    if model is None:
        return Refusal(
            name=f"{package.identity.name} {package.identity.version}",
            reason=_refusal_reason(package, values),
        )
    row = np.array([[_number(values[name]) for name in model.predictors]])
    outputs = {**opened.run(model, row), **opened.explain(model, row)}
    found = _prediction(package, model, values, outputs)
    return replace(
        found,
        group_curves=opened.group_curves(model),
        package_sha256=package.identity.sha256,
        origin=package.origin,
    )


def choose_model(package: RiskPackage, values: Mapping[str, PredictorValue]) -> RiskModel | None:
    """The first model whose required predictors are all there, or None."""
    for model in package.models:
        there = [name for name in model.predictors if values[name].number is not None]
        some = not model.any_of or any(name in there for name in model.any_of)
        if some and all(name in there for name in model.required):
            return model
    return None


def _number(value: PredictorValue) -> float:
    return float("nan") if value.number is None else value.number


def _refusal_reason(package: RiskPackage, values: Mapping[str, PredictorValue]) -> str:
    simplest = package.models[-1]
    lacking = [
        f"{values[name].predictor.label} ({values[name].reason})"
        for name in simplest.required
        if values[name].number is None
    ]
    if simplest.any_of and not any(values[n].number is not None for n in simplest.any_of):
        wanted = [f"{values[n].predictor.label} ({values[n].reason})" for n in simplest.any_of]
        lacking.append(f"any one of {', '.join(wanted)}")
    return (
        f"None of the {len(package.models)} models of the package can be used; the one that "
        f"needs least ({simplest.name}) lacks {'; '.join(lacking)}"
    )


def _prediction(
    package: RiskPackage,
    model: RiskModel,
    values: Mapping[str, PredictorValue],
    outputs: Outputs,
) -> RiskPrediction:
    risk = float(outputs["linear_predictor"].reshape(-1)[0])
    survival = outputs["survival"][0]
    lower, upper = _interval(outputs, survival)
    used = [values[n] for n in model.predictors if values[n].number is not None]
    return RiskPrediction(
        package=f"{package.identity.name} {package.identity.version}",
        outcome=package.outcome,
        times_months=package.times_months,
        survival=tuple(float(s) for s in survival),
        lower=tuple(float(s) for s in lower),
        upper=tuple(float(s) for s in upper),
        interval=model.interval or "no interval: the package holds no resamples",
        risk_group=next(g.name for g in model.groups if risk <= g.upper),
        linear_predictor=risk,
        percentile=percentile_of(risk, model.percentiles),
        contributions=_contributions(model, values, outputs),
        used_modalities=tuple(dict.fromkeys(v.predictor.modality for v in used)),
        missing=_missing(package, model, values),
        flags=_flags(model, used, outputs),
        limits=_limits(package, model, tuple(v.predictor.modality for v in used)),
        contribution_base=float(np.ravel(outputs.get("contribution_base", 0.0))[0]),
        contribution_method=model.explanation.method if model.explanation else "",
        lower_bounds=tuple(
            lower_bound(package.times_months, survival, level) for level in model.bound_levels
        ),
        lower_bound=model.bound,
    )


def lower_bound(
    times_months: tuple[float, ...], survival: NDArray[np.float64], level: BoundLevel
) -> SurvivalBound:
    """The time at which a curve falls to a level; straight lines between the grid's times."""
    grid = np.concatenate(([0.0], times_months))
    curve = np.concatenate(([1.0], survival))
    below = np.flatnonzero(curve <= level.survival)
    if not len(below):
        return SurvivalBound(confidence=level.confidence, months=float(grid[-1]), at_end=True)
    k = int(below[0])
    months = float(grid[k])
    if k > 0:
        share = (curve[k - 1] - level.survival) / (curve[k - 1] - curve[k])
        months = float(grid[k - 1] + share * (grid[k] - grid[k - 1]))
    return SurvivalBound(confidence=level.confidence, months=months, at_end=False)


def _interval(
    outputs: Outputs, survival: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    samples = outputs.get("survival_samples")
    if samples is None:
        return survival, survival
    low, high = np.quantile(samples[0], (0.025, 0.975), axis=0)
    return np.minimum(low, survival), np.maximum(high, survival)


def percentile_of(risk: float, percentiles: tuple[float, ...]) -> float:
    """Percentile of a linear predictor in the development cohort, 0..100."""
    if risk <= percentiles[0]:
        return 0.0
    if risk >= percentiles[-1]:
        return 100.0
    above = bisect_right(percentiles, risk)
    low, high = percentiles[above - 1], percentiles[above]
    return above - 1 + (risk - low) / (high - low)


def _contributions(
    model: RiskModel, values: Mapping[str, PredictorValue], outputs: Outputs
) -> tuple[Contribution, ...]:
    effects = outputs.get("contributions")
    if effects is None:
        return ()
    rows = [
        Contribution(
            predictor=values[name].predictor.label,
            value=values[name].given,
            effect=float(effect),
            unit=values[name].predictor.unit if isinstance(values[name].given, float | int) else "",
            code=values[name].predictor.code,
            code_system=values[name].predictor.code_system,
        )
        for name, effect in zip(model.predictors, effects[0], strict=True)
    ]
    return tuple(sorted(rows, key=lambda c: -abs(c.effect)))


def _missing(
    package: RiskPackage, model: RiskModel, values: Mapping[str, PredictorValue]
) -> tuple[str, ...]:
    lines = []
    for predictor in package.predictors:
        value = values[predictor.name]
        if value.number is None:
            handling = (
                f"filled in by the model's policy: {model.missing_policy}"
                if predictor.name in model.predictors
                else "a model without it was used"
            )
            lines.append(f"{predictor.label}: {value.reason}; {handling}")
        elif predictor.name not in model.predictors:
            lines.append(f"{predictor.label}: there, but not used by the model {model.name}")
    return tuple(lines)


def _flags(model: RiskModel, used: list[PredictorValue], outputs: Outputs) -> tuple[str, ...]:
    flags = [flag for value in used for flag in value.flags]
    distance = outputs.get("distance")
    if distance is not None and float(distance.reshape(-1)[0]) > model.distance_limit:
        flags.append(
            "Out of distribution: this combination of values is farther from the development "
            "cohort than 99 % of its patients"
        )
    return tuple(flags)


def _limits(package: RiskPackage, model: RiskModel, modalities: tuple[str, ...]) -> tuple[str, ...]:
    found: Discrimination | SubsetDiscrimination = model.discrimination
    part = next((s for s in model.subsets[1:] if set(s.modalities) == set(modalities)), None)
    given = f" with {' + '.join(part.modalities)} only" if part else ""
    found = part or found
    return (
        f"Model used: {model.name}; {model.discrimination.measure}{given} {found.value:.3f} "
        f"({found.lower:.3f}–{found.upper:.3f}) in internal validation",
        f"Development cohort: {package.cohort}",
        f"Time zero: {package.origin}; no prediction beyond {package.times_months[-1]:g} months",
        *package.identity.limits,
    )
