from seedwise.lora.causal_training import history_table


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
