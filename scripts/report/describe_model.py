"""Write the model card of a run: README.md beside its weights, as the Hugging Face hub reads it.

Inputs: the model's folder, metrics.json of the experiment's runs, the audit of its data. Output:
the card.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import EvalResult, ModelCardData

from seedwise.files import read_json, write_text
from seedwise.models.linear import FEATURES
from seedwise.report.card import (
    CALIBRATION,
    EXPORT,
    EXPORT_SCORES,
    FINETUNED,
    HUB_NAMES,
    LINEAR,
    LINEAR_LABELS,
    LINEAR_PAIRS,
    LINEAR_SCORES,
    LINEAR_TEXTS,
    MEASURES,
    PAGE,
    PAIR,
    SELECTED,
)
from seedwise.report.card_forms import abstention, forms, table
from seedwise.report.presentation import (
    interval,
    mean_and_std,
    number,
    plain_pairs,
    reached,
)
from seedwise.results.statistics import student_interval
from seedwise.step import step
from seedwise.training.run_files import measure, read_metrics


def scores(run: dict[str, Any], runs: Sequence[dict[str, Any]]) -> str:
    """Return the run's scores, and the mean over seeds with spread and interval."""
    names = MEASURES[measure(run)]
    own = " | ".join(reached(run[f"test_{key}"], key) for key in names)
    rows = [f"| | {' | '.join(names.values())} |", "|---" * (1 + len(names)) + "|"]
    rows.append(f"| this model | {own} |")
    if len(runs) > 1:
        columns = {key: np.array([one[f"test_{key}"] for one in runs]) for key in names}
        spread = " | ".join(mean_and_std(c.mean(), c.std(), key) for key, c in columns.items())
        limits = " | ".join(
            interval(*student_interval(c), measure=key) for key, c in columns.items()
        )
        rows.append(f"| {len(runs)} seeds, mean ± population standard deviation | {spread} |")
        rows.append(f"| 95 % interval of that mean (Student's t) | {limits} |")
    return "\n".join(rows)


def data_pairs(audit: dict[str, Any]) -> list[tuple[str, str]]:
    """Return source, checksum and sizes of the data set."""
    pairs = [("data set", audit["dataset"]), ("source", audit["source"])]
    pairs.append(("SHA-256 of the source", f"`{audit['source_sha256']}`"))
    for split, part in audit["splits"].items():
        if "range" in audit:
            ends = (f"{part['scores'][end]:g}" for end in ("min", "max"))
            held = f"scores from {' to '.join(ends)}"
        else:
            held = ", ".join(f"{number(n)} {label}" for label, n in part["labels"].items())
        pairs.append((split, f"{number(part['texts'])} texts: {held}"))
    return pairs


def exported(found: dict[str, Any]) -> str:
    """Return what the check of a converted model found."""
    return (EXPORT_SCORES if "largest_score_difference" in found else EXPORT).format(**found)


def header(run: dict[str, Any], library: str, licence: str) -> str:
    """Return the metadata that the hub reads, as YAML."""
    results = [
        EvalResult(
            task_type="text-classification",
            dataset_type=run["dataset"],
            dataset_name=run["dataset"],
            dataset_split="test",
            metric_type=HUB_NAMES[key],
            metric_value=round(run[f"test_{key}"], 4),
        )
        for key in MEASURES[measure(run)]
    ]
    meta = ModelCardData(
        license=licence,
        library_name=library,
        pipeline_tag="text-classification",
        tags=["seedwise", run["engine"]],
        model_name=f"{run['experiment']}-seed-{run['seed']}",
        eval_results=results,
    )
    return meta.to_yaml() + "\n"


def linear_parts(run: dict[str, Any], pairs: bool) -> dict[str, str]:
    """Return what the card of a linear model says in places of its own."""
    chosen = run["candidates"][run["best_epoch"] - 1]
    scored = measure(run) == "pearson"
    kind = "ridge" if scored else "logistic"
    arguments = FEATURES[chosen["features"]].items()
    return {
        "library": "scikit-learn",
        "how": f"{kind} regression on TF-IDF of {chosen['features']} (C = {chosen['C']:g})",
        "code": LINEAR.format(
            arguments=", ".join(f"{key}={value!r}" for key, value in arguments),
            **(LINEAR_PAIRS if pairs else LINEAR_TEXTS),
            **(LINEAR_SCORES if scored else LINEAR_LABELS),
        ),
        "chosen": "candidate",
        "drawn": f"No seed changes the result. {len(run['candidates'])} candidates were tried.",
        "limit": "It sees nothing of a\ntext that no training text holds.",
    }


