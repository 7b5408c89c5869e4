"""The tables of both reports on what was predicted, text by text."""

from typing import Any

import pandas as pd

from seedwise.report.presentation import DASH, number, percent, reached

MISTAKES_SHOWN, TEXT_SHOWN = 20, 200


def _cut(text: Any) -> str:
    one_line = " ".join(str(text).split())
    return one_line if len(one_line) <= TEXT_SHOWN else f"{one_line[:TEXT_SHOWN].rstrip()} …"


def calibration_table(calibration: pd.DataFrame) -> pd.DataFrame:
    """Return one row per experiment: how sure it is, how right, what all its seeds share."""
    shares = {
        name: (calibration[f"always_{name}"] / calibration["texts"]).map(percent)
        for name in ("right", "wrong")
    }
    return pd.DataFrame(
        {
            "Experiment": calibration["experiment"],
            "Accuracy": calibration["accuracy"].map(percent),
            "Confidence": calibration["confidence"].map(percent),
            "ECE": calibration["ece"].map(percent),
            "Calibrated": calibration["ece_calibrated"].map(percent),
            "Brier": [number(value, 3) for value in calibration["brier"]],
            "Log loss": [number(value, 3) for value in calibration["log_loss"]],
            "Vote": calibration["vote_accuracy"].map(percent),
            "Always right": shares["right"],
            "Always wrong": shares["wrong"],
        }
    )


FORMS = {"transformers": "transformers", "onnx": "ONNX, float32", "int8": "ONNX, int8"}
"""The forms of a model (`seedwise.exports.forms`) and their names."""


def forms_table(forms: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model and form: size, speed, agreement with transformers, worth."""
    refused = forms["bytes"].isna()
    return pd.DataFrame(
        {
            "Experiment": forms["experiment"],
            "Form": forms["form"].map(FORMS) + refused.map({True: " (refused)", False: ""}),
            "MB": [number(value / 1e6, 1) for value in forms["bytes"]],
            "Texts/s": [number(value) for value in forms["texts_per_second"]],
            "Agreement": forms["agreement"].map(lambda share: percent(share, 2)),
            "Test": [
                DASH if pd.isna(value) else reached(value, measure)
                for value, measure in zip(forms["value"], forms["measure"], strict=True)
            ],
            "ECE": forms["ece"].map(percent),
            "Calibrated": forms["ece_calibrated"].map(percent),
        }
    )


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return one row per experiment or pair: the share of texts with the same prediction."""
    own = agreement["experiment_a"] == agreement["experiment_b"]
    engines = agreement["engine_a"].where(
        agreement["engine_a"] == agreement["engine_b"],
        agreement["engine_a"] + " and " + agreement["engine_b"],
    )
    pairs = agreement["experiment_a"] + " and " + agreement["experiment_b"]
    return pd.DataFrame(
        {
            "Between": pairs.where(~own, "seeds of " + agreement["experiment_a"]),
            "Engines": engines,
            "Pairs of runs": [number(n) for n in agreement["pairs"]],
            "Same prediction": agreement["agreement"].map(percent),
            "Cohen's kappa": [number(value, 2) for value in agreement["kappa"]],
        }
    )


def mistakes_table(mistakes: pd.DataFrame) -> pd.DataFrame:
    """Return the surest of the texts that all runs get wrong, long ones cut."""
    shown = mistakes.head(MISTAKES_SHOWN)
    return pd.DataFrame(
        {
            "Text": shown["text"].map(_cut),
            "Label": shown["label"].astype(str),
            "Prediction": shown["prediction"].astype(str),
            "Probability of the label": shown["probability"].map(percent),
        }
    )


def disagreements_table(disagreements: pd.DataFrame) -> pd.DataFrame:
    """Return the texts of the closest votes, a long text cut."""
    shown = disagreements.head(MISTAKES_SHOWN)
    return pd.DataFrame(
        {
            "Text": shown["text"].map(_cut),
            "Experiment": shown["experiment"],
            "Label": shown["label"].astype(str),
            "Votes of the seeds": shown["votes"],
        }
    )
