import pytest

from seedwise.study.jobs import job_name


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ("results/demo/tables/runs.csv", "rule"),
        (r"results/{model}/{shard,\d+-of-\d+}/{model}.bin", "rule/{model}/{shard}"),
        ("results/pretrained/{model}{of_seed}/model.pt", "rule/{model}{of_seed}"),
        ("results/runs/{experiment}/seed-{seed}/history.csv", "rule/{experiment}/seed-{seed}"),
    ],
)
def test_a_job_is_named_by_its_rule_and_the_wildcards_of_its_output(output, name):
    assert job_name("rule", output) == name
