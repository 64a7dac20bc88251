"""ONNX graphs of fused models: base graphs, availability and the rule in one graph."""

import numpy as np
import onnx

from engine.training.export import (
    PRODUCER,
    Surroundings,
    emit_distance,
    emit_estimator,
    emit_preparation,
    emit_survival_samples,
)
from engine.training.feature_fusion import FeatureFusedModel, GatedAttention, TensorFusion
from engine.training.fusion import FusedModel
from engine.training.fusion_resampling import FusedResamples
from engine.training.onnx_graph import GraphBuilder
from engine.training.outcome import Floats, Integers

HIDDEN = -1e30


def export_fused(
    model: FusedModel | FeatureFusedModel,
    times: Floats,
    *,
    predictors: int,
    resamples: FusedResamples | None = None,
    around: Surroundings | None = None,
) -> onnx.ModelProto:
    """Export a decision-level or feature-level fusion.

    A modality of which no predictor is observed is left out of the row, as in training.

    Args:
        model: The fitted fusion.
        times: Time grid in months, shape (T,).
        predictors: Number p of the graph's input columns.
        resamples: Refits for ``survival_samples`` (decision level, linear bases).
        around: For ``distance``.
    """
    graph = GraphBuilder(predictors)
    if isinstance(model, FusedModel):
        risk = _emit_decision(graph, model, times)
        if resamples is not None:
            _emit_resamples(graph, model, resamples)
        hazard = model.final.baseline(times)
    else:
        risk = _emit_features(graph, model)
        hazard = model.baseline(times)
    flat = graph.node("Reshape", risk, graph.constant(np.array([-1], np.int64)))
    graph.output("linear_predictor", flat, ["n"])
    graph.output("survival", graph.hazard_to_survival(risk, hazard), ["n", len(times)])
    if around is not None:
        emit_distance(graph, emit_preparation(graph, around.preparation), around.near)
    return graph.model(PRODUCER)


def emit_available(graph: GraphBuilder, columns: tuple[Integers, ...]) -> str:
    """Whether any predictor of each base is observed, bool (n, k)."""
    parts = []
    for own in columns:
        seen = graph.node("Cast", graph.gather("observed", own), to=onnx.TensorProto.DOUBLE)
        parts.append(graph.node("ReduceMax", seen, axes=[1], keepdims=1))
    joined = graph.node("Concat", *parts, axis=1)
    return graph.node("Greater", joined, graph.constant(np.array([0.5])))


def _emit_decision(graph: GraphBuilder, model: FusedModel, times: Floats) -> str:
    risks = []
    for base in model.bases:
        x = emit_preparation(graph, base.preparation)
        risks.append(emit_estimator(graph, base, x, times)[0])
    joined = graph.node("Concat", *risks, axis=1)
    off = graph.node("Sub", joined, graph.constant(model.center))
    standardized = graph.node("Div", off, graph.constant(model.scale))
    present = emit_available(graph, model.columns)
    score = _emit_rule(graph, model, standardized, present)
    return graph.linear(score, model.final.coefficients[:, None])


def _emit_resamples(graph: GraphBuilder, model: FusedModel, resamples: FusedResamples) -> None:
    """``FusedResamples.survival`` as operators."""
    present = graph.node("Cast", emit_available(graph, model.columns), to=onnx.TensorProto.DOUBLE)
    each = model.rule in ("stack", "nomogram")
    total = divisor = ""
    for k, base in enumerate(model.bases):
        risk = graph.linear(emit_preparation(graph, base.preparation), resamples.coefficients[k])
        off = graph.node("Sub", risk, graph.constant(resamples.center[k]))
        standardized = graph.node("Div", off, graph.constant(resamples.scale[k]))
        weight = resamples.final[k] if each else resamples.weights[k]
        here = graph.gather(present, np.array([k]))
        share = graph.node("Mul", here, graph.constant(weight))
        term = graph.node("Mul", share, standardized)
        total = graph.node("Add", total, term) if total else term
        divisor = graph.node("Add", divisor, share) if divisor else share
    if not each:
        one = graph.constant(np.array([1.0]))
        some = graph.node("Greater", divisor, graph.constant(np.array([0.0])))
        mean = graph.node("Div", total, graph.node("Where", some, divisor, one))
        total = graph.node("Mul", mean, graph.constant(resamples.final[0]))
    emit_survival_samples(graph, total, resamples.hazard)


