"""Forms of real, small models: exported, tried, refused, damaged."""

import shutil

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper

import compare_forms
import export_onnx
import predict
from seedwise.errors import UserError
from seedwise.exports.ensemble import Ensemble
from seedwise.exports.forms import (
    FLOAT32,
    INT8,
    TRANSFORMERS,
    available,
    check,
    tokenizer_sha256,
)
from seedwise.exports.onnx_model import OnnxModel
from seedwise.exports.saved_models import load
from seedwise.exports.transformers_model import TransformersModel
from seedwise.files import read_json, write_json
from seedwise.study.labels import SCORE
from support.small_texts import PAIRS, RECORDS, TEXTS
from support.tiny.classifiers import LABELS
from support.tiny.exported import LONG, card_of, export, make_run


def test_both_forms_answer_as_transformers_does(study):
    run, _, about = study
    texts = [*TEXTS, LONG, "x", ""]
    expected = Ensemble([TransformersModel(run / "model")]).probabilities(texts)
    model = OnnxModel(run / "model", FLOAT32, about, workers=3)
    ensemble = Ensemble([model])
    assert ensemble.probabilities(texts) == pytest.approx(expected, abs=1e-5)
    reference = Ensemble([TransformersModel(run / "model")])
    reference.probabilities(texts)
    assert 0 < ensemble.cut == reference.cut < len(texts)
    assert len(set(expected.argmax(axis=1))) > 1
    int8 = Ensemble([OnnxModel(run / "model", INT8, about)]).probabilities(texts)
    assert (int8.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.8
    assert 0 < abs(int8 - expected).max() < 0.5
    assert about["forms"][FLOAT32]["agreement"] == 1
    assert about["forms"][INT8]["agreement"] >= 0.8
    assert about["forms"][INT8]["bytes"] < about["forms"][FLOAT32]["bytes"]
    assert about["temperature"] == 1.5 and about["labels"] == LABELS
    assert all(known["texts_per_second"] > 0 for known in about["forms"].values())


def test_what_no_label_depends_on_is_not_computed(study):
    run, _, _ = study
    graph = onnx.load(run / "model" / "onnx" / "model.onnx").graph
    # In the last layer one token is projected and passes through the feed-forward network.
    early = [node for node in graph.node if node.output[0].endswith(".selected")]
    assert {node.op_type for node in early} == {"Gather"} and len(early) == 2
    last = max(place for place, node in enumerate(graph.node) if node.op_type == "Softmax")
    assert last < min(list(graph.node).index(node) for node in early)


def test_workers_and_neighbours_change_no_answer_in_float32(study):
    run, _, about = study
    one, three = (OnnxModel(run / "model", FLOAT32, about, workers=n) for n in (1, 3))
    assert (Ensemble([one]).probabilities(TEXTS) == Ensemble([three]).probabilities(TEXTS)).all()


def test_files_name_no_path_of_the_machine(study):
    run, _, _ = study
    for path in (run / "model" / "onnx").glob("*.onnx"):
        assert b"site-packages" not in path.read_bytes()
    assert not list((run / "model" / "onnx").glob("*.data"))


def test_a_model_quantized_to_nonsense_is_refused_with_the_number(study, tmp_path, monkeypatch):
    run, data, _ = study
    own = tmp_path / "seed-0"
    shutil.copytree(run, own)
    shutil.rmtree(own / "model" / "onnx")

    def nonsense(source, target, spare=False):
        model = onnx.load(source)
        for tensor in model.graph.initializer:
            if len(tensor.dims) == 2:
                rows = numpy_helper.to_array(tensor)
                tensor.CopyFrom(numpy_helper.from_array(-rows, tensor.name))
        onnx.save(model, target)

    monkeypatch.setattr(export_onnx, "quantize", nonsense)
    about = export(own, data, agreement=0.99)
    assert about["forms"][INT8]["agreement"] < 0.99 and "sha256" not in about["forms"][INT8]
    assert not (own / "model" / "onnx" / "model_int8.onnx").exists()
    assert available(own / "model") == [FLOAT32, TRANSFORMERS]
    share = f"{about['forms'][INT8]['agreement']:.2%} of {len(TEXTS) + 1} validation texts"
    with pytest.raises(UserError, match=f"as int8 it gives {share}.*asks .99.00%"):
        load([own / "model"], "cpu", INT8)
    assert load([own / "model"], "cpu")[1] == FLOAT32
    card_of(own, data)
    text = (own / "model" / "README.md").read_text(encoding="utf-8")
    assert f"int8: refused: as int8 it gives {share}" in text
    compare_forms.main(metrics=[own / "metrics.json"], output=tmp_path / "forms.csv")
    table = pd.read_csv(tmp_path / "forms.csv").set_index("form")
    assert pd.isna(table.loc[INT8, "bytes"]) and pd.isna(table.loc[INT8, "value"])


def test_products_are_spared_where_int8_everywhere_disagrees(study, tmp_path, monkeypatch):
    run, data, whole = study
    own = tmp_path / "seed-0"
    shutil.copytree(run, own)
    shutil.rmtree(own / "model" / "onnx")
    before, asked = export_onnx.agree, []

    def first_refused(found, expected, form, limits):
        asked.append(form)
        return 0.5 if asked == [FLOAT32, INT8] else before(found, expected, form, limits)

    monkeypatch.setattr(export_onnx, "agree", first_refused)
    known = export(own, data)["forms"][INT8]
    assert asked == [FLOAT32, INT8, INT8] and known["agreement"] >= 0.8
    assert known["bytes"] > whole["forms"][INT8]["bytes"]
    assert available(own / "model") == [INT8, FLOAT32, TRANSFORMERS]


def test_a_float32_that_disagrees_anywhere_is_refused(study, tmp_path, monkeypatch):
    run, data, _ = study
    own = tmp_path / "seed-0"
    shutil.copytree(run, own)
    before = export_onnx.export

    def other(model, batch, path):
        weight = model.classifier.out_proj.weight
        weight.data = -weight.data
        before(model, batch, path)
        weight.data = -weight.data

    monkeypatch.setattr(export_onnx, "export", other)
    about = export(own, data)
    assert about["forms"][FLOAT32]["agreement"] < 1
    assert about["forms"][INT8] == {"reason": "it is made of ONNX in float32"}
    assert not list((own / "model" / "onnx").glob("*.onnx"))
    assert load([own / "model"], "cpu")[1] == TRANSFORMERS
    with pytest.raises(UserError, match=r"refused: as onnx it gives .* of \d+ .*100.00%"):
        load([own / "model"], "cpu", FLOAT32)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LARGEST", 10, r"weights of 0.0 GB; a file of ONNX holds 2 GB"),
        ("export", lambda *_: (_ for _ in ()).throw(UserError("torch cannot")), "torch cannot"),
    ],
)
def test_a_model_without_onnx_is_told_and_stays_usable(
    study, tmp_path, monkeypatch, name, value, message
):
    run, data, _ = study
    own = tmp_path / "seed-0"
    shutil.copytree(run, own)
    monkeypatch.setattr(export_onnx, name, value)
    export(own, data)
    with pytest.raises(UserError, match=f"no onnx of this model: {message}"):
        load([own / "model"], "cpu", FLOAT32)
    card_of(own, data)
    text = (own / "model" / "README.md").read_text(encoding="utf-8")
    assert "onnx: no onnx of this model: " in text
    compare_forms.main(metrics=[own / "metrics.json"], output=tmp_path / "forms.csv")
    assert pd.read_csv(tmp_path / "forms.csv")["bytes"].notna().tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("onnx/model.onnx", "damaged: its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}"),
        ("dict.txt", "the tokenizer beside the model is another .* [0-9a-f]{64}, not"),
        ("onnx/onnx.json", "damaged; make it anew: `make export"),
    ],
)
def test_damage_and_another_tokenizer_are_refused(study, tmp_path, file, message):
    run, _, _ = study
    folder = tmp_path / "model"
    shutil.copytree(run / "model", folder)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1 if file != "onnx/onnx.json" else 0x80
    (folder / file).write_bytes(bytes(content))
    with pytest.raises(UserError, match=message):
        load([folder], "cpu", FLOAT32)


