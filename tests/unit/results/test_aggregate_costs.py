import numpy as np
import pandas as pd

import aggregate_costs
from support import synthetic_study

RULES = ["pretrain_model", "finetune_fairseq", "finetune_transformers"]


def aggregate(results, folders):
    output = results / "costs.csv"
    aggregate_costs.main(
        metrics=[folder / "metrics.json" for folder in folders],
        benchmarks=results / "benchmarks",
        rules=RULES,
        output=output,
    )
    return pd.read_csv(output)


def test_a_row_per_rule_and_run(tmp_path):
    costs = aggregate(tmp_path, synthetic_study.write_study(tmp_path))
    assert list(costs.columns) == [
        "rule", "run", "wall_seconds", "cpu_seconds", "peak_mib", "tokens_per_second",
    ]  # fmt: skip
    assert costs["rule"].tolist() == ["pretrain_model"] + RULES[1:2] * 6 + RULES[2:] * 3
    run = costs.set_index("run").loc["fairseq-random/seed-1"]
    # Not what Snakemake saw in the job's first seconds.
    assert (run["wall_seconds"], run["cpu_seconds"], run["peak_mib"]) == (66.0, 59.4, 1600.5)
    assert run["tokens_per_second"] == 7654.3
    assert np.isnan(costs.set_index("run").loc["small", "tokens_per_second"])


def test_runs_that_the_study_no_longer_has_are_left_out(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    costs = aggregate(tmp_path, folders[:-1])
    assert "transformers-pretrained/seed-1" in set(costs["run"])
    assert "transformers-pretrained/seed-2" not in set(costs["run"])


def test_a_job_that_did_not_measure_itself_has_its_wall_time_alone(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    (tmp_path / "benchmarks" / "pretrain_model" / "small.json").unlink()
    row = aggregate(tmp_path, folders).iloc[0]
    assert row["wall_seconds"] == 181.0
    assert np.isnan(row["peak_mib"])
    assert np.isnan(row["cpu_seconds"])
