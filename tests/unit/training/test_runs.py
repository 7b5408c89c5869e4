import dataclasses
import importlib.metadata
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from snakemake.iocontainers import Namedlist

from seedwise.environment import SHARED, resume_key
from seedwise.errors import UserError
from seedwise.files import write_json, write_jsonl
from seedwise.predictions import temperature
from seedwise.predictions.measures import macro_f1
from seedwise.training.run_files import read_predicted
from seedwise.training.runs import Outcome, Run, best_epoch, predictions_table, write_run
from support.tiny.chain import run_settings

SELECTIONS = ["accuracy", "macro_f1", "loss"]
LABELS = ["1", "0"]  # as a data set may write and order them
RECORDS = [
    {"id": "7", "text": "a", "label": "1"},
    {"id": "3", "text": "b", "label": "0"},
    {"id": "5", "text": "c", "label": "0"},
]
PROBABILITIES = np.array([[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]], dtype=np.float32)


def history(*valid):
    rows = [
        {"epoch": epoch, "split": split, "loss": 1 - score, "accuracy": score, "macro_f1": score}
        for epoch, score in enumerate(valid, start=1)
        for split, score in (("train", 0.9), ("valid", score))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("valid", "best"),
    [((0.5, 0.7, 0.6), 2), ((0.5, 0.7, 0.7), 2), ((0.7, 0.7), 1), ((0.1,), 1), ((0.1, 0.2), 2)],
)
def test_best_is_the_first_of_the_highest(valid, best):
    rows = history(*valid)
    for selection in SELECTIONS:  # of the loss, the lowest
        assert best_epoch(rows, selection) == best
        mixed = rows.sample(frac=1, random_state=0).sort_values("epoch")
        assert best_epoch(mixed, selection) == best


def test_each_selection_may_choose_another_epoch():
    rows = history(0.7, 0.8, 0.6)
    rows.loc[rows["epoch"] == 3, "loss"] = 0.1
    rows.loc[rows["epoch"] == 1, "macro_f1"] = 0.9
    assert [best_epoch(rows, selection) for selection in SELECTIONS] == [2, 1, 3]
    rows.loc[rows["epoch"] == 3, "loss"] = float("nan")  # it diverged
    assert best_epoch(rows, "loss") == 2


def test_macro_f1_is_over_all_labels_present_or_not():
    assert macro_f1([0, 0, 1, 1], [0, 0, 1, 0], 2) == pytest.approx((0.8 + 2 / 3) / 2)
    assert macro_f1([0, 0, 1, 1], [0, 0, 1, 0], 3) == pytest.approx((0.8 + 2 / 3) / 3)


def test_class_weights(run):
    def weights(given):
        return changed(run, class_weights=given).class_weights()

    texts = [{"id": str(i), "text": "t", "label": LABELS[i > 0]} for i in range(4)]
    write_jsonl(run.data / "train.jsonl", texts)
    assert weights(None) is None
    # As scikit-learn's `compute_class_weight` has it.
    assert weights("balanced") == [4 / (2 * 1), 4 / (2 * 3)]
    assert weights({LABELS[1]: 1, LABELS[0]: 9}) == [9.0, 1.0]
    with pytest.raises(UserError, match=r"finetune.class_weights: weights for good; the labels of"):
        weights({"good": 2})


def changed(run, **finetune):
    return dataclasses.replace(run, settings=run_settings("fairseq", **finetune))


def test_predictions_have_the_labels_as_the_data_set_writes_them():
    table = predictions_table(RECORDS, LABELS, PROBABILITIES)
    assert table.columns.tolist() == [
        "id",
        "label",
        "prediction",
        "probability_1",
        "probability_0",
    ]
    assert table["prediction"].tolist() == ["1", "1", "0"]  # the first of equal classes
    assert table["id"].tolist() == ["7", "3", "5"]


@pytest.fixture
def run(tmp_path):
    write_json(tmp_path / "data" / "audit.json", {"labels": LABELS})
    for split in ("train", "valid", "test"):
        write_jsonl(tmp_path / "data" / f"{split}.jsonl", RECORDS)
    (tmp_path / "input").write_text("x")
    return Run(
        experiment="e",
        seed=3,
        settings=run_settings("fairseq"),
        data=tmp_path / "data",
        inputs=[tmp_path / "input"],
        script="finetune_fairseq",
    )


def test_a_run_is_read_from_the_job_that_makes_it(run):
    job = SimpleNamespace(
        wildcards=Namedlist(fromdict={"experiment": "e", "seed": "3"}),
        params=Namedlist(fromdict={"settings": run.settings}),
        input=SimpleNamespace(data=[str(run.data / "train.jsonl")]),
    )
    assert Run.of(job, "finetune_fairseq", map(str, run.inputs)) == run
    # A candidate of a search gets its seed from its rule.
    job.wildcards = Namedlist(fromdict={"experiment": "e", "candidate": "0a"})
    job.params = Namedlist(fromdict={"settings": run.settings, "seed": 3})
    assert Run.of(job, "finetune_fairseq", map(str, run.inputs)) == run