def _emit_rule(graph: GraphBuilder, model: FusedModel, standardized: str, present: str) -> str:
    zero = graph.constant(np.zeros(len(model.bases)))
    if model.rule in ("stack", "nomogram"):
        return graph.node("Where", present, standardized, zero)
    votes = standardized
    if model.rule == "vote":
        above = graph.node("Greater", standardized, graph.constant(np.array([0.0])))
        number = graph.node("Cast", above, to=onnx.TensorProto.DOUBLE)
        votes = graph.node("Sub", number, graph.constant(np.array([0.5])))
    share, divisor = emit_mean_share(graph, model, present)
    axes = graph.constant(np.array([1], np.int64))
    weighted = graph.node("ReduceSum", graph.node("Mul", share, votes), axes, keepdims=1)
    return graph.node("Div", weighted, divisor)


def emit_mean_share(graph: GraphBuilder, model: FusedModel, present: str) -> tuple[str, str]:
    """Weight of each base present (n, k), and their sum (n, 1), 1 where none is there."""
    zero = graph.constant(np.zeros(len(model.bases)))
    share = graph.node("Where", present, graph.constant(model.weights), zero)
    total = graph.node("ReduceSum", share, graph.constant(np.array([1], np.int64)), keepdims=1)
    some = graph.node("Greater", total, graph.constant(np.array([0.0])))
    return share, graph.node("Where", some, total, graph.constant(np.array([1.0])))


def _emit_features(graph: GraphBuilder, model: FeatureFusedModel) -> str:
    blocks = [emit_preparation(graph, p) for p in model.preparations]
    present = emit_available(graph, model.columns)
    if isinstance(model.network, TensorFusion):
        return _emit_tensor(graph, model, model.network, blocks, present)
    return _emit_attention(graph, model, model.network, blocks, present)


def _emit_tensor(
    graph: GraphBuilder,
    model: FeatureFusedModel,
    network: TensorFusion,
    blocks: list[str],
    present: str,
) -> str:
    matrices, constants, output = network.split(model.weights)
    one = graph.constant(np.array([1.0]))
    product = one
    for m, block in enumerate(blocks):
        inner = graph.node("Add", graph.linear(block, matrices[m]), graph.constant(constants[m]))
        own = graph.gather(present, np.array([m]))
        product = graph.node("Mul", product, graph.node("Where", own, inner, one))
    return graph.linear(product, output[:, None])


def _emit_attention(
    graph: GraphBuilder,
    model: FeatureFusedModel,
    network: GatedAttention,
    blocks: list[str],
    present: str,
) -> str:
    matrices, biases, gate, output = network.split(model.weights)
    gates, scores = [], []
    for m, block in enumerate(blocks):
        inner = graph.node("Add", graph.linear(block, matrices[m]), graph.constant(biases[m]))
        embedded = graph.node("Tanh", inner)
        gates.append(graph.linear(embedded, gate[:, None]))
        scores.append(graph.linear(embedded, output[:, None]))
    hidden = graph.constant(np.array([HIDDEN]))
    shown = graph.node("Where", present, graph.node("Concat", *gates, axis=1), hidden)
    share = graph.node("Softmax", shown, axis=1)
    score = graph.node("Concat", *scores, axis=1)
    nothing = graph.constant(np.array([0.0]))
    kept = graph.node("Where", present, graph.node("Mul", share, score), nothing)
    axes = graph.constant(np.array([1], np.int64))
    return graph.node("ReduceSum", kept, axes, keepdims=1)
