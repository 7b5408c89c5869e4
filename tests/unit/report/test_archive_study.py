import archive_study
from seedwise.files import write_json


def write(folder, experiment, **scores):
    write_json(folder / "metrics.json", {"experiment": experiment} | scores)
    return folder / "metrics.json"


def test_of_each_experiment_the_best_on_validation_is_chosen(tmp_path):
    metrics = [
        write(tmp_path / "a0", "a", valid_accuracy=0.8, test_accuracy=0.9, valid_loss=0.3),
        write(tmp_path / "a1", "a", valid_accuracy=0.9, test_accuracy=0.1, valid_loss=0.2),
        write(tmp_path / "a2", "a", valid_accuracy=0.9, test_accuracy=0.5, valid_loss=0.1),
        write(tmp_path / "b0", "b", valid_pearson=0.2),
        write(tmp_path / "b1", "b", valid_pearson=0.3),
    ]
    found = archive_study.chosen_runs(metrics, "accuracy")
    assert found == {"a": tmp_path / "a1", "b": tmp_path / "b1"}
    assert archive_study.chosen_runs(metrics[:3], "loss") == {"a": tmp_path / "a2"}


def test_hidden_files_and_compiled_code_stay_out(tmp_path):
    for name in ("a.py", "__pycache__/a.pyc", ".snakemake_timestamp", "b/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [path.relative_to(tmp_path).as_posix() for path in archive_study.files_of(tmp_path)]
    assert found == ["a.py", "b/c.txt"]
    assert list(archive_study.files_of(tmp_path / "a.py")) == [tmp_path / "a.py"]
    assert list(archive_study.files_of(tmp_path / "none")) == []