OUTCOME = Outcome(
    history=history(0.5, 0.75, 0.75),
    probabilities=PROBABILITIES,
    valid_probabilities=PROBABILITIES,
    train_seconds=2.0,
    eval_seconds=0.1234,
    updates=30,
    train_tokens=100,
    device="processor",
    shared={"precision": "bfloat16", "threads": 1},
)


def write(run, folder, outcome=OUTCOME):
    paths = {name: folder / name for name in ("history", "predictions", "metrics")}
    write_run(run, outcome, **paths)
    return paths


def test_a_run_keeps_the_contract(run, tmp_path):
    paths = write(run, tmp_path / "run")
    assert paths["history"].read_text().splitlines()[:2] == [
        "epoch,split,loss,accuracy,macro_f1",
        "1,train,0.09999999999999998,0.9,0.9",
    ]
    assert paths["predictions"].read_text().splitlines()[1] == "7,1,1,0.75,0.25"
    table = predictions_table(RECORDS, LABELS, PROBABILITIES.astype(float))
    pd.testing.assert_frame_equal(read_predicted(paths["predictions"]), table)
    metrics = json.loads(paths["metrics"].read_text())
    expected = {
        "experiment": "e",
        "engine": "fairseq",
        "init": "random",
        "seed": 3,
        "best_epoch": 2,
        "valid_accuracy": 0.75,
        "test_accuracy": 2 / 3,
        "test_macro_f1": 2 / 3,
        "tokens_per_second": 50.0,
        "eval_seconds": 0.12,
        "threads": 1,
        "precision": "bfloat16",
        "selection": "accuracy",
        "valid_macro_f1": 0.75,
        "valid_loss": 0.25,
        "epochs": 3,
        "temperature": temperature.fit(PROBABILITIES, np.array([0, 1, 1])),
    }
    assert {key: metrics[key] for key in expected} == expected


HERE = {"device": "cpu", "precision": "float32", "threads": 1}


def test_what_runs_share_follows_settings_inputs_code_and_machine(run, tmp_path):
    before = run.shared(HERE, "numpy")
    assert set(before) == set(SHARED)
    assert before["versions"].keys() == {"python", "numpy"}

    def differs(run=run, here=HERE):
        now = run.shared(here, "numpy")
        assert resume_key(0, now) != resume_key(0, before)  # a checkpoint is not gone on with
        return [key for key in before if before[key] != now[key]]

    settings = run_settings("fairseq", epochs=99)
    assert differs(dataclasses.replace(run, settings=settings)) == ["config_sha256"]
    other = dataclasses.replace(run, script="finetune_transformers")
    assert differs(other) == ["code_sha256"]
    assert differs(here=HERE | {"device": "cuda"}) == ["device_type"]
    assert differs(here=HERE | {"threads": 2}) == ["threads"]
    assert differs(here=HERE | {"precision": "bfloat16"}) == ["precision"]
    (tmp_path / "input").write_text("y")
    assert differs() == ["data_sha256"]


def test_a_start_of_a_seeds_own_is_shared_by_none_but_belongs_to_the_checkpoints(run, tmp_path):
    start = tmp_path / "start"
    found = {}
    for varied in ([], ["pretraining"]):
        for content in ("a", "b"):
            start.write_text(content)
            own = dataclasses.replace(
                run,
                settings=run.settings | {"vary": varied},
                inputs=[*run.inputs, start],
                start=[start],
            )
            shared = own.shared(HERE, "numpy")
            found[*varied, content] = shared["data_sha256"], own.resume_key(shared)
    assert found["a",][0] != found["b",][0]
    assert found["pretraining", "a"][0] == found["pretraining", "b"][0]
    assert len({key for _, key in found.values()}) == 4


def test_checkpoints_of_another_version_are_not_gone_on_with(run, monkeypatch):
    before = resume_key(0, run.shared(HERE, "torch"))
    assert resume_key(0, run.shared(HERE, "torch")) == before
    assert resume_key(1, run.shared(HERE, "torch")) != before
    monkeypatch.setattr(importlib.metadata, "version", lambda package: "2.14.0")
    assert resume_key(0, run.shared(HERE, "torch")) != before


def test_metrics_come_last(run, tmp_path):
    spoilt = dataclasses.replace(OUTCOME, probabilities=PROBABILITIES[:2])
    with pytest.raises(ValueError, match="same length"):
        write(run, tmp_path / "run", spoilt)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"history"}
