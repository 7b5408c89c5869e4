"""A model of transformers as ONNX, in float32 and in int8."""

import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from seedwise.errors import UserError, one_line
from seedwise.exports.ensemble import Batch
from seedwise.exports.onnx_graph import narrowing, scale_rows, select_early

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OPSET = 20


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
    attention = model.config._attn_implementation
    # torch's own attention guards against rows without any token, which takes time; none is here.
    model.set_attn_implementation("eager")
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
    finally:
        model.set_attn_implementation(attention)
    proto = program.model_proto
    # Where in torch's code each operation comes from, with the paths of this machine.
    for part in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info):
        del part.metadata_props[:]
    select_early(proto)
    onnx.save(proto, path)


def quantize(source: Path, target: Path, spare: bool = False) -> None:
    """Write the model in ``source`` with weights of 8 bits, a scale for each output channel.

    Activations are quantized as they come, by onnxruntime with one scale a batch. Here each
    token has its own, see `scale_rows`: with one for all, a single large value makes the others
    coarse, and 2 to 3 % of MiniLM's labels changed. Weights use 7 of the 8 bits: on x86 processors
    without VNNI, sums of two products of the full range overflow (onnxruntime, "Quantize ONNX
    models"; onnxruntime#6004), and a file is to say the same on every processor.

    Args:
        source: In float32.
        target: Written.
        spare: Leave what feed-forward networks put out in float32: a few weights there are 30
            times as large as most, and int8 is coarsest.
    """
    model = onnx.load(source)
    spared = narrowing(model) if spare else []
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
            nodes_to_exclude=[*scales, *spared],
        )
