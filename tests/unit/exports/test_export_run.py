import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import export_run
import finetune_fairseq
from seedwise.errors import UserError
from seedwise.files import read_json, read_jsonl
from support.tiny.chain import ARCHITECTURE, majority_records, make_run, write_chain


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A chain with a fine-tuned run, whose second class is the majority in training."""
    chain = write_chain(tmp_path_factory.mktemp("chain"), majority_records(), ["0", "1"])
    finetune_fairseq.main(
        run=make_run(chain, "fairseq", "random", 0, epochs=8, batch_size=4),
        binarized=chain.binarized,
        pretrained=None,
        **{
            name: chain.folder / "run" / name
            for name in ("history", "predictions", "metrics", "model")
        },
    )
    return chain


def export(chain, folder, **changes):
    arguments = {
        "checkpoint": chain.folder / "run" / "model",
        "predictions": chain.folder / "run" / "predictions",
        "tokenizer": chain.tokens / "sentencepiece.bpe.model",
        "dictionary": chain.tokens / "dict.txt",
        "data": chain.data,
        "architecture": ARCHITECTURE,
        "max_tokens": ARCHITECTURE["max_positions"],
        "original": None,
        "folder": folder,
    }
    export_run.main(**arguments | changes)


@torch.inference_mode()
def test_folder_gives_fairseqs_probabilities_for_every_text(chain, tmp_path):
    export(chain, tmp_path / "model")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    predictions = pd.read_csv(chain.folder / "run" / "predictions", dtype={"prediction": str})
    assert predictions["prediction"].nunique() == 2
    report = read_json(tmp_path / "model" / "export.json")
    assert report["texts"] == len(predictions) and report["other_labels"] == 0
    assert 0 < report["largest_probability_difference"] < 1e-5
    for row, record in enumerate(read_jsonl(chain.data / "test.jsonl")):
        encoded = tokenizer(record["text"], truncation=True, return_tensors="pt")
        probabilities = model(**encoded).logits.softmax(-1)[0]
        reported = predictions.loc[row, ["probability_0", "probability_1"]].tolist()
        assert probabilities.tolist() == pytest.approx(reported, abs=1e-5)
        label = model.config.id2label[int(probabilities.argmax())]
        assert label == predictions.loc[row, "prediction"]


def test_one_other_label_is_refused_and_nothing_is_left(chain, tmp_path):
    table = pd.read_csv(chain.folder / "run" / "predictions", dtype=str)
    table.loc[2, "prediction"] = "10"[int(table.loc[2, "prediction"])]
    table.to_csv(tmp_path / "predictions.csv", index=False)
    said = f"labels 1 test texts otherwise .* the first with the id {table.loc[2, 'id']}"
    with pytest.raises(UserError, match=said):
        export(chain, tmp_path / "out" / "model", predictions=tmp_path / "predictions.csv")
    assert not list((tmp_path / "out").iterdir())


def test_another_label_of_two_that_are_as_probable_is_counted(chain, tmp_path, monkeypatch):
    table = pd.read_csv(chain.folder / "run" / "predictions", dtype=str)
    table.loc[2, "prediction"] = "10"[int(table.loc[2, "prediction"])]
    table.to_csv(tmp_path / "predictions.csv", index=False)
    monkeypatch.setattr(export_run, "TOLERANCE", 1.0)
    export(chain, tmp_path / "model", predictions=tmp_path / "predictions.csv")
    assert read_json(tmp_path / "model" / "export.json")["other_labels"] == 1


def test_of_many_texts_some_are_checked(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(export_run, "CHECKED", 3)
    export(chain, tmp_path / "model")
    assert read_json(tmp_path / "model" / "export.json")["texts"] == 3


def test_another_architecture_is_refused(chain, tmp_path):
    with pytest.raises(UserError, match="not of the configured architecture"):
        export(chain, tmp_path / "model", architecture=ARCHITECTURE | {"layers": 1})
