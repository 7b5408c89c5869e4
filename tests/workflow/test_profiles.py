"""`profiles/slurm` without a SLURM: what it makes of its user's environment."""

import pytest
from snakemake.profiles import ProfileConfigFileParser

from support import ROOT
from support.smoke_study import snakemake, write_study

PROFILE = ROOT / "profiles/slurm/profile.yaml"
# As docs/cluster.md offers them.
OPTIONS = [
    "--slurm-status-command=sacct",
    "--set-resources=finetune_fairseq:mem_mb=32000",
    "--set-resources=finetune_fairseq:gpu_model=a100",
    "--jobs=20",
]


@pytest.mark.parametrize("variables", [{}, {"SBATCH_PARTITION": "gpu", "SBATCH_ACCOUNT": "me"}])
def test_partition_and_account_are_those_of_sbatch(monkeypatch, variables):
    for name in ("SBATCH_PARTITION", "SBATCH_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with PROFILE.open(encoding="utf-8") as stream:
        settings = ProfileConfigFileParser().parse(stream)
    chosen = ["slurm_partition=gpu", "slurm_account=me"] if variables else []
    assert settings["default-resources"] == [*chosen, "slurm_extra='--signal=TERM@120'"]
    assert (settings["executor"], settings["slurm-status-command"]) == ("slurm", "squeue")


def test_a_study_is_planned_where_no_slurm_is(tmp_path):
    write_study(tmp_path)
    code, output = snakemake(tmp_path, "--profile", PROFILE.parent, "--dry-run", *OPTIONS)
    assert code == 0 and "Fine-tune fairseq-random with seed 1" in output, output
