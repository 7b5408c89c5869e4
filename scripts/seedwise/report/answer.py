"""A study's answer in words: on each data set, which experiment is best, by how much, if shown."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from seedwise.report.presentation import (
    in_units,
    interval,
    is_share,
    mean_and_std,
    number,
    p_value,
    percent,
    reached,
)

ALPHA = 0.05
MEANING = (
    "A difference is called shown if its p-value, corrected by Holm's method for all comparisons "
    f"of the study by the same measure, is below {ALPHA} and its 95 % interval over texts leaves "
    "out zero."
)
NAMES = {
    "accuracy": "test accuracy",
    "macro_f1": "test macro F1",
    "pearson": "Pearson correlation with the test scores",
}
_TIED = "\N{NO-BREAK SPACE}"
REFERENCE = "none"  # the engine of the commonest label


class Answer(NamedTuple):
    """The paragraph on one data set: its first sentence, and the others."""

    headline: str
    details: str


def answers(
    summary: pd.DataFrame, comparisons: pd.DataFrame, selection: str = "accuracy"
) -> list[Answer]:
    """Return the paragraph on each data set of summary.csv, in its order.

    It is about accuracy, or about macro F1 where the study selects by that; of scores, about
    Pearson's correlation.
    """
    if selection == "macro_f1":
        summary, comparisons = map(_by_macro_f1, (summary, comparisons))
        summary = summary.assign(measure="macro_f1")
    pairs = directed(comparisons)
    groups = summary.groupby("dataset", sort=False)
    return [answer(name, rows, pairs, rows["measure"].iloc[0]) for name, rows in groups]


def main_comparisons(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the comparisons of all experiments, each by its main measure."""
    found = []
    if "comparisons" in tables:
        found.append(tables["comparisons"])
    if "score_comparisons" in tables:
        found.append(tables["score_comparisons"].query("measure == 'pearson'"))
    return pd.concat(found)


