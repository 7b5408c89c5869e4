import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from seedwise.exports.onnx_graph import narrowing, select_early

RNG = np.random.default_rng(0)
B, T, H = 3, 5, 4
FLOAT = TensorProto.FLOAT


def classifier(*more):
    """Return a graph: a layer's output, a feed-forward network on it, and the first token's."""
    nodes = [
        helper.make_node("MatMul", ["mixes", "x"], ["mixed"], name="attention"),
        helper.make_node("Add", ["mixed", "bias"], ["layer"], name="layer"),
        helper.make_node("MatMul", ["layer", "wide"], ["inner"], name="widening"),
        helper.make_node("Tanh", ["inner"], ["active"], name="tanh"),
        helper.make_node("MatMul", ["active", "narrow"], ["outer"], name="narrowing"),
        helper.make_node("Add", ["outer", "layer"], ["sum"], name="residual"),
        helper.make_node("LayerNormalization", ["sum", "scale", "bias"], ["last"], name="norm"),
        helper.make_node("Gather", ["last", "zero"], ["first"], axis=1, name="select"),
        helper.make_node("MatMul", ["first", "classes"], ["logits"], name="head"),
        *more,
    ]
    tensors = {"x": (B, T, H), "mixes": (B, T, T)}
    tensors |= {"logits": (B, 2), **({"pooled": (B, 1, H)} if more else {})}
    values = {name: helper.make_tensor_value_info(name, FLOAT, of) for name, of in tensors.items()}
    inside = dict.fromkeys(("mixed", "layer", "outer", "sum", "last"), (B, T, H))
    inside |= dict.fromkeys(("inner", "active"), (B, T, 2 * H))
    shapes = {"wide": (H, 2 * H), "narrow": (2 * H, H), "classes": (H, 2), "bias": H, "scale": H}
    weights = {name: RNG.normal(size=of).astype(np.float32) for name, of in shapes.items()}
    weights["zero"] = np.array(0)
    graph = helper.make_graph(
        nodes,
        "graph",
        [values["x"], values["mixes"]],
        [value for name, value in values.items() if name in ("logits", "pooled")],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
        value_info=[helper.make_tensor_value_info(n, FLOAT, of) for n, of in inside.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def answer(model):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(1)
    given = {name: rng.normal(size=of) for name, of in (("x", (B, T, H)), ("mixes", (B, T, T)))}
    return session.run(None, {name: value.astype(np.float32) for name, value in given.items()})


def selecting(model):
    return {node.input[0] for node in model.graph.node if node.op_type == "Gather"}


def test_the_token_is_selected_where_tokens_were_mixed_last():
    model = classifier()
    (expected,) = answer(model)
    select_early(model)
    assert selecting(model) == {"mixed"}
    np.testing.assert_allclose(answer(model)[0], expected, rtol=1e-5, atol=1e-6)


def test_what_another_node_reads_of_all_tokens_stays():
    axes = numpy_helper.from_array(np.array([1]), "axes")
    model = classifier(helper.make_node("ReduceMean", ["sum", "axes"], ["pooled"], name="mean"))
    model.graph.initializer.append(axes)
    expected = answer(model)
    select_early(model)
    assert selecting(model) == {"sum"}
    for found, before in zip(answer(model), expected, strict=True):
        np.testing.assert_allclose(found, before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("change", ["axis", "index", "rank"])
def test_what_selects_no_token_is_left(change):
    model = classifier()
    select = next(node for node in model.graph.node if node.op_type == "Gather")
    if change == "axis":
        select.attribute[0].i = 0
    elif change == "index":
        select.input[1] = "zeros"
    else:
        del model.graph.value_info[:]
    before = model.SerializeToString()
    select_early(model)
    assert model.SerializeToString() == before


def test_products_that_narrow():
    model = classifier()
    # One with a matrix for each text has no such shape.
    model.graph.node.append(helper.make_node("MatMul", ["last", "each"], ["other"], name="each"))
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((B, H, 2)), "each"))
    assert narrowing(model) == ["narrowing", "head"]
