"""What a data set's configuration says of its files and of what is drawn from them.

The Snakefile imports this module: standard library only.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seedwise.errors import UserError
from seedwise.study.labels import check_labels, label_names
from seedwise.study.sources import source_kind, source_path

Settings = dict[str, Any]
# A file of the archive, several, or {text: ..., label: ...}.
Files = str | list[str] | dict[str, str]

SPLITS = ("train", "valid", "test")
UNLABELLED = "unlabelled"
POOL = "all"
# How wide the zones are from which numbers of texts are drawn, where `zones` does not say it.
ZONES = {"test": 0.25, "valid": 0.15}
_READING = ("format", "dialect", "delimiter", "encoding", "quoted", "columns", "sheet", "text")


def given_files(settings: Settings) -> dict[str, Files]:
    """Return the data set's labelled files by split, or under `POOL` what is to be split."""
    if settings["format"] == "webis-cls":
        place = f"{settings['language']}/{settings['domain']}"
        return {split: f"{place}/{split}.review" for split in ("train", "test")}
    if "file" in settings:
        return {POOL: settings["file"]}
    if "files" in settings:
        return {split: settings["files"][split] for split in SPLITS if split in settings["files"]}
    if settings["format"] == "review-label":
        return {split: split for split in SPLITS}
    return {POOL: ""}


def unlabelled_settings(settings: Settings) -> Settings | None:
    """Return how the unlabelled files are read; None if there are none.

    What they do not say themselves is said by the data set: all of it, or only the place
    where they have a `format` of their own, or nothing where they have a `source` of their own.
    """
    if UNLABELLED in settings:
        own = settings[UNLABELLED]
        inherited: tuple[str, ...] = ("source", "folder")
        if "source" in own:
            inherited = ()
        elif "format" not in own:
            inherited += _READING
        return {key: settings[key] for key in inherited if key in settings} | own
    if settings["format"] == "webis-cls":
        place = f"{settings['language']}/{settings['domain']}"
        return settings | {"files": [f"{place}/unlabeled.review"]}
    return None


def member(settings: Settings, name: str) -> str:
    """Return the full name of a file in its source, `folder` included."""
    folder = settings.get("folder", "")
    if settings["format"] == "webis-cls" and "folder" not in settings:
        folder = "cls-acl10-unprocessed"
    return "/".join(part for part in (folder.rstrip("/"), name) if part)


def file_names(settings: Settings, files: Files) -> list[str]:
    """Return the members of the source that hold these files."""
    if isinstance(files, list):
        return [name for one in files for name in file_names(settings, one)]
    if settings["format"] == "review-label":
        if isinstance(files, dict):
            return [member(settings, files["text"]), member(settings, files["label"])]
        return [member(settings, f"{files}.{part}") for part in ("review", "label")]
    return [member(settings, str(files))]


def folder_files(settings: Settings, files: list[Files]) -> list[Path]:
    """Return where these files stand in a source that is a folder."""
    folder = Path(source_path(settings["source"]))
    names = {name.split("!")[0] for one in files for name in file_names(settings, one)}
    return [folder / name for name in sorted(names)]


def dataset_inputs(settings: Settings, key: str) -> list[str]:
    """Return the files a data set is made from, for Snakemake to watch.

    Raises:
        UserError: A local path, or a file in a local folder, does not exist.
    """
    groups = [(f"{key}.source", settings, list(given_files(settings).values()))]
    if other := unlabelled_settings(settings):
        own = "source" in settings.get(UNLABELLED, {})
        groups.append(
            (f"{key}.unlabelled.source" if own else f"{key}.source", other, other["files"])
        )
    inputs: set[str] = set()
    for source_key, part, files in groups:
        path = Path(source_path(part["source"]))
        paths = [path]
        if source_kind(part["source"]) == "path":
            if path.is_dir():
                paths = folder_files(part, files)
            for file in paths:
                if not file.exists():
                    raise UserError(f"{source_key}.path: {file} does not exist")
        inputs.update(map(str, paths))
    return sorted(inputs)


def input_function(config: dict[str, Any]) -> Callable[[Any], list[str]]:
    """Return the input function of the rule that prepares ``{dataset}``."""

    def inputs(wildcards: Any) -> list[str]:
        settings = config["datasets"][wildcards.dataset]
        return dataset_inputs(settings, f"datasets.{wildcards.dataset}")

    return inputs


def is_share(size: float) -> bool:
    """Return whether the size of a split is a share of the texts, not their number."""
    return size < 1


