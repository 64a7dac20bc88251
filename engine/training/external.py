"""Judging a finished risk package on a table of other patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.prognosis.inputs import encode
from engine.prognosis.package import RiskModel, RiskPackage, RiskPredictor
from engine.prognosis.prediction import OpenRiskPackage, open_risk_package
from engine.training.calibration import calibration_slope
from engine.training.cohort import CohortError, Row, read_table
from engine.training.concordance import pair_table
from engine.training.conformal import covered_share, lower_bounds
from engine.training.external_tables import (
    ReferenceComparison,
    compare_with_reference,
    split_by_column,
)
from engine.training.judging import Judgement, Predictions, judge, judge_table
from engine.training.outcome import Booleans, Floats, HorizonError, Outcome
from engine.training.recalibration import CenterCalibration, calibrate_centers
from engine.training.resampling import Interval, concordance_interval
from engine.training.subsets import modality_subsets
from engine.training.truth import SurvivalTruth

DEFAULT_HORIZONS = (12.0, 24.0, 36.0, 60.0)
NEEDED = ("patient", "time_months", "event")
FEWEST_PATIENTS = 20
RESAMPLES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvaluation:
    """One model of a package on the patients that have its required values.

    Attributes:
        refused: Patients without them.
        slope: Of the linear predictor in a Cox model here; 1 means the effects carry over.
        coverage: (confidence, share that outlived its conformal bound), weighted for censoring.
        subsets: Concordance when only some modalities are shown.
        subgroups: (subgroup, patients, events, concordance).
        centers: Calibration per center at ``center_horizon``; empty without a column "center".
        references: Against declared stages or scores.
    """

    name: str
    judgement: Judgement
    refused: int
    slope: float
    coverage: tuple[tuple[float, float], ...] = ()
    subsets: tuple[tuple[str, Interval], ...] = ()
    subgroups: tuple[tuple[str, int, int, Interval], ...] = ()
    centers: tuple[CenterCalibration, ...] = ()
    center_horizon: float = 0.0
    references: tuple[ReferenceComparison, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A package on other patients; ``remarks`` name the models that could not be judged."""

    package: RiskPackage
    table: str
    models: tuple[ModelEvaluation, ...]
    remarks: tuple[str, ...]


def evaluate_package(
    folder: Path,
    table: Path,
    horizons: tuple[float, ...] = (),
    *,
    subgroups: Sequence[str] = (),
    references: Sequence[str] = (),
) -> Evaluation:
    """Judge every model of a package on the patients that have its required values.

    Args:
        folder: Version folder of the package.
        table: CSV with patient, time_months, event, a column per source value and, where
            there are several, center.
        horizons: Months; the usual ones inside the package's grid when empty.
        subgroups: Numeric columns whose values are judged apart.
        references: Numeric columns of stages or scores, larger is worse.

    Raises:
        CohortError: The table lacks a needed column or a cell is no number.
        ModelPackageError: The package cannot be used.
    """
    opened = open_risk_package(folder)
    rows = read_table(table)
    if lacking := [c for c in (*NEEDED, *subgroups, *references) if c not in rows[0]]:
        raise CohortError(f"{table.name} lacks the columns {', '.join(lacking)}")
    patients = _Patients(opened, rows, tuple(subgroups), tuple(references))
    times = np.array(opened.package.times_months)
    asked = horizons or tuple(h for h in DEFAULT_HORIZONS if h <= times[-1])
    models, remarks = [], []
    for model in opened.package.models:
        found = patients.evaluate(model, asked)
        if isinstance(found, str):
            remarks.append(f"{model.name}: {found}")
        else:
            models.append(found)
    return Evaluation(
        package=opened.package, table=table.name, models=tuple(models), remarks=tuple(remarks)
    )


