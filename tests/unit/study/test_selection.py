import pytest

from seedwise.study.selection import epochs_without_gain, first_best

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "selection", "best"),
    [
        ([0.5, 0.7, 0.7], "accuracy", 1),
        ([0.5, 0.7, 0.7], "loss", 0),
        ([0.7, 0.5, 0.5], "loss", 1),
        ([NAN, 0.5], "loss", 1),
        ([NAN, 0.5, NAN], "macro_f1", 1),
        ([NAN], "loss", 0),
    ],
)
def test_first_of_the_best(values, selection, best):
    assert first_best(values, selection) == best
    assert epochs_without_gain(values, selection) == len(values) - 1 - best
