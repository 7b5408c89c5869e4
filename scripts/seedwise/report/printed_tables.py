"""The tables of both reports: rounded, with units, under plain headings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from seedwise.report.presentation import (
    DASH,
    interval,
    main_measures,
    mean_and_std,
    memory,
    number,
    percent,
    reached,
    seconds,
)
from seedwise.report.printed_comparisons import (
    comparisons_table,
    ranks_table,
    score_comparisons_table,
)
from seedwise.report.printed_predictions import (
    agreement_table,
    calibration_table,
    disagreements_table,
    forms_table,
    mistakes_table,
)
from seedwise.study.selection import MAIN


def summary_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return measured beside published; the last columns only where something was published.

    How many settings were tried on the validation split stands there if any experiment tried more
    than one. A single seed has no spread; what depends on no seed has none either, and says so.
    """
    one, fixed, measure = summary["n"] == 1, summary["std"].isna(), summary["measure"]
    limits = [
        interval(low, high, measure=own)
        for low, high, own in zip(summary["ci_low"], summary["ci_high"], measure, strict=True)
    ]
    none = summary["mean"] * float("nan")
    table = {
        "Experiment": summary["experiment"],
        "Data set": summary["dataset"],
        "Seeds": summary["n"].map(number).mask(fixed, DASH),
        "Test" if measure.nunique() > 1 else f"Test {main_measures(measure)}": list(
            map(mean_and_std, summary["mean"], summary["std"].mask(one), measure)
        ),
        "95 % interval": pd.Series(limits, summary.index).mask(fixed, "deterministic"),
        "Varied": summary["varied"].fillna(DASH),
    }
    table |= _others(
        {
            key: [
                mean_and_std(mean, std, key)
                for mean, std in zip(
                    summary[f"{key}_mean"], summary.get(f"{key}_std", none).mask(one), strict=True
                )
            ]
            for key in SECOND | THIRD
            if f"{key}_mean" in summary
        }
    )
    if (summary["candidates"] > 1).any():
        table["Tried"] = summary["candidates"].map(number)
    if summary["published_mean"].notna().any():
        std = summary["published_std"].where(summary["published_std"] > 0)
        apart = (summary["mean"] - summary["published_mean"]) / std
        table["Published"] = list(
            map(mean_and_std, summary["published_mean"], summary["published_std"], measure)
        )
        table["Apart (published std)"] = [number(value, 1) for value in apart]
    return pd.DataFrame(table)


def _first(columns: Sequence[Sequence[str]]) -> list[str]:
    """Return in each row the first cell that holds something."""
    rows = zip(*columns, strict=True)
    return [next((cell for cell in row if cell != DASH), DASH) for row in rows]


def _of_runs(runs: pd.DataFrame, split: str) -> list[str]:
    """Return what each run reached on a split, by its main measure."""
    columns = [
        [reached(value, measure) for value in runs[f"{split}_{measure}"]]
        for measure in MAIN
        if f"{split}_{measure}" in runs
    ]
    return _first(columns)


