"""Somebody's own files: which of them hold which split, which columns are texts and labels."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import ipc

from seedwise.data.proposal import has_header, label_column, labels_of, split_of, text_column
from seedwise.data.readers import decode, split_lines
from seedwise.errors import UserError

Settings = dict[str, Any]

ENDINGS = {".csv": ",", ".tsv": "\t", ".txt": "\t"} | dict.fromkeys(
    (".jsonl", ".json", ".parquet", ".arrow")
)
# What `datasets.save_to_disk` and the hub write beside the data.
_DESCRIPTIONS = {"dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json"}


def _as_written(value: Any) -> str:
    """Return a value of a record as `seedwise.data.readers` does: numbers as JSON writes them."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value.item() if isinstance(value, np.generic) else value, default=str)


def read_table(path: Path, settings: Settings) -> pd.DataFrame:
    """Return all columns of a file as texts, named by its header or, without one, by number.

    A file without a header gets `columns`, a TSV file with quotes gets `quoted` in ``settings``.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UserError(f"{path}: the ending is none of {', '.join(ENDINGS)}")
    separator = ENDINGS[path.suffix.lower()]
    if separator is None:
        try:
            match path.suffix.lower():
                case ".parquet":
                    table = pd.read_parquet(path)
                case ".arrow":
                    table = ipc.open_stream(path.read_bytes()).read_pandas()
                case ending:
                    table = pd.read_json(path, lines=ending == ".jsonl", dtype=False)
        except (ValueError, OSError) as error:
            raise UserError(f"{path}: cannot be read ({error})") from None
        return table.map(_as_written)
    text = decode(path.read_bytes(), str(path), Counter())
    quoted = separator == "," or re.search(r'(^|\t)"[^\t\n]*"(\t|\r?$)', text, re.MULTILINE)
    if quoted and separator != ",":
        settings["quoted"] = True
    if quoted:
        try:
            table = pd.read_csv(
                path, sep=separator, header=None, dtype=str, keep_default_na=False,
                encoding="utf-8-sig",
            )  # fmt: skip
        except ValueError as error:  # pandas' parser errors are ValueErrors
            raise UserError(f"{path}: not a readable table ({error})") from None
    else:
        rows = [line.split(separator) for line in split_lines(text, Counter()) if line]
        table = pd.DataFrame(rows).fillna("")
    if table.empty:
        raise UserError(f"{path}: empty")
    if len(table.columns) < 2:
        hint = "; save it with commas between the columns" if ";" in text else ""
        raise UserError(f"{path}: one column alone; texts and labels are needed{hint}")
    if has_header(table):
        table.columns = table.iloc[0].to_list()
        return table.iloc[1:].reset_index(drop=True)
    table.columns = settings["columns"] = [f"column{n}" for n in range(1, len(table.columns) + 1)]
    return table


def is_pair(paths: list[Path]) -> bool:
    """Tell whether two files are one of texts and one of their labels, line by line."""
    if len(paths) != 2 or any(p.suffix in {*ENDINGS} - {".txt"} for p in paths):
        return False
    if any(split_of(path.name) for path in paths):
        return False
    return len({path.read_bytes().count(b"\n") for path in paths}) == 1


def pair_settings(paths: list[Path], root: Path) -> Settings:
    """Return the settings of a file of texts and a file of labels: the shorter lines are labels."""
    text, label = sorted(paths, key=lambda path: path.stat().st_size, reverse=True)
    names = {key: p.relative_to(root).as_posix() for key, p in (("text", text), ("label", label))}
    return {"format": "review-label", "file": names}


def table_settings(paths: list[Path], root: Path) -> Settings:
    """Return the settings of one file to be split, or of files that are splits by their names."""
    names = {path: path.relative_to(root).as_posix() for path in paths}
    if len(paths) == 1:
        return {"format": "table"} | ({} if paths[0] == root else {"file": names[paths[0]]})
    files: dict[str, list[str]] = {}
    for path in paths:
        if split := split_of(names[path]):
            files.setdefault(split, []).append(names[path])
    if "train" not in files:
        raise UserError(
            f"{', '.join(names.values())}: none of them has `train` in its name; "
            "give one file, or files named train, valid and test"
        )
    settings: Settings = {"format": "table"}
    if unlabelled := files.pop("unlabelled", None):
        settings["unlabelled"] = {"files": unlabelled}
    return settings | {"files": {s: n[0] if len(n) == 1 else n for s, n in files.items()}}


def find_files(folder: Path) -> list[Path]:
    """Return the tables in a folder, however deep, hidden ones left out."""
    found = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in ENDINGS and p.is_file()]
    found = [p for p in found if not any(q.startswith(".") for q in p.relative_to(folder).parts)]
    found = [path for path in found if path.name not in _DESCRIPTIONS]
    if len(found) > 1:
        found = [path for path in found if split_of(path.relative_to(folder).as_posix())]
    if not found:
        raise UserError(f"{folder}: no file named train, valid or test ({', '.join(ENDINGS)})")
    return found


def locate(data: list[str]) -> tuple[Settings, list[Path]]:
    """Return what the study says of its files, and the files."""
    paths = [Path(name) for name in data]
    for path in paths:
        if not path.exists():
            raise UserError(f"{path} does not exist")
    root = paths[0] if len(paths) == 1 else paths[0].parent
    if root.is_dir() and len(paths) == 1:
        paths = find_files(root)
    elif any(path.parent != root for path in paths[1:]):
        raise UserError("give files of one folder")
    make = pair_settings if is_pair(paths) else table_settings
    return {"source": {"path": root.as_posix()}, **make(paths, root)}, paths


def describe(settings: Settings, paths: list[Path], text: str | None, label: str | None) -> None:
    """Add what the labelled files say of columns, labels and missing splits to ``settings``."""
    if settings["format"] == "review-label":
        pair = settings["file"]
        root = Path(settings["source"]["path"])
        lines = decode((root / pair["label"]).read_bytes(), pair["label"], Counter()).split("\n")
        values = pd.Series([line.rstrip("\r") for line in lines if line], name=pair["label"])
        count = len(values)
    else:
        labelled = [path for path in paths if split_of(path.name) != "unlabelled"]
        tables = [read_table(path, settings) for path in labelled]
        settings["text"] = text or text_column(tables[0])
        settings["label"] = label or label_column(tables[0], settings["text"])
        for column in (settings["text"], settings["label"]):
            for path, table in zip(labelled, tables, strict=True):
                if column not in table:
                    raise UserError(f"{path}: no column {column!r}; it has {', '.join(table)}")
        values = pd.concat([table[settings["label"]] for table in tables])
        count = len(tables[0])
    settings["labels"] = labels_of(values)
    sizes = {"valid": min(1000, count // 10), "test": min(2000, count // 5)}
    missing = {
        split: size for split, size in sizes.items() if split not in settings.get("files", {})
    }
    if missing:
        least = len(settings["labels"])
        settings["splits"] = {split: max(least, size) for split, size in missing.items()}
        settings["balanced"] = False
