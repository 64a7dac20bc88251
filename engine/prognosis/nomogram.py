"""The nomogram of an additive risk package (Cox, logistic), by probing its ONNX graph.

Each predictor is varied alone; the change of the linear predictor is its axis. Survival scales
come from the graph itself, not from a formula. A model that is not additive (forest, boosting)
has no nomogram and is refused.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelPackageError
from engine.prognosis.inputs import PatientInputs, PredictorValue, collect
from engine.prognosis.package import Encoding, RiskModel, RiskPredictor
from engine.prognosis.prediction import OpenRiskPackage, choose_model
from engine.values.nomogram import Nomogram, NomogramAxis, NomogramTick

ADDITIVITY_TOLERANCE = 1e-6
MAXIMUM_TICKS = 9
_PROBABILITIES = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
_PATH = 101
_UNIT_WORDS = {"a": "years"}


def build_package_nomogram(
    opened: OpenRiskPackage, patient: PatientInputs, months: tuple[float, ...]
) -> Nomogram:
    """Make the nomogram of the model that predicts this patient, with the patient marked.

    Args:
        opened: A risk package.
        patient: The patient's inputs.
        months: Times of the survival scales; each must be on the package's grid.

    Raises:
        ModelPackageError: No model can be used, the model is not additive, or a time is not on
            the grid.
    """
    package = opened.package
    values = {v.predictor.name: v for v in collect(package.predictors, patient)}
    model = choose_model(package, values)
    if model is None:
        raise ModelPackageError(f"No model of {package.identity.name} fits the patient")
    unknown = [m for m in months if m not in package.times_months]
    if unknown:
        raise ModelPackageError(f"Months {unknown} are not on the time grid of the package")
    probe = _Probe(opened, model, [package.predictor(name) for name in model.predictors])
    axes = tuple(probe.axis(column, values[name]) for column, name in enumerate(model.predictors))
    probe.require_additive()
    return Nomogram(
        title=f"{package.identity.name} {package.identity.version}: {package.outcome}",
        axes=axes,
        scales=probe.scales(months, package.times_months),
        constant=probe.constant,
        note="Additive model, drawn from its own graph. Research use only.",
    )


class _Probe:
    """Rows pushed through one graph around a reference row."""

    def __init__(
        self, opened: OpenRiskPackage, model: RiskModel, predictors: list[RiskPredictor]
    ) -> None:
        self._opened = opened
        self._model = model
        self._predictors = predictors
        self._grids = [_grid(predictor) for predictor in predictors]
        self._reference = np.array([grid[0] for grid in self._grids])
        self.constant = float(self._risk(self._reference[None])[0])

    def axis(self, column: int, value: PredictorValue) -> NomogramAxis:
        """Effects of one predictor over its grid, and the patient's own.

        A missing value is marked where the model's own policy puts it.
        """
        predictor, grid = self._predictors[column], self._grids[column]
        numbers = [*grid, math.nan if value.number is None else value.number]
        rows = np.tile(self._reference, (len(numbers), 1))
        rows[:, column] = numbers
        effects = self._risk(rows) - self.constant
        ticks = [
            NomogramTick(label=_label(predictor, number), effect=float(effect))
            for number, effect in zip(numbers, effects, strict=True)
        ]
        patient = replace(ticks.pop(), label=_given(value))
        shown = predictor.encoding is Encoding.NUMBER and predictor.unit not in ("", "1")
        unit = f", {_UNIT_WORDS.get(predictor.unit, predictor.unit)}" if shown else ""
        return NomogramAxis(label=f"{predictor.label}{unit}", ticks=tuple(ticks), patient=patient)

    def require_additive(self) -> None:
        """Compare joint changes with the sum of single ones on rows drawn over the grids."""
        chance = np.random.default_rng(0)
        rows = np.array([[chance.choice(grid) for grid in self._grids] for _ in range(16)])
        joint = self._risk(rows) - self.constant
        single = np.zeros(len(rows))
        for column in range(len(self._grids)):
            alone = np.tile(self._reference, (len(rows), 1))
            alone[:, column] = rows[:, column]
            single += self._risk(alone) - self.constant
        if not np.allclose(joint, single, atol=ADDITIVITY_TOLERANCE):
            raise ModelPackageError(
                f"Model '{self._model.name}' is not additive: it has no nomogram"
            )

    def scales(
        self, months: tuple[float, ...], grid: tuple[float, ...]
    ) -> tuple[NomogramAxis, ...]:
        """Where the total gives round event-free probabilities at each time."""
        path = np.linspace(0.0, 1.0, _PATH)[:, None]
        best, worst = self._corners()
        outputs = self._opened.run(
            self._model, best + path * (worst - best), ("linear_predictor", "survival")
        )
        risk = outputs["linear_predictor"].reshape(-1)
        order = np.argsort(risk)
        scales = []
        for month in months:
            survival = outputs["survival"][:, grid.index(month)][order]
            inside = [p for p in _PROBABILITIES if survival[-1] <= p <= survival[0]]
            totals = np.interp([-p for p in inside], -survival, risk[order])
            ticks = tuple(
                NomogramTick(label=f"{p:g}", effect=float(total))
                for p, total in zip(inside, totals, strict=True)
            )
            if ticks:
                label = f"Event-free at {month:g} months"
                scales.append(NomogramAxis(label=label, ticks=ticks))
        return tuple(scales)

    def _corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows of lowest and highest risk over the grids."""
        best, worst = self._reference.copy(), self._reference.copy()
        for column, grid in enumerate(self._grids):
            rows = np.tile(self._reference, (len(grid), 1))
            rows[:, column] = grid
            risk = self._risk(rows)
            best[column], worst[column] = grid[int(risk.argmin())], grid[int(risk.argmax())]
        return best, worst

    def _risk(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        outputs = self._opened.run(self._model, rows, ("linear_predictor",))
        return np.asarray(outputs["linear_predictor"], np.float64).reshape(-1)


def _grid(predictor: RiskPredictor) -> list[float]:
    """The numbers a predictor's axis shows: its words, or its development range."""
    if predictor.encoding is Encoding.WORDS:
        return sorted({number for _, number in predictor.words})
    low, high = predictor.development
    if predictor.encoding is Encoding.RAMP or not np.isfinite([low, high]).all():
        return [0.0, 1.0]
    return round_values(low, high)


def round_values(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten inside a range, at most nine; else its ends."""
    if high <= low:
        return [low]
    decade = 10.0 ** math.floor(math.log10(high - low) - 1)
    for step in (decade * factor for factor in (1, 2, 5, 10, 20, 50)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if 2 <= last - first + 1 <= MAXIMUM_TICKS:
            return [float(f"{number * step:.12g}") for number in range(first, last + 1)]
    return [low, high]


def _label(predictor: RiskPredictor, number: float) -> str:
    if math.isnan(number):
        return "missing"
    if predictor.encoding is Encoding.RAMP:
        below = number < 0.5
        bound = predictor.lower if below else predictor.upper
        unit = "" if predictor.unit == "1" else f" {predictor.unit}"
        return f"{'≤' if below else '≥'} {bound:g}{unit}"
    word = next((word for word, known in predictor.words if known == number), "")
    return word or f"{number:.3g}"


def _given(value: PredictorValue) -> str:
    """The patient's value as it came, which for a cut-off says more than its class."""
    if value.number is None or value.given is None:
        return "missing"
    if isinstance(value.given, str):
        return value.given
    return f"{value.given:.3g}"
