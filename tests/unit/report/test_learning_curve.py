import pandas as pd

from seedwise.report.learning_curve import sentences


def curve(experiment, *accuracies):
    """Return runs with 100, 400 and 1,600 texts, a row of accuracies per seed."""
    return pd.DataFrame(
        [
            {"experiment": experiment, "seed": seed, "train_texts": n, "test_accuracy": value}
            for seed, row in enumerate(accuracies)
            for n, value in zip((100, 400, 1600), row, strict=True)
        ]
    )


def test_a_gain_that_seeds_do_not_explain_says_so():
    runs = [(0.6, 0.70, 0.76), (0.5, 0.71, 0.765), (0.7, 0.69, 0.75)]
    assert sentences(curve("a", *runs)) == [
        "From 400 to 1,600 training texts a gained 5.8 points (95 % interval over seeds: 5.1 to "
        "6.6): more labelled texts would probably help further."
    ]


def test_what_cannot_be_told_is_not_told():
    (text,) = sentences(curve("a", (0.6, 0.7, 0.72), (0.6, 0.7, 0.69)))
    assert text.endswith("whether more labelled texts would help cannot be told from these runs.")
    (text,) = sentences(curve("linear", (0.6, 0.7, 0.72)))
    assert text.endswith("with one run of each, how far that is chance cannot be told.")
