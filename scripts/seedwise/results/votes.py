"""What the seeds of one experiment say together: their vote, and where they disagree."""

from typing import Any

import numpy as np

from seedwise.results.mistakes import Predictions

KEPT = 1000
"""Texts of an experiment on which its seeds disagree, in the table of them."""


def counts(runs: Predictions) -> np.ndarray:
    """Return how many seeds predict each label for each text, shape (texts, labels)."""
    return (runs.predicted[..., None] == np.arange(len(runs.labels))).sum(axis=0)


def vote(runs: Predictions) -> np.ndarray:
    """Return the label that most seeds predict for each text, shape (texts,).

    Of labels with equally many votes, the one with the highest mean probability.
    """
    # A mean probability is at most 1, so half of it never outweighs a vote.
    return (counts(runs) + runs.probabilities.mean(axis=0) / 2).argmax(axis=-1)


def disagreements(runs: Predictions) -> list[dict[str, Any]]:
    """Return the texts for which the seeds predict different labels, the closest votes first.

    At most `KEPT` of them.
    """
    votes, chosen = counts(runs), vote(runs)
    split = np.flatnonzero(votes.max(axis=-1) < len(runs.predicted))
    return [
        {
            "dataset": runs.dataset,
            "experiment": runs.experiment,
            "id": runs.ids[number],
            "label": runs.labels[runs.truth[number]],
            "vote": runs.labels[chosen[number]],
            "agreeing": int(votes[number].max()),
            "votes": ", ".join(
                f"{label} {count}"
                for label, count in zip(runs.labels, votes[number], strict=True)
                if count
            ),
        }
        for number in split[np.argsort(votes[split].max(axis=-1), kind="stable")][:KEPT]
    ]
