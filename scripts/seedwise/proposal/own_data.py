"""Somebody's own files: which of them hold which split, which columns are texts and labels."""

import io
import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.data.archives import SHEETS
from seedwise.data.compression import ENDINGS, open_file
from seedwise.data.spreadsheets import sheet_names
from seedwise.data.tables import (
    DIALECTS,
    SEPARATORS,
    UTF_8,
    as_text,
    class_names,
    decode,
    delimited_rows,
    dialect_of,
    lines_of,
    missing_column,
    read_records,
    without_ends,
)
from seedwise.errors import UserError, one_line
from seedwise.proposal.columns import (
    has_header,
    label_column,
    label_doubts,
    labels_of,
    score_column,
    split_of,
    text_column,
    text_doubts,
)
from seedwise.proposal.notation import guess_delimiter, guess_encoding
from seedwise.study.labels import label_names

logger = logging.getLogger(__name__)

Settings = dict[str, Any]

HIDDEN = {"-1", "-1.0"}
"""What the library `datasets` has for a label that is not given, as in the test splits of GLUE."""

# What `datasets.save_to_disk` and the hub write beside the data.
_DESCRIPTIONS = {"dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json"}


def guess_layout(data: bytes, name: str, dialect: str) -> Settings:
    """Return how delimited text is written, where it does not have what is usual.

    That is its `encoding`, `delimiter`, `quoted` and `columns`; each is told, too.

    Raises:
        UserError: It has one column, or cannot be read.
    """
    layout: Settings = {}
    encoding = guess_encoding(data, name)
    if encoding != UTF_8:
        layout["encoding"] = encoding
        logger.warning("%s: read as %s; `encoding` in the study says so", name, encoding)
    text = decode(data, name, Counter(), encoding)
    if re.match(r"\s*<(!doctype|html|head|body)\b", text, re.IGNORECASE):
        raise UserError(f"{name}: a web page, not a table; download the file itself")
    quotes = re.search(r'(^|\t)"[^\t\n]*"(\t|\r?$)', text, re.MULTILINE)
    if dialect == "tsv" and quotes:
        layout["quoted"] = True
    quoted = layout.get("quoted", dialect == "csv")
    delimiter = guess_delimiter(text, dialect, quoted)
    if delimiter is None and not quoted and guess_delimiter(text, dialect, quoted=True):
        quoted = layout["quoted"] = True
        delimiter = guess_delimiter(text, dialect, quoted)
    if delimiter not in (None, SEPARATORS[dialect]):
        layout["delimiter"] = delimiter
        logger.warning(
            "%s: %r between the values; `delimiter` in the study says so", name, delimiter
        )
    lines = io.StringIO(text, newline="\n")
    found = delimited_rows(lines, name, delimiter or SEPARATORS[dialect], quoted, Counter())
    rows = [values for _, values in found if values != [""]]
    width = len(rows[0]) if rows else 0
    if width == 1:
        raise UserError(f"{name}: one column alone; texts and labels are needed")
    if rows and not has_header(pd.DataFrame([values for values in rows if len(values) == width])):
        layout["columns"] = [f"column{n}" for n in range(1, width + 1)]
    return layout


def read_table(path: Path, settings: Settings) -> pd.DataFrame:
    """Return all columns of a file as texts, what is neither text nor a number as an empty one.

    How the file is written, where that is not the usual way, is added to ``settings``.
    """
    name, dialect = str(path), dialect_of(path.name)
    if dialect is None:
        raise UserError(
            f"{path}: the ending is none of {', '.join(DIALECTS)}, nor one of these with "
            f"{' or '.join(ENDINGS)} after it"
        )
    with open_file(path) as stream:
        data = stream.read()
    layout = guess_layout(data, name, dialect) if dialect in SEPARATORS else {}
    if f".{dialect}" in SHEETS and len(names := sheet_names(data, name)) > 1:
        layout["sheet"] = names[0]
        there = ", ".join(map(one_line, names))
        logger.warning("%s: the first of %s is read; `sheet` in the study names it", name, there)
    settings |= layout
    records = read_records(data, name, layout, Counter())
    texts = [{column: as_text(v) or "" for column, v in values.items()} for *_, values in records]
    return pd.DataFrame(texts).fillna("")


