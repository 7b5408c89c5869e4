import pytest

from seedwise.lora.adapters import load_base, load_tokenizer
from seedwise.lora.causal_training import history_table, train
from support.tiny.bloom import write_base

SETTINGS = {
    "batch_size": 1,
    "updates": 3,
    "learning_rate": 1e-3,
    "warmup_ratio": 0.0,
    "weight_decay": 0.0,
    "eval_updates": 1,
    "checkpoint_updates": 0,
    "checkpoint_minutes": 0,
    "device": "cpu",
    "precision": "float32",
}


def test_history_has_a_row_per_measurement():
    log = [
        {"loss": 2.0, "epoch": 0.5, "step": 10},
        {"eval_loss": 1.5, "epoch": 0.5, "step": 10},
        {"eval_loss": 1.5, "epoch": 0.5, "step": 10},  # the Trainer's last, once more
        {"train_runtime": 3.0, "train_loss": 2.0, "epoch": 0.5, "step": 10},
    ]
    table = history_table(log)
    assert list(table.columns) == ["epoch", "split", "loss", "update"]
    assert table.to_numpy().tolist() == [[0.5, "train", 2.0, 10], [0.5, "valid", 1.5, 10]]


@pytest.mark.parametrize(("most", "widths"), [(8, [4, 8, 8]), (7, [3, 5, 7])])
def test_texts_are_padded_to_few_lengths_none_above_the_longest_allowed(tmp_path, most, widths):
    base = write_base(tmp_path / "base")
    model = load_base(base, {"type": "none"}, "cpu").requires_grad_(True)
    passed = []
    model.register_forward_pre_hook(
        lambda _, __, inputs: passed.append(inputs["input_ids"].shape[1]), with_kwargs=True
    )
    examples = [{"input_ids": [5] * length, "labels": [5] * length} for length in (3, 5, 7)]
    settings = SETTINGS | {"max_tokens": most}
    train(model, load_tokenizer(base), examples, settings, seed=0, scratch=tmp_path / "scratch")
    assert sorted(passed) == widths
