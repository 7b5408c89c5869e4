from seedwise.training.classifier_training import history_table


def test_history_counts_each_text_once():
    log = [
        {"epoch": 1.0, "eval_loss": 0.5, "eval_accuracy": 0.75, "eval_macro_f1": 0.7, "step": 2},
        {"epoch": 1.0, "train_loss": 0.7, "train_accuracy": 0.5, "step": 2, "seconds": 1.0},
        {"epoch": 1.0, "loss": 9.0, "step": 2},
        {"train_runtime": 3.0, "epoch": 1.0, "train_loss": 9.0},
    ]
    table = history_table(log)
    assert table.pop("macro_f1").dropna().tolist() == [0.7]
    assert table.to_dict("records") == [
        {"epoch": 1, "split": "train", "loss": 0.7, "accuracy": 0.5},
        {"epoch": 1, "split": "valid", "loss": 0.5, "accuracy": 0.75},
    ]
