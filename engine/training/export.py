"""Turning fitted models into ONNX graphs with the interface of engine.prognosis.package."""

from dataclasses import dataclass, replace

import numpy as np
import onnx

from engine.errors import InputError
from engine.training.competing import SMALLEST_INCIDENCE, CompetingFit, hazard_steps
from engine.training.contributions import place_matrix, unrotated
from engine.training.imputation import SWEEPS, ChainedEquations
from engine.training.linear import LinearFit
from engine.training.networks import NetworkFit
from engine.training.onnx_graph import GraphBuilder
from engine.training.outcome import Floats
from engine.training.preparation import Preparation
from engine.training.strategies import PreparedModel
from engine.training.trajectories import ClassFit
from engine.training.trees import SMALLEST_HAZARD, BoostingFit, ForestFit

PRODUCER = "HepatoCast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resamples:
    """Bootstrap refits of a linear model on one preparation.

    Attributes:
        coefficients: Shape (B, r).
        hazard: Cumulative baseline hazard at the grid, shape (B, T).
    """

    coefficients: Floats
    hazard: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighborhood:
    """Where the development cohort lies: mean and a factor of the inverse covariance.

    Attributes:
        mean: Of the prepared predictors, shape (r,).
        factor: (x - mean) @ factor has unit covariance, shape (r, r).
    """

    mean: Floats
    factor: Floats

    def distance(self, x: Floats) -> Floats:
        """Mahalanobis distance, shape (n,)."""
        return np.asarray(np.sqrt((((x - self.mean) @ self.factor) ** 2).sum(axis=1)), np.float64)


