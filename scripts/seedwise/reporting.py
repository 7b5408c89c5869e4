"""What tables, figures and report need of a study's configuration; standard library only."""

from typing import Any

Config = dict[str, Any]


def engines(config: Config) -> list[str]:
    """Return the engines that the study's experiments use, in the order of their first use."""
    return list(dict.fromkeys(e["engine"] for e in config["experiments"].values()))


def published(config: Config) -> dict[str, dict[str, Any]]:
    """Return the published results by experiment, for those that have one."""
    return {
        name: experiment["published"]
        for name, experiment in config["experiments"].items()
        if "published" in experiment
    }
