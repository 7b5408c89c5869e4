from seedwise.study import reporting
from support.synthetic_study import CONFIG


def test_engines_once_each_in_order():
    assert reporting.engines(CONFIG) == ["fairseq", "transformers"]


def test_published_only_where_there_is_something():
    assert list(reporting.published(CONFIG)) == ["fairseq-pretrained", "fairseq-random"]


def test_run_files_of_one_engine():
    assert reporting.run_files(CONFIG, "history.csv", engine="transformers") == [
        f"<results>/runs/transformers-pretrained/seed-{seed}/history.csv" for seed in (0, 1, 2)
    ]
    assert len(reporting.run_files(CONFIG, "metrics.json")) == 9
