"""Gather the LoRA runs into one table, and into what the report shows of them.

Inputs: ``metrics.json``, ``parameters.csv`` and ``generations.jsonl`` of every run. Outputs:
``lora.csv`` (a row per run: the scalar fields of its metrics) and ``lora.json`` (per experiment:
LoraConfig explained, parameters by layer, results over seeds, some answers).
"""

from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.files import atomic, read_json, read_jsonl, write_json
from seedwise.step import step
from seedwise.training.run_files import check_consistent, scalar_table

SHOWN_ANSWERS = 4
RESULTS = (
    "heldout_loss_before",
    "heldout_loss_after",
    "perplexity_before",
    "perplexity_after",
    "stopped_fraction_before",
    "stopped_fraction",
)
MEANINGS = {
    "r": "rank of the update matrices A and B",
    "lora_alpha": "scale of the learned update",
    "target_modules": "linear layers that get an adapter",
    "lora_dropout": "dropout on the adapter's input",
    "bias": "which biases are trained",
    "task_type": "causal language modelling",
}


def explain(settings: dict[str, Any], layers: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return each LoraConfig parameter with value, meaning, and effect on the trained count."""
    rank = settings["r"]
    adapters = [layer for layer in layers if layer["in_features"] is not None]
    sizes = sum(int(layer["in_features"] + layer["out_features"]) for layer in adapters)
    biases = sum(layer["analytic"] for layer in layers) - rank * sizes
    effects = {
        "r": f"proportional: {sizes:,} parameters per rank, so {rank} · {sizes:,} = "
        f"{rank * sizes:,}",
        "lora_alpha": f"none; the update is multiplied by alpha / r = "
        f"{settings['lora_alpha'] / rank:g}",
        "target_modules": f"{len(adapters)} layers of the model match, r · (in + out) each",
        "lora_dropout": "none",
        "bias": f"{biases:,} parameters",
        "task_type": "none",
    }
    found = dict.fromkeys(layer["module"].rpartition(".")[2] for layer in adapters)
    values = settings | {
        # Without any in the study, those of the base model's type.
        "target_modules": ", ".join(settings["target_modules"] or found),
        "task_type": "CAUSAL_LM",
    }
    return [
        {"parameter": name, "value": str(values[name]), "meaning": meaning, "effect": effects[name]}
        for name, meaning in MEANINGS.items()
    ]


def describe_quantization(quantization: dict[str, Any]) -> str:
    """Return in words how the frozen weights are kept."""
    if quantization["type"] == "none":
        return "none"
    double = ", scales quantized too" if quantization["double_quant"] else ""
    return f"{quantization['type']}, 4 bits{double}; products in {quantization['compute_dtype']}"


def spread(values: pd.Series) -> dict[str, float]:
    """Return mean and population standard deviation, as the study prints them."""
    return {"mean": float(values.mean()), "std": float(values.std(ddof=0))}


def summarise(
    name: str,
    settings: dict[str, Any],
    runs: pd.DataFrame,
    layers: list[dict[str, Any]],
    answers: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the report's part of one experiment, see `main`."""
    first = runs.iloc[0]
    trainable = int(first["trainable_parameters"])
    return {
        "name": name,
        **{key: settings[key] for key in ("model", "dataset", "template", "loss", "generation")},
        "quantization": describe_quantization(settings["quantization"]),
        "lora_config": explain(settings["lora"], layers),
        "layers": layers,
        "trainable_parameters": trainable,
        "analytic_parameters": sum(layer["analytic"] for layer in layers),
        "base_parameters": int(first["base_parameters"]),
        "total_parameters": int(first["total_parameters"]),
        "trainable_share": trainable / int(first["total_parameters"]),
        "runs": runs[["seed", *RESULTS, "train_seconds"]].to_dict("records"),
        "summary": {key: spread(runs[key]) for key in RESULTS},
        "answers_seed": int(first["seed"]),
        "answers": answers[:SHOWN_ANSWERS],
    }


def main(
    *,
    metrics: list[Path],
    parameters: list[Path],
    generations: list[Path],
    experiments: dict[str, Any],
    table: Path,
    report: Path,
) -> None:
    """Write both tables; the answers are those of each experiment's first seed."""
    records = [read_json(path) for path in metrics]
    check_consistent(records, metrics)
    runs = scalar_table(records)
    parts = []
    for name, settings in experiments.items():
        first = next(i for i, record in enumerate(records) if record["experiment"] == name)
        layers = pd.read_csv(parameters[first]).astype(object)
        parts.append(
            summarise(
                name,
                settings,
                runs[runs["experiment"] == name],
                layers.where(layers.notna(), None).to_dict("records"),
                list(read_jsonl(generations[first])),
            )
        )
    with atomic(table) as partial:
        runs.to_csv(partial, index=False)
    write_json(report, {"experiments": parts})


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            parameters=[Path(path) for path in snakemake.input.parameters],
            generations=[Path(path) for path in snakemake.input.generations],
            experiments=snakemake.params.experiments,
            table=Path(snakemake.output.table),
            report=Path(snakemake.output.report),
        )
