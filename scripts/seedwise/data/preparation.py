"""A data set as its configuration describes it: read, checked, in its splits."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from seedwise.data.compression import open_file
from seedwise.data.examples import Example, label_rows, unlabelled_rows
from seedwise.data.readers import read_pair, read_rows
from seedwise.data.splits import candidates, draw, position
from seedwise.data.tables import UTF_8
from seedwise.data.texts import TextFile
from seedwise.errors import UserError
from seedwise.study.datasets import (
    POOL,
    SPLITS,
    UNLABELLED,
    Files,
    Settings,
    check_dataset,
    file_names,
    given_files,
    split_zones,
    unlabelled_settings,
)
from seedwise.study.labels import has_scores, label_names, value_column
from seedwise.study.sources import source_path


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
    settings: Settings, files: Files, stem: str, changes: Counter[str], file: TextFile
) -> list[Example]:
    """Read the labelled files of one split."""
    if isinstance(files, list):
        parts = [
            read_labelled(settings, one, f"{stem}-{number}", changes, file)
            for number, one in enumerate(files, start=1)
        ]
        return [example for part in parts for example in part]
    archive = Path(source_path(settings["source"]))
    names = file_names(settings, files)
    with ExitStack() as opened:
        content = [
            (name or archive.name, opened.enter_context(open_file(archive, name))) for name in names
        ]
        if settings["format"] == "review-label":
            rows = read_pair(*content, changes, settings.get("encoding", UTF_8))
        else:
            ((name, stream),) = content
            rows = read_rows(stream, name, settings, value_column(settings), changes)
        return list(label_rows(rows, content[-1][0], stem, settings, changes, file))


def read_unlabelled(settings: Settings, changes: Counter[str], file: TextFile) -> list[Example]:
    """Read the unlabelled files of a data set."""
    archive = Path(source_path(settings["source"]))
    texts: list[Example] = []
    for given in settings["files"]:
        (name,) = file_names(settings, given)
        with open_file(archive, name) as stream:
            rows = read_rows(stream, name or archive.name, settings, None, changes)
            stem = f"{UNLABELLED}/{PurePosixPath(given).stem}"
            texts += unlabelled_rows(rows, stem, changes, file)
    return texts


def held_out(splits: dict[str, list[Example]]) -> set[bytes]:
    """Return the keys of the validation and test texts."""
    return {e.key for split in splits if split != "train" for e in splits[split]}


def split_texts(
    settings: Settings, given: dict[str, list[Example]], extra: list[Example], key: str
) -> Prepared:
    """Make train, valid and test of what is given, drawing what is not.

    Drawn splits share no text with each other or with given ones. What is not drawn is unlabelled
    text; but where train is not drawn itself, it is all that stands in its zone.

    Args:
        settings: The data set's.
        given: Texts by split, or those to be split under `POOL`; without label where they are
            rated in no range.
        extra: Texts of the unlabelled files.
        key: The data set's dotted key, for messages.
    """
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
    if settings.get("splits"):
        pool = splits.pop(POOL) if POOL in splits else splits.pop("train")
        drawable, reasons = candidates(pool, held_out(splits))
        prepared.set_aside += reasons
        counts = Counter(example.stratum for example in drawable)
        prepared.available = {label: counts[label] for label in labels}
        drawn = draw(drawable, settings, labels, key)
        splits |= drawn
        used = {example.id for part in drawn.values() for example in part}
        rest = [example for example in pool if example.id not in used]
        if "train" not in drawn:
            low, high = split_zones(settings)["train"]
            seed = settings.get("split_seed", 0)
            places = {example.id: position(seed, example.text) for example in rest}
            splits["train"] = [e for e in rest if low <= places[e.id] < high]
            rest = [e for e in rest if not low <= places[e.id] < high]
        spare += rest
    spare += extra
    tested = held_out(splits)
    for example in spare:
        if not example.key:
            prepared.left_out["unlabelled and empty"] += 1
        elif example.key in tested:
            prepared.left_out["unlabelled and also in valid or test"] += 1
        else:
            prepared.unlabelled.append(example)
    prepared.splits = {split: splits[split] for split in SPLITS}
    return prepared


def check_splits(splits: dict[str, list[Example]], settings: Settings, key: str) -> None:
    """Raise a `UserError` if a split is empty or lacks all but one class, or score."""
    for split, examples in splits.items():
        counts = Counter(example.label for example in examples)
        drawn = split in settings.get("splits", {})
        advice = "; give it a larger share, or try another `split_seed`" if drawn else ""
        if not examples:
            raise UserError(f"{key}: split {split!r} is empty{advice}")
        if len(counts) < 2:
            if has_scores(settings):
                only = f"score {examples[0].label}, with which nothing can go together"
            else:
                names = ", ".join(label_names(settings))
                only = f"label {examples[0].label!r}, but the study is to tell {names} apart"
            raise UserError(f"{key}: split {split!r} has only {only}{advice}")


def prepare(settings: Settings, key: str) -> Prepared:
    """Read, check and split a data set."""
    check_dataset(settings, key)
    changes: Counter[str] = Counter()
    file = TextFile()
    given = {
        split: read_labelled(settings, files, split, changes, file)
        for split, files in given_files(settings).items()
    }
    other = unlabelled_settings(settings)
    extra = read_unlabelled(other, changes, file) if other else []
    prepared = split_texts(settings, given, extra, key)
    prepared.changes = changes
    check_splits(prepared.splits, settings, key)
    return prepared
