"""A small builder of ONNX graphs in double precision."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from engine.training.trees import LEAF, Tree

OPSET = 17
ML_OPSET = 3
IR_VERSION = 9


class GraphBuilder:
    """Collects nodes and constants; every method gives the name of its result.

    The graph's inputs are ``values`` double (n, p) and ``observed`` bool (n, p).
    """

    def __init__(self, predictors: int) -> None:
        self.predictors = predictors
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def constant(self, array: NDArray[Any]) -> str:
        """Store an array."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 - ONNX attributes
        """Add an operator with one result."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def output(self, name: str, result: str, shape: Sequence[int | str]) -> None:
        """Declare a double output."""
        self._nodes.append(helper.make_node("Identity", [result], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.DOUBLE, list(shape)))

    def gather(self, source: str, columns: NDArray[np.int64]) -> str:
        """Columns of a (n, p) tensor."""
        return self.node("Gather", source, self.constant(columns), axis=1)

    def linear(self, x: str, weights: NDArray[np.float64]) -> str:
        """Matrix product with weights of shape (r, k)."""
        return self.node("MatMul", x, self.constant(weights))

    def trees(self, x: str, trees: Sequence[Tree], *, mean: bool) -> str:
        """Sum or mean of the trees' payloads, double (n, k).

        Rows are compared in single precision, as scikit-learn splits them; the operator's
        result is single precision (ai.onnx.ml 3).
        """
        single = self.node("Cast", x, to=TensorProto.FLOAT)
        rounded = self.node("Cast", single, to=TensorProto.DOUBLE)
        name = f"trees_{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(
                "TreeEnsembleRegressor",
                [rounded],
                [name],
                domain="ai.onnx.ml",
                aggregate_function="AVERAGE" if mean else "SUM",
                post_transform="NONE",
                n_targets=trees[0].leaf.shape[1],
                **_tree_attributes(trees),
            )
        )
        return self.node("Cast", name, to=TensorProto.DOUBLE)

    def hazard_to_survival(self, risk: str, hazard: NDArray[np.float64]) -> str:
        """exp(-H0(t)·exp(risk)); risk (n, 1), hazard (T,), result (n, T)."""
        relative = self.node("Exp", risk)
        cumulative = self.node("MatMul", relative, self.constant(hazard[None, :]))
        return self.node("Exp", self.node("Neg", cumulative))

    def model(self, producer: str) -> onnx.ModelProto:
        """The finished and checked graph."""
        inputs = [
            helper.make_tensor_value_info(name, kind, ["n", self.predictors])
            for name, kind in (("values", TensorProto.DOUBLE), ("observed", TensorProto.BOOL))
        ]
        graph = helper.make_graph(
            self._nodes, "risk", inputs, self._outputs, initializer=self._constants
        )
        model = helper.make_model(
            graph,
            producer_name=producer,
            ir_version=IR_VERSION,
            opset_imports=[
                helper.make_opsetid("", OPSET),
                helper.make_opsetid("ai.onnx.ml", ML_OPSET),
            ],
        )
        onnx.checker.check_model(model)
        return model


def _tree_attributes(trees: Sequence[Tree]) -> dict[str, Any]:
    tree_ids, node_ids, modes, features, left, right = [], [], [], [], [], []
    thresholds = []
    targets: list[tuple[int, int, int, float]] = []
    for number, tree in enumerate(trees):
        leaf = tree.feature == LEAF
        size = len(leaf)
        tree_ids += [number] * size
        node_ids += list(range(size))
        modes += ["LEAF" if is_leaf else "BRANCH_LEQ" for is_leaf in leaf]
        features += np.where(leaf, 0, tree.feature).tolist()
        thresholds.append(np.where(leaf, 0.0, tree.threshold))
        left += np.where(leaf, 0, tree.left).tolist()
        right += np.where(leaf, 0, tree.right).tolist()
        targets += [
            (number, int(node), target, float(weight))
            for node in np.flatnonzero(leaf)
            for target, weight in enumerate(tree.leaf[node])
        ]
    return {
        "nodes_treeids": tree_ids,
        "nodes_nodeids": node_ids,
        "nodes_modes": modes,
        "nodes_featureids": features,
        "nodes_values_as_tensor": numpy_helper.from_array(np.concatenate(thresholds)),
        "nodes_truenodeids": left,
        "nodes_falsenodeids": right,
        "target_treeids": [t[0] for t in targets],
        "target_nodeids": [t[1] for t in targets],
        "target_ids": [t[2] for t in targets],
        "target_weights_as_tensor": numpy_helper.from_array(np.array([t[3] for t in targets])),
    }
