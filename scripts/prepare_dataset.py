"""Check a data set, make its splits and its audit.

Inputs: the files of the data set's sources. Outputs: {train,valid,test}.jsonl (`id`, `text`,
`label`), unlabelled.jsonl (`id`, `text`) and audit.json (counts; lengths in characters and words).
"""

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
    folder_files,
    given_files,
    label_names,
    unlabelled_settings,
)
from seedwise.errors import UserError
from seedwise.files import sha256_of_files, write_json, write_jsonl
from seedwise.labels import Example, label_rows, unlabelled_rows, value_column
from seedwise.readers import read_pair, read_rows
from seedwise.sources import describe_source, source_path, verify_source
from seedwise.splits import candidates, comparable, draw
from seedwise.step import step


@dataclass
class Prepared:
    """A data set in its splits.

    Attributes:
        splits: The labelled texts, by split.
        unlabelled: All other texts that are not held out.
        available: Texts that could be drawn, by label; None if nothing was drawn.
        set_aside: How many texts could not be drawn, by reason.
        left_out: How many texts stand neither in a split nor among the unlabelled, by reason.
        changes: What was changed while reading, counted.
    """

    splits: dict[str, list[Example]]
    unlabelled: list[Example]
    available: dict[str, int] | None = None
    set_aside: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)


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


def held_out(splits: dict[str, list[Example]]) -> set[str]:
    """Return the validation and test texts, in their `comparable` form."""
    return {comparable(e.text) for split in splits if split != "train" for e in splits[split]}


def split_texts(
    settings: Settings, given: dict[str, list[Example]], extra: list[Example], key: str
) -> Prepared:
    """Make train, valid and test of what is given, drawing what is not.

    Drawn splits share no text with each other or with given ones. What is not drawn stays in
    train, or is unlabelled text where train is drawn too.

    Args:
        settings: The data set's.
        given: Texts by split, or those to be split under `POOL`; without label where they are
            rated in no range.
        extra: Texts of the unlabelled files.
        key: The data set's dotted key, for messages.
    """
    sizes: dict[str, int] = settings.get("splits", {})
    labels = label_names(settings)
    prepared = Prepared({}, [])
    unrated = {split: [e for e in part if e.label is None] for split, part in given.items()}
    splits = {split: [e for e in part if e.label is not None] for split, part in given.items()}
    spare = []
    for split, part in unrated.items():
        prepared.set_aside["rated in no range"] += len(part)
        if split in ("train", POOL):
            spare += part
        else:
            prepared.left_out[f"rated in no range, in {split}"] += len(part)
    if sizes:
        pool = splits.pop(POOL) if POOL in splits else splits.pop("train")
        drawable, reasons = candidates(pool, held_out(splits))
        prepared.set_aside += reasons
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
        used = {example.id for part in drawn.values() for example in part}
        rest = [example for example in pool if example.id not in used]
        if "train" in drawn:
            spare += rest
        else:
            tested = held_out(drawn)
            splits["train"] = [e for e in rest if comparable(e.text) not in tested]
            prepared.left_out["copy of a text drawn for valid or test"] += len(rest) - len(
                splits["train"]
            )
    spare += extra
    tested = held_out(splits)
    for example in spare:
        text = comparable(example.text)
        if not text:
            prepared.left_out["unlabelled and empty"] += 1
        elif text in tested:
            prepared.left_out["unlabelled and also in valid or test"] += 1
        else:
            prepared.unlabelled.append(example)
    prepared.splits = {split: splits[split] for split in SPLITS}
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


def prepare(settings: Settings, key: str) -> Prepared:
    """Read, check and split a data set."""
    check_dataset(settings, key)
    changes: Counter[str] = Counter()
    given = {
        split: read_labelled(settings, files, split, changes)
        for split, files in given_files(settings).items()
    }
    other = unlabelled_settings(settings)
    extra = read_unlabelled(other, changes) if other else []
    prepared = split_texts(settings, given, extra, key)
    prepared.changes = changes
    check_splits(prepared.splits, label_names(settings), key)
    return prepared


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
    return {
        "dataset": name,
        "labels": labels,
        "split_seed": settings.get("split_seed", 0) if "splits" in settings else None,
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
        records = ({"id": e.id, "text": e.text, "label": e.label} for e in examples)
        write_jsonl(outputs[split], records)
    write_jsonl(outputs[UNLABELLED], ({"id": e.id, "text": e.text} for e in prepared.unlabelled))
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
