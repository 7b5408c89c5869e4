"""A real SLURM on the loopback address: a node with two pretend GPUs, one without; one folder."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import ROOT

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
DATABASE_PROGRAMS = ("slurmdbd", "sacct", "mariadbd", "mariadb-install-db", "mariadb")

# Where SLURM's commands look when nothing else is said: the plugin drops SLURM_CONF in a job.
FALLBACK = Path("/run/slurm/conf")
SYSTEM_CONFIG = Path("/etc/slurm/slurm.conf")

# The first has GPUs, and a partition of its own, main; the other has none: partition cpu.
NODES = ("node", "bare")

# No call of Snakemake takes so long, unless it hangs.
LIMIT_SECONDS = 600

# Debian's directories for programs of the system, which a user's PATH may lack.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def missing(*programs: str) -> str:
    """Return why a SLURM cannot be started here; nothing if it can."""
    if os.geteuid() != 0:
        return "SLURM's daemons are started by root only"
    if SYSTEM_CONFIG.exists() or FALLBACK.exists():
        return "this machine has a SLURM of its own"
    absent = [program for program in programs if not shutil.which(program, path=PATH)]
    return f"not installed: {', '.join(absent)}" if absent else ""


def wait_for(condition: Callable[[], Any], seconds: float = 120, what: str = "") -> Any:
    """Return what ``condition`` gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.1)
    return value


def free_port() -> int:
    """Return a TCP port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and all that Snakemake said; fail rather than wait for ever."""
    try:
        output, _ = process.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, output


class Cluster:
    """SLURM's daemons, their configuration and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"seedwise-{os.getpid()}"
        self.environment = os.environ | {"PATH": PATH, "SLURM_CONF": str(folder / "slurm.conf")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *command: str | Path, name: str = "") -> None:
        """Start a daemon in the foreground, its output in the folder."""
        name = name or Path(command[0]).name
        with (self.folder / f"{name}.out").open("wb") as output:
            self.processes[name] = subprocess.Popen(
                [shutil.which(str(command[0]), path=PATH), *command[1:]],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def stop(self, name: str, sign: int = signal.SIGTERM) -> None:
        """End a daemon, and wait for its end."""
        process = self.processes.pop(name)
        process.send_signal(sign)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill_jobs(self) -> None:
        """Kill what its jobs have left: without its daemons nobody does."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (
                    f"SLURM_CLUSTER_NAME={self.name}\0".encode()
                    in (process / "environ").read_bytes()
                ):
                    os.kill(int(process.name), signal.SIGKILL)

    def run(self, *command: str) -> str:
        """Return what one of SLURM's commands prints."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def nodes_are(self, *states: str) -> bool:
        """Tell whether every node is in one of these states."""
        try:
            return set(self.run("sinfo", "-h", "-o", "%T").split()) <= set(states)
        except AssertionError:
            return False

    def snakemake(self, folder: Path, *arguments: str) -> subprocess.Popen[str]:
        """Start Snakemake as a user of the cluster does, only looking more often."""
        command = [sys.executable, ROOT / "tests/support/slurm/impatient_snakemake.py"]
        command += ["--snakefile", ROOT / "Snakefile", "--configfile", "study.yaml"]
        command += ["--profile", ROOT / "profiles/slurm", *arguments]
        return subprocess.Popen(
            command,
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def log(self) -> str:
        """Return what the controller has logged."""
        return (self.folder / "slurmctld.log").read_text()

    def answers(self) -> bool:
        """Tell whether the controller answers."""
        command = [shutil.which("scontrol", path=PATH), "ping"]
        return subprocess.run(command, env=self.environment, capture_output=True).returncode == 0

    def jobs(self) -> list[dict[str, str]]:
        """Return SLURM's own records of all jobs that it still knows."""
        records = self.run("scontrol", "show", "job", "--details", "--oneliner").splitlines()
        return [
            dict(field.split("=", 1) for field in record.split(" ") if "=" in field)
            for record in records
            if record.startswith("JobId=")
        ]


