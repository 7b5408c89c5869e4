import pandas as pd
import pytest

import finetune_fairseq
from seedwise.files import read_json
from seedwise.models.checkpoints import load_checkpoint
from seedwise_fairseq import launch
from support.tiny.chain import majority_records, make_run, run_settings, write_chain

FILES = ("history", "predictions", "metrics", "model")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


def finetune(chain, folder, init="random", seed=0, **settings):
    """Run the script as a process of its own would; return the paths of its outputs."""
    paths = {name: folder / name for name in FILES}
    finetune_fairseq.main(
        run=make_run(chain, "fairseq", init, seed, **settings),
        binarized=chain.binarized,
        pretrained=chain.pretrained if init == "pretrained" else None,
        **paths,
    )
    return paths


@pytest.fixture(scope="module")
def outputs(chain, tmp_path_factory):
    return finetune(chain, tmp_path_factory.mktemp("run"), "pretrained")


def options(**changes):
    return finetune_fairseq.finetuning_options(
        run_settings("fairseq", **changes),
        texts=81,
        classes=3,
        class_weights=[0.5, 1.0, 4.0],
        seed=5,
        scratch="scratch",
        pretrained=None,
    )


def test_updates_count_the_last_short_batch():
    given = options(epochs=2, batch_size=8)
    assert (given["total-num-update"], given["max-epoch"]) == (2 * 11, 2)
    assert given["warmup-updates"] == 1
    assert (given["seed"], given["num-classes"]) == (5, 3)
    assert "finetune-from-model" not in given and "patience" not in given
    assert given["class-weights"] == "0.5,1.0,4.0"
    assert options(patience=2)["patience"] == 2


def test_batches_are_grouped_by_length_where_asked():
    assert options(group_by_length=True)["group-by-length"] == 8
    assert options(group_by_length=False)["group-by-length"] == 0


def test_outputs_are_those_of_the_selected_epoch(chain, outputs):
    history = pd.read_csv(outputs["history"])
    assert history["epoch"].tolist() == [1, 1, 2, 2, 3, 3]
    metrics = read_json(outputs["metrics"])
    assert metrics["updates"] == 30 and metrics["init"] == "pretrained"
    predictions = pd.read_csv(outputs["predictions"])
    assert len(predictions) == 33
    right = (predictions["label"] == predictions["prediction"]).mean()
    assert metrics["test_accuracy"] == pytest.approx(right)
    assert not (outputs["model"].parent / "checkpoints").exists()


def test_a_better_training_before_in_the_same_process_is_forgotten(chain, tmp_path):
    launch.checkpoint_utils.save_checkpoint.best = 2.0  # more than any share of texts
    assert finetune(chain, tmp_path, epochs=1)["model"].is_file()


def test_shares_of_the_history_are_whole_numbers_of_texts(outputs):
    valid = pd.read_csv(outputs["history"]).query("split == 'valid'")["accuracy"] * 20
    assert (valid - valid.round()).abs().max() < 1e-9


def test_model_starts_from_the_checkpoint(chain, outputs, tmp_path):
    start = load_checkpoint(chain.pretrained)["model"]
    name = "encoder.sentence_encoder.layers.0.fc1.weight"

    def distance(paths):
        return (load_checkpoint(paths["model"])["model"][name] - start[name]).norm()

    # A random start has weights of another size altogether.
    assert distance(outputs) < 0.3 * distance(finetune(chain, tmp_path, epochs=1))


def test_same_seed_same_bytes_another_seed_others(chain, tmp_path):
    runs = [finetune(chain, tmp_path / name, epochs=1, seed=int(name[1])) for name in ("a0", "b0")]
    other = finetune(chain, tmp_path / "c", epochs=1, seed=1)
    for name in ("history", "predictions"):
        assert runs[0][name].read_bytes() == runs[1][name].read_bytes()
        assert runs[0][name].read_bytes() != other[name].read_bytes()


@pytest.fixture
def exported(monkeypatch):
    """The epochs whose weights were exported."""
    epochs = []
    export = launch.export_model

    def remember(checkpoint, path):
        epochs.append(checkpoint["task_state"]["history"][-1]["epoch"])
        export(checkpoint, path)

    monkeypatch.setattr(launch, "export_model", remember)
    return epochs


def test_first_of_equal_epochs_is_selected(chain, tmp_path, exported):
    outputs = finetune(chain, tmp_path, learning_rate=1e-12)
    valid = pd.read_csv(outputs["history"]).query("split == 'valid'")["accuracy"]
    assert valid.nunique() == 1 and len(valid) == 3
    assert exported == [read_json(outputs["metrics"])["best_epoch"]] == [1]


def test_checkpoints_inside_an_epoch_are_never_the_best(chain, tmp_path, exported):
    outputs = finetune(chain, tmp_path, checkpoint_updates=3)
    history = pd.read_csv(outputs["history"])
    assert history["epoch"].tolist() == [1, 1, 2, 2, 3, 3]
    assert exported == [read_json(outputs["metrics"])["best_epoch"]]


def test_classes_keep_their_names_where_the_second_is_the_majority(tmp_path):
    chain = write_chain(tmp_path / "chain", majority_records(), ["0", "1"])
    outputs = finetune(chain, tmp_path / "run", epochs=8, batch_size=4)
    predictions = pd.read_csv(outputs["predictions"], dtype=str)
    assert set(predictions["label"]) == set(predictions["prediction"]) == {"0", "1"}
    assert list(predictions)[3:] == ["probability_0", "probability_1"]
    assert (
        read_json(outputs["metrics"])["test_accuracy"] > 0.65
    )  # swapped, it would be as far below half


def test_bfloat16_trains_on_a_processor(chain, tmp_path):
    outputs = finetune(chain, tmp_path, epochs=1, precision="bfloat16")
    full = finetune(chain, tmp_path / "full", epochs=1)
    losses = [pd.read_csv(run["history"])["loss"].iloc[0] for run in (outputs, full)]
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.05)
    weights = load_checkpoint(outputs["model"])["model"]
    assert {str(weight.dtype) for weight in weights.values()} == {"torch.float32"}
