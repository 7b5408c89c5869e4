import numpy as np
import pandas as pd
import pytest

from seedwise.report.answer import answers
from support import synthetic_study

NAN = float("nan")


def row(experiment, mean, engine="transformers", dataset="reviews", n=3):
    seeded = n > 1
    return {
        "experiment": experiment, "engine": engine, "dataset": dataset, "n": n, "mean": mean,
        "measure": "accuracy",
        "init": "none" if engine in ("linear", "none") else "pretrained",
        "std": 0.01 if seeded else NAN, "ci_low": mean - 0.02 if seeded else NAN,
        "ci_high": mean + 0.02 if seeded else NAN,
    }  # fmt: skip


def linear(mean, dataset="reviews"):
    return row("tf-idf", mean, "linear", dataset, n=1)


def commonest(mean, dataset="reviews"):
    return row("commonest-label", mean, "none", dataset, n=1)


def pair(a, b, difference, p, over_seeds=(NAN, NAN), seeds=3, half=0.02):
    """``difference`` is b minus a, with an interval over texts of ± ``half``."""
    return {
        "experiment_a": a, "experiment_b": b, "difference": difference, "p_holm": p,
        "ci_low": difference - half, "ci_high": difference + half, "seeds": seeds,
        "seeds_ci_low": over_seeds[0], "seeds_ci_high": over_seeds[1],
    }  # fmt: skip


PAIR_COLUMNS = list(pair("a", "b", 0.0, 1.0))


def write(summary, pairs):
    found = answers(pd.DataFrame(summary), pd.DataFrame(pairs, columns=PAIR_COLUMNS))
    return [(one.headline, one.details.replace("\N{NO-BREAK SPACE}", " ")) for one in found]


def test_best_over_baseline_and_rival_shown():
    ((headline, details),) = write(
        [row("a", 0.75), row("b", 0.80), linear(0.70), commonest(0.5)],
        [
            pair("a", "b", 0.05, 0.00001, over_seeds=(0.03, 0.07)),
            pair("a", "tf-idf", -0.05, 0.02),
            pair("b", "tf-idf", -0.10, 0.002),
        ],
    )
    assert headline == (
        "On reviews, b is best, with a test accuracy of 80.0 % ± 1.0 (3 seeds, 95 % interval over "
        "seeds 78.0 to 82.0 %)."
    )
    assert details == (
        "It is 10.0 points above the linear baseline tf-idf (95 % interval over texts 8.0 to 12.0, "
        "p = 0.002): the difference is shown. It is 5.0 points above a, its nearest rival (95 % "
        "interval over texts 3.0 to 7.0, p < 0.0001): the difference is shown."
    )


def test_linear_baseline_is_best():
    ((headline, details),) = write(
        [row("a", 0.70), linear(0.75), commonest(0.5)], [pair("a", "tf-idf", 0.05, 0.01)]
    )
    assert headline == (
        "On reviews, the linear baseline tf-idf is best, with a test accuracy of 75.0 % (one run, "
        "deterministic)."
    )
    assert "commonest label of the training split is right for 50.0 %" in details
    assert "tf-idf is 25.0 points above." in details
    assert "It is 5.0 points above a, its nearest rival" in details
    assert details.endswith("the difference is shown.")


def test_highest_is_not_shown_to_beat_its_rival():
    ((headline, details),) = write(
        [row("a", 0.75), row("b", 0.755), row("c", 0.6)],
        [pair("a", "b", 0.005, 0.6), pair("a", "c", -0.15, 0.001), pair("b", "c", -0.155, 0.001)],
    )
    assert headline.startswith("On reviews, b has the highest test accuracy, 75.5 % ± 1.0")
    assert headline.endswith("but is not shown to be better than a.")
    assert "(95 % interval over texts −1.5 to 2.5, p = 0.60): no difference is shown." in details
    assert details.endswith("It is shown to be better than 1 of the 2 others.")


@pytest.mark.parametrize(
    ("p", "half"), [(0.2, 0.001), (0.01, 0.03)], ids=["p", "interval holds zero"]
)
def test_nothing_shown_says_so_first(p, half):
    ((headline, details),) = write(
        [row("a", 0.75), row("b", 0.76), commonest(0.5)], [pair("a", "b", 0.01, p, half=half)]
    )
    assert headline == "On reviews, no difference between b and a is shown."
    assert details.startswith("The highest test accuracy is that of b: 76.0 % ± 1.0")
    assert "b is 26.0 points above." in details
    assert "shown to be better" not in details