def test_a_cut_file_is_refused_with_its_size_and_a_missing_one_by_name(study, tmp_path):
    run, _, about = study
    folder = tmp_path / "model"
    shutil.copytree(run / "model", folder)
    path = folder / "onnx" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-10])
    size = about["forms"][FLOAT32]["bytes"]
    with pytest.raises(UserError, match=f"damaged: {size - 10:,} bytes, not {size:,}"):
        check(folder, about, FLOAT32)
    path.unlink()
    with pytest.raises(UserError, match=r"model.onnx: missing; make it anew"):
        check(folder, about, FLOAT32)
    shutil.rmtree(folder / "onnx")
    with pytest.raises(UserError, match="has no ONNX; write it with `make export"):
        load([folder], "cpu", INT8)


def test_without_a_tokenizer_there_is_no_onnx(study, tmp_path):
    run, data, _ = study
    own = tmp_path / "seed-0"
    shutil.copytree(run, own)
    before = OnnxModel.tokenize

    def otherwise(self, texts):
        inputs, cut = before(self, texts)
        return {"input_ids": [row[:-1] for row in inputs["input_ids"]]}, cut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OnnxModel, "tokenize", otherwise)
        reason = export(own, data)["forms"][FLOAT32]["reason"]
    assert reason == "without transformers, its tokenizer cuts validation texts otherwise"
    # transformers itself cannot read this one.
    (own / "model" / "dict.txt").unlink()
    with pytest.raises(UserError, match=r"without dict.txt; ONNX needs a tokenizer as"):
        tokenizer_sha256(own / "model")


