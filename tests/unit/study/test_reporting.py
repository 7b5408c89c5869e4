from seedwise.study import reporting
from support.synthetic_study import CONFIG

LINEAR = {"linear": {"engine": "linear", "dataset": "reviews"}}
WITH_LINEAR = CONFIG | {"experiments": LINEAR | CONFIG["experiments"]}


def test_engines_once_each_in_order():
    assert reporting.engines_with_epochs(CONFIG) == ["fairseq", "transformers"]


def test_the_linear_engine_has_one_run_and_no_epochs():
    assert reporting.engines_with_epochs(WITH_LINEAR) == ["fairseq", "transformers"]
    assert reporting.engines_with_epochs(CONFIG | {"experiments": LINEAR}) == []
    assert reporting.run_files(WITH_LINEAR, "metrics.json", engine="linear") == [
        "<results>/runs/linear/seed-0/metrics.json"
    ]
    assert len(reporting.run_files(WITH_LINEAR, "metrics.json")) == 10
    assert reporting.training_folders(WITH_LINEAR) == reporting.training_folders(CONFIG)
    assert len(reporting.training_folders(CONFIG)) == 9


def test_published_only_where_there_is_something():
    assert list(reporting.published(CONFIG)) == ["fairseq-pretrained", "fairseq-random"]


def test_run_files_of_one_engine():
    assert reporting.run_files(CONFIG, "history.csv", engine="transformers") == [
        f"<results>/runs/transformers-pretrained/seed-{seed}/history.csv" for seed in (0, 1, 2)
    ]
    assert len(reporting.run_files(CONFIG, "metrics.json")) == 9


def study(*experiments):
    return {"experiments": {name: {"dataset": dataset} for name, dataset in experiments}}


def test_kinds_on_all_data_sets_are_ranked():
    """Names say which belong together, wherever that of the data set stands in them."""
    config = study(
        ("books-linear", "books"), ("dvd-linear", "dvd"), ("tuned_books_x", "books"),
        ("tuned_dvd_x", "dvd"), ("books-alone", "books"), ("bookshop", "books"),
    )  # fmt: skip
    assert reporting.ranked(config) == {
        "linear": {"books": "books-linear", "dvd": "dvd-linear"},
        "tuned_x": {"books": "tuned_books_x", "dvd": "tuned_dvd_x"},
    }


def test_without_two_of_each_nothing_is_ranked():
    assert reporting.ranked(CONFIG) == {}
    assert reporting.ranked(study(("a-x", "a"), ("b-x", "b"))) == {}
    assert reporting.ranked(study(("a-x", "a"), ("a-y", "a"))) == {}
    assert reporting.ranked(study(("a", "a"), ("b", "b"), ("one", "a"), ("two", "b"))) == {}