def neighborhood(x: Floats, *, shrinkage: float = 0.1) -> Neighborhood:
    """Describe a cohort's prepared predictors, shape (n, r)."""
    covariance = np.cov(x, rowvar=False).reshape(x.shape[1], x.shape[1])
    steady = (1 - shrinkage) * covariance + shrinkage * np.eye(len(covariance))
    return Neighborhood(mean=x.mean(axis=0), factor=np.linalg.cholesky(np.linalg.inv(steady)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a cohort lies, in predictors prepared without regard to any model."""

    preparation: Preparation
    near: Neighborhood

    def distance(self, values: Floats) -> Floats:
        """Mahalanobis distance of raw values, shape (n,)."""
        return self.near.distance(self.preparation.apply(values))


def export_model(
    model: PreparedModel,
    times: Floats,
    *,
    predictors: int,
    resamples: Resamples | None = None,
    near: Neighborhood | None = None,
) -> onnx.ModelProto:
    """Export a fitted model.

    Args:
        model: Preparation and estimator.
        times: Time grid in months, shape (T,).
        predictors: Number p of the graph's input columns.
        resamples: Refits for ``survival_samples`` (linear models only).
        near: For ``distance``.

    Returns:
        A checked graph; see engine.prognosis.package for its interface.
    """
    graph = GraphBuilder(predictors)
    scaled = emit_scaled(graph, model.preparation)
    x = _rotated(graph, model.preparation, scaled)
    risk, survival = emit_estimator(graph, model, x, times)
    flat = graph.node("Reshape", risk, graph.constant(np.array([-1], np.int64)))
    graph.output("linear_predictor", flat, ["n"])
    graph.output("survival", survival, ["n", len(times)])
    if isinstance(model.estimator, LinearFit):
        weights = unrotated(model.preparation, model.estimator.coefficients)
        share = graph.node("Mul", scaled, graph.constant(weights))
        place = place_matrix(model.preparation, predictors)
        graph.output("contributions", graph.linear(share, place), ["n", predictors])
    if resamples is not None:
        _emit_samples(graph, x, resamples)
    if near is not None:
        emit_distance(graph, x, near)
    return graph.model(PRODUCER)


def emit_preparation(graph: GraphBuilder, preparation: Preparation) -> str:
    """Select, transform, fill in, standardize and rotate the inputs."""
    return _rotated(graph, preparation, emit_scaled(graph, preparation))


def _rotated(graph: GraphBuilder, preparation: Preparation, scaled: str) -> str:
    return scaled if preparation.rotation is None else graph.linear(scaled, preparation.rotation)


def emit_scaled(graph: GraphBuilder, preparation: Preparation) -> str:
    """The prepared inputs before rotation."""
    values = graph.gather("values", preparation.columns)
    observed = graph.gather("observed", preparation.columns)
    if preparation.logarithmic.any():
        values = _emit_logarithm(graph, values, preparation)
    x = graph.node("Where", observed, values, graph.constant(preparation.fill))
    if preparation.equations is not None:
        x = _emit_equations(graph, preparation.equations, x, observed)
    if len(preparation.indicators):
        missing = graph.node("Not", graph.gather(observed, preparation.indicators))
        flags = graph.node("Cast", missing, to=onnx.TensorProto.DOUBLE)
        x = graph.node("Concat", x, flags, axis=1)
    x = graph.node("Sub", x, graph.constant(preparation.center))
    return graph.node("Div", x, graph.constant(preparation.scale))


def _emit_equations(graph: GraphBuilder, chained: ChainedEquations, x: str, observed: str) -> str:
    """``ChainedEquations.complete`` as operators: one column's correction at a time."""
    missing = graph.node("Cast", graph.node("Not", observed), to=onnx.TensorProto.DOUBLE)
    for _ in range(SWEEPS):
        for k, column in enumerate(chained.targets):
            found = graph.node(
                "Add",
                graph.linear(x, chained.weights[k][:, None]),
                graph.constant(chained.intercepts[[k]]),
            )
            high = graph.node("Min", found, graph.constant(chained.upper[[k]]))
            inside = graph.node("Max", high, graph.constant(chained.lower[[k]]))
            change = graph.node("Sub", inside, graph.gather(x, np.array([column])))
            own = graph.node("Mul", change, graph.gather(missing, np.array([column])))
            place = np.eye(chained.weights.shape[1])[[column]]
            x = graph.node("Add", x, graph.linear(own, place))
    return x


def _emit_logarithm(graph: GraphBuilder, values: str, preparation: Preparation) -> str:
    positive = graph.node("Max", values, graph.constant(np.array([0.0])))
    shifted = graph.node("Add", positive, graph.constant(np.array([1.0])))
    natural = graph.node("Log", shifted)
    decades = graph.node("Mul", natural, graph.constant(np.array([1 / np.log(10.0)])))
    return graph.node("Where", graph.constant(preparation.logarithmic[None, :]), decades, values)


def emit_estimator(
    graph: GraphBuilder, model: PreparedModel, x: str, times: Floats
) -> tuple[str, str]:
    """Risk (n, 1) and survival (n, T) of any supported estimator."""
    match model.estimator:
        case LinearFit() as fit:
            risk = graph.linear(x, fit.coefficients[:, None])
            return risk, graph.hazard_to_survival(risk, fit.baseline(times))
        case NetworkFit() as fit:
            inner = graph.node("Add", graph.linear(x, fit.hidden), graph.constant(fit.bias))
            risk = graph.linear(graph.node("Tanh", inner), fit.output[:, None])
            return risk, graph.hazard_to_survival(risk, fit.baseline(times))
        case BoostingFit() as fit:
            total = graph.trees(x, fit.trees, mean=False)
            risk = graph.node("Add", total, graph.constant(np.array([fit.offset])))
            return risk, graph.hazard_to_survival(risk, fit.baseline(times))
        case ForestFit() as fit:
            return _emit_forest(graph, fit, x, times)
        case ClassFit() as fit:
            return _emit_classes(graph, fit, x, times)
        case CompetingFit() as fit:
            return _emit_competing(graph, fit, x, times)
    raise InputError(f"{type(model.estimator).__name__} cannot be exported to ONNX")


def _emit_forest(graph: GraphBuilder, fit: ForestFit, x: str, times: Floats) -> tuple[str, str]:
    """Only the grid's survival values and the hazard sum stay in the leaves."""
    index = np.searchsorted(fit.times, times, side="right")
    trees = []
    for tree in fit.trees:
        steps = np.column_stack((np.ones(len(tree.leaf)), tree.leaf[:, :-1]))[:, index]
        payload = np.column_stack((steps, tree.leaf[:, -1]))
        trees.append(replace(tree, leaf=payload))
    mean = graph.trees(x, trees, mean=True)
    hazard = graph.gather(mean, np.array([len(times)]))
    survival = graph.gather(mean, np.arange(len(times)))
    positive = graph.node("Max", hazard, graph.constant(np.array([SMALLEST_HAZARD])))
    return graph.node("Log", positive), survival


def _emit_classes(graph: GraphBuilder, fit: ClassFit, x: str, times: Floats) -> tuple[str, str]:
    """Class log densities are quadratic in x: two products and a constant, then a softmax."""
    inverse = 1.0 / fit.variances
    linear = graph.linear(x, (fit.means * inverse).T)
    square = graph.linear(graph.node("Mul", x, x), -0.5 * inverse.T)
    constant = np.log(fit.weights) - 0.5 * (fit.means**2 * inverse + np.log(fit.variances)).sum(
        axis=1
    )
    score = graph.node("Add", graph.node("Add", linear, square), graph.constant(constant))
    share = graph.node("Softmax", score, axis=1)
    risk = graph.linear(
        graph.gather(share, np.arange(1, len(fit.weights))), fit.cox.coefficients[:, None]
    )
    return risk, graph.hazard_to_survival(risk, fit.cox.baseline(times))


def _emit_samples(graph: GraphBuilder, x: str, resamples: Resamples) -> None:
    emit_survival_samples(graph, graph.linear(x, resamples.coefficients.T), resamples.hazard)


def _emit_competing(
    graph: GraphBuilder, fit: CompetingFit, x: str, times: Floats
) -> tuple[str, str]:
    """Incidence of the first cause: survival just before each step, times the cause's step."""
    grid, one = fit.grid, graph.constant(np.array([1.0]))
    steps = []
    for model in fit.models:
        relative = graph.node("Exp", graph.linear(x, model.coefficients[:, None]))
        steps.append(graph.node("MatMul", relative, graph.constant(hazard_steps(model, grid))))
    total = steps[0] if len(steps) == 1 else graph.node("Sum", *steps)
    left = graph.node("Max", graph.node("Sub", one, total), graph.constant(np.array([1e-300])))
    axis = graph.constant(np.array(1, np.int64))
    logs = graph.node("CumSum", graph.node("Log", left), axis, exclusive=1)
    rising = graph.node("Mul", graph.node("Exp", logs), steps[0])
    until = (grid[:, None] <= np.concatenate((times, grid[-1:]))[None, :]).astype(np.float64)
    incidence = graph.linear(rising, until)
    low, high = (np.array([v]) for v in (SMALLEST_INCIDENCE, 1.0 - SMALLEST_INCIDENCE))
    last = graph.gather(incidence, np.array([len(times)]))
    inside = graph.node("Min", graph.node("Max", last, graph.constant(low)), graph.constant(high))
    hazard = graph.node("Neg", graph.node("Log", graph.node("Sub", one, inside)))
    survival = graph.node("Sub", one, graph.gather(incidence, np.arange(len(times))))
    return graph.node("Log", hazard), survival


def emit_survival_samples(graph: GraphBuilder, risk: str, hazard: Floats) -> None:
    """Output ``survival_samples`` of refits' risks (n, B) and hazards (B, T)."""
    count, times = hazard.shape
    relative = graph.node("Exp", risk)
    wide = graph.node("Unsqueeze", relative, graph.constant(np.array([2], np.int64)))
    cumulative = graph.node("Mul", wide, graph.constant(hazard[None]))
    survival = graph.node("Exp", graph.node("Neg", cumulative))
    graph.output("survival_samples", survival, ["n", count, times])


def emit_distance(graph: GraphBuilder, x: str, near: Neighborhood) -> None:
    """Output ``distance`` of prepared predictors."""
    moved = graph.linear(graph.node("Sub", x, graph.constant(near.mean)), near.factor)
    square = graph.node("Mul", moved, moved)
    axes = graph.constant(np.array([1], np.int64))
    total = graph.node("ReduceSum", square, axes, keepdims=0)
    graph.output("distance", graph.node("Sqrt", total), ["n"])
