"""Write a training's history as TensorBoard events: a curve per split and measure, over epochs.

Input: history.csv, of either engine. Output: one event file. Units: loss in nats, accuracy in
[0, 1]; of scores, mean squares and Pearson's correlation.
"""

from pathlib import Path

import pandas as pd
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from seedwise.files import atomic
from seedwise.step import step
from seedwise.study.selection import MAIN


def events(history: pd.DataFrame, time: float) -> list[Event]:
    """Return one event per epoch, split and measure, all of them at ``time`` (Unix seconds)."""
    scalars = [
        Event(
            wall_time=time,
            step=int(row["epoch"]),
            summary=Summary(
                value=[Summary.Value(tag=f"{measure}/{row['split']}", simple_value=row[measure])]
            ),
        )
        for row in history.to_dict("records")
        for measure in ("loss", *MAIN)
        if pd.notna(row.get(measure))
    ]
    return [Event(wall_time=time, file_version="brain.Event:2"), *scalars]


def main(*, history: Path, output: Path) -> None:
    """Write the event file; the time of its events is that of the history."""
    table = pd.read_csv(history)
    with atomic(output) as partial, partial.open("wb") as stream:
        writer = RecordWriter(stream)
        for event in events(table, history.stat().st_mtime):
            writer.write(event.SerializeToString())


if __name__ == "__main__":
    with step(snakemake):
        main(history=Path(snakemake.input.history), output=Path(snakemake.output.events))
