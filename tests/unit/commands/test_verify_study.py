import pytest

import verify_study
from seedwise.errors import UserError
from seedwise.files import read_json, write_json
from support.synthetic_study import CONFIG, write_run


@pytest.fixture
def pair(tmp_path):
    """Two runs that gave the same."""
    return [write_run(tmp_path / name, "fairseq-random", 0) for name in ("recorded", "made")]


def test_one_run_of_each_experiment():
    config = CONFIG | {"seeds": [7, 8], "lora": {"experiments": {"faq": {}}}}
    assert verify_study.runs(config)[0] == "runs/fairseq-pretrained/seed-7"
    assert verify_study.runs(config)[-1] == "lora/faq/seed-7"
    assert len(verify_study.runs(config)) == 4
    copy = verify_study.scratch_study(config)
    assert (copy["study"], copy["seeds"]) == ("synthetic-verify", [7])
    assert (config["study"], config["seeds"]) == ("synthetic", [7, 8])


def test_times_may_differ(pair):
    metrics = read_json(pair[1] / "metrics.json")
    write_json(pair[1] / "metrics.json", metrics | {"train_seconds": 1.0})
    same, said = verify_study.compare(*pair)
    assert same and said.startswith("identical: history.csv ")
    assert "predictions.csv" in said


def test_a_difference_names_the_file_and_what_may_have_caused_it(pair):
    with (pair[1] / "predictions.csv").open("a") as stream:
        stream.write("x")
    assert verify_study.compare(*pair) == (
        False,
        "DIFFERENT: predictions.csv (though code, configuration, data, versions and processor "
        "are the same)",
    )
    metrics = read_json(pair[1] / "metrics.json")
    write_json(pair[1] / "metrics.json", metrics | {"threads": 4})
    _, said = verify_study.compare(*pair)
    assert said == "DIFFERENT: predictions.csv (threads: recorded 1, now 4)"


def test_a_missing_file_is_a_difference(pair):
    (pair[1] / "history.csv").unlink()
    assert verify_study.compare(*pair)[1].startswith("DIFFERENT: history.csv (")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "study.yaml: cannot be read"),
        ("a: 1", "study.yaml: not a study; it needs study, seeds and experiments"),
        (
            "{study: s, seeds: [0], experiments: {e: {}}}",
            "results/s/runs/e/seed-0: not there yet, so there is nothing to compare with; run the",
        ),
    ],
)
def test_what_cannot_be_compared(tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(UserError, match=said):
        verify_study.main(tmp_path / "study.yaml", "1")
