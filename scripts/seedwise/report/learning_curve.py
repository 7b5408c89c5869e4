"""Whether more labels would help, as far as the learning curves say."""

import pandas as pd

from seedwise.report.presentation import in_units, interval, is_share, number
from seedwise.results.statistics import measure_of, student_interval
from seedwise.study.selection import MAIN


def sentence(experiment: str, runs: pd.DataFrame) -> str:
    """Return a sentence on one experiment's curve, from its two largest sizes.

    Args:
        experiment: Its name.
        runs: Its rows of learning_curve.csv.
    """
    measure = measure_of(runs)
    by_size = runs.pivot(index="seed", columns="train_texts", values=f"test_{measure}")
    smaller, larger = by_size.columns[-2:]
    gains = (by_size[larger] - by_size[smaller]).dropna().to_numpy()
    low, high = student_interval(gains)
    sizes = f"from {number(smaller)} to {number(larger)} training texts"
    found = f"{sizes} {experiment} gained {in_units(gains.mean(), measure)}"
    found += " points" if is_share(measure) else f" of {MAIN[measure]}"
    if pd.isna(low):
        return f"{found}; with one run of each, how far that is chance cannot be told."
    found = f"{found} (95 % interval over seeds: {interval(low, high, '', measure)})"
    if low > 0:
        return f"{found}: more labelled texts would probably help further."
    return f"{found}: whether more labelled texts would help cannot be told from these runs."


def sentences(curves: pd.DataFrame) -> list[str]:
    """Return a sentence for each experiment of learning_curve.csv."""
    found = []
    for experiment, runs in curves.groupby("experiment", sort=False):
        if runs["train_texts"].nunique() > 1:
            text = sentence(str(experiment), runs)
            found.append(text[0].upper() + text[1:])
    return found
