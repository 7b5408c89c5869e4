"""What the entries of a study say: names of experiments and models, settings of each step."""

import re
from collections.abc import Iterable
from typing import Any

from seedwise.study import curves, search
from seedwise.study.encoders import with_needed_files
from seedwise.study.labels import has_scores
from seedwise.study.selection import MAIN, main_measure

Config = dict[str, Any]

COMMONEST_LABEL = "commonest-label"
"""In tables, the experiment of always predicting the commonest label of the training split."""

MEAN_SCORE = "mean-score"
"""The same of always predicting the mean score."""

PUBLISHED_TOKENIZER = ["tokenizer.json", "tokenizer_config.json"]
"""The files of a tokenizer in transformers' format."""


def seeds(config: Config, experiment: str) -> list[int]:
    """Return the seeds with which ``experiment`` is run: the first alone where none matters."""
    drawn = "training_texts" in config.get("vary", [])
    trained = trains_model(curves.experiment(config, experiment))
    return config["seeds"] if trained or drawn else config["seeds"][:1]


def pretrained_here(config: Config, experiment: str) -> bool:
    """Tell whether an experiment starts from a model that the study pre-trains."""
    chosen = curves.experiment(config, experiment)
    return chosen.get("init") == "pretrained" and "pretrain" in config["models"][chosen["model"]]


def of_seed(config: Config, experiment: str, seed: int) -> str:
    """Return what follows the model in the path of a start: the seed that is pre-trained anew for.

    Nothing where all seeds share one pre-training.
    """
    anew = "pretraining" in config["vary"] and pretrained_here(config, experiment)
    return f"/seed-{seed}" if anew else ""


def starts(config: Config, experiment: str) -> list[str]:
    """Return the folders, below ``pretrained/``, from which an experiment's runs start."""
    model = config["experiments"][experiment]["model"]
    found = [model + of_seed(config, experiment, seed) for seed in seeds(config, experiment)]
    return list(dict.fromkeys(found))


def pretraining(config: Config, model: str, of_seed: str) -> Config:
    """Return the settings of a model's pre-training, with the seed that it is for."""
    settings = config["models"][model]
    if not of_seed:
        return settings
    return settings | {"pretrain": settings["pretrain"] | {"seed": int(of_seed.rpartition("-")[2])}}


def trains_model(experiment: Config) -> bool:
    """Tell whether an experiment trains a model of the study; its engine finds its own if not.

    Such an engine has a section of its own name, no epochs, and no seed changes its result.
    """
    return "init" in experiment


def merge_hyperparameters(config: Config) -> None:
    """Lay each experiment's own hyper-parameters over the study's, in place.

    A search of the study's is every experiment's that has none of its own (or ``null``). A model
    whose tokenizer is made in the study gets a section for its defaults, one from a hub the list
    of the files it needs.
    """
    config.setdefault("selection", "accuracy")
    config.setdefault("vary", [])
    for experiment in config["experiments"].values():
        section = "finetune" if trains_model(experiment) else experiment["engine"]
        merged = config.get(section, {}) | experiment.get(section, {})
        everyone = merged.pop("search", None)
        if everyone is not None:
            experiment.setdefault("search", everyone)
        experiment[section] = merged
    for name in trained_models(config):
        config["models"][name].setdefault("tokenizer", {})
    for name in models_with(config, "transformers_checkpoint"):
        model = config["models"][name]
        model["transformers_checkpoint"] = with_needed_files(model["transformers_checkpoint"])


def experiments(config: Config, **wanted: str) -> list[str]:
    """Return the names of the experiments whose keys have the ``wanted`` values."""
    return [
        name
        for name, experiment in config["experiments"].items()
        if all(experiment.get(key) == value for key, value in wanted.items())
    ]


def name_pattern(names: Iterable[str]) -> str:
    """Return a regular expression that matches just these names (nothing, if there are none)."""
    return "|".join(map(re.escape, names)) or "(?!)"


def run_pattern(config: Config, engine: str) -> str:
    """Return a regular expression of an engine's experiments, those of their curves included."""
    return f"({name_pattern(experiments(config, engine=engine))})({curves.MARK}[0-9]+)?"


def trained_models(config: Config) -> list[str]:
    """Return the models whose tokenizer is made in this study, from a corpus."""
    return [name for name, model in config["models"].items() if "corpus" in model]


def models_with(config: Config, checkpoint: str) -> list[str]:
    """Return the models with a `fairseq_checkpoint` or a `transformers_checkpoint`."""
    return [name for name, model in config["models"].items() if checkpoint in model]


def models_with_bpe(config: Config, bpe: str) -> list[str]:
    """Return the models whose fairseq checkpoint cuts texts in the way ``bpe``."""
    return [
        name
        for name in models_with(config, "fairseq_checkpoint")
        if config["models"][name]["fairseq_checkpoint"]["bpe"] == bpe
    ]


