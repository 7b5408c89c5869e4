"""Check a data set, make its splits and its audit.

Inputs: the files of the data set's sources. Outputs: {train,valid,test}.jsonl (`id`, `text`,
`label`), unlabelled.jsonl (`id`, `text`) and audit.json (counts; lengths in characters and words).
"""

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from seedwise.archives import read_member
from seedwise.audit import audit_split, shared_texts
from seedwise.datasets import (
    POOL,
    SPLITS,
    UNLABELLED,
    Files,
    Settings,
    check_dataset,
    file_names,
    given_files,
    label_names,
    unlabelled_settings,
)
from seedwise.errors import UserError
from seedwise.files import write_json, write_jsonl
from seedwise.labels import Example, label_rows, unlabelled_rows, value_column
from seedwise.log import log_to
from seedwise.readers import read_pair, read_rows
from seedwise.sources import describe_source, source_path, verify_source
from seedwise.splits import candidates, comparable, draw

LOG = logging.getLogger(__name__)


@dataclass
class Prepared:
    """The splits of a data set, its unlabelled texts, and what happened on the way."""

    splits: dict[str, list[Example]]
    unlabelled: list[Example]
    aside: Counter[str] = field(default_factory=Counter)
    available: dict[str, int] | None = None


def read_labelled(
    settings: Settings, files: Files, stem: str, changes: Counter[str]
) -> list[Example]:
    """Read the labelled files of one split."""
    if isinstance(files, list):
        parts = [
            read_labelled(settings, one, f"{stem}-{number}", changes)
            for number, one in enumerate(files, start=1)
        ]
        return [example for part in parts for example in part]
    archive = Path(source_path(settings["source"]))
    names = file_names(settings, files)
    content = [(name or archive.name, read_member(archive, name)) for name in names]
    if settings["format"] == "review-label":
        rows = read_pair(content[0], content[1], changes)
        return label_rows(rows, content[1][0], stem, settings, changes)
    ((name, data),) = content
    rows = read_rows(data, name, settings, value_column(settings), changes)
    return label_rows(rows, name, stem, settings, changes)


def read_unlabelled(settings: Settings, changes: Counter[str]) -> list[Example]:
    """Read the unlabelled files of a data set."""
    archive = Path(source_path(settings["source"]))
    texts: list[Example] = []
    for file in settings["files"]:
        (name,) = file_names(settings, file)
        rows = read_rows(read_member(archive, name), name or archive.name, settings, None, changes)
        texts += unlabelled_rows(rows, f"{UNLABELLED}/{PurePosixPath(file).stem}", changes)
    return texts


def split_texts(
    settings: Settings, given: dict[str, list[Example]], extra: list[Example], key: str
) -> Prepared:
    """Make train, valid and test of what is given, drawing what is not.

    Drawn splits share no text with each other or with given ones. What is not drawn stays in
    train, or is unlabelled text where train is drawn too.
    """
    sizes: dict[str, int] = settings.get("splits", {})
    labels = label_names(settings)
    splits = {split: examples for split, examples in given.items() if split != POOL}
    prepared = Prepared(splits, extra)
    if sizes:
        pool = given[POOL] if POOL in given else splits.pop("train")
        taken = {comparable(e.text) for examples in splits.values() for e in examples}
        drawable, prepared.aside = candidates(pool, taken)
        counts = Counter(example.label for example in drawable)
        prepared.available = {label: counts[label] for label in labels}
        drawn = draw(
            drawable,
            {split: sizes[split] for split in SPLITS if split in sizes},
            labels,
            settings.get("split_seed", 0),
            balanced=settings.get("balanced", True),
            key=f"{key}.splits",
        )
        splits |= drawn
        used = {example.id for examples in drawn.values() for example in examples}
        held_out = {comparable(e.text) for s in drawn if s != "train" for e in drawn[s]}
        rest = [e for e in pool if e.id not in used and comparable(e.text) not in held_out]
        if "train" in drawn:
            prepared.unlabelled = rest + extra
        else:
            splits["train"] = [example for example in rest if example.label is not None]
            prepared.unlabelled = [e for e in rest if e.label is None] + extra
    elif any(example.label is None for examples in splits.values() for example in examples):
        for split, examples in splits.items():
            splits[split] = [example for example in examples if example.label is not None]
            prepared.aside["rating in no range"] += len(examples) - len(splits[split])
    prepared.splits = {split: splits[split] for split in SPLITS}
    tested = {comparable(e.text) for split in ("valid", "test") for e in splits[split]}
    kept = [e for e in prepared.unlabelled if comparable(e.text) not in tested | {""}]
    prepared.aside["unlabelled text that is empty or in valid or test"] = len(
        prepared.unlabelled
    ) - len(kept)
    prepared.unlabelled = kept
    return prepared


def check_splits(splits: dict[str, list[Example]], labels: list[str], key: str) -> None:
    """Raise a `UserError` if a split is empty or lacks all but one class."""
    for split, examples in splits.items():
        counts = Counter(example.label for example in examples)
        if not examples:
            raise UserError(f"{key}: split {split!r} is empty")
        if len(counts) < 2:
            raise UserError(
                f"{key}: split {split!r} has only label {examples[0].label!r}, but the study "
                f"is to tell {', '.join(labels)} apart"
            )


def prepare(settings: Settings, key: str) -> tuple[Prepared, Counter[str]]:
    """Read, check and split a data set; return it and the counts of what was changed."""
    check_dataset(settings, key)
    changes: Counter[str] = Counter()
    given = {
        split: read_labelled(settings, files, split, changes)
        for split, files in given_files(settings).items()
    }
    other = unlabelled_settings(settings)
    extra = read_unlabelled(other, changes) if other else []
    prepared = split_texts(settings, given, extra, key)
    check_splits(prepared.splits, label_names(settings), key)
    return prepared, changes


def audit(
    name: str, settings: Settings, prepared: Prepared, changes: Counter[str]
) -> dict[str, Any]:
    """Return what audit.json says."""
    labels = label_names(settings)
    source = settings["source"]
    report = {
        "dataset": name,
        "source": describe_source(source),
        "source_sha256": verify_source(source, f"datasets.{name}.source"),
        "labels": labels,
        "split_seed": settings.get("split_seed", 0) if settings.get("splits") else None,
        "splits": {split: audit_split(part, labels) for split, part in prepared.splits.items()},
        "unlabelled": audit_split(prepared.unlabelled, []),
        "shared": shared_texts(prepared.splits),
        "available": prepared.available,
        "set_aside": {reason: count for reason, count in prepared.aside.items() if count},
        "changes": dict(changes),
    }
    return report


def main(*, name: str, settings: Settings, folder: dict[str, Path], report: Path) -> None:
    """Prepare data set ``name`` into the files of ``folder`` (by split) and its ``report``."""
    key = f"datasets.{name}"
    verify_source(settings["source"], f"{key}.source")
    prepared, changes = prepare(settings, key)
    for split, examples in prepared.splits.items():
        records = ({"id": e.id, "text": e.text, "label": e.label} for e in examples)
        write_jsonl(folder[split], records)
    write_jsonl(folder[UNLABELLED], ({"id": e.id, "text": e.text} for e in prepared.unlabelled))
    write_json(report, audit(name, settings, prepared, changes))


if __name__ == "__main__":
    with log_to(snakemake.log[0]):
        outputs = {part: Path(snakemake.output[part]) for part in (*SPLITS, UNLABELLED)}
        main(
            name=snakemake.wildcards.dataset,
            settings=snakemake.params.settings,
            folder=outputs,
            report=Path(snakemake.output.audit),
        )