def _by_macro_f1(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with macro F1 in the columns of accuracy; over seeds it has no interval."""
    named = [name for name in table if name.startswith("macro_f1_")]
    own = {name.removeprefix("macro_f1_"): table[name] for name in named}
    over_seeds = [name for name in table if name.startswith("seeds_ci_")]
    return table.assign(**own, **dict.fromkeys(over_seeds, float("nan")))


def directed(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return every pair both ways, by (first, second): first minus second, and whether shown."""
    turned = comparisons.assign(
        experiment_a=comparisons["experiment_b"],
        experiment_b=comparisons["experiment_a"],
        difference=-comparisons["difference"],
        ci_low=-comparisons["ci_high"],
        ci_high=-comparisons["ci_low"],
        seeds_ci_low=-comparisons["seeds_ci_high"],
        seeds_ci_high=-comparisons["seeds_ci_low"],
    )
    both = pd.concat([comparisons, turned])
    shown = (both["p_holm"] < ALPHA) & (both["ci_low"] * both["ci_high"] > 0)
    return both.assign(shown=shown).set_index(["experiment_b", "experiment_a"]).sort_index()


def answer(dataset: str, rows: pd.DataFrame, pairs: pd.DataFrame, measure: str) -> Answer:
    """Return the paragraph on one data set.

    Args:
        dataset: Its name.
        rows: Its rows of summary.csv.
        pairs: What `directed` returns.
        measure: What it is about, a key of `NAMES`.
    """
    name = NAMES[measure]
    experiments = rows[rows["engine"] != REFERENCE]
    experiments = experiments.sort_values("mean", ascending=False, kind="stable")
    best, others = experiments.iloc[0], experiments.iloc[1:]
    baselines = others[others["init"] == "none"]
    details = _over_same(best, rows, measure) if baselines.empty else []
    if others.empty:
        result = _result(best, measure)
        headline = f"{_name(best)}, the only experiment, has a {name} of {result}."
        return Answer(f"On {dataset}, {headline}", " ".join(details))

    rival, own = others.iloc[0], pairs.loc[best["experiment"]].loc[others["experiment"]]
    told = others.loc[list(dict.fromkeys([*baselines.index[:1], rival.name]))]
    for _, other in told.iterrows():
        whom = _name(other) + (", its nearest rival" if other.name == rival.name else "")
        seeds = max(best["n"], other["n"])
        details += [_over(whom, own.loc[other["experiment"]], seeds, measure)]

    names = experiments["experiment"]
    if not pairs.loc[pairs.index.isin(names, level=0), "shown"].any():
        whom = " and ".join(names) if len(names) == 2 else f"the {len(names)} experiments"
        headline = f"no difference between {whom} is shown."
        details = [
            f"The highest {name} is that of {_name(best)}: {_result(best, measure)}.",
            *details,
        ]
        return Answer(f"On {dataset}, {headline}", " ".join(details))

    if own.loc[rival["experiment"], "shown"]:
        headline = f"{_name(best)} is best, with a {name} of {_result(best, measure)}."
    else:
        headline = (
            f"{_name(best)} has the highest {name}, {_result(best, measure)}, but is not shown to "
            f"be better than {_name(rival)}."
        )
    if len(others) > len(told):
        better = int((own["shown"] & (own["difference"] > 0)).sum())
        of = "all" if better == len(others) else f"{better} of the"
        details += [f"It is shown to be better than {of} {len(others)} others."]
    return Answer(f"On {dataset}, {headline}", " ".join(details))


def _name(row: pd.Series) -> str:
    name = str(row["experiment"])
    if row["init"] != "none":
        return name
    return f"the {row['engine']} baseline" + (f" {name}" if name != row["engine"] else "")


def _result(row: pd.Series, measure: str) -> str:
    if pd.isna(row["std"]):
        return f"{reached(row['mean'], measure)} (one run, deterministic)"
    if row["n"] == 1:
        return f"{reached(row['mean'], measure)} (one seed)"
    limits = interval(row["ci_low"], row["ci_high"], measure=measure)
    spread = mean_and_std(row["mean"], row["std"], measure)
    return f"{spread} ({row['n']} seeds, 95 % interval over seeds {limits})"


def _over_same(best: pd.Series, rows: pd.DataFrame, measure: str) -> list[str]:
    """Say how far the best is above the commonest label, or mean score, where the table has it."""
    same = rows[rows["engine"] == REFERENCE]
    if measure == "pearson":
        return [
            "Always predicting the mean score of the training split is off by "
            f"{number(error, 3)} on average; {best['experiment']} by "
            f"{number(best['mae_mean'], 3)}."
            for error in same["mae_mean"]
        ]
    right = "is right for {} of the test texts"
    said = right if measure == "accuracy" else f"has a {NAMES[measure]} of {{}}"
    return [
        "Always predicting the commonest label of the training split "
        f"{said.format(percent(mean))}; {best['experiment']} is "
        f"{_difference(best['mean'] - mean, measure)} above."
        for mean in same["mean"]
    ]


def _difference(value: float, measure: str) -> str:
    return in_units(value, measure) + (" points" if is_share(measure) else "")


def _over(whom: str, pair: pd.Series, seeds: int, measure: str) -> str:
    """Say how far the best is above another experiment, and whether this is shown.

    Args:
        whom: The other experiment.
        pair: Its row of `directed`.
        seeds: How many the two have at most; fewer may be in both.
        measure: What is compared.
    """
    p = p_value(pair["p_holm"])
    over_texts = interval(pair["ci_low"], pair["ci_high"], "", measure)
    evidence = f"95 % interval over texts {over_texts}"
    evidence += f", p{_TIED}" + (p if p.startswith("<") else f"= {p}").replace(" ", _TIED)
    if pair["seeds"] < seeds:
        evidence += f", {pair['seeds']} of {seeds} seeds compared"
    verdict = "the difference is shown" if pair["shown"] else "no difference is shown"
    low, high = pair["seeds_ci_low"], pair["seeds_ci_high"]
    if pair["shown"] and low * high <= 0:
        over_seeds = interval(low, high, "", measure)
        verdict += f", but other seeds may turn it (95 % interval over seeds {over_seeds})"
    return f"It is {_difference(pair['difference'], measure)} above {whom} ({evidence}): {verdict}."
