"""By what epochs, candidates and settings are chosen on the validation split."""

from collections.abc import Sequence

DIRECTIONS = {"accuracy": 1, "macro_f1": 1, "pearson": 1, "loss": -1}
"""By what the best is chosen, and whether more (1) or less (-1) is better."""

MAIN = {"accuracy": "accuracy", "pearson": "Pearson correlation"}
"""What runs are measured by first, and its name: the runs on labels, and those on scores."""


def main_measure(has_scores: bool) -> str:
    """Return that of a data set of scores, or of labels."""
    return "pearson" if has_scores else "accuracy"


def first_best(values: Sequence[float], selection: str) -> int:
    """Return the index of the first of the best values; one that is no number is the worst."""
    scores = [DIRECTIONS[selection] * v if v == v else float("-inf") for v in values]
    return scores.index(max(scores))


def epochs_without_gain(values: Sequence[float], selection: str) -> int:
    """Return how many epochs there were after the first of the best."""
    return len(values) - 1 - first_best(values, selection)
