"""Changes to a graph of ONNX that leave what it computes."""

from collections import defaultdict

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

_LEAST = 1e-9  # by which a row of zeros is divided

_OF_EACH_TOKEN = {
    *("Add", "Cast", "Div", "Erf", "Gelu", "LayerNormalization", "MatMul", "Mul", "Pow", "Relu"),
    *("Sigmoid", "Sqrt", "Sub", "Tanh"),
}


def select_early(model: onnx.ModelProto) -> None:
    """Select a token before operations on each token alone, not after them.

    A classifier reads one token of the last layer, so its feed-forward network need not compute
    the others, nor the projection of its attention: of six layers, an eighth of the products.

    Args:
        model: Changed in place; shapes of its values are known, as torch's exporter writes them.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in graph.value_info}
    nodes = list(graph.node)
    for select in [node for node in nodes if _selects_token(node, weights, ranks)]:
        readers: dict[str, list[str]] = defaultdict(list)
        for node in nodes:
            for name in node.input:
                readers[name].append(node.output[0])
        moved = {select.output[0]}
        for node in reversed(nodes):
            made = node.output[0]
            if _is_of_each_token(node, weights, ranks) and moved.issuperset(readers[made]):
                moved.add(made)
        if select.input[0] in moved:
            nodes = _move(nodes, select, moved, set(weights))
            for made in moved:
                ranks.pop(made, None)
    kept = [value for value in graph.value_info if value.name in ranks]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.value_info.extend(kept)


def _selects_token(
    node: NodeProto, weights: dict[str, onnx.TensorProto], ranks: dict[str, int]
) -> bool:
    return (
        node.op_type == "Gather"
        and ranks.get(node.input[0]) == 3
        and node.input[1] in weights
        and not weights[node.input[1]].dims
        and [helper.get_attribute_value(given) for given in node.attribute] == [1]  # its axis
    )


def _is_of_each_token(
    node: NodeProto, weights: dict[str, onnx.TensorProto], ranks: dict[str, int]
) -> bool:
    """Return whether ``node`` makes (B, T, ·) of such, and nothing of one token from another's."""
    if node.op_type not in _OF_EACH_TOKEN or len(node.output) > 1 or ranks.get(node.output[0]) != 3:
        return False

    def fits(place: int, name: str) -> bool:
        matrix = node.op_type == "MatMul" and place == 1
        if name in weights:
            return len(weights[name].dims) == 2 if matrix else len(weights[name].dims) < 2
        return not matrix and ranks.get(name) == 3

    return all(fits(place, name) for place, name in enumerate(node.input))


def _move(
    nodes: list[NodeProto], select: NodeProto, moved: set[str], weights: set[str]
) -> list[NodeProto]:
    """Return ``nodes`` where those that make ``moved`` read of each value the token selected."""
    result: list[NodeProto] = []
    selected: set[str] = set()
    for node in nodes:
        if node is select:
            continue
        if node.output[0] in moved:
            for place, name in enumerate(node.input):
                if name in weights or name in moved:
                    continue
                node.input[place] = early = f"{name}.selected"
                if name not in selected:
                    selected.add(name)
                    result.append(_node("Gather", [name, select.input[1]], early, axis=1))
            if node.output[0] == select.input[0]:
                node.output[0] = select.output[0]
        result.append(node)
    return result


def narrowing(model: onnx.ModelProto) -> list[str]:
    """Return the names of products that make fewer values of a token than they read."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer if _is_matrix(tensor)}
    products = [node for node in model.graph.node if node.op_type == "MatMul"]
    weighed = [(node.name, weights[node.input[1]]) for node in products if node.input[1] in weights]
    return [name for name, weight in weighed if weight.dims[1] < weight.dims[0]]


def scale_rows(model: onnx.ModelProto) -> list[str]:
    """Divide each row that a matrix multiplies, and each row of an embedding, by its largest value.

    What comes out is multiplied by that value, so the model computes the same; but all rows now lie
    between -1 and 1, and quantized with one scale for all lose no more than with one each.

    Args:
        model: Changed in place.

    Returns:
        The names of the nodes that must not be quantized.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([-1]), "rows.axis"),
            numpy_helper.from_array(np.array(_LEAST, dtype=np.float32), "rows.least"),
        ]
    )
    nodes: list[NodeProto] = []
    scaled: set[str] = set()
    kept = []
    for node in graph.node:
        before, after = [], []
        if node.op_type == "MatMul" and node.input[1] in weights:
            before, after = _scale_activations(node, scaled)
        elif node.op_type == "Gather" and _is_matrix(weights.get(node.input[0])):
            largest = _scale_embedding(weights[node.input[0]], scaled)
            if largest is not None:
                graph.initializer.append(largest)
            after = _scale_gathered(node)
            kept.append(after[0].name)
        nodes += [*before, node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    return kept


def _is_matrix(tensor: onnx.TensorProto | None) -> bool:
    return tensor is not None and len(tensor.dims) == 2


def _node(kind: str, inputs: list[str], output: str, **attributes: int) -> NodeProto:
    return helper.make_node(kind, inputs, [output], name=f"{output}.node", **attributes)


def _scale_activations(
    node: NodeProto, scaled: set[str]
) -> tuple[list[NodeProto], list[NodeProto]]:
    """Let ``node`` multiply scaled rows; return what comes before it and after it."""
    rows, found = node.input[0], node.output[0]
    node.input[0], node.output[0] = f"{rows}.scaled", f"{found}.scaled"
    after = [_node("Mul", [f"{found}.scaled", f"{rows}.largest"], found)]
    if rows in scaled:  # queries, keys and values read the same
        return [], after
    scaled.add(rows)
    before = [
        _node("Abs", [rows], f"{rows}.abs"),
        _node("ReduceMax", [f"{rows}.abs", "rows.axis"], f"{rows}.most", keepdims=1),
        _node("Max", [f"{rows}.most", "rows.least"], f"{rows}.largest"),
        _node("Reciprocal", [f"{rows}.largest"], f"{rows}.factor"),
        _node("Mul", [rows, f"{rows}.factor"], f"{rows}.scaled"),  # in half the time of Div
    ]
    return before, after


def _scale_embedding(tensor: onnx.TensorProto, scaled: set[str]) -> onnx.TensorProto | None:
    """Divide the rows of an embedding; return the largest value of each, None if that is done."""
    if tensor.name in scaled:
        return None
    scaled.add(tensor.name)
    rows = numpy_helper.to_array(tensor)
    largest = np.maximum(abs(rows).max(axis=1, keepdims=True), np.float32(_LEAST))
    tensor.CopyFrom(numpy_helper.from_array(rows / largest, tensor.name))
    return numpy_helper.from_array(largest, f"{tensor.name}.largest")


def _scale_gathered(node: NodeProto) -> list[NodeProto]:
    """Let ``node`` take rows of a scaled embedding; return what comes after it."""
    (name, ids), found = node.input, node.output[0]
    node.output[0] = f"{found}.gathered"
    return [
        _node("Gather", [f"{name}.largest", ids], f"{found}.gathered.largest"),
        _node("Mul", [f"{found}.gathered", f"{found}.gathered.largest"], found),
    ]
