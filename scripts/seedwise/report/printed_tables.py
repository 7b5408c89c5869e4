"""The tables of both reports: rounded, with units, under plain headings."""

from typing import Any

import pandas as pd

from seedwise.report.presentation import (
    DASH,
    MINUS,
    interval,
    mean_and_std,
    memory,
    number,
    p_value,
    percent,
    seconds,
)

MISTAKES_SHOWN, TEXT_SHOWN = 20, 200


def summary_table(summary: pd.DataFrame) -> pd.DataFrame:
    """Return measured beside published; the last columns only where something was published.

    How many settings were tried on the validation split stands there if any experiment tried more
    than one. A single seed has no spread; what depends on no seed has none either, and says so.
    """
    one, fixed = summary["n"] == 1, summary["std"].isna()
    limits = pd.Series(map(interval, summary["ci_low"], summary["ci_high"]), summary.index)
    table = pd.DataFrame(
        {
            "Experiment": summary["experiment"],
            "Data set": summary["dataset"],
            "Seeds": summary["n"].map(number).mask(fixed, DASH),
            "Test accuracy": map(mean_and_std, summary["mean"], summary["std"].mask(one)),
            "95 % interval": limits.mask(fixed, "deterministic"),
            "Varied": summary["varied"].fillna(DASH),
            "Macro F1": map(
                mean_and_std, summary["macro_f1_mean"], summary["macro_f1_std"].mask(one)
            ),
        }
    )
    if (summary["candidates"] > 1).any():
        table["Tried"] = summary["candidates"].map(number)
    if summary["published_mean"].notna().any():
        std = summary["published_std"].where(summary["published_std"] > 0)
        apart = (summary["mean"] - summary["published_mean"]) / std
        table["Published"] = list(
            map(mean_and_std, summary["published_mean"], summary["published_std"])
        )
        table["Apart (published std)"] = [number(value, 1) for value in apart]
    return table


def runs_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run: accuracies, macro F1 of the test split, costs of the training."""
    return pd.DataFrame(
        {
            "Experiment": runs["experiment"],
            "Seed": runs["seed"].astype(str),
            "Epoch": [number(epoch) for epoch in runs["best_epoch"]],
            "Validation": runs["valid_accuracy"].map(percent),
            "Test": runs["test_accuracy"].map(percent),
            "Macro F1": runs["test_macro_f1"].map(percent),
            "Updates": [number(updates) for updates in runs["updates"]],
            "Training": runs["train_seconds"].map(seconds),
            "Tokens / s": [number(speed) for speed in runs["tokens_per_second"]],
            "Memory": runs["peak_rss_mib"].map(memory),
        }
    )


def comparisons_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pair, differences in percentage points."""
    return pd.DataFrame(
        {
            "Second minus first": comparisons["experiment_b"]
            + f" {MINUS} "
            + comparisons["experiment_a"],
            "Difference (points)": [number(100 * d, 1) for d in comparisons["difference"]],
            "95 % over texts": [
                interval(low, high, "")
                for low, high in zip(comparisons["ci_low"], comparisons["ci_high"], strict=True)
            ],
            "95 % over seeds": [
                interval(low, high, "")
                for low, high in zip(
                    comparisons["seeds_ci_low"], comparisons["seeds_ci_high"], strict=True
                )
            ],
            "p (Holm)": comparisons["p_holm"].map(p_value),
            "Macro F1": [
                f"{number(100 * d, 1)} ({interval(low, high, '')})"
                for d, low, high in zip(
                    *(
                        comparisons[f"macro_f1_{key}"]
                        for key in ("difference", "ci_low", "ci_high")
                    ),
                    strict=True,
                )
            ],
            "p": comparisons["macro_f1_p_holm"].map(p_value),
            "P(better)": [
                percent(p, 0) if pd.isna(low) else f"{percent(p, 0)} ({interval(low, high, '')})"
                for p, low, high in zip(
                    *(comparisons[f"p_better{end}"] for end in ("", "_low", "_high")), strict=True
                )
            ],
        }
    )


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
    return pd.DataFrame(
        {
            "Experiment": search["experiment"],
            "Candidate": values,
            "Accuracy": search["valid_accuracy"].map(percent),
            "Macro F1": search["valid_macro_f1"].map(percent),
            "Loss": [number(loss, 3) for loss in search["valid_loss"]],
            "Epoch": [number(epoch) for epoch in search["best_epoch"]],
            "Training": search["train_seconds"].map(seconds),
            "Chosen": search["chosen"].map({True: "chosen", False: ""}),
        }
    )


def learning_curve_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per experiment and number of training texts."""
    groups = runs.groupby(["experiment", "dataset", "train_texts"], sort=False)
    accuracy, f1 = groups["test_accuracy"], groups["test_macro_f1"]
    table = groups.size().rename("n").reset_index()
    one = table["n"] == 1
    return pd.DataFrame(
        {
            "Experiment": table["experiment"],
            "Data set": table["dataset"],
            "Training texts": [number(texts) for texts in table["train_texts"]],
            "Runs": [number(n) for n in table["n"]],
            "Test accuracy": map(
                mean_and_std, accuracy.mean(), accuracy.std(ddof=0).reset_index(drop=True).mask(one)
            ),
            "Macro F1": map(
                mean_and_std, f1.mean(), f1.std(ddof=0).reset_index(drop=True).mask(one)
            ),
        }
    )


def ranks_table(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return kinds of experiments by data sets, with the mean rank score."""
    names = [name.removeprefix("mean_") for name in ranks if name.startswith("mean_")]
    score, low, high = (ranks[key].map("{:.2f}".format) for key in ("score", "ci_low", "ci_high"))
    return pd.DataFrame(
        {"Experiments": ranks["experiments"]}
        | {
            name: list(map(mean_and_std, ranks[f"mean_{name}"], ranks[f"std_{name}"]))
            for name in names
        }
        | {"Rank score": score, "95 % interval": low + " to " + high}
        | {"Place": ranks["place"].map(number)}
    )


def _cut(text: Any) -> str:
    one_line = " ".join(str(text).split())
    return one_line if len(one_line) <= TEXT_SHOWN else f"{one_line[:TEXT_SHOWN].rstrip()} …"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


TABLES = {
    "summary": summary_table,
    "runs": runs_table,
    "ranks": ranks_table,
    "comparisons": comparisons_table,
    "calibration": calibration_table,
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
