import numpy as np
import pytest

from seedwise.results import votes
from seedwise.results.mistakes import Predictions

LABELS = ["a", "b", "c"]


def runs(*probabilities, truth=(0, 1)):
    """Return runs of one experiment, each a row of probabilities for each text."""
    ids = [str(number) for number in range(len(truth))]
    found = np.array(probabilities)
    ones = np.ones(len(found))
    return Predictions("d", "e", "linear", LABELS, ids, np.array(truth), found, ones)


def test_the_vote_is_the_majoritys_and_a_ties_the_surest():
    rng = np.random.default_rng(0)
    many = runs(*rng.dirichlet([1, 1, 1], size=(4, 200)), truth=[0] * 200)
    for number, found in enumerate(votes.vote(many)):
        own = many.predicted[:, number].tolist()
        most = max(map(own.count, own))
        tied = [label for label in set(own) if own.count(label) == most]
        sureness = many.probabilities[:, number].mean(axis=0)
        assert found == max(tied, key=lambda label: sureness[label])


def test_certain_probabilities_do_not_outweigh_a_vote():
    # Two weak votes for a; one certain one for b, which has the higher mean.
    found = runs([[0.51, 0.49, 0]], [[0.51, 0.49, 0]], [[0, 1, 0]], truth=[0])
    assert votes.vote(found).tolist() == [0]


def test_disagreements_come_closest_first_and_those_of_one_mind_not_at_all():
    def sure(label):
        return np.eye(3)[label] * 0.7 + 0.1

    one = [sure(0), sure(0), sure(1), sure(2)]
    two = [sure(0), sure(0), sure(2), sure(1)]
    three = [sure(0), sure(1), sure(0), sure(0)]
    rows = votes.disagreements(runs(one, two, three, truth=[0, 0, 1, 2]))
    assert [(row["id"], row["agreeing"], row["votes"]) for row in rows] == [
        ("2", 1, "a 1, b 1, c 1"),
        ("3", 1, "a 1, b 1, c 1"),
        ("1", 2, "a 2, b 1"),
    ]
    assert [(row["label"], row["vote"]) for row in rows] == [("b", "a"), ("c", "a"), ("a", "a")]


def test_one_run_disagrees_with_nobody():
    assert votes.disagreements(runs([[0.2, 0.8, 0]], truth=[0])) == []
    assert votes.vote(runs([[0.2, 0.8, 0]], truth=[0])) == pytest.approx([1])
