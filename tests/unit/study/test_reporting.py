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
