"""The tables of both reports that compare experiments."""

import pandas as pd

from seedwise.report.presentation import (
    MINUS,
    interval,
    mean_and_std,
    number,
    p_value,
    percent,
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
