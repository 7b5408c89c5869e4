"""The forms of one model side by side: size, speed, and what each is worth on the test split."""

from pathlib import Path
from typing import Any

import numpy as np

from seedwise.exports.forms import FLOAT32, INT8, TRANSFORMERS, describe, predictions_of
from seedwise.predictions import PROBABILITY
from seedwise.predictions.measures import score_measures
from seedwise.results.mistakes import Predictions, calibration
from seedwise.training.run_files import Metrics, measure, read_predicted

WORTH = ("value", "ece", "ece_calibrated")


def worth(path: Path, run: Metrics) -> dict[str, float]:
    """Return what predictions of the test split are worth, by the main measure of the run.

    Of labels also ``ece`` and ``ece_calibrated``, see `seedwise.results.mistakes.calibration`.
    """
    table = read_predicted(path)
    if measure(run) != "accuracy":
        found = score_measures(table["label"].astype(float), table["prediction"].astype(float))
        return {"value": found["pearson"]}
    columns = [name for name in table if name.startswith(PROBABILITY)]
    labels = [name.removeprefix(PROBABILITY) for name in columns]
    found = calibration(
        Predictions(
            run["dataset"],
            run["experiment"],
            run["engine"],
            labels,
            table["id"].tolist(),
            table["label"].map(labels.index).to_numpy(),
            table[columns].to_numpy(dtype=float)[None],
            np.array([run.get("temperature", 1.0)]),
        )
    )
    return {
        "value": float(found["accuracy"]),
        "ece": found["ece"],
        "ece_calibrated": found["ece_calibrated"],
    }


def form_rows(run: Metrics, folder: Path) -> list[dict[str, Any]]:
    """Return a row per form of the model that ``run`` has in ``folder``; none without ONNX.

    A form that was refused has its agreement alone.
    """
    about = describe(folder)
    if about is None:
        return []
    rows = []
    for form in (TRANSFORMERS, FLOAT32, INT8):
        known = about["forms"][form]
        rows.append(
            {key: run[key] for key in ("dataset", "experiment", "seed")}
            | {"form": form, "measure": measure(run)}
            | {
                key: known.get(key)
                for key in ("agreement", "texts", "asked", "bytes", "texts_per_second")
            }
            | dict.fromkeys(WORTH)
            | (worth(predictions_of(folder, form), run) if "bytes" in known else {})
            | {"processor": about["processor"]}
        )
    return rows
