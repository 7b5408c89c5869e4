"""What the `lora:` section of a study asks for; needs nothing but the standard library."""

from collections.abc import Iterator
from typing import Any

Config = dict[str, Any]


def lora_tables(config: Config) -> list[str]:
    """Return the tables of the study's LoRA experiments (none without a `lora:`)."""
    if "lora" not in config:
        return []
    return ["<results>/tables/lora.csv", "<results>/tables/lora.json"]


def lora_runs(config: Config, file: str) -> list[str]:
    """Return the path of ``file`` in each LoRA run of the study."""
    return [
        f"<results>/lora/{experiment}/seed-{seed}/{file}"
        for experiment in config.get("lora", {}).get("experiments", {})
        for seed in config["seeds"]
    ]


def built_models(config: Config) -> list[str]:
    """Return the base models that are made and pre-trained in the study."""
    models = config.get("lora", {}).get("models", {})
    return [name for name, model in models.items() if "architecture" in model]


def lora_settings(config: Config, experiment: str) -> Config:
    """Return all that a run of ``experiment`` depends on, but for seed, data and code."""
    lora = config["lora"]
    chosen = lora["experiments"][experiment]
    return chosen | {
        "name": experiment,
        "base": lora["models"][chosen["model"]],
        "data": lora["datasets"][chosen["dataset"]],
    }


def check_lora(config: Config) -> Iterator[str]:
    """Yield a message for each reference or size in `lora:` that does not fit another one."""
    lora = config.get("lora", {"datasets": {}, "models": {}, "experiments": {}})
    for name, model in lora["models"].items():
        key = f"lora.models.{name}"
        sizes = model.get("architecture")
        if sizes and sizes["hidden_size"] % sizes["attention_heads"]:
            yield (
                f"{key}.architecture.hidden_size: {sizes['hidden_size']} is not a multiple of "
                f"attention_heads ({sizes['attention_heads']})"
            )
        for dataset in model.get("corpus", []):
            if dataset not in config["datasets"]:
                yield (
                    f"{key}.corpus: unknown dataset {dataset!r}; datasets of this study are "
                    f"{', '.join(config['datasets'])}"
                )
    for name, experiment in lora["experiments"].items():
        if experiment.get("batch_size", 1) % experiment.get("processes", 1):
            yield (
                f"lora.experiments.{name}.batch_size: {experiment.get('batch_size', 1)} cannot be "
                f"shared by {experiment['processes']} processes"
            )
        for kind in ("model", "dataset"):
            known = lora[f"{kind}s"]
            if experiment[kind] not in known:
                yield (
                    f"lora.experiments.{name}.{kind}: unknown {kind} {experiment[kind]!r}; "
                    f"{kind}s under lora are {', '.join(known)}"
                )