def plain_parts(run: dict[str, Any]) -> dict[str, str]:
    """Return what the card of another engine's model says in places of its own."""
    return {
        "library": run["engine"],
        "how": f"made by the engine {run['engine']}",
        "code": f"# The script of the engine {run['engine']} says how its files are read.",
        "chosen": "candidate",
        "drawn": "No seed changes the result.",
        "limit": "",
    }


def finetuned_parts(
    run: dict[str, Any], runs: Sequence[dict[str, Any]], longest: int, pairs: bool
) -> dict[str, str]:
    """Return what the card of a fine-tuned model says in places of its own."""
    starts = {"random": "random weights", "pretrained": f"the pre-trained model `{run['model']}`"}
    seeds = ", ".join(str(one["seed"]) for one in runs)
    return {
        "library": "transformers",
        "how": f"fine-tuned with {run['engine']} from {starts[run['init']]}",
        "code": FINETUNED.format(text=PAIR if pairs else '"A text."'),
        "chosen": "checkpoint",
        "drawn": f"Seed {run['seed']} drives initialisation, order and dropout. The same settings "
        f"were run with the seeds\n{seeds}.",
        "limit": f"{'Pairs' if pairs else 'Texts'} of more than {longest} tokens are cut\n"
        + ("at the end of the longer text." if pairs else "at their end."),
    }


def card(
    run: dict[str, Any],
    runs: Sequence[dict[str, Any]],
    audit: dict[str, Any],
    settings: dict[str, Any],
    longest: int | None,
    title: str,
    licence: str,
    export: dict[str, Any] | None = None,
    folder: Path | None = None,
) -> str:
    """Return the card of ``run``, one of the ``runs`` of its experiment.

    ``longest`` is how many tokens of a text the model reads; None if there is no end to it.
    ``export`` is what the check of a converted model found; ``folder`` is the model's.
    """
    pairs = audit.get("pairs", False)
    texts = "pairs of texts" if pairs else "texts"
    if "range" in audit:
        low, high = audit["range"]
        kind = f"model of {texts} that gives each a score, from {low:g} to {high:g} in the data"
    else:
        kind = f"classifier of {texts} as {', '.join(audit['labels'])}"
    if run["init"] != "none":
        parts = finetuned_parts(run, runs, longest, pairs)
    else:
        parts = linear_parts(run, pairs) if run["engine"] == "linear" else plain_parts(run)
    shown = plain_pairs(
        {
            key: settings[key]
            for key in ("architecture", "finetune", run["engine"])
            if key in settings
        }
    )
    shown += [(key, str(run[key])) for key in ("best_epoch", "updates", "device", "train_seconds")]
    shown += plain_pairs(run["versions"], "versions")
    shown += [(key, f"`{run[key]}`") for key in ("config_sha256", "data_sha256", "code_sha256")]
    return PAGE.format(
        header=header(run, parts.pop("library"), licence),
        title=title,
        experiment=run["experiment"],
        seed=run["seed"],
        kind=kind,
        selection=SELECTED[measure(run)],
        test=number(audit["splits"]["test"]["texts"]),
        scores=scores(run, runs),
        export=exported(export) if export else "",
        calibration=CALIBRATION.format(run["temperature"]) if "temperature" in run else "",
        abstention=abstention(run, folder.parent / "predictions.csv") if folder else "",
        forms=forms(run, folder) if folder else "",
        data=table(data_pairs(audit)),
        settings=table(shown),
        licence=licence,
        **parts,
    )


def main(
    *,
    metrics: Sequence[Path],
    audit: Path,
    seed: int,
    settings: dict[str, Any],
    title: str,
    licence: str,
    output: Path,
) -> None:
    """Write README.md."""
    runs = read_metrics(metrics)
    (run,) = [one for one in runs if one["seed"] == seed]
    tokenizer = output.with_name("tokenizer_config.json")
    longest = read_json(tokenizer)["model_max_length"] if tokenizer.is_file() else None
    export = output.with_name("export.json")  # beside a model that was converted
    checked = read_json(export) if export.is_file() else None
    text = card(
        run, runs, read_json(audit), settings, longest, title, licence, checked, output.parent
    )
    write_text(output, text)


if __name__ == "__main__":
    with step(snakemake):
        main(
            metrics=[Path(path) for path in snakemake.input.metrics],
            audit=Path(snakemake.input.audit[0]),
            seed=int(snakemake.wildcards.seed),
            settings=snakemake.params.settings,
            title=snakemake.params.title,
            licence=snakemake.params.licence,
            output=Path(snakemake.output.card),
        )
