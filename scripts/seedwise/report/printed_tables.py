"""The tables of both reports: rounded, with units, under plain headings."""

from typing import Any

import pandas as pd

from seedwise.report.presentation import (
    DASH,
    MINUS,
    interval,
    main_measures,
    mean_and_std,
    memory,
    number,
    p_value,
    percent,
    reached,
    seconds,
)
from seedwise.report.printed_predictions import (
    agreement_table,
    calibration_table,
    disagreements_table,
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
    table = pd.DataFrame(
        {
            "Experiment": summary["experiment"],
            "Data set": summary["dataset"],
            "Seeds": summary["n"].map(number).mask(fixed, DASH),
            f"Test {main_measures(measure)}": map(
                mean_and_std, summary["mean"], summary["std"].mask(one), measure
            ),
            "95 % interval": pd.Series(limits, summary.index).mask(fixed, "deterministic"),
            "Varied": summary["varied"].fillna(DASH),
        }
    )
    for key, name in OTHERS.items():
        if f"{key}_mean" in summary and summary[f"{key}_mean"].notna().any():
            std = summary.get(f"{key}_std", summary["std"] * float("nan")).mask(one)
            table[name] = [
                mean_and_std(*own, key) for own in zip(summary[f"{key}_mean"], std, strict=True)
            ]
    if (summary["candidates"] > 1).any():
        table["Tried"] = summary["candidates"].map(number)
    if summary["published_mean"].notna().any():
        std = summary["published_std"].where(summary["published_std"] > 0)
        apart = (summary["mean"] - summary["published_mean"]) / std
        table["Published"] = list(
            map(mean_and_std, summary["published_mean"], summary["published_std"], measure)
        )
        table["Apart (published std)"] = [number(value, 1) for value in apart]
    return table


def _of_runs(runs: pd.DataFrame, split: str) -> list[str]:
    """Return what each run reached on a split, by its main measure."""
    columns = [
        [reached(value, measure) for value in runs[f"{split}_{measure}"]]
        for measure in MAIN
        if f"{split}_{measure}" in runs
    ]
    return [
        next((cell for cell in row if cell != DASH), DASH) for row in zip(*columns, strict=True)
    ]


def runs_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per run: accuracies, macro F1 of the test split, costs of the training.

    Of scores, correlations and errors.
    """
    others = {
        name: [reached(value, key) for value in runs[f"test_{key}"]]
        for key, name in OTHERS.items()
        if f"test_{key}" in runs
    }
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
                _probability(*own)
                for own in zip(
                    *(comparisons[f"p_better{end}"] for end in ("", "_low", "_high")), strict=True
                )
            ],
        }
    )


def score_comparisons_table(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pair and measure of experiments on scores."""
    names = {"pearson": "Pearson", "spearman": "Spearman", "mae": "error"}

    def limits(low: str, high: str) -> list[str]:
        ends = zip(comparisons[low], comparisons[high], comparisons["measure"], strict=True)
        return [interval(a, b, measure=measure) for a, b, measure in ends]

    better = zip(*(comparisons[f"p_better{end}"] for end in ("", "_low", "_high")), strict=True)
    return pd.DataFrame(
        {
            "Second minus first": comparisons["experiment_b"]
            + f" {MINUS} "
            + comparisons["experiment_a"],
            "Measure": comparisons["measure"].map(names),
            "Difference": [number(d, 3) for d in comparisons["difference"]],
            "95 % over texts": limits("ci_low", "ci_high"),
            "95 % over seeds": limits("seeds_ci_low", "seeds_ci_high"),
            "p (Holm)": comparisons["p_holm"].map(p_value),
            "P(better)": [_probability(*own) for own in better],
        }
    )


def _probability(p: float, low: float, high: float) -> str:
    return percent(p, 0) if pd.isna(low) else f"{percent(p, 0)} ({interval(low, high, '')})"


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
    rows = []
    for (experiment, dataset, texts), own in runs.groupby(
        ["experiment", "dataset", "train_texts"], sort=False
    ):
        row = {
            "Experiment": experiment,
            "Data set": dataset,
            "Training texts": number(texts),
            "Runs": number(len(own)),
        }
        for name, keys in {"Test": MAIN, **{n: [key] for key, n in OTHERS.items()}}.items():
            columns = [own.get(f"test_{key}", pd.Series()).dropna().rename(key) for key in keys]
            values = next((column for column in columns if len(column)), pd.Series(name="mae"))
            std = values.std(ddof=0) if len(values) > 1 else float("nan")
            row[name] = mean_and_std(values.mean(), std, str(values.name))
        rows.append(row)
    table = pd.DataFrame(rows)
    unused = [name for name in OTHERS.values() if (table[name] == DASH).all()]
    return table.drop(columns=unused)


def ranks_table(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return kinds of experiments by data sets, with the mean rank score."""
    names = [name.removeprefix("mean_") for name in ranks if name.startswith("mean_")]
    score, low, high = (ranks[key].map("{:.2f}".format) for key in ("score", "ci_low", "ci_high"))
    return pd.DataFrame(
        {"Experiments": ranks["experiments"]}
        | {
            name: [
                mean_and_std(mean, std, "pearson" if f"measure_{name}" in ranks else "accuracy")
                for mean, std in zip(ranks[f"mean_{name}"], ranks[f"std_{name}"], strict=True)
            ]
            for name in names
        }
        | {"Rank score": score, "95 % interval": low + " to " + high}
        | {"Place": ranks["place"].map(number)}
    )


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


OTHERS = {"macro_f1": "Macro F1", "spearman": "Spearman", "mae": "Error"}
"""What is measured beside the main measure, of labels and of scores, and its heading."""

TABLES = {
    "summary": summary_table,
    "runs": runs_table,
    "ranks": ranks_table,
    "comparisons": comparisons_table,
    "score_comparisons": score_comparisons_table,
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
