"""Run one seed of each experiment of a study anew, and compare with what is recorded.

A command for people: `make verify`. Reads results/{study}, writes results/{study}-verify, which is
removed where everything came back bit for bit. Downloads are shared.
"""

import argparse
import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from seedwise.errors import UserError
from seedwise.files import write_text
from seedwise.results.fingerprints import different_causes, fingerprints

ROOT = Path(__file__).resolve().parents[1]


def runs(config: dict[str, Any]) -> list[str]:
    """Return the folders, below the study's, of one run of each experiment: the first seed's."""
    seed = config["seeds"][0]
    lora = config.get("lora", {}).get("experiments", {})
    return [f"runs/{name}/seed-{seed}" for name in config["experiments"]] + [
        f"lora/{name}/seed-{seed}" for name in lora
    ]


def scratch_study(config: dict[str, Any]) -> dict[str, Any]:
    """Return the same study under another name and with the first seed alone."""
    return config | {"study": f"{config['study']}-verify", "seeds": config["seeds"][:1]}


def compare(recorded: Path, made: Path) -> tuple[bool, str]:
    """Say whether two runs gave the same, and in which files; if not, what they differ in."""
    before, after = fingerprints(recorded), fingerprints(made)
    different = [name for name in before | after if before.get(name) != after.get(name)]
    if not different:
        parts = (f"{name} {sha256[:12]}" for name, sha256 in before.items())
        return True, f"identical: {', '.join(parts)}"
    causes = different_causes(recorded, made)
    why = "; ".join(f"{cause}: recorded {old}, now {new}" for cause, (old, new) in causes.items())
    return False, (
        f"DIFFERENT: {', '.join(different)} "
        f"({why or 'though code, configuration, data, versions and processor are the same'})"
    )


def read_config(path: Path) -> dict[str, Any]:
    """Read a study's configuration.

    Raises:
        UserError: it is no configuration; Snakemake says what is wrong in one that is.
    """
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(config, dict) or not {"study", "seeds", "experiments"} <= set(config):
        raise UserError(f"{path}: not a study; it needs study, seeds and experiments")
    return config


def main(configfile: Path, cores: str) -> bool:
    """Rerun and compare; print a line per run and return whether all came back.

    Raises:
        UserError: a run is not recorded yet, or the rerun failed.
    """
    config = read_config(configfile)
    recorded = Path("results", config["study"])
    missing = [run for run in runs(config) if not (recorded / run / "metrics.json").is_file()]
    if missing:
        raise UserError(
            f"{recorded / missing[0]}: not there yet, so there is nothing to compare with; run the "
            f"study first: `snakemake --configfile {configfile} --cores {cores}`"
        )
    copy = scratch_study(config)
    made = Path("results", copy["study"])
    study = made / "study.yaml"
    write_text(study, yaml.safe_dump(copy, sort_keys=False, allow_unicode=True))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += [f"{made / run}/metrics.json" for run in runs(config)]
    command += ["--configfile", str(study), "--cores", cores, "--quiet", "all"]
    done = subprocess.run(command)
    if done.returncode:
        raise UserError(f"{made}: the rerun failed; Snakemake says why above")
    same = True
    for run in runs(config):
        equal, said = compare(recorded / run, made / run)
        print(f"{run}: {said}")
        same &= equal
    if same:
        shutil.rmtree(made)
        shutil.rmtree(Path("logs", copy["study"]), ignore_errors=True)
    return same


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, default=Path("config.yaml"))
    parser.add_argument("--cores", default="all")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(message)s")
    try:
        sys.exit(0 if main(arguments.configfile, arguments.cores) else 1)
    except UserError as error:
        sys.exit(str(error))
