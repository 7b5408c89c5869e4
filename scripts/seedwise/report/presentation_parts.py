"""The parts of the report that are made from JSON: audits, conversions, LoRA experiments."""

import platform
from collections.abc import Sequence
from typing import Any

import pandas as pd

from seedwise.environment import processor_name
from seedwise.report.presentation import DASH, number, percent, plain_pairs

Rows = list[tuple[str, str]]

_COUNTS = {"texts": "Texts", "empty": "Empty texts", "duplicates": "Repeated texts"}
_LENGTHS = {"words": "Words", "characters": "Characters"}
_CONVERSIONS = {
    "largest_logit_difference": ("fairseq to transformers", "logits of masked tokens"),
    "largest_state_difference": ("transformers to fairseq", "hidden states"),
}
# Shown by the table of splits and the row on shared texts.
_SHOWN_ELSEWHERE = {"dataset", "labels", "splits", "unlabelled", "shared"}


_ENDS = ("min", "mean", "max")


def audit_splits(audit: dict[str, Any]) -> pd.DataFrame:
    """Return a column per split (and one for unlabelled texts): counts, labels or scores."""
    parts, labels = dict(audit["splits"]), audit["labels"]
    if audit.get("unlabelled", {}).get("texts"):
        parts["unlabelled"] = audit["unlabelled"]

    def column(part: dict[str, Any]) -> list[str]:
        counts = part.get("labels", {})
        lengths = [part.get(key) or {} for key in _LENGTHS]
        if "range" in audit:
            found = part.get("scores")
            scores = [" / ".join(f"{found[end]:g}" for end in _ENDS) if found else DASH]
        return [
            *(number(part.get(key)) for key in _COUNTS),
            *(scores if "range" in audit else (number(counts.get(label)) for label in labels)),
            *(
                f"{number(length['min'])} / {number(length['median'])} / {number(length['max'])}"
                if length
                else DASH
                for length in lengths
            ),
        ]

    heads = [
        *_COUNTS.values(),
        *(["Score: least / mean / most"] if "range" in audit else (f"Label {n}" for n in labels)),
        *(f"{name}: least / median / most" for name in _LENGTHS.values()),
    ]
    return pd.DataFrame({"": heads} | {name: column(part) for name, part in parts.items()})


