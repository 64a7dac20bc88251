"""Judging a finished risk package on a table of other patients."""

from pathlib import Path

import numpy as np

from engine.prognosis.inputs import encode
from engine.prognosis.package import RiskModel, RiskPackage, RiskPredictor
from engine.prognosis.prediction import open_risk_package
from engine.training.calibration import calibration_slope
from engine.training.cohort import CohortError, Row, read_table
from engine.training.judging import Judgement, Predictions, judge, judge_table
from engine.training.outcome import Booleans, Floats, HorizonError, Outcome
from engine.training.truth import SurvivalTruth

DEFAULT_HORIZONS = (12.0, 24.0, 36.0, 60.0)
NEEDED = ("patient", "time_months", "event")
FEWEST_PATIENTS = 20


def evaluate_package(
    folder: Path, table: Path, horizons: tuple[float, ...] = ()
) -> tuple[tuple[Judgement, ...], str]:
    """Judge every model of a package on the patients that have its required values.

    Returns:
        The judgements and a text: one line per model, with how many patients were refused
        and the recalibration the center would need.

    Raises:
        CohortError: The table lacks a needed column or a cell is no number.
        ModelPackageError: The package cannot be used.
    """
    opened = open_risk_package(folder)
    package = opened.package
    rows = read_table(table)
    if lacking := [c for c in NEEDED if c not in rows[0]]:
        raise CohortError(f"{table.name} lacks the columns {', '.join(lacking)}")
    outcome = _outcome(rows)
    numbers = {p.name: _numbers(p, rows) for p in package.predictors}
    times = np.array(package.times_months)
    asked = horizons or tuple(h for h in DEFAULT_HORIZONS if h <= times[-1])
    judgements, lines = [], []
    for model in package.models:
        values = np.column_stack([numbers[name] for name in model.predictors])
        usable = _usable(model, values)
        refused = len(rows) - int(usable.sum())
        if usable.sum() < FEWEST_PATIENTS:
            lines.append(f"{model.name}: only {int(usable.sum())} patients have its values")
            continue
        run = opened.run(model, values[usable], ("linear_predictor", "survival"))
        predictions = Predictions(
            name=model.name,
            risk=run["linear_predictor"].reshape(1, -1),
            survival=run["survival"],
            times=times,
            truth=SurvivalTruth(outcome.take(usable)),
            groups=np.zeros((1, int(usable.sum())), np.int64),
            patients=np.unique(
                [r["patient"] for r, u in zip(rows, usable, strict=True) if u],
                return_inverse=True,
            )[1],
        )
        try:
            judgement = judge(predictions, asked)
        except HorizonError as error:
            lines.append(f"{model.name}: {error}")
            continue
        judgements.append(judgement)
        lines.append(f"{model.name}: {refused} patients refused; {_recalibration(predictions)}")
    return tuple(judgements), _text(package, judgements, lines)


def _text(package: RiskPackage, judgements: list[Judgement], lines: list[str]) -> str:
    head = f"{package.identity.name} {package.identity.version}: {package.outcome}"
    return "\n".join((head, judge_table(tuple(judgements)), *lines))


def _usable(model: RiskModel, values: Floats) -> Booleans:
    needed = [model.predictors.index(name) for name in model.required]
    return np.asarray(np.isfinite(values[:, needed]).all(axis=1), bool)


def _recalibration(p: Predictions) -> str:
    slope = calibration_slope(p.risk[0], p.truth.observed)
    return f"slope of the linear predictor here {slope:.2f}"


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