def _others(cells: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the columns of what is measured beside the main measure.

    Macro F1 of labels and Spearman's correlation of scores share one.

    Args:
        cells: By measure, a cell a row.
    """
    found = {}
    for names in (SECOND, THIRD):
        used = [key for key in names if any(cell != DASH for cell in cells.get(key, ()))]
        if used:
            heading = " or ".join(names[key] for key in used).replace("Macro F1 or", "F1 or")
            found[heading] = _first([cells[key] for key in used])
    return found


def runs_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run: accuracies, macro F1 of the test split, costs of the training.

    Of scores, correlations and errors.
    """
    others = _others(
        {
            key: [reached(value, key) for value in runs[f"test_{key}"]]
            for key in SECOND | THIRD
            if f"test_{key}" in runs
        }
    )
    return pd.DataFrame(
        {
            "Experiment": runs["experiment"],
            "Seed": runs["seed"].astype(str),
            "Epoch": [number(epoch) for epoch in runs["best_epoch"]],
            "Validation": _of_runs(runs, "valid"),
            "Test": _of_runs(runs, "test"),
            **others,
            "Updates": [number(updates) for updates in runs["updates"]],
            "Training": runs["train_seconds"].map(seconds),
            "Tokens / s": [number(speed) for speed in runs["tokens_per_second"]],
            "Memory": runs["peak_rss_mib"].map(memory),
        }
    )


def costs_table(costs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per rule: number of jobs, sums of time, largest memory."""
    rows = costs.groupby("rule", sort=False).agg(
        jobs=("run", "size"),
        wall=("wall_seconds", "sum"),
        longest=("wall_seconds", "max"),
        cpu=("cpu_seconds", "sum"),
        peak=("peak_mib", "max"),
        speed=("tokens_per_second", "mean"),
    )
    return pd.DataFrame(
        {
            "Rule": rows.index,
            "Jobs": [number(jobs) for jobs in rows["jobs"]],
            "Wall time": rows["wall"].map(seconds).to_list(),
            "Longest job": rows["longest"].map(seconds).to_list(),
            "CPU time": rows["cpu"].map(seconds).to_list(),
            "Peak memory": rows["peak"].map(memory).to_list(),
            "Tokens / s": [number(speed) for speed in rows["speed"]],
        }
    )


def parameters_table(parameters: pd.DataFrame) -> pd.DataFrame:
    """Return one row per component of a model; a dash where there is no formula or no count."""
    counts = {
        "Parameters": "analytic",
        "In fairseq": "counted_fairseq",
        "In transformers": "counted_transformers",
    }
    return pd.DataFrame(
        {"Component": parameters["component"], "Formula": parameters["formula"].fillna(DASH)}
        | {head: [number(n) for n in parameters[column]] for head, column in counts.items()}
    )


def search_table(search: pd.DataFrame) -> pd.DataFrame:
    """Return one row per candidate: what it tries, and what it reached on the validation split."""
    tried = search.loc[:, :"valid_accuracy"].drop(
        columns=["experiment", "candidate", "valid_accuracy"]
    )
    values = [
        "; ".join(f"{key} = {_short(value)}" for key, value in row.dropna().items())
        for _, row in tried.iterrows()
    ]
    others = {} if search["valid_macro_f1"].isna().all() else {"Macro F1": search["valid_macro_f1"]}
    return pd.DataFrame(
        {
            "Experiment": search["experiment"],
            "Candidate": values,
            "Reached": _of_runs(search, "valid"),
            **{name: values.map(percent) for name, values in others.items()},
            "Loss": [number(loss, 3) for loss in search["valid_loss"]],
            "Epoch": [number(epoch) for epoch in search["best_epoch"]],
            "Training": search["train_seconds"].map(seconds),
            "Chosen": search["chosen"].map({True: "chosen", False: ""}),
        }
    )


def learning_curve_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per experiment and number of training texts."""
    rows, cells = [], []
    for key, own in runs.groupby(["experiment", "dataset", "train_texts"], sort=False):
        rows.append([*key[:2], number(key[2]), number(len(own))])
        cells.append({})
        for measure in MAIN | SECOND | THIRD:
            values = own.get(f"test_{measure}", pd.Series(dtype=float))
            std = values.std(ddof=0) if len(values) > 1 else float("nan")
            cells[-1][measure] = mean_and_std(values.mean(), std, measure)
    reached_by = pd.DataFrame(cells)
    table = pd.DataFrame(rows, columns=["Experiment", "Data set", "Training texts", "Runs"])
    main = _first([reached_by[measure] for measure in MAIN])
    return table.assign(Test=main, **_others({key: reached_by[key] for key in SECOND | THIRD}))


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


SECOND = {"macro_f1": "Macro F1", "spearman": "Spearman"}
"""What is measured beside the main measure, of labels and of scores, and its heading."""

THIRD = {"mae": "Error"}
"""What else is measured of scores."""


TABLES = {
    "summary": summary_table,
    "runs": runs_table,
    "ranks": ranks_table,
    "comparisons": comparisons_table,
    "score_comparisons": score_comparisons_table,
    "calibration": calibration_table,
    "forms": forms_table,
    "search": search_table,
    "learning_curve": learning_curve_table,
    "agreement": agreement_table,
    "mistakes": mistakes_table,
    "disagreements": disagreements_table,
    "parameters": lambda table: pd.concat(
        [table["model"].rename("Model"), parameters_table(table)], axis=1
    ),
    "costs": costs_table,
}