def is_pair(paths: list[Path]) -> bool:
    """Tell whether two files are one of texts and one of their labels, line by line."""
    if len(paths) != 2 or any(dialect_of(p.name) and p.suffix != ".txt" for p in paths):
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
    found = [p for p in sorted(folder.rglob("*")) if dialect_of(p.name) and p.is_file()]
    found = [p for p in found if not any(q.startswith(".") for q in p.relative_to(folder).parts)]
    found = [path for path in found if path.name not in _DESCRIPTIONS]
    if len(found) > 1:
        found = [path for path in found if split_of(path.relative_to(folder).as_posix())]
    if not found:
        raise UserError(f"{folder}: no file named train, valid or test ({', '.join(DIALECTS)})")
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


def text_columns(table: pd.DataFrame, text: str | None) -> list[str]:
    """Return the column of the texts, or the two of pairs, as ``--text`` names them.

    Raises:
        UserError: It names more than two.
    """
    if text is None or text in table:
        return [text or text_column(table)]
    columns = text.split(",")
    if len(columns) > 2:
        raise UserError(f"--text {text}: {len(columns)} columns; one, or two for pairs of texts")
    return columns


def hidden_splits(tables: dict[Path, pd.DataFrame], settings: Settings) -> list[str]:
    """Return which of the given valid and test keep their labels to themselves."""
    label = settings["label"]
    values: dict[str, set[str]] = {}
    for split, names in settings.get("files", {}).items():
        ends = (names,) if isinstance(names, str) else tuple(names)
        own = [
            table.get(label, ()) for path, table in tables.items() if path.as_posix().endswith(ends)
        ]
        values[split] = set().union(*own)
    if values.get("train", HIDDEN) & HIDDEN:
        return []
    return [s for s in ("valid", "test") if values.get(s) and values[s] <= HIDDEN]


def describe(
    settings: Settings,
    paths: list[Path],
    text: str | None,
    label: str | None,
    limits: list[float] | None = None,
) -> None:
    """Add what the labelled files say of columns, labels and missing splits to ``settings``.

    With ``limits``, the lowest and the highest score, the texts have scores, not labels.
    """
    names: list[str] = []
    if settings["format"] == "review-label":
        name = settings["file"]["label"]
        content = Path(settings["source"]["path"], name).read_bytes()
        lines = without_ends(lines_of(io.BytesIO(content), name, Counter()), Counter())
        values = pd.Series([line for line in lines if line], name=name)
        count = len(values)
    else:
        labelled = [path for path in paths if split_of(path.name) != "unlabelled"]
        tables = [read_table(path, settings) for path in labelled]
        table = pd.concat(tables).fillna("")
        if table.empty:
            raise UserError(f"{paths[0]}: empty")
        texts = text_columns(table, text)
        settings["text"] = texts if len(texts) > 1 else texts[0]
        guess = score_column if limits else label_column
        settings["label"] = label or guess(table, texts)
        for column in (*texts, settings["label"]):
            if column not in table:
                raise missing_column(str(paths[0]), column, table)
        for split in hidden_splits(dict(zip(labelled, tables, strict=True)), settings):
            del settings["files"][split]
            logger.warning(
                "%s: every label is -1, kept secret; the split is left out, and one is drawn from "
                "train",
                split,
            )
            table = table[~table[settings["label"]].isin(HIDDEN)]
        values = table[settings["label"]]
        count = len(tables[0])
        doubts = text_doubts(table, texts, settings["label"])
        doubts += [] if limits else label_doubts(table, settings["label"])
        for doubt in doubts:
            logger.warning("%s", doubt)
        with open_file(paths[0]) as stream:
            names = class_names(stream, paths[0].name, settings["label"])
    if limits:
        settings["range"] = limits
    else:
        settings["labels"] = {name: n for n, name in enumerate(names)} or labels_of(values)
    few = 4 * len(label_names(settings))
    missing = {
        split: _share(share, few, most, count)
        for split, share, most in (("valid", 0.1, 1000), ("test", 0.2, 2000))
        if split not in settings.get("files", {})
    }
    if missing:
        settings["splits"] = missing


def _share(share: float, few: int, most: int, count: int) -> float:
    """Return a round share that gives about ``few`` to ``most`` of ``count`` texts."""
    wanted = min(max(share * count, few), most, count / 3)
    return float(f"{wanted / count:.1g}")