class _Patients:
    """The table, read once, and what every model is judged on."""

    def __init__(
        self,
        opened: OpenRiskPackage,
        rows: list[Row],
        subgroups: tuple[str, ...],
        references: tuple[str, ...],
    ) -> None:
        self.opened, self.rows = opened, rows
        self.outcome = _outcome(rows)
        self.numbers = {p.name: _numbers(p, rows) for p in opened.package.predictors}
        self.patients = np.unique([r["patient"] for r in rows], return_inverse=True)[1]
        self.center = np.array([r.get("center", "") for r in rows])
        self.subgroups = {name: _column(rows, name) for name in subgroups}
        self.references = {name: _column(rows, name) for name in references}

    def evaluate(self, model: RiskModel, asked: tuple[float, ...]) -> ModelEvaluation | str:
        """The evaluation, or why there is none."""
        values = np.column_stack([self.numbers[name] for name in model.predictors])
        usable = _usable(model, values)
        if usable.sum() < FEWEST_PATIENTS:
            return f"only {int(usable.sum())} patients have its values"
        predictions = self._predictions(model, values[usable], usable)
        try:
            judgement = judge(predictions, asked)
        except HorizonError as error:
            return str(error)
        middle = judgement.auc[min(1, len(judgement.auc) - 1)][0]
        at = int(np.flatnonzero(predictions.times == middle)[0])
        outcome, centers = self.outcome.take(usable), self.center[usable]
        survival = predictions.survival[:, at]
        return ModelEvaluation(
            name=model.name,
            judgement=judgement,
            refused=len(self.rows) - int(usable.sum()),
            slope=calibration_slope(predictions.risk[0], outcome),
            coverage=_coverage(model, predictions, outcome),
            subsets=self._subsets(model, values[usable], usable),
            subgroups=tuple(
                row
                for name, column in self.subgroups.items()
                for row in split_by_column(
                    name, column[usable], predictions.risk[0], outcome, self.patients[usable]
                )
            ),
            centers=calibrate_centers(survival, outcome, centers, middle) if any(centers) else (),
            center_horizon=middle,
            references=tuple(
                compare_with_reference(
                    name, column[usable], (predictions.risk[0], 1.0 - survival), outcome, middle
                )
                for name, column in self.references.items()
            ),
        )

    def _predictions(self, model: RiskModel, values: Floats, usable: Booleans) -> Predictions:
        run = self.opened.run(model, values, ("linear_predictor", "survival"))
        return Predictions(
            name=model.name,
            risk=run["linear_predictor"].reshape(1, -1),
            survival=run["survival"],
            times=np.array(self.opened.package.times_months),
            truth=SurvivalTruth(self.outcome.take(usable)),
            groups=np.zeros((1, len(values)), np.int64),
            patients=self.patients[usable],
        )

    def _subsets(
        self, model: RiskModel, values: Floats, usable: Booleans
    ) -> tuple[tuple[str, Interval], ...]:
        """Concordance when only some modalities are shown; required values stay."""
        modality = {n: self.opened.package.predictor(n).modality for n in model.predictors}
        names = list(dict.fromkeys(modality.values()))
        if len(names) < 2:
            return ()
        found = []
        for subset in modality_subsets(names):
            shown = [modality[n] in subset for n in model.predictors]
            kept = {n for n, s in zip(model.predictors, shown, strict=True) if s}
            if not set(model.required) <= kept or (model.any_of and not kept & set(model.any_of)):
                continue
            hidden = np.where(shown, values, np.nan)
            there: Booleans = np.asarray(np.isfinite(hidden).any(axis=1), bool)
            risk = self.opened.run(model, hidden[there], ("linear_predictor",))
            table = pair_table(
                risk["linear_predictor"].reshape(-1), self.outcome.take(usable).take(there)
            )
            members = self.patients[usable][there]
            interval = concordance_interval(table, members, resamples=RESAMPLES, seed=1)
            found.append((" + ".join(subset), interval))
        return tuple(found)


def evaluation_text(found: Evaluation) -> str:
    """The evaluation as text: one table, then what each model says beyond it."""
    identity = found.package.identity
    lines = [
        f"{identity.name} {identity.version}: {found.package.outcome}",
        judge_table(tuple(m.judgement for m in found.models)),
    ]
    for m in found.models:
        lines.append(
            f"{m.name}: {m.refused} patients refused; slope of the linear predictor here "
            f"{m.slope:.2f}"
        )
        lines += [
            f"  {100 * confidence:.0f} % lower bound outlived by {100 * share:.1f} %"
            for confidence, share in m.coverage
        ]
        lines += [f"  shown {subset}: C {c}" for subset, c in m.subsets]
        lines += [f"  {label}: {n} patients, {e} events, C {c}" for label, n, e, c in m.subgroups]
        lines += [f"  center {_center_words(c, m.center_horizon)}" for c in m.centers]
        lines += [
            f"  against {r.name}: C {r.difference} higher on {r.patients} patients; "
            f"reclassification by {r.horizon:g} months {r.total}"
            for r in m.references
        ]
    return "\n".join((*lines, *found.remarks))


def _center_words(c: CenterCalibration, horizon: float) -> str:
    head = f"{c.center}: {c.patients} patients, {c.events} events by {horizon:g} months"
    if c.remark:
        return f"{head}; {c.remark}"
    return (
        f"{head}; C {c.concordance:.3f}, slope {c.slope:.2f}, intercept {c.intercept:+.2f}, "
        f"ICI {c.ici:.3f}, recalibrated {c.ici_recalibrated:.3f}"
    )


def _coverage(
    model: RiskModel, predictions: Predictions, outcome: Outcome
) -> tuple[tuple[float, float], ...]:
    return tuple(
        (
            level.confidence,
            covered_share(
                lower_bounds(predictions.survival, predictions.times, level.survival),
                predictions.risk[0],
                outcome,
            ),
        )
        for level in model.bound_levels
    )


def _usable(model: RiskModel, values: Floats) -> Booleans:
    needed = [model.predictors.index(name) for name in model.required]
    usable = np.isfinite(values[:, needed]).all(axis=1)
    if model.any_of:
        some = [model.predictors.index(name) for name in model.any_of]
        usable &= np.isfinite(values[:, some]).any(axis=1)
    return np.asarray(usable, bool)


def _column(rows: list[Row], name: str) -> Floats:
    try:
        return np.array([float(r[name]) if r[name].strip() else np.nan for r in rows])
    except ValueError:
        raise CohortError(f"Column {name}: a cell is no number") from None


def _outcome(rows: list[Row]) -> Outcome:
    try:
        time = np.array([float(r["time_months"]) for r in rows])
        event = np.array([float(r["event"]) == 1.0 for r in rows])
    except ValueError:
        raise CohortError("time_months and event must be numbers in every row") from None
    return Outcome(time, event)


def _numbers(predictor: RiskPredictor, rows: list[Row]) -> Floats:
    """The model's numbers; NaN where the cell is empty or cannot be used."""
    column = predictor.key if predictor.key in rows[0] else predictor.name
    found = np.full(len(rows), np.nan)
    for k, row in enumerate(rows):
        cell = (row.get(column) or "").strip()
        if not cell:
            continue
        number, _ = encode(predictor, _as_number(cell))
        if number is not None:
            found[k] = number
    return found


def _as_number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
