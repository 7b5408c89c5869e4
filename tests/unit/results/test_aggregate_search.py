import pandas as pd

import aggregate_search
from seedwise.files import write_json

CANDIDATES = {
    "t": {"0a": {"epochs": 2, "adam_betas": [0.9, 0.98]}, "0b": {"epochs": 3}},
    "linear": {"0c": {"C": 0.5}},
}


def test_search_holds_a_row_per_candidate(tmp_path):
    metrics, chosen = [], []
    for experiment, own in CANDIDATES.items():
        for name in own:
            metrics.append(tmp_path / experiment / f"candidate-{name}" / "metrics.json")
            found = {"valid_accuracy": 0.75, "valid_macro_f1": 0.5, "valid_loss": 0.25}
            found |= {"best_epoch": 1, "train_seconds": 2.5}
            write_json(metrics[-1], found | {"other": 1})
        chosen.append(tmp_path / experiment / "chosen.json")
        write_json(chosen[-1], {"candidate": name})
    output = tmp_path / "search.csv"
    aggregate_search.main(candidates=CANDIDATES, metrics=metrics, chosen=chosen, output=output)
    assert output.read_text() == (
        "experiment,candidate,epochs,adam_betas,C,valid_accuracy,valid_macro_f1,valid_loss,best_epoch,train_seconds,chosen\n"
        't,0a,2,"[0.9, 0.98]",,0.75,0.5,0.25,1,2.5,False\n'
        "t,0b,3,,,0.75,0.5,0.25,1,2.5,True\n"
        "linear,0c,,,0.5,0.75,0.5,0.25,1,2.5,True\n"
    )
    assert pd.read_csv(output)["chosen"].dtype == bool