def test_forms_and_card_say_what_was_measured(study, tmp_path):
    run, data, about = study
    output = tmp_path / "forms.csv"
    compare_forms.main(metrics=[run / "metrics.json"], output=output)
    table = pd.read_csv(output).set_index("form")
    assert table.index.tolist() == [TRANSFORMERS, FLOAT32, INT8]
    assert table.loc[INT8, "agreement"] == pytest.approx(about["forms"][INT8]["agreement"])
    own = pd.read_csv(run / "predictions.csv")
    right = (own["label"] == own["prediction"]).mean()
    assert table.loc[[TRANSFORMERS, FLOAT32], "value"].tolist() == pytest.approx([right, right])
    assert table["ece"].notna().all() and table["measure"].eq("accuracy").all()
    card_of(run, data)
    text = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "## Forms" in text and "| ONNX, int8 | " in text
    assert "| at least | answered | of them rightly |" in text


def test_pairs(tmp_path):
    texts = [pair for pair in PAIRS if pair.replace("\0", "").strip()]
    run = make_run(tmp_path / "run", tmp_path / "data", texts, pairs=True)
    write_json(
        tmp_path / "data" / "audit.json",
        read_json(tmp_path / "data" / "audit.json") | {"pairs": True},
    )
    about = export(run, tmp_path / "data", agreement=0)
    assert about["pairs"] and about["forms"][FLOAT32]["agreement"] == 1
    expected = Ensemble([TransformersModel(run / "model")]).probabilities(texts)
    ensemble = Ensemble([OnnxModel(run / "model", FLOAT32, about)])
    assert ensemble.reads_pairs
    assert ensemble.probabilities(texts) == pytest.approx(expected, abs=1e-5)


def test_scores(tmp_path):
    texts = [record["text"] for record in RECORDS]
    run = make_run(tmp_path / "run", tmp_path / "data", texts, [SCORE], range=[0, 5])
    about = export(run, tmp_path / "data", agreement=0)
    assert about["forms"][FLOAT32]["agreement"] == 1 and "temperature" not in about
    found = Ensemble([OnnxModel(run / "model", FLOAT32, about)]).probabilities(texts)
    expected = Ensemble([TransformersModel(run / "model")]).probabilities(texts)
    assert found == pytest.approx(expected, abs=1e-4)
    compare_forms.main(metrics=[run / "metrics.json"], output=tmp_path / "forms.csv")
    table = pd.read_csv(tmp_path / "forms.csv")
    assert table["measure"].eq("pearson").all() and table["ece"].isna().all()
    audit = read_json(tmp_path / "data" / "audit.json")
    for part in audit["splits"].values():
        part["scores"] = {"min": 0, "max": 5}
    write_json(tmp_path / "data" / "audit.json", audit)
    card_of(run, tmp_path / "data")
    text = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "| ONNX, float32 | " in text and "at least" not in text
    with pytest.raises(UserError, match="--abstain is for labels; the model gives scores"):
        predict.main(**vars(predict.arguments([str(run), "x", "--abstain", "0.9"])))


def test_agreement_of_scores_is_within_a_share_of_the_range():
    expected = np.array([[1.0], [2.0], [3.0], [4.0]])
    found = expected + np.array([[0.0], [0.0004], [0.2], [0.3]])
    assert export_onnx.agree(found, expected, FLOAT32, (0, 5)) == 0.5
    assert export_onnx.agree(found, expected, INT8, (0, 5)) == 0.75