def converted_to_fairseq(config: Config) -> list[str]:
    """Return the models that come as a transformers folder alone."""
    given = set(models_with(config, "fairseq_checkpoint"))
    return [name for name in models_with(config, "transformers_checkpoint") if name not in given]


def tokenizer_files(config: Config, model: str) -> list[str]:
    """Return the names of the files that cut texts for fairseq's `model`, beside ``dict.txt``.

    A tokenizer of transformers' format where it is not a SentencePiece model of fairseq's.
    """
    published = model in [*models_with_bpe(config, "gpt2"), *converted_to_fairseq(config)]
    return PUBLISHED_TOKENIZER if published else ["sentencepiece.bpe.model"]


def fairseq_models(config: Config) -> list[str]:
    """Return the models that fairseq builds: its own, and those that an experiment wants in it."""
    wanted = {e["model"] for e in config["experiments"].values() if e["engine"] == "fairseq"}
    own = ("corpus", "fairseq_checkpoint")
    return [
        name
        for name, model in config["models"].items()
        if name in wanted or any(key in model for key in own)
    ]


def max_tokens(config: Config, model: str) -> int | None:
    """Return how long a model's texts may be, in tokens; a folder's tokenizer tells it: None."""
    if model in converted_to_fairseq(config):
        return None
    settings = config["models"][model]
    positions = settings["architecture"]["max_positions"]
    return min(positions, settings.get("max_tokens", positions))


def starts_from_folder(config: Config, experiment: str) -> bool:
    """Tell whether the engine transformers reads the model's folder for this experiment.

    A published folder gives a random start its sizes and tokenizer, too.
    """
    chosen = curves.experiment(config, experiment)
    published = "transformers_checkpoint" in config["models"][chosen["model"]]
    return chosen["init"] == "pretrained" or published


def datasets_with_model(config: Config, model: str) -> list[str]:
    """Return the data sets that some experiment uses together with ``model``."""
    used = {e["dataset"] for e in config["experiments"].values() if e.get("model") == model}
    return sorted(used)


def cores(settings: Config) -> int:
    """Return the processor threads of a training: so many for each of its processes."""
    return settings["threads"] * settings["processes"]


def gpus(settings: Config) -> int:
    """Return the GPUs of a training: one for each process, none where the study wants none."""
    return 0 if settings["device"] == "cpu" else settings.get("processes", 1)


def searched(config: Config) -> list[str]:
    """Return the experiments whose hyper-parameters are searched."""
    return [name for name, experiment in config["experiments"].items() if experiment.get("search")]


def candidates(config: Config, experiment: str) -> dict[str, Config]:
    """Return the hyper-parameters that each candidate of an experiment's search tries."""
    return search.candidates(config["experiments"][experiment]["search"])


def scores(config: Config, experiment: str) -> bool:
    """Tell whether the texts of an experiment's data set have scores, not labels."""
    return has_scores(config["datasets"][curves.experiment(config, experiment)["dataset"]])


def selection(config: Config, experiment: str) -> str:
    """Return by what an experiment's epochs are chosen: the study's, or its like for scores."""
    chosen = config["selection"]
    return main_measure(scores(config, experiment)) if chosen in MAIN else chosen


def run_settings(config: Config, experiment: str, values: Config | None = None) -> Config:
    """Return all that the results of ``experiment`` depend on, but for seed, data and code.

    ``values`` are the hyper-parameters that a search chose, or that its candidate tries. A random
    start does not depend on how the model was pre-trained, so a change there leaves it alone.
    """
    chosen = curves.experiment(config, experiment)
    engine = chosen["engine"]
    texts = {"train_texts": chosen["train_texts"]} if "train_texts" in chosen else {}
    varied = [
        what
        for what in config["vary"]
        if what == "training_texts" or pretrained_here(config, experiment)
    ]
    texts |= {"vary": varied} if varied else {}
    if not trains_model(chosen):
        named = {"engine": engine, "init": "none", "dataset": chosen["dataset"], "model": engine}
        named |= {"selection": selection(config, experiment)}
        own = {engine: chosen[engine] | {"precision": "float64", "threads": 1}}
        return search.with_values(named | own | texts, values or {})
    model = dict(config["models"][chosen["model"]])
    if chosen["init"] == "random":
        model.pop("pretrain", None)
    settings = {key: chosen[key] for key in ("engine", "init", "dataset", "model", "finetune")}
    settings = search.with_values(settings, values or {})
    settings |= {"selection": selection(config, experiment)} | texts
    return settings | {"architecture": model.pop("architecture", {}), "model_source": model}
