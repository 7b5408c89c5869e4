"""Show how far the trainings of a study are: ``python scripts/show_progress.py config.yaml``.

Reads the jobs' logs, so it works beside a running study, on a cluster too, and changes nothing. A
table that stays where it is on a terminal; elsewhere a line for each change.
"""

import argparse
import sys
import time
from pathlib import Path

import yaml
from rich.console import Console
from rich.live import Live
from rich.table import Table

from seedwise.errors import UserError
from seedwise.machine.progress import Progress, duration, last_progress

Jobs = dict[str, tuple[Progress, float]]

SILENT = 120
"""Seconds without a line after which a job is no longer said to run."""


def study_name(config: Path) -> str:
    """Return the name of the study in a configuration.

    Raises:
        UserError: The file does not exist or names no study.
    """
    if not config.is_file():
        raise UserError(f"{config} does not exist")
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or "study" not in content:
        raise UserError(f"{config}: names no `study`")
    return str(content["study"])


def read_jobs(logs: Path) -> Jobs:
    """Return the last progress of each job below ``logs`` and the seconds since its last line."""
    jobs = {}
    for path in sorted(logs.rglob("*.log")):
        if progress := last_progress(path):
            name = path.relative_to(logs).with_suffix("").as_posix()
            jobs[name] = (progress, time.time() - path.stat().st_mtime)
    return jobs


def state(progress: Progress, silent: float) -> str:
    """Return ``done``, the time left, or since when there is no news."""
    if progress.update >= progress.updates:
        return "done"
    if silent > SILENT:
        return f"silent for {duration(silent)}"
    return f"{duration(progress.seconds_left)} left"


def table(jobs: Jobs, title: str) -> Table:
    """Return the jobs as a table."""
    shown = Table(title=title, title_justify="left")
    shown.add_column("Job", overflow="fold")
    for name in ("Epoch", "Update", "Loss", "Accuracy", ""):
        shown.add_column(name, justify="right", no_wrap=True)
    for name, (progress, silent) in jobs.items():
        accuracy = progress.accuracy
        shown.add_row(
            name.removeprefix("finetune_"),  # the engine is enough
            f"{progress.epoch}/{progress.epochs}" if progress.epoch else "",
            f"{progress.update:,}/{progress.updates:,}",
            f"{progress.loss:.3f}",
            "" if accuracy is None else f"{100 * accuracy:.1f} %",
            state(progress, silent),
            style="dim" if progress.update >= progress.updates else "",
        )
    return shown


def watch(logs: Path, title: str, console: Console, seconds: float) -> None:
    """Show the jobs until interrupted."""
    if console.is_terminal:
        with Live(table(read_jobs(logs), title), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(seconds)
                live.update(table(read_jobs(logs), title), refresh=True)
    seen: dict[str, Progress] = {}
    while True:
        for name, (progress, _) in read_jobs(logs).items():
            if seen.get(name) != progress:
                seen[name] = progress
                print(f"{time.strftime('%H:%M:%S')} {name}: {progress}", flush=True)
        time.sleep(seconds)


def main(*, config: Path, once: bool, seconds: float) -> None:
    """Show progress once, or until interrupted."""
    name = study_name(config)
    logs, title = Path("logs") / name, f"Study {name}"
    console = Console()
    if not once:
        watch(logs, title, console, seconds)
    jobs = read_jobs(logs)
    console.print(table(jobs, title) if jobs else f"{logs}: no training has begun")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("config", type=Path, nargs="?", default=Path("config.yaml"))
    parser.add_argument("--once", action="store_true", help="show it once and end")
    parser.add_argument("--seconds", type=float, default=2.0, help="between two looks (2)")
    return parser.parse_args(words)


if __name__ == "__main__":
    try:
        main(**vars(arguments()))
    except UserError as error:
        sys.exit(f"show_progress: {error}")
    except KeyboardInterrupt:
        sys.exit(0)
