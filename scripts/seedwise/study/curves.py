"""Learning curves: the same experiment with fewer training texts, `{experiment}@{texts}`."""

from typing import Any

Config = dict[str, Any]

MARK = "@"
"""Between an experiment's name and the number of its training texts; no name has it."""


def experiment(config: Config, name: str) -> Config:
    """Return an experiment's section, or that of one with fewer texts, which says how many."""
    base, _, texts = name.partition(MARK)
    own = {key: v for key, v in config["experiments"][base].items() if key != "train_texts"}
    return own | {"train_texts": int(texts)} if texts else own


def base(name: str) -> str:
    """Return the experiment whose curve ``name`` is a point of."""
    return name.partition(MARK)[0]


def points(config: Config, name: str) -> list[str]:
    """Return the experiments with fewer texts of one's curve, the smallest first.

    As many texts as the training split has are the experiment itself.
    """
    chosen = config["experiments"][name]
    whole = config["datasets"][chosen["dataset"]].get("splits", {}).get("train")
    return [f"{name}{MARK}{n}" for n in sorted(chosen.get("train_texts", [])) if n != whole]


def with_curve(config: Config) -> list[str]:
    """Return the experiments with a learning curve."""
    return [name for name in config["experiments"] if points(config, name)]