def cut_texts(metrics: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return what each model cut of each data set, a row per split; none where no run says it."""
    rows = {
        (run["dataset"], run["model"], split): {
            "Data set": run["dataset"],
            "Model": run["model"],
            "Split": split,
            "Texts": number(count["texts"]),
            "Cut": percent(count["cut"] / max(count["texts"], 1)),
            "Tokens": number(count["pieces"]),
            "Tokens lost": percent(count["lost"] / max(count["pieces"], 1)),
        }
        for run in metrics
        for split, count in run.get("cut", {}).items()
    }
    return pd.DataFrame(list(rows.values()))


def audit_rest(audit: dict[str, Any]) -> Rows:
    """Return texts shared between splits, and whatever else the audit says, by its own names."""
    shared = [
        (f"Texts in both {' and '.join(pair['splits'])}", number(pair["texts"]))
        for pair in audit.get("shared", [])
    ]
    rest = {key: value for key, value in audit.items() if key not in _SHOWN_ELSEWHERE}
    rest = {key: value for key, value in rest.items() if value not in (None, {}, [])}
    return shared + [
        (name.replace("_", " ").replace(".", ": "), text)
        for name, text in plain_pairs(rest, decimals=1)
    ]


def conversions(reports: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Return by how much converted models differ from their originals, a row per model.

    Args:
        reports: By model, the contents of its conversion.json.
    """
    return pd.DataFrame(
        {
            "Model": model,
            "Converted": direction,
            "Compared": what,
            "Largest difference": f"{report[key]:.1e}",
            "Texts with equal ids": number(report["texts_with_equal_ids"]),
        }
        for model, report in reports.items()
        for key, (direction, what) in _CONVERSIONS.items()
        if key in report
    )


def lora_config(experiment: dict[str, Any]) -> pd.DataFrame:
    """Return each parameter of LoraConfig, its value, meaning and effect."""
    table = pd.DataFrame(experiment["lora_config"])
    return table.rename(columns=str.capitalize)


def lora_results(experiment: dict[str, Any]) -> pd.DataFrame:
    """Return loss, perplexity and share of finished answers on held-out questions, by seed.

    The last row has mean and population standard deviation over seeds.
    """
    heads = {
        "heldout_loss_before": ("Loss before", 3),
        "heldout_loss_after": ("after", 3),
        "perplexity_before": ("Perplexity before", 1),
        "perplexity_after": ("after ", 1),
    }
    rows = [
        {"Seed": str(run["seed"])}
        | {head: number(run[key], decimals) for key, (head, decimals) in heads.items()}
        | {
            "Ended before": percent(run["stopped_fraction_before"], decimals=0),
            "after  ": percent(run["stopped_fraction"], decimals=0),
        }
        for run in experiment["runs"]
    ]
    if len(rows) > 1:
        means = {
            head: f"{number(spread['mean'], decimals)} ± {number(spread['std'], decimals)}"
            for key, (head, decimals) in heads.items()
            for spread in [experiment["summary"][key]]
        }
        ended = {
            "Ended before": percent(experiment["summary"]["stopped_fraction_before"]["mean"], 0),
            "after  ": percent(experiment["summary"]["stopped_fraction"]["mean"], 0),
        }
        rows.append({"Seed": "all"} | means | ended)
    return pd.DataFrame(rows)


def lora_layers(experiment: dict[str, Any]) -> pd.DataFrame:
    """Return the trained parameters of each adapted layer, by formula and counted."""
    return pd.DataFrame(
        {
            "Layer": layer["module"],
            "Formula": str(layer["formula"]).replace("*", "·"),
            "By formula": number(layer["analytic"]),
            "Counted": number(layer["counted"]),
        }
        for layer in experiment["layers"]
    )


def lora_counts(experiment: dict[str, Any]) -> Rows:
    """Return how many parameters are trained, by formula and counted, and of how many."""
    layers = experiment["layers"]
    return [
        ("Base model", experiment["model"]),
        ("Data set", experiment["dataset"]),
        ("Quantization of the frozen weights", str(experiment["quantization"])),
        ("Adapted layers", number(sum(layer["in_features"] is not None for layer in layers))),
        ("Trainable parameters, by formula r · (in + out)",
         number(experiment["analytic_parameters"])),
        ("Trainable parameters, counted", number(experiment["trainable_parameters"])),
        ("All parameters", number(experiment["total_parameters"])),
        ("Trainable share", percent(experiment["trainable_share"], decimals=2)),
    ]  # fmt: skip


def searches(experiments: dict[str, Any]) -> pd.DataFrame:
    """Return what each searched experiment searched, with its bounds and its budget."""

    def text(space: Any) -> str:
        if isinstance(space, list):
            return ", ".join(map(str, space))
        return f"{space['from']} to {space['to']} ({space.get('scale', 'linear')})"

    return pd.DataFrame(
        [
            {
                "Experiment": name,
                "Hyper-parameter": key,
                "Values": text(space),
                "Candidates": f"{search['budget']} at random, seed {search.get('seed', 0)}"
                if "budget" in search
                else "all combinations",
            }
            for name, experiment in experiments.items()
            if (search := experiment.get("search"))
            for key, space in search["over"].items()
        ],
        columns=["Experiment", "Hyper-parameter", "Values", "Candidates"],
    )


def versions(metrics: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return every package and the versions with which the runs were made."""
    seen: dict[str, set[str]] = {}
    for run in metrics:
        for package, version in run.get("versions", {}).items():
            seen.setdefault(package, set()).add(str(version))
    return [(package, ", ".join(sorted(seen[package]))) for package in sorted(seen)]


def hardware(metrics: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return on what the runs were trained, and where the report was made."""

    def all_of(key: str) -> str:
        return ", ".join(sorted({str(run[key]) for run in metrics if key in run}))

    return [
        ("Device of the runs", all_of("device")),
        ("Number format in training", all_of("precision")),
        ("Threads per run", all_of("threads")),
        ("Report made on", f"{processor_name()}, {platform.system()} {platform.machine()}"),
    ]