def test_rival_that_is_the_baseline_is_named_once():
    ((_, details),) = write(
        [row("a", 0.75), linear(0.73), row("c", 0.6)],
        [
            pair("a", "tf-idf", -0.02, 0.3),
            pair("a", "c", -0.15, 0.001),
            pair("tf-idf", "c", -0.13, 0.001),
        ],
    )
    assert details.count("points above") == 1
    assert "above the linear baseline tf-idf, its nearest rival (" in details


def test_one_experiment_beside_the_commonest_label_alone():
    ((headline, details),) = write([row("a", 0.75, n=3), commonest(0.5)], [])
    assert headline.startswith("On reviews, a, the only experiment, has a test accuracy of 75.0 %")
    assert details == (
        "Always predicting the commonest label of the training split is right for 50.0 % of the "
        "test texts; a is 25.0 points above."
    )
    ((_, nothing),) = write([row("a", 0.75)], [])
    assert nothing == ""


def test_one_seed_has_no_interval():
    one = row("a", 0.75, n=1) | {"std": 0.0}
    ((headline, _),) = write([one], [])
    assert headline.endswith("has a test accuracy of 75.0 % (one seed).")


def test_two_data_sets_have_a_paragraph_each():
    books, films = write(
        [
            row("a", 0.75, dataset="books"), row("b", 0.7, dataset="books"),
            row("c", 0.9, dataset="films"), linear(0.8, "films"),
            commonest(0.5, "books"), commonest(0.6, "films"),
        ],
        [pair("a", "b", -0.05, 0.2), pair("c", "tf-idf", -0.1, 0.001)],
    )  # fmt: skip
    assert books[0] == "On books, no difference between a and b is shown."
    assert "right for 50.0 %" in books[1] and "tf-idf" not in books[1]
    assert films[0].startswith("On films, c is best")
    assert "commonest" not in films[1]


def test_what_other_seeds_may_turn_and_seeds_not_compared_are_said():
    ((_, details),) = write(
        [row("a", 0.75), row("b", 0.78)],
        [pair("a", "b", 0.03, 0.01, over_seeds=(-0.01, 0.07), seeds=1)],
    )
    assert "p = 0.01, 1 of 3 seeds compared): the difference is shown, but other seeds" in details
    assert "may turn it (95 % interval over seeds −1.0 to 7.0)." in details


def test_many_experiments_are_counted():
    tables = synthetic_study.many_experiments(12)
    (one,) = answers(tables["summary"], tables["comparisons"])
    means = tables["summary"].set_index("experiment")["mean"]
    assert means.idxmax() in one.headline
    better = np.sum(means.max() - means[:-1] > synthetic_study.HALF)
    assert f"better than {'all' if better == 11 else f'{better} of the'} 11 others." in one.details


def test_a_study_that_selects_by_macro_f1_is_answered_in_it():
    summary = [
        row("a", 0.95) | {"macro_f1_mean": 0.6, "macro_f1_std": 0.02},
        row("b", 0.90) | {"macro_f1_mean": 0.8, "macro_f1_std": 0.01},
        commonest(0.95) | {"macro_f1_mean": 0.49, "macro_f1_std": NAN},
    ]
    pairs = [
        pair("a", "b", -0.05, 0.01)
        | {"macro_f1_difference": 0.2, "macro_f1_ci_low": 0.15, "macro_f1_ci_high": 0.25}
        | {"macro_f1_p_holm": 0.002}
    ]
    limits = {"macro_f1_ci_low": 0.75, "macro_f1_ci_high": 0.85}
    table = pd.DataFrame(summary).assign(**limits)
    (found,) = answers(table, pd.DataFrame(pairs), "macro_f1")
    assert found.headline == (
        "On reviews, b is best, with a test macro F1 of 80.0 % ± 1.0 (3 seeds, 95 % interval over "
        "seeds 75.0 to 85.0 %)."
    )
    assert "the training split has a test macro F1 of 49.0 %; b is 31.0 points" in found.details
    assert (
        "20.0 points above a, its nearest rival (95 % interval over texts 15.0 to" in found.details
    )
    (by_accuracy,) = answers(table, pd.DataFrame(pairs))
    assert by_accuracy.headline.startswith("On reviews, a is best, with a test accuracy of 95.0 %")
