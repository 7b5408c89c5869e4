"""`profiles/slurm` with sacct, on a SLURM that keeps accounts."""

import pytest

from support.slurm.cluster import DATABASE_PROGRAMS, PROGRAMS, finish, missing, slurm
from support.smoke_study import write_study

REASON = missing(*PROGRAMS, *DATABASE_PROGRAMS)


@pytest.mark.alone  # one SLURM at a time: its jobs find their configuration at a fixed place
@pytest.mark.skipif(bool(REASON), reason=REASON)
def test_sacct_tells_the_state_of_jobs(tmp_path):
    folder, cluster_folder = tmp_path / "study", tmp_path / "slurm"
    cluster_folder.mkdir()
    write_study(folder)
    target = "results/smoke/data/reviews/audit.json"
    with slurm(cluster_folder, accounting=True) as cluster:
        code, output = finish(
            cluster.snakemake(folder, "--slurm-status-command", "sacct", "--", target)
        )
        records = cluster.run("sacct", "-X", "-n", "-P", "--format=State,ReqTRES,Timelimit")
        (command,) = cluster.run("sacct", "-X", "-n", "-P", "--format=SubmitLine").splitlines()
    assert code == 0, output
    assert (folder / target).is_file()
    assert "--signal=TERM@120" in command and "--requeue" in command
    assert records.splitlines() == ["COMPLETED|billing=1,cpu=1,mem=1000M,node=1|00:30:00"]
