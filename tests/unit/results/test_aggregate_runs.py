import json

import pandas as pd
import pytest

import aggregate_runs
from seedwise.errors import UserError
from support import synthetic_study


@pytest.fixture
def metrics(tmp_path):
    return [folder / "metrics.json" for folder in synthetic_study.write_study(tmp_path)]


def aggregate(metrics, folder, published=None, audits=None, candidates=None):
    outputs = {"runs_output": folder / "runs.csv", "summary_output": folder / "summary.csv"}
    aggregate_runs.main(
        metrics=metrics,
        audits=audits or {},
        published=published or {},
        candidates=candidates or {},
        varied={"fairseq-random": "seed"},
        **outputs,
    )
    return tuple(pd.read_csv(path) for path in outputs.values())


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_summary_prints_the_studys_figures(metrics, tmp_path):
    published = {"fairseq-random": {"mean": 0.6333, "std": 0.0125, "source": "the study"}}
    _, summary = aggregate(metrics, tmp_path, published)
    assert list(summary.columns) == [
        "experiment", "engine", "init", "dataset", "n", "mean", "std", "ci_low", "ci_high",
        "published_mean", "published_std", "candidates",
        "macro_f1_mean", "macro_f1_std", "macro_f1_ci_low", "macro_f1_ci_high", "varied",
        "measure",
    ]  # fmt: skip
    printed = {
        row.experiment: f"{100 * row.mean:.2f} ± {100 * row.std:.2f}"
        for row in summary.itertuples()
    }
    assert printed == {
        "fairseq-pretrained": "81.67 ± 1.43",
        "fairseq-random": "63.33 ± 1.25",
        "transformers-pretrained": "80.67 ± 0.85",
    }
    assert summary["published_mean"].notna().tolist() == [False, True, False]


def test_runs_holds_every_scalar_of_the_metrics(metrics, tmp_path):
    runs, _ = aggregate(metrics, tmp_path)
    expected = [k for k, v in json.loads(metrics[0].read_text()).items() if k != "versions"]
    assert list(runs.columns) == expected
    assert runs[["experiment", "seed"]].drop_duplicates().shape[0] == 9


def test_summary_says_how_many_settings_were_tried(metrics, tmp_path):
    edit(metrics[0], experiment="linear", candidates=[{"C": 1}, {"C": 10}])
    _, summary = aggregate(metrics, tmp_path, candidates={"linear": 3, "fairseq-random": 4})
    tried = summary.set_index("experiment")["candidates"].to_dict()
    assert tried == {
        "linear": 6, "fairseq-pretrained": 1, "fairseq-random": 4, "transformers-pretrained": 1,
    }  # fmt: skip


def test_one_seed_has_no_interval(metrics, tmp_path):
    _, summary = aggregate(metrics[:1], tmp_path)
    assert summary.loc[0, "n"] == 1
    assert summary.loc[0, "std"] == 0
    assert summary[["ci_low", "ci_high"]].isna().all(axis=None)


def test_what_no_seed_changes_has_no_spread(metrics, tmp_path):
    edit(metrics[0], experiment="linear", engine="linear", init="none", model="linear")
    known = {"linear": {"mean": 0.8392, "std": 0.0014, "source": "the paper"}}
    _, summary = aggregate(metrics[:1], tmp_path, known)
    row = summary.iloc[0]
    assert (row["n"], row["mean"], row["published_mean"]) == (1, 0.8, 0.8392)
    assert row[["std", "ci_low", "ci_high"]].isna().all()


def test_the_commonest_label_has_a_row_for_each_data_set(metrics, tmp_path):
    counts = {
        "even": ({"b": 5, "a": 5}, {"b": 1, "a": 3}),
        "uneven": ({"b": 3, "a": 7, "c": 0}, {"b": 6, "a": 2, "c": 2}),
    }
    for name, parts in counts.items():
        splits = {s: {"labels": part} for s, part in zip(("train", "test"), parts, strict=True)}
        audit = {"labels": list(parts[0]), "splits": splits}
        (tmp_path / f"{name}.json").write_text(json.dumps(audit))
    _, summary = aggregate(metrics, tmp_path, audits={n: tmp_path / f"{n}.json" for n in counts})
    rows = summary.tail(2)
    assert (rows["experiment"] == "commonest-label").all() and (rows["n"] == 1).all()
    assert rows["dataset"].tolist() == ["even", "uneven"]
    # Of equally common ones the first; the label is chosen on the training split.
    assert rows["mean"].tolist() == [0.25, 0.2]
    assert (rows[["engine", "init"]] == "none").all(axis=None)
    assert rows[["std", "ci_low", "ci_high", "published_mean"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "field", ["code_sha256", "config_sha256", "data_sha256", "precision", "device_type"]
)
def test_refuses_to_average_what_differs(metrics, tmp_path, field):
    edit(metrics[4], **{field: "ff" * 32})
    with pytest.raises(UserError) as error:
        aggregate(metrics, tmp_path)
    message = str(error.value)
    assert "'fairseq-random'" in message
    assert f"differ in {field}" in message
    assert "seed 1 has ffffffffffff" in message
    assert ("set `precision` in the study" in message) == (field == "precision")
    assert ("set `device` in the study" in message) == (field == "device_type")
    assert f"--forcerun {metrics[3]} {metrics[4]} {metrics[5]}" in message
    assert not (tmp_path / "summary.csv").exists()


def test_refuses_to_average_runs_of_other_versions_and_threads(metrics, tmp_path):
    versions = json.loads(metrics[4].read_text())["versions"]
    edit(metrics[4], versions=versions | {"torch": "2.14.0"})
    with pytest.raises(UserError) as error:
        aggregate(metrics, tmp_path)
    assert "differ in versions (seed 0 has torch 2.13.0, seed 1 has torch 2.14.0," in str(
        error.value
    )
    edit(metrics[4], versions=versions, threads=2)
    with pytest.raises(UserError, match=r"differ in threads \(seed 0 has 1, seed 1 has 2"):
        aggregate(metrics, tmp_path)


def test_experiments_may_differ_from_one_another(metrics, tmp_path):
    for path in metrics[:3]:
        edit(path, config_sha256="aa" * 32)
    aggregate(metrics, tmp_path)


def test_broken_metrics_are_named(metrics, tmp_path):
    metrics[2].write_text("{")
    with pytest.raises(UserError, match=r"seed-2/metrics\.json: not valid JSON"):
        aggregate(metrics, tmp_path)
    metrics[2].write_text('{"seed": 2}')
    with pytest.raises(UserError, match="missing experiment, test_accuracy"):
        aggregate(metrics, tmp_path)
