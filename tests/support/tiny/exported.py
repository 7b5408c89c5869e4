"""Runs of small, untrained classifiers, exported as ONNX."""

import json

import describe_model
import export_onnx
from seedwise.data.texts import record_of
from seedwise.exports.ensemble import Ensemble
from seedwise.exports.transformers_model import TransformersModel
from seedwise.files import read_json, write_json, write_jsonl
from seedwise.study.labels import SCORE
from support import synthetic_study
from support.small_texts import train_sentencepiece
from support.tiny.classifiers import LABELS, write_model

LONG = "word " * 100


def write_data(folder, texts, labels, **audit):
    """Write splits whose labels take turns."""
    for split in ("valid", "test"):
        write_jsonl(
            folder / f"{split}.jsonl",
            [
                {"id": f"{split}:{n}", **record_of(text), "label": labels[n % len(labels)]}
                for n, text in enumerate(texts)
            ],
        )
    write_json(folder / "audit.json", synthetic_study.AUDIT | {"labels": labels} | audit)


def export(run, data, agreement=0.8):
    export_onnx.main(
        folder=run / "model",
        data=data,
        metrics=run / "metrics.json",
        agreement=agreement,
        output=run / "model" / "onnx",
    )
    return read_json(run / "model" / "onnx" / "onnx.json")


def make_run(run, data, texts, labels=LABELS, pairs=False, **audit):
    """Write a run as an engine leaves it: data, model, metrics and predictions."""
    tokens = run / "tokens"
    tokens.mkdir(parents=True)
    train_sentencepiece(tokens)
    write_model(run / "model", 0, tokens, labels, pairs=pairs)
    write_data(data, texts, [0.0, 2.5, 5.0] if labels == [SCORE] else labels, **audit)
    if labels == [SCORE]:
        write_json(data / "audit.json", read_json(data / "audit.json") | {"labels": labels})
    found = Ensemble([TransformersModel(run / "model")]).probabilities(texts)
    records = [json.loads(line) for line in (data / "test.jsonl").read_text().splitlines()]
    export_onnx.predictions_table(records, labels, found).to_csv(
        run / "predictions.csv", index=False, float_format="%.9g"
    )
    measures = {"test_accuracy": 0.5, "temperature": 1.5}
    if labels == [SCORE]:
        measures = {"test_pearson": 0.5, "test_spearman": 0.4, "test_mae": 0.3}
    (like, *_) = synthetic_study.write_study(run / "like")
    known = read_json(like / "metrics.json")
    write_json(
        run / "metrics.json",
        {key: value for key, value in known.items() if key not in ("temperature", "test_accuracy")}
        | {"experiment": "small", "dataset": "reviews", "engine": "transformers", "seed": 0}
        | measures,
    )
    return run


def card_of(run, data):
    describe_model.main(
        metrics=[run / "metrics.json"],
        audit=data / "audit.json",
        seed=0,
        settings={},
        title="A study",
        licence="mit",
        output=run / "model" / "README.md",
    )
