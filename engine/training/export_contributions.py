"""ONNX graphs of contributions: the operators' form of engine.training.contributions.

They are graphs of their own beside the prediction, so that predicting ten thousand patients
does not pay for explanations nobody reads.
"""

import numpy as np
import onnx

from engine.errors import InputError
from engine.training.contributions import (
    FLAT,
    contribution_method,
    place_matrix,
    unrotated,
)
from engine.training.export import PRODUCER, emit_scaled
from engine.training.export_fusion import emit_available, emit_mean_share
from engine.training.fusion import FusedModel
from engine.training.linear import LinearFit
from engine.training.networks import NetworkFit
from engine.training.onnx_graph import GraphBuilder
from engine.training.outcome import Floats
from engine.training.preparation import Preparation
from engine.training.strategies import PreparedModel
from engine.training.tree_contributions import LeafPaths, leaf_paths
from engine.training.trees import SMALLEST_HAZARD, BoostingFit, ForestFit

Emitted = tuple[str, str]


def export_explanation(model: PreparedModel | FusedModel, *, predictors: int) -> onnx.ModelProto:
    """Export what ``contributions.explain`` computes.

    Returns:
        A checked graph with the outputs ``contributions`` (n, p) and ``contribution_base``
        (n,).

    Raises:
        InputError: The model cannot be split; ask ``contribution_method`` first.
    """
    if not contribution_method(model):
        raise InputError(f"{type(model).__name__} has no contributions to export")
    graph = GraphBuilder(predictors)
    if isinstance(model, PreparedModel):
        share, base = _emit_prepared(graph, model)
    else:
        share, base = _emit_fused(graph, model)
    flat = graph.node("Reshape", base, graph.constant(np.array([-1], np.int64)))
    graph.output("contributions", share, ["n", predictors])
    graph.output("contribution_base", flat, ["n"])
    return graph.model(PRODUCER)


def _emit_prepared(graph: GraphBuilder, model: PreparedModel) -> Emitted:
    """Contributions (n, p) and base (n, 1)."""
    preparation = model.preparation
    x = emit_scaled(graph, preparation)
    match model.estimator:
        case LinearFit() as fit:
            weights = unrotated(preparation, fit.coefficients)
            share = graph.node("Mul", x, graph.constant(weights))
            base = _constant_column(graph, x, 0.0)
        case NetworkFit() as fit:
            share, base = _emit_network(graph, fit, preparation, x)
        case BoostingFit() as fit:
            paths = leaf_paths(fit.trees, 0)
            share = _emit_paths(graph, paths, x, len(preparation.sources))
            base = _constant_column(graph, x, paths.base + fit.offset)
        case ForestFit() as fit:
            share, base = _emit_forest(graph, fit, x, len(preparation.sources))
        case _:
            raise InputError(f"{type(model.estimator).__name__} has no contributions")
    return graph.linear(share, place_matrix(preparation, graph.predictors)), base


def _constant_column(graph: GraphBuilder, x: str, value: float) -> str:
    """A column (n, 1) of one value."""
    axes = graph.constant(np.array([1], np.int64))
    zero = graph.node("Mul", x, graph.constant(np.array([0.0])))
    empty = graph.node("ReduceSum", zero, axes, keepdims=1)
    return graph.node("Add", empty, graph.constant(np.array([value])))


def _emit_paths(graph: GraphBuilder, paths: LeafPaths, x: str, columns: int) -> str:
    """Shapley values of each prepared column, (n, columns)."""
    leaves, places = paths.feature.shape
    single = graph.node("Cast", x, to=onnx.TensorProto.FLOAT)
    rounded = graph.node("Cast", single, to=onnx.TensorProto.DOUBLE)
    flat = graph.gather(rounded, paths.feature.ravel())
    shape = graph.constant(np.array([-1, leaves, places], np.int64))
    asked = graph.node("Reshape", flat, shape)
    above = graph.node("Greater", asked, graph.constant(paths.lower[None]))
    below = graph.node("LessOrEqual", asked, graph.constant(paths.upper[None]))
    both = graph.node("And", above, below)
    inside = graph.node("Cast", both, to=onnx.TensorProto.DOUBLE)
    change = graph.node("Sub", inside, graph.constant(paths.share[None]))
    total = _emit_quadrature(graph, paths, change)
    value = graph.constant(np.broadcast_to(paths.value[:, None], paths.feature.shape)[None].copy())
    share = graph.node("Mul", graph.node("Mul", total, change), value)
    row = graph.node("Reshape", share, graph.constant(np.array([-1, leaves * places], np.int64)))
    place = np.zeros((leaves * places, columns))
    place[np.arange(leaves * places), paths.feature.ravel()] = 1.0
    return graph.linear(row, place)


