"""A model of transformers as ONNX, in float32 and in int8."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import NodeProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from seedwise.errors import UserError, one_line
from seedwise.exports.ensemble import Batch

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OPSET = 20
_LEAST = 1e-9  # by which a row of zeros is divided


def export(model: torch.nn.Module, batch: Batch, path: Path) -> None:
    """Write ``model`` in float32 for batches of any size and length.

    Args:
        model: Of transformers, on the processor.
        batch: What it reads of a few texts, each of shape (B, T) with B and T above 1.
        path: The file.

    Raises:
        UserError: torch does not know how.
    """
    given = {name: torch.from_numpy(batch[name]) for name in INPUTS if name in batch}
    try:
        program = torch.onnx.export(
            model,
            kwargs=given,
            dynamo=True,
            dynamic_shapes={name: {0: "batch", 1: "length"} for name in given},
            input_names=list(given),
            output_names=["logits"],
            opset_version=OPSET,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        cause = one_line(str(error.__cause__ or error))
        raise UserError(f"torch cannot export it as ONNX: {cause[:300]}") from None
    proto = program.model_proto
    # Where in torch's code each operation comes from, with the paths of this machine.
    for part in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info):
        del part.metadata_props[:]
    onnx.save(proto, path)


def quantize(source: Path, target: Path) -> None:
    """Write the model in ``source`` with weights of 8 bits, a scale for each output channel.

    Activations are quantized as they come, by onnxruntime with one scale a batch. Here each
    token has its own, see `scale_rows`: with one for all, a single large value makes the others
    coarse, and 2 to 3 % of MiniLM's labels changed. Weights use 7 of the 8 bits: on x86 processors
    without VNNI, sums of two products of the full range overflow (onnxruntime, "Quantize ONNX
    models"; onnxruntime#6004), and a file is to say the same on every processor.
    """
    model = onnx.load(source)
    scales = scale_rows(model)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        scaled = Path(folder, "scaled.onnx")
        onnx.save(model, scaled)
        quantize_dynamic(
            scaled,
            target,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=scales,
        )


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
        _node("Div", [rows, f"{rows}.largest"], f"{rows}.scaled"),
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
