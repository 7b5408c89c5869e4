"""What a model card says of the forms of a model, and of answering only where it is sure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.exports.abstention import answered
from seedwise.exports.forms import describe, refusal
from seedwise.report.card import ABSTENTION, CALIBRATED, FORMS
from seedwise.report.presentation import DASH, percent
from seedwise.report.printed_predictions import forms_table
from seedwise.results.forms import form_rows

SURE = (0.7, 0.8, 0.9, 0.95, 0.99)
"""Probabilities below which the card says what it means not to answer."""


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = ("", "")) -> str:
    """Return rows as a Markdown table."""
    line = "| {} |".format
    rule = "|" + "---|" * len(head)
    return "\n".join([line(" | ".join(head)), rule, *(line(" | ".join(row)) for row in rows)])


def abstention(run: dict[str, Any], predictions: Path) -> str:
    """Return what answering only where the model is sure would have meant; nothing of scores."""
    if "temperature" not in run:
        return ""
    rows = []
    for least in SURE:
        found = answered([predictions], [run["temperature"]], least)
        if found is not None:
            rows.append(
                (
                    f"{least:g}",
                    percent(found.share),
                    percent(found.accuracy) if found.share else DASH,
                )
            )
    return ABSTENTION.format(table(rows, ("at least", "answered", "of them rightly")))


def forms(run: dict[str, Any], folder: Path) -> str:
    """Return what is known of the model's forms; nothing where there is no ONNX."""
    about = describe(folder)
    if about is None:
        return ""
    shown = forms_table(pd.DataFrame(form_rows(run, folder))).drop(columns=["Experiment", "ECE"])
    if "temperature" not in run:
        shown = shown.drop(columns="Calibrated")
    refused = [
        f"{form}: {refusal(form, known)}.\n\n"
        for form, known in about["forms"].items()
        if "bytes" not in known
    ]
    return FORMS.format(
        texts=max(known.get("texts", 0) for known in about["forms"].values()),
        processor=about["processor"],
        calibrated=CALIBRATED if "temperature" in run else "",
        table=table(shown.to_numpy().tolist(), list(shown.columns)),
        refused="".join(refused),
    )
