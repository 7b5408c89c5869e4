"""Check a data set, make its splits and its audit.

Inputs: the files of the data set's sources. Outputs: {train,valid,test}.jsonl (`id`, `text`,
`label`, a number where texts have scores; of a pair `text_pair`, too), unlabelled.jsonl (the same
without `label`) and audit.json (counts; lengths in characters and words).
"""

from pathlib import Path
from typing import Any

from seedwise.data.audit import audit_split, mean_score, shared_texts
from seedwise.data.preparation import Prepared, prepare
from seedwise.data.texts import record_of
from seedwise.files import sha256_of_files, write_json, write_jsonl
from seedwise.step import step
from seedwise.study.datasets import (
    UNLABELLED,
    Settings,
    folder_files,
    given_files,
    reads_pairs,
    split_zones,
    unlabelled_settings,
)
from seedwise.study.labels import has_scores, label_names
from seedwise.study.sources import describe_source, verify_source


def check_sources(settings: Settings, key: str) -> dict[str, str]:
    """Return the SHA-256 of the data set's sources, checked, under the names of audit.json."""
    parts = {"source": (settings, list(given_files(settings).values()))}
    other = unlabelled_settings(settings)
    if other and other["source"] != settings["source"]:
        parts["unlabelled_source"] = (other, other["files"])
    report = {}
    for name, (part, files) in parts.items():
        dotted = f"{key}.{name.replace('_', '.')}"
        report[name] = describe_source(part["source"])
        # A folder stands for those of its files that are used.
        used = [file for file in folder_files(part, files) if file.is_file()]
        report[f"{name}_sha256"] = verify_source(part["source"], dotted) or sha256_of_files(used)
    return report


def audit(name: str, settings: Settings, prepared: Prepared) -> dict[str, Any]:
    """Return what audit.json says of the texts."""
    labels = label_names(settings)
    scores = {}
    if has_scores(settings):
        scores = {"range": settings["range"], "mean_score": mean_score(prepared.splits)}
    return {
        "dataset": name,
        "labels": labels,
        **scores,
        "pairs": reads_pairs(settings),
        "split_seed": settings.get("split_seed", 0) if "splits" in settings else None,
        "zones": split_zones(settings) if "splits" in settings else None,
        "splits": {split: audit_split(part, labels) for split, part in prepared.splits.items()},
        "unlabelled": audit_split(prepared.unlabelled, []),
        "shared": shared_texts(prepared.splits),
        "available": prepared.available,
        "set_aside": dict(+prepared.set_aside),
        "left_out": dict(+prepared.left_out),
        "changes": dict(+prepared.changes),
    }


def main(*, name: str, settings: Settings, outputs: dict[str, Path]) -> None:
    """Prepare data set ``name``; ``outputs`` are its files by split, `unlabelled` and `audit`."""
    key = f"datasets.{name}"
    sources = check_sources(settings, key)
    prepared = prepare(settings, key)
    for split, examples in prepared.splits.items():
        records = ({"id": e.id, **record_of(e.text), "label": e.label} for e in examples)
        write_jsonl(outputs[split], records)
    rest = ({"id": e.id, **record_of(e.text)} for e in prepared.unlabelled)
    write_jsonl(outputs[UNLABELLED], rest)
    report = audit(name, settings, prepared)
    for split in prepared.splits:
        report["splits"][split]["sha256"] = sha256_of_files([outputs[split]])
    write_json(outputs["audit"], sources | report)


if __name__ == "__main__":
    with step(snakemake):
        main(
            name=snakemake.wildcards.dataset,
            settings=snakemake.params.settings,
            outputs={part: Path(path) for part, path in snakemake.output.items()},
        )
