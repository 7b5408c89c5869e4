import dataclasses
import itertools
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from seedwise.errors import UserError
from seedwise.files import read_json
from seedwise.models.linear import FEATURES, LinearModel, read
from seedwise.training.run_files import read_predicted
from support.linear_runs import LABELS, SPLITS, make_run, train
from support.small_texts import RECORDS
from train_linear import read_training_texts

CANDIDATES = list(itertools.product(["words", "characters"], [0.1, 1, 10, 100]))
ANALYZERS = {"words": ("word", (1, 2)), "characters": ("char_wb", (2, 5))}


@pytest.fixture(autouse=True)
def no_warnings():
    """One that the solver did not converge would be a wrong result."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("default", ResourceWarning)  # of what other tests left
        yield


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train(make_run(folder), folder)


def columns(split):
    return [[record[key] for record in SPLITS[split]] for key in ("text", "label")]


def pipeline(features, c):
    analyzer, ngrams = ANALYZERS[features]
    return make_pipeline(
        TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, sublinear_tf=True),
        LogisticRegression(C=c, max_iter=1000),
    ).fit(*columns("train"))


def test_every_candidate_is_what_a_pipeline_of_scikit_learn_finds(outputs):
    history = pd.read_csv(outputs["history"])
    metrics = read_json(outputs["metrics"])
    assert history["epoch"].tolist() == [n for n in range(1, 9) for _ in range(2)]
    assert history["split"].tolist() == ["train", "valid"] * 8
    for number, (features, c) in enumerate(CANDIDATES, start=1):
        model = pipeline(features, c)
        own = history[history["epoch"] == number].set_index("split")
        for split in ("train", "valid"):
            texts, labels = columns(split)
            assert own.loc[split, "accuracy"] == pytest.approx(model.score(texts, labels))
            right = model.predict_proba(texts)[range(len(texts)), [*map(LABELS.index, labels)]]
            assert own.loc[split, "loss"] == pytest.approx(-np.log(right).mean())
        tried = {"features": features, "C": c, "valid_accuracy": own.loc["valid", "accuracy"]}
        assert metrics["candidates"][number - 1] == pytest.approx(tried)


def test_the_first_of_the_best_on_validation_reads_the_test_split(outputs):
    metrics = read_json(outputs["metrics"])
    scores = [pipeline(*tried).score(*columns("valid")) for tried in CANDIDATES]
    assert len(set(scores)) < len(scores)  # there are ties
    assert metrics["best_epoch"] == 1 + scores.index(max(scores))
    assert metrics["valid_accuracy"] == max(scores)
    best = pipeline(*CANDIDATES[scores.index(max(scores))])
    table = read_predicted(outputs["predictions"])
    assert table["id"].tolist() == [record["id"] for record in SPLITS["test"]]
    assert table["prediction"].tolist() == best.predict(columns("test")[0]).tolist()
    found = table[[f"probability_{label}" for label in LABELS]].to_numpy(dtype=float)
    assert found == pytest.approx(best.predict_proba(columns("test")[0]), abs=1e-8)
    assert metrics["test_accuracy"] == pytest.approx(best.score(*columns("test")))


def test_metrics_keep_the_contract(outputs):
    metrics = read_json(outputs["metrics"])
    assert list(metrics)[-1] == "candidates"
    expected = {
        "experiment": "linear", "engine": "linear", "init": "none", "dataset": "reviews",
        "model": "linear", "seed": 0, "precision": "float64", "threads": 1,
    }  # fmt: skip
    assert {key: metrics[key] for key in expected} == expected
    assert 8 <= metrics["updates"] < 8 * 1000
    assert set(metrics["versions"]) == {"python", "scikit-learn"}
    words = sum(len(text.split()) for text in columns("train")[0])
    spent = 8 * words / metrics["tokens_per_second"]
    assert spent == pytest.approx(metrics["train_seconds"], abs=0.01)


def test_the_saved_model_predicts_what_is_reported(outputs):
    model = LinearModel.load(outputs["model"])
    found = model.probabilities(columns("test")[0])
    table = read_predicted(outputs["predictions"])
    names = [f"probability_{label}" for label in model.labels]
    assert found == pytest.approx(table[names].to_numpy(dtype=float), abs=1e-8)
    assert model.cut == 0


def test_another_seed_changes_nothing(outputs, tmp_path):
    again = train(dataclasses.replace(make_run(tmp_path), seed=7), tmp_path)
    for name in ("history", "predictions"):
        assert again[name].read_bytes() == outputs[name].read_bytes()
    for file in outputs["model"].iterdir():
        assert (again["model"] / file.name).read_bytes() == file.read_bytes()


def test_validation_and_test_texts_are_not_learnt_from(tmp_path):
    splits = {
        split: [r | {"text": f"{r['text']} {split}word"} for r in part]
        for split, part in SPLITS.items()
    }
    outputs = train(make_run(tmp_path, splits, features=["words"]), tmp_path)
    vocabulary = read_json(outputs["model"] / "vocabulary.json")
    assert "trainword" in vocabulary
    assert not {"validword", "testword"} & set(vocabulary)


def test_classes_keep_their_names_where_the_second_is_the_majority(tmp_path):
    """With the labels "1" and "0", in an order that is neither sorted nor by frequency."""
    labels = ["1", "0"]
    records = [r | {"label": str(LABELS.index(r["label"]))} for r in RECORDS]
    ones, zeros = ([r for r in records if r["label"] == label] for label in labels)
    splits = {
        "train": ones[:24] + zeros[:44],
        "valid": ones[34:44] + zeros[44:54],
        "test": ones[44:] + zeros[54:],
    }
    outputs = train(make_run(tmp_path, splits, labels), tmp_path)
    table = read_predicted(outputs["predictions"])
    assert list(table)[3:] == ["probability_1", "probability_0"]
    assert set(table["label"]) == set(table["prediction"]) == {"0", "1"}
    assert read_json(outputs["metrics"])["test_accuracy"] > 0.65  # swapped: as far below half


def three_labels():
    """Return splits with a third label, and the labels in an order that is not sorted."""
    words = ["parcel", "camera", "cable", "lamp", "printer"]
    neutral = [
        {"id": f"n{n}", "text": f"The {words[n % 5]} was sent on day {n}.", "label": "neutral"}
        for n in range(64)
    ]
    parts = {"train": slice(40), "valid": slice(40, 52), "test": slice(52, 64)}
    return {split: SPLITS[split] + neutral[part] for split, part in parts.items()}


def test_three_labels(tmp_path):
    labels = ["positive", "neutral", "negative"]
    outputs = train(make_run(tmp_path, three_labels(), labels), tmp_path)
    table = read_predicted(outputs["predictions"])
    assert list(table)[3:] == [f"probability_{label}" for label in labels]
    names = table[list(table)[3:]].astype(float)
    assert names.sum(axis=1).sub(1).abs().max() < 1e-6
    assert names.idxmax(axis=1).str.removeprefix("probability_").equals(table["prediction"])
    neutral = table[table["label"] == "neutral"]
    assert (neutral["prediction"] == "neutral").all()
    assert read_json(outputs["metrics"])["test_accuracy"] > 0.7


def test_a_label_without_training_texts_is_never_predicted(tmp_path):
    splits = three_labels()
    splits["train"] = [r for r in splits["train"] if r["label"] != "neutral"]
    outputs = train(make_run(tmp_path, splits, ["neutral", *LABELS]), tmp_path)
    table = read_predicted(outputs["predictions"])
    assert (table["probability_neutral"].astype(float) == 0).all()
    assert LinearModel.load(outputs["model"]).labels == ["neutral", *LABELS]


def test_texts_without_words_are_refused_with_the_key(tmp_path):
    splits = {split: [r | {"text": "a !"} for r in part] for split, part in SPLITS.items()}
    with pytest.raises(UserError, match=r"linear\.features: 'words' finds nothing"):
        train(make_run(tmp_path, splits), tmp_path)
    outputs = train(make_run(tmp_path, splits, features=["characters"]), tmp_path)
    assert json.loads((outputs["model"] / "config.json").read_text())["features"] == "characters"


@pytest.mark.parametrize("texts", [["a b", "b c", "good bad"], ["a b\0b", "b c\0c b", "good\0bad"]])
def test_training_texts_are_read_as_any_other(texts):
    vectorizer = TfidfVectorizer(**FEATURES["words"])
    found = read_training_texts(vectorizer, texts, "words")
    assert (found != read(vectorizer, texts)).nnz == 0 and found.nnz
