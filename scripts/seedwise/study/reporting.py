"""What tables, figures and report need of a study's configuration.

Needs nothing but Snakemake's own dependencies, because the rules import it.
"""

import re
from typing import Any

from seedwise.study import curves, entries

Config = dict[str, Any]


def engines_with_epochs(config: Config) -> list[str]:
    """Return the engines of the study that train in epochs, in the order of their first use."""
    experiments = config["experiments"].values()
    return list(dict.fromkeys(e["engine"] for e in experiments if entries.trains_model(e)))


def datasets(config: Config) -> list[str]:
    """Return the data sets that the study's experiments use, in the order of their first use."""
    return list(dict.fromkeys(e["dataset"] for e in config["experiments"].values()))


def part_with(config: Config, *, scores: bool) -> Config:
    """Return the study with its experiments on scores alone, or with those on labels alone."""
    named = config["experiments"].items()
    kept = {name: e for name, e in named if entries.scores(config, name) == scores}
    return config | {"experiments": kept}


def ranked(config: Config) -> dict[str, dict[str, str]]:
    """Return the experiments that a rank over data sets compares, by kind and data set.

    Of one kind are experiments whose names differ in that of their data set alone: `books-linear`
    and `dvd-linear` are `linear`. Those kinds are ranked that stand on all data sets; none are if
    there is one data set, or one such kind.
    """
    kinds: dict[str, dict[str, str]] = {}
    for name, experiment in config["experiments"].items():
        dataset = experiment["dataset"]
        kind = re.sub(rf"(^|[-_]){re.escape(dataset)}(?=[-_]|$)", "", name).strip("-_")
        kinds.setdefault(kind, {}).setdefault(dataset, name)
    wanted = datasets(config)
    whole = {
        kind: {d: own[d] for d in wanted} for kind, own in kinds.items() if {*wanted} == {*own}
    }
    return whole if len(wanted) > 1 and len(whole) > 1 else {}


def compares_forms(config: Config) -> bool:
    """Tell whether the reports compare the forms of exported models."""
    return config.get("onnx", {}).get("report", False)


def published(config: Config) -> dict[str, dict[str, Any]]:
    """Return the published results by experiment, for those that have one."""
    return {
        name: experiment["published"]
        for name, experiment in config["experiments"].items()
        if "published" in experiment
    }


def converted(config: Config) -> list[str]:
    """Return the starts that some experiment needs converted, from either engine's to the other's.

    From fairseq where a model has no transformers folder, from transformers where it has only that.
    """
    to_fairseq = entries.converted_to_fairseq(config)
    folders = entries.models_with(config, "transformers_checkpoint")
    wanted = [
        name
        for model in config["models"]
        for name in (
            entries.experiments(config, engine="fairseq", model=model)
            if model in to_fairseq
            else entries.experiments(config, engine="transformers", init="pretrained", model=model)
            if model not in folders
            else []
        )
    ]
    return list(dict.fromkeys(start for name in wanted for start in entries.starts(config, name)))


def training_folders(config: Config) -> list[str]:
    """Return the folders, below the study's results, of runs and pre-trainings with epochs."""
    runs = [
        f"runs/{name}/seed-{seed}"
        for name, experiment in config["experiments"].items()
        if entries.trains_model(experiment)
        for seed in entries.seeds(config, name)
    ]
    own = [name for name in config["experiments"] if entries.pretrained_here(config, name)]
    used = dict.fromkeys(start for name in own for start in entries.starts(config, name))
    return runs + [f"pretrained/{start}" for start in used]


def run_files(config: Config, file: str, **wanted: str) -> list[str]:
    """Return the path of ``file`` in each run of the experiments whose keys have these values."""
    return [
        f"<results>/runs/{experiment}/seed-{seed}/{file}"
        for experiment in entries.experiments(config, **wanted)
        for seed in entries.seeds(config, experiment)
    ]


def first_runs(config: Config, file: str) -> list[str]:
    """Return the path of ``file`` in the first seed's run of each experiment that trains a model.

    Their models are what is exported in other forms.
    """
    return [
        f"<results>/runs/{name}/seed-{config['seeds'][0]}/{file}"
        for name, experiment in config["experiments"].items()
        if entries.trains_model(experiment)
    ]


def curve_files(config: Config, file: str, **wanted: str) -> list[str]:
    """Return the path of ``file`` in each run of the learning curves, all texts included."""
    names = [
        name
        for base in entries.experiments(config, **wanted)
        if base in curves.with_curve(config)
        for name in [*curves.points(config, base), base]
    ]
    return [
        f"<results>/runs/{name}/seed-{seed}/{file}"
        for name in names
        for seed in entries.seeds(config, name)
    ]


def datasets_with_curve(config: Config) -> list[str]:
    """Return the data sets on which some experiment has a learning curve."""
    named = curves.with_curve(config)
    return list(dict.fromkeys(config["experiments"][name]["dataset"] for name in named))


def varied(config: Config) -> dict[str, str]:
    """Return what differs between the runs of each experiment, and so is in its interval.

    Where seeds share one pre-training, what another would change is not in it.
    """
    found = {}
    for name, experiment in config["experiments"].items():
        own = entries.pretrained_here(config, name)
        anew = own and "pretraining" in config["vary"]
        parts = [
            *(["seed"] if entries.trains_model(experiment) else []),
            *(["pre-training"] if anew else []),
            *(["training texts"] if "training_texts" in config["vary"] else []),
        ]
        shared = " (one pre-training)" if own and not anew else ""
        found[name] = ", ".join(parts or ["nothing"]) + shared
    return found


def candidate_files(config: Config, file: str) -> list[str]:
    """Return the path of ``file`` for each candidate of every search."""
    return [
        f"<results>/search/{experiment}/candidate-{candidate}/{file}"
        for experiment in entries.searched(config)
        for candidate in entries.candidates(config, experiment)
    ]
