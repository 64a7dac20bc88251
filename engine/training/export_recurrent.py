"""ONNX graph of the recurrent network: the visits unrolled, incidences in closed form."""

import numpy as np
import onnx

from engine.training.export import (
    PRODUCER,
    Surroundings,
    emit_distance,
    emit_preparation,
)
from engine.training.export_fusion import emit_available
from engine.training.onnx_graph import GraphBuilder
from engine.training.outcome import Floats
from engine.training.recurrent import (
    LARGEST_LOG_HAZARD,
    SMALLEST_RISK,
    Hazards,
    Layout,
    RecurrentModel,
)
from engine.training.recurrent_cell import Cell


def export_recurrent(
    model: RecurrentModel, times: Floats, *, predictors: int, around: Surroundings | None = None
) -> onnx.ModelProto:
    """Export a recurrent model.

    Args:
        model: Fitted.
        times: Time grid in months, shape (T,).
        predictors: Number p of the graph's input columns.
        around: For ``distance``.
    """
    graph = GraphBuilder(predictors)
    x = emit_preparation(graph, model.preparation)
    present = emit_available(graph, model.layout.presence)
    there = graph.node("Cast", present, to=onnx.TensorProto.DOUBLE)
    state = _emit_cell(graph, model.cell, _emit_inputs(graph, model.layout, x), there)
    asked = np.concatenate((times, model.hazards.edges[-1:]))
    incidence = _emit_incidence(graph, model.hazards, state, asked)
    one = graph.constant(np.array([1.0]))
    low, high = (np.array([v]) for v in (SMALLEST_RISK, 1.0 - SMALLEST_RISK))
    last = graph.gather(incidence, np.array([len(times)]))
    inside = graph.node("Min", graph.node("Max", last, graph.constant(low)), graph.constant(high))
    hazard = graph.node("Neg", graph.node("Log", graph.node("Sub", one, inside)))
    risk = graph.node("Log", hazard)
    flat = graph.node("Reshape", risk, graph.constant(np.array([-1], np.int64)))
    survival = graph.node("Sub", one, graph.gather(incidence, np.arange(len(times))))
    graph.output("linear_predictor", flat, ["n"])
    graph.output("survival", survival, ["n", len(times)])
    if around is not None:
        emit_distance(graph, emit_preparation(graph, around.preparation), around.near)
    return graph.model(PRODUCER)


def _emit_inputs(graph: GraphBuilder, layout: Layout, x: str) -> list[str]:
    """Inputs of each visit (n, f + s), oldest first."""
    visits = []
    for row in layout.visits:
        columns = graph.gather(x, np.concatenate((np.maximum(row, 0), layout.fixed)))
        shown = np.concatenate((row >= 0, np.ones(len(layout.fixed)))).astype(np.float64)
        visits.append(graph.node("Mul", columns, graph.constant(shown)))
    return visits


def _emit_cell(graph: GraphBuilder, cell: Cell, visits: list[str], present: str) -> str:
    """The state after all visits, (n, h)."""
    units = cell.units
    gates, rest = np.arange(2 * units), np.arange(2 * units, 3 * units)
    one = graph.constant(np.array([1.0]))
    nothing = graph.node("Mul", graph.gather(present, np.array([0])), graph.constant(np.zeros(1)))
    state = graph.node("MatMul", nothing, graph.constant(np.zeros((1, units))))
    for k, x in enumerate(visits):
        outer = graph.node("Add", graph.linear(x, cell.inputs), graph.constant(cell.bias))
        inner = graph.linear(state, cell.states)
        both = graph.node("Add", graph.gather(outer, gates), graph.gather(inner, gates))
        gate = graph.node("Sigmoid", both)
        update = graph.gather(gate, np.arange(units))
        reset = graph.gather(gate, np.arange(units, 2 * units))
        kept = graph.node("Mul", reset, graph.gather(inner, rest))
        candidate = graph.node("Tanh", graph.node("Add", graph.gather(outer, rest), kept))
        share = graph.node(
            "Mul", graph.gather(present, np.array([k])), graph.node("Sub", one, update)
        )
        step = graph.node("Mul", share, graph.node("Sub", candidate, state))
        state = graph.node("Add", state, step)
    return state


def _emit_incidence(graph: GraphBuilder, hazards: Hazards, state: str, times: Floats) -> str:
    """``Hazards.incidence`` as operators, (n, T)."""
    interval, lengths, ends = hazards.pieces(times)
    clock, rates = hazards.clock[interval], []
    for cause in range(hazards.level.shape[1]):
        constant = graph.linear(state, hazards.effect[:, [cause]])
        growing = graph.linear(state, hazards.tilt[:, [cause]] * clock[None, :])
        level = graph.constant(hazards.level[interval, cause])
        score = graph.node("Add", graph.node("Add", constant, growing), level)
        capped = graph.node("Min", score, graph.constant(np.array([LARGEST_LOG_HAZARD])))
        rates.append(graph.node("Exp", capped))
    total = rates[0] if len(rates) == 1 else graph.node("Sum", *rates)
    hazard = graph.node("Mul", total, graph.constant(lengths))
    axis = graph.constant(np.array(1, np.int64))
    before = graph.node("CumSum", hazard, axis, exclusive=1)
    one = graph.constant(np.array([1.0]))
    failing = graph.node("Sub", one, graph.node("Exp", graph.node("Neg", hazard)))
    alive = graph.node("Exp", graph.node("Neg", before))
    share = graph.node("Div", rates[0], total)
    steps = graph.node("Mul", graph.node("Mul", alive, share), failing)
    return graph.linear(steps, (ends[:, None] <= times[None, :]).astype(np.float64))
