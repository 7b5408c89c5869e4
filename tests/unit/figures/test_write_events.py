import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import write_events

HISTORY = """\
epoch,split,loss,accuracy
1,train,0.9,0.5
1,valid,0.8,0.625
2,train,0.5,0.75
2,valid,0.7,0.6875
"""


def read(path):
    found = EventAccumulator(str(path.parent))
    found.Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def test_tensorboard_reads_every_curve_back(tmp_path):
    (tmp_path / "history.csv").write_text(HISTORY)
    output = tmp_path / "events" / "events.out.tfevents.seedwise"
    write_events.main(history=tmp_path / "history.csv", output=output)
    curves = read(output)
    assert set(curves) == {"loss/train", "loss/valid", "accuracy/train", "accuracy/valid"}
    assert curves["accuracy/valid"] == [(1, 0.625), (2, 0.6875)]
    assert curves["loss/valid"][1] == (2, pytest.approx(0.7))


def test_a_history_without_accuracy():
    table = pd.DataFrame({"epoch": [1], "split": ["valid"], "loss": [3.0], "accuracy": [None]})
    _, event = write_events.events(table, 0.0)
    assert event.summary.value[0].tag == "loss/valid"