def _configure(cluster: Cluster, accounting: str) -> None:
    folder = cluster.folder
    host = f"NodeAddr=127.0.0.1 NodeHostname={socket.gethostname()} CPUs=8 RealMemory=64000"
    for name in ("state", "spool"):
        (folder / name).mkdir()
    for node in NODES:
        (folder / "spool" / node).mkdir()
    # Any two devices do: nobody computes with them.
    (folder / "gres.conf").write_text(
        "".join(f"NodeName=node Name=gpu File={device}\n" for device in ("/dev/null", "/dev/zero"))
    )
    (folder / "slurm.conf").write_text(
        f"""\
ClusterName={cluster.name}
SlurmctldHost={socket.gethostname().partition(".")[0]}(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# Jobs that use more memory than they asked for are killed, as most clusters do with cgroups.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# A test does not wait as a cluster may.
KillWait=5
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
ReturnToService=2
# The node may say that it is larger than this machine.
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=node {host} Port={free_port()} Gres=gpu:2
NodeName=bare {host} Port={free_port()}
PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP
PartitionName=cpu Nodes=bare MaxTime=INFINITE State=UP
{accounting}
"""
    )


@contextmanager
def slurm(folder: Path, accounting: bool = False) -> Iterator[Cluster]:
    """Run a SLURM in ``folder``, with a data base of its jobs if ``accounting``; end it after."""
    folder.chmod(0o755)
    cluster = Cluster(folder)
    try:
        FALLBACK.parent.mkdir(parents=True, exist_ok=True)
        FALLBACK.unlink(missing_ok=True)  # it leads nowhere, see `missing`
        FALLBACK.symlink_to(folder)
        _start_munge(cluster)
        _configure(cluster, _start_accounting(cluster) if accounting else "")
        cluster.start("slurmctld", "-D", "-c")
        wait_for(cluster.answers, what="slurmctld")
        for node in NODES:
            cluster.start("slurmd", "-D", "-N", node, name=f"slurmd-{node}")
        wait_for(lambda: cluster.nodes_are("idle"), what="the nodes are idle")
        yield cluster
    finally:
        for name in reversed(list(cluster.processes)):
            cluster.stop(name)
        cluster.kill_jobs()
        FALLBACK.unlink()


def _start_accounting(cluster: Cluster) -> str:
    """Start MariaDB and slurmdbd; return what slurm.conf must say of them."""
    folder, port, storage_port = cluster.folder, free_port(), free_port()
    data = folder / "mariadb"
    common = ["--no-defaults", "--user=root", f"--datadir={data}"]
    method = "--auth-root-authentication-method=normal"
    cluster.run("mariadb-install-db", *common, "--skip-test-db", method)
    cluster.start(
        "mariadbd",
        *common,
        f"--socket={folder}/mariadb.socket",
        "--bind-address=127.0.0.1",
        f"--port={storage_port}",
    )
    wait_for((folder / "mariadb.socket").exists, what="MariaDB")
    (folder / "slurm.conf").touch()  # slurmdbd looks beside it
    settings = folder / "slurmdbd.conf"
    settings.write_text(
        f"""\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={storage_port}
StorageUser=root
"""
    )
    settings.chmod(0o600)
    cluster.start("slurmdbd", "-D")
    wait_for(lambda: _listens(port), what="slurmdbd")
    return f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu
"""


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _start_munge(cluster: Cluster) -> None:
    folder = cluster.folder
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {f"--{name}-file": folder / f"munge.{name}" for name in ("key", "pid", "log", "seed")}
    cluster.start(
        *("munged", "--foreground"),
        "--force",  # whoever may write to the folders above is no danger to a test
        f"--socket={folder}/munge.socket",
        *[f"{option}={path}" for option, path in files.items()],
    )
    wait_for((folder / "munge.socket").exists, what="munge")