def split_zones(settings: Settings) -> dict[str, tuple[float, float]]:
    """Return the zone in [0, 1) of each split that is drawn, and train's: its bounds.

    The lower bound belongs to it. Test lies at 0, valid at 1 and train between, so the width of
    one of those two changes train's zone at most.

    Args:
        settings: The data set's, checked.
    """
    sizes = settings.get("splits", {})
    widths = {
        split: size if is_share(size) else settings.get("zones", {}).get(split, ZONES[split])
        for split, size in sizes.items()
        if split in ZONES
    }
    low, high = widths.get("test", 0.0), 1 - widths.get("valid", 0.0)
    zones = {"test": (0.0, low), "valid": (high, 1.0)}
    zones = {split: zones[split] for split in widths} | {"train": (low, high)}
    if is_share(share := sizes.get("train", 1)):
        start = max(low, min(0.5 - share / 2, high - share))
        zones["train"] = (start, min(start + share, high))
    return zones


def leave_train(settings: Settings) -> bool:
    """Return whether the zones of test and valid leave train its share, or any texts at all."""
    low, high = split_zones(settings)["train"]
    size = settings.get("splits", {}).get("train", 1)
    return low < high and (not is_share(size) or round(size - (high - low), 9) <= 0)


def check_sizes(settings: Settings, key: str) -> None:
    """Raise a `UserError` if the sizes of splits and zones contradict each other."""
    sizes, count = settings.get("splits", {}), len(label_names(settings))
    for split, size in sizes.items():
        if not is_share(size) and size != int(size):
            raise UserError(f"{key}.splits.{split}: {size} is no whole number, nor a share below 1")
        if not is_share(size) and size < count:
            raise UserError(f"{key}.splits.{split}: {size} texts for {count} labels")
    for split in settings.get("zones", {}):
        if split not in sizes or is_share(sizes[split]):
            raise UserError(
                f"{key}.zones.{split}: only a split drawn as a number of texts has a width to set; "
                + (f"that of {split} is its share" if split in sizes else f"{split} is not drawn")
            )
    if not leave_train(settings):
        raise UserError(
            f"{key}.splits: test, valid and train do not fit; their shares, or the `zones` of "
            f"numbers ({ZONES['test']} for test, {ZONES['valid']} for valid if not given), must be "
            "1 together at most, and leave something to train"
        )


def check_encoding(settings: Settings, key: str) -> None:
    """Raise a `UserError` if Python has no character encoding of the name that is given."""
    for part, where in ((settings, key), (settings.get(UNLABELLED, {}), f"{key}.{UNLABELLED}")):
        try:
            "".encode(part.get("encoding", "utf-8"))
        except LookupError:
            raise UserError(
                f"{where}.encoding: Python has none of the name {part['encoding']!r}; utf-8, "
                "cp1252, latin-1, utf-16 and cp1251 are some that it has"
            ) from None


def reads_pairs(settings: Settings) -> bool:
    """Return whether the texts of a data set are pairs."""
    return isinstance(settings.get("text"), list)


def check_pairs(settings: Settings, key: str) -> None:
    """Raise a `UserError` if pairs are asked of what holds single texts, or mixed with these."""
    other = unlabelled_settings(settings) or {}
    for part, where in ((settings, key), (other, f"{key}.{UNLABELLED}")):
        if reads_pairs(part) and part["format"] != "table":
            raise UserError(
                f"{where}.text: two columns make a pair in a table alone, and the format is "
                f"{part['format']}"
            )
    if reads_pairs(other) and not reads_pairs(settings):
        raise UserError(f"{key}.{UNLABELLED}.text: pairs, where the data set has single texts")


def check_dataset(settings: Settings, key: str) -> None:
    """Raise a `UserError` if the parts of a data set's configuration contradict each other."""
    check_encoding(settings, key)
    check_pairs(settings, key)
    check_labels(settings, key)
    sizes, given = settings.get("splits", {}), given_files(settings)
    if settings["format"] != "review-label" and any(isinstance(f, dict) for f in given.values()):
        raise UserError(f"{key}: only review-label has files of `text` and of `label`")
    for split in ("valid", "test"):
        if split in sizes and split in given:
            raise UserError(f"{key}.splits.{split}: {split} has a file already")
        if split not in sizes and split not in given:
            raise UserError(f"{key}.splits: {split} is missing; give its size or its file")
    if POOL not in given and "train" not in given:
        raise UserError(f"{key}.files: train is missing")
    check_sizes(settings, key)


def check_datasets(config: dict[str, Any]) -> None:
    """Raise a `UserError` if a data set's configuration contradicts itself."""
    for name, settings in config["datasets"].items():
        check_dataset(settings, f"datasets.{name}")
