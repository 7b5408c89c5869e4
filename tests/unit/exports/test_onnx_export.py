import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from seedwise.exports.onnx_export import quantize
from seedwise.exports.onnx_graph import scale_rows

RNG = np.random.default_rng(0)
EMBEDDING = RNG.normal(size=(50, 16)).astype(np.float32) * RNG.uniform(0.1, 10, (50, 1))
EMBEDDING[7] = 0  # a row of zeros, as of padding
WEIGHTS = [RNG.normal(size=(16, 8)).astype(np.float32) for _ in range(2)]


def write_graph(path):
    """Write a graph that takes rows of an embedding and multiplies them by two matrices."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"], name="gather"),
        helper.make_node("MatMul", ["rows", "first"], ["a"], name="one"),
        helper.make_node("MatMul", ["rows", "second"], ["b"], name="two"),
        helper.make_node("Add", ["a", "b"], ["logits"], name="sum"),
    ]
    named = zip(("table", "first", "second"), (EMBEDDING.astype(np.float32), *WEIGHTS), strict=True)
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(values, name) for name, values in named],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)
    return model


def answer(path, ids):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"ids": ids})[0]


def test_scaled_rows_compute_the_same(tmp_path):
    path = tmp_path / "model.onnx"
    model = write_graph(path)
    ids = np.arange(50)
    expected = EMBEDDING[ids] @ WEIGHTS[0] + EMBEDDING[ids] @ WEIGHTS[1]
    kept = scale_rows(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    np.testing.assert_allclose(answer(path, ids), expected, rtol=1e-5, atol=1e-5)
    scaled = [numpy_helper.to_array(t) for t in model.graph.initializer if t.name == "table"]
    assert abs(scaled[0]).max() == 1
    assert kept == ["rows.gathered.largest.node"]
    # Two matrices read the same rows, which are scaled once.
    assert sum(node.op_type == "Reciprocal" for node in model.graph.node) == 1


def test_rows_of_unlike_size_lose_little_in_int8(tmp_path):
    path, target = tmp_path / "model.onnx", tmp_path / "int8.onnx"
    write_graph(path)
    quantize(path, target)
    ids = np.arange(50)
    exact, found = answer(path, ids), answer(target, ids)
    error = abs(found - exact).max(axis=1) / abs(exact).max(axis=1).clip(1e-6)
    assert error.max() < 0.05 and (found[7] == 0).all()
    # Weights keep to 7 bits: a sum of two products of any activations then fits 16.
    model = onnx.load(target)
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.INT8 and len(tensor.dims) == 2:
            assert abs(numpy_helper.to_array(tensor).astype(int)).max() <= 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["int8.onnx", "model.onnx"]
