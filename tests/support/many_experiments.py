"""Tables of a study of many experiments with long names, as those of a real one are written."""

from itertools import combinations

import numpy as np
import pandas as pd

SEEDS = 3
HALF = 0.025  # of every interval over texts; what is larger is shown


def tables(count: int, dataset: str = "reviews") -> dict[str, pd.DataFrame]:
    """Return `runs`, `summary` and `comparisons` of ``count`` experiments.

    The last experiment is the linear one, of one run; the last row of the summary is the
    commonest label.
    """
    rng = np.random.default_rng(count)
    kinds = ["fairseq-small-roberta", "transformers-xlm-roberta-base", "transformers-camembert"]
    names = [f"{kinds[i % 3]}-{('pretrained', 'random')[i % 2]}-{i}" for i in range(count - 1)]
    accuracies = {
        name: rng.uniform(0.64, 0.8) + rng.normal(scale=0.01, size=SEEDS) for name in names
    }
    accuracies["tf-idf-logistic-regression"] = np.array([0.74])
    runs, summary = [], []
    for name, own in accuracies.items():
        fixed = len(own) == 1
        kind = {
            "experiment": name,
            "engine": "linear" if fixed else name.split("-")[0],
            "init": "none" if fixed else "pretrained",
            "dataset": dataset,
        }
        runs += [
            kind | {"seed": seed, "test_accuracy": value, "best_epoch": 1 + seed}
            for seed, value in enumerate(own)
        ]
        spread = np.nan if fixed else own.std()
        summary.append(
            kind
            | {"n": len(own), "mean": own.mean(), "std": spread}
            | {"ci_low": own.mean() - 2.5 * spread, "ci_high": own.mean() + 2.5 * spread}
        )
    kind = {"experiment": "commonest-label", "engine": "none", "init": "none", "dataset": dataset}
    summary.append(kind | {"n": 1, "mean": 0.5})
    columns = dict.fromkeys(("published_mean", "published_std"), np.nan)
    return {
        "runs": pd.DataFrame(runs),
        "summary": pd.DataFrame(summary).assign(**columns),
        "comparisons": pd.DataFrame(
            _compare(dataset, (a, accuracies[a]), (b, accuracies[b]))
            for a, b in combinations(accuracies, 2)
        ),
    }


def _compare(dataset: str, a: tuple, b: tuple) -> dict[str, object]:
    difference = b[1].mean() - a[1].mean()
    p = 0.001 if abs(difference) > HALF else 0.4
    single = 1 in (len(a[1]), len(b[1]))
    return {
        "dataset": dataset, "experiment_a": a[0], "experiment_b": b[0],
        "texts": 2000, "seeds": SEEDS, "mean_a": a[1].mean(), "mean_b": b[1].mean(),
        "difference": difference, "ci_low": difference - HALF, "ci_high": difference + HALF,
        "seeds_ci_low": np.nan if single else difference - HALF,
        "seeds_ci_high": np.nan if single else difference + HALF,
        "p_value": p, "p_holm": p, "test": "exact paired permutation test over texts",
    }  # fmt: skip