def _emit_quadrature(graph: GraphBuilder, paths: LeafPaths, change: str) -> str:
    """∫ Π of the other places' mixtures; mixture = share + point · (inside - share)."""
    total = ""
    for point, weight in zip(*paths.quadrature(), strict=True):
        step = graph.node("Mul", change, graph.constant(np.array([point])))
        mixed = graph.node("Add", step, graph.constant(paths.share[None]))
        product = graph.node("ReduceProd", mixed, axes=[2], keepdims=1)
        others = graph.node("Div", product, mixed)
        term = graph.node("Mul", others, graph.constant(np.array([weight])))
        total = graph.node("Add", total, term) if total else term
    return total


def _emit_forest(graph: GraphBuilder, fit: ForestFit, x: str, columns: int) -> Emitted:
    paths = leaf_paths(fit.trees, -1, scale=1.0 / len(fit.trees))
    share = _emit_paths(graph, paths, x, columns)
    base = float(np.log(max(paths.base, SMALLEST_HAZARD)))
    axes = graph.constant(np.array([1], np.int64))
    moved = graph.node("ReduceSum", share, axes, keepdims=1)
    hazard = graph.node("Add", moved, graph.constant(np.array([paths.base])))
    positive = graph.node("Max", hazard, graph.constant(np.array([SMALLEST_HAZARD])))
    rise = graph.node("Sub", graph.node("Log", positive), graph.constant(np.array([base])))
    one = graph.constant(np.array([1.0]))
    flat = graph.node("Less", graph.node("Abs", moved), graph.constant(np.array([FLAT])))
    width = graph.constant(np.array([max(paths.base, FLAT)]))
    factor = graph.node(
        "Div", graph.node("Where", flat, one, rise), graph.node("Where", flat, width, moved)
    )
    return graph.node("Mul", share, factor), _constant_column(graph, moved, base)


def _emit_network(
    graph: GraphBuilder, fit: NetworkFit, preparation: Preparation, x: str
) -> Emitted:
    hidden = unrotated(preparation, fit.hidden)
    start = np.tanh(fit.bias)
    reach = graph.linear(x, hidden)
    small = graph.node("Less", graph.node("Abs", reach), graph.constant(np.array([FLAT])))
    end = graph.node("Tanh", graph.node("Add", reach, graph.constant(fit.bias)))
    rise = graph.node("Sub", end, graph.constant(start))
    width = graph.node("Where", small, graph.constant(np.array([1.0])), reach)
    quotient = graph.node("Div", rise, width)
    slope = graph.node("Where", small, graph.constant((1.0 - start**2)[None]), quotient)
    back = graph.linear(graph.node("Mul", slope, graph.constant(fit.output)), hidden.T)
    return graph.node("Mul", x, back), _constant_column(graph, x, float(start @ fit.output))


def _emit_fused(graph: GraphBuilder, model: FusedModel) -> Emitted:
    factors = _emit_factors(graph, model)
    share = base = ""
    for k, part in enumerate(model.bases):
        own, own_base = _emit_prepared(graph, part)
        factor = graph.gather(factors, np.array([k]))
        off = graph.node("Sub", own_base, graph.constant(np.array([model.center[k]])))
        scaled, moved = graph.node("Mul", factor, own), graph.node("Mul", factor, off)
        share = graph.node("Add", share, scaled) if share else scaled
        base = graph.node("Add", base, moved) if base else moved
    return share, base


def _emit_factors(graph: GraphBuilder, model: FusedModel) -> str:
    """``contributions.fusion_factors`` as operators, (n, k)."""
    present = emit_available(graph, model.columns)
    if model.rule in ("stack", "nomogram"):
        per_base: Floats = model.final.coefficients / model.scale
        zero = graph.constant(np.zeros(len(model.bases)))
        return graph.node("Where", present, graph.constant(per_base), zero)
    share, divisor = emit_mean_share(graph, model, present)
    mean = graph.node("Div", share, divisor)
    return graph.node("Mul", mean, graph.constant(model.final.coefficients[0] / model.scale))
