"""Classify texts: ``python scripts/predict.py results/demo/runs/fairseq-random "A fine film."``.

Or score them, with a model of scores. Input: a model's folder, a run's, or an experiment's (all
its seeds vote), and texts as arguments, from a file or from standard input, one a line; a model of
pairs reads two texts with a tab between them. Output: a line for every line of the input.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, Any

from seedwise.data.compression import open_file
from seedwise.data.texts import BETWEEN, clean, record_of
from seedwise.errors import UserError
from seedwise.files import read_json

WINDOW = 4096
"""Lines read, sorted by length and written together: what memory holds at once."""

Batch = list[str]


def read_lines(stream: IO[bytes], counts: Counter[str]) -> Iterator[str]:
    """Yield the lines of a stream; only a line feed, with or without carriage return, ends one.

    Bytes that are not UTF-8 are read as U+FFFD; ``counts`` says in how many lines.
    """
    for number, line in enumerate(stream):
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        if number == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            counts["with bytes that are not UTF-8, read as U+FFFD"] += 1
            yield line.decode("utf-8", errors="replace")


def read_table(
    stream: IO[bytes], name: str, columns: list[str], counts: Counter[str]
) -> Iterator[str]:
    """Yield one column of a table, or two as pairs, read as the workflow reads them."""
    from seedwise.data.readers import read_rows

    settings = {"format": "table", "text": columns}
    yield from (row.text for row in read_rows(stream, name, settings, None, counts))


def read_pairs(texts: Iterable[str]) -> Iterator[str]:
    """Yield the pairs (`seedwise.data.texts`) that are written with a tab between two texts.

    Raises:
        UserError: There is no tab, or more than one.
    """
    for number, text in enumerate(texts, start=1):
        if (found := text.count("\t")) != 1:
            raise UserError(
                f"text {number}: {found} tabs, but the model reads pairs of texts, with one tab "
                "between the two; of a table, name two columns, each with --column"
            )
        yield text.replace("\t", BETWEEN)


def model_folders(path: Path) -> list[Path]:
    """Return the model folders that ``path`` stands for.

    A folder with a ``config.json`` is a model; a run's folder has one in ``model/``; an
    experiment's folder has a run for each seed.

    Raises:
        UserError: There is none, or a fairseq run was not exported.
    """
    if not path.is_dir():
        raise UserError(f"{path}: no such folder")
    if (path / "config.json").is_file():
        return [path]
    runs = sorted(path.glob("seed-*"), key=lambda run: (len(run.name), run.name)) or [path]
    missing = [run for run in runs if not (run / "model" / "config.json").is_file()]
    if not missing:
        return [run / "model" for run in runs]
    if all((run / "metrics.json").is_file() for run in missing):
        engine = read_json(missing[0] / "metrics.json").get("engine")
        mend = "write it with `make export CONFIG=…`" if engine == "fairseq" else "there is none"
        raise UserError(f"{missing[0]}: a {engine} run without a model's folder; {mend}")
    raise UserError(f"{path}: neither a model, nor a run, nor an experiment's folder of runs")


def is_linear(folder: Path) -> bool:
    """Tell whether the model in ``folder`` is a linear one, not one of transformers."""
    try:
        return read_json(folder / "config.json").get("engine") == "linear"
    except (ValueError, AttributeError):
        raise UserError(f"{folder}: its config.json is not that of a model") from None


def temperature_of(folder: Path) -> float:
    """Return the temperature that a model's run fitted on the validation split; 1 without one."""
    metrics = folder.parent / "metrics.json"
    known = folder.name == "model" and metrics.is_file()
    return read_json(metrics).get("temperature", 1.0) if known else 1.0


class Calibrated:
    """A linear model at its temperature."""

    def __init__(self, model: Any, temperature: float) -> None:
        self.model, self.temperature = model, temperature
        self.labels, self.cut, self.reads_pairs = model.labels, model.cut, model.reads_pairs

    def probabilities(self, texts: list[str]) -> Any:
        """Return the probability of each label for each text, shape (texts, labels)."""
        from seedwise.predictions import temperature

        return temperature.apply(self.model.probabilities(texts), self.temperature)


def load(folders: list[Path], device: str) -> Any:
    """Return the linear model in ``folders``, or the ensemble of those of transformers.

    Each is at the temperature of its run.

    Raises:
        UserError: A linear model stands among others.
    """
    linear = [folder for folder in folders if is_linear(folder)]
    if not linear:
        from seedwise.models.inference import Ensemble  # seconds, so not for --help

        return Ensemble(folders, device, [temperature_of(folder) for folder in folders])
    if len(folders) > 1:
        raise UserError(f"{linear[0]}: a linear model votes with no other; leave out the others")
    from seedwise.models.linear import LinearModel

    return Calibrated(LinearModel.load(linear[0]), temperature_of(linear[0]))


def windows(texts: Iterable[str], size: int = WINDOW) -> Iterator[Batch]:
    """Yield lists of at most ``size`` texts."""
    texts = iter(texts)
    while batch := list(islice(texts, size)):
        yield batch


class Writer:
    """Writes a line for every text: ``text``, ``csv`` or ``jsonl``; of a model of scores, these."""

    def __init__(self, form: str, labels: list[str], stream: IO[str], pairs: bool = False) -> None:
        self.form, self.labels, self.stream = form, labels, stream
        self.table = csv.writer(stream, lineterminator="\n")
        if form == "csv":
            names = record_of(BETWEEN if pairs else "")
            shares = [f"probability_{name}" for name in labels] if len(labels) > 1 else []
            self.table.writerow([*names, "prediction", *shares])

    def write(self, text: str, probabilities: list[float] | None) -> None:
        """Write a text's label and probabilities; None of them if there was nothing to classify."""
        if len(self.labels) == 1:
            self._write_score(text, probabilities[0] if probabilities else None)
            return
        label = None
        if probabilities is not None:
            label = self.labels[max(range(len(self.labels)), key=probabilities.__getitem__)]
        if self.form == "csv":
            shares = [f"{share:.6g}" for share in probabilities or []] or [""] * len(self.labels)
            self._write_row(text, label or "", *shares)
        elif self.form == "jsonl":
            named = dict(zip(self.labels, probabilities, strict=True)) if probabilities else None
            record = {**record_of(text), "prediction": label, "probabilities": named}
            self.stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        elif label is None:
            self.stream.write("\n")
        else:
            self.stream.write(f"{label}\t{max(probabilities or [0]):.3f}\t{_flat(text)}\n")

    def _write_score(self, text: str, score: float | None) -> None:
        if self.form == "csv":
            self._write_row(text, "" if score is None else f"{score:.6g}")
        elif self.form == "jsonl":
            record = {**record_of(text), "prediction": score}
            self.stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        else:
            self.stream.write("\n" if score is None else f"{score:.3f}\t{_flat(text)}\n")

    def _write_row(self, text: str, *found: str) -> None:
        # A value on several lines would break the count of lines.
        text = text.replace("\r", " ").replace("\n", " ")
        self.table.writerow([*record_of(text).values(), *found])


def _flat(text: str) -> str:
    return " ".join(text.replace(BETWEEN, "\t").splitlines())


def classify(texts: Iterable[str], ensemble: Any, writer: Writer, counts: Counter[str]) -> None:
    """Write a line for each text; one without letters or signs has neither label nor numbers."""
    for batch in windows(texts):
        full = [number for number, text in enumerate(batch) if text.replace(BETWEEN, "").strip()]
        found: list[list[float] | None] = [None] * len(batch)
        if full:
            rows = ensemble.probabilities([batch[number] for number in full]).tolist()
            for number, row in zip(full, rows, strict=True):
                found[number] = row
        for text, row in zip(batch, found, strict=True):
            writer.write(text, row)
        writer.stream.flush()
        counts["texts"] += len(batch)
        counts["empty, not classified"] += len(batch) - len(full)
    counts["longer than the model reads, cut"] = ensemble.cut


def check_columns(columns: list[str], pairs: bool) -> None:
    """Raise a `UserError` if a model that reads ``pairs``, or not, cannot read these columns."""
    if columns and len(columns) != 1 + pairs:
        what = "pairs of texts, so two columns" if pairs else "single texts, so one column"
        raise UserError(f"the model reads {what}, each with a --column; given: {len(columns)}")


def main(
    *, model: list[Path], texts: list[str], file: Path | None, columns: list[str], form: str,
    device: str,
) -> None:  # fmt: skip
    """Read, classify, write; say on standard error what was left out."""
    counts: Counter[str] = Counter()
    if file is not None and not file.is_file():
        raise UserError(f"{file}: no such file")
    folders = [folder for path in model for folder in model_folders(path)]
    ensemble = load(folders, device)
    pairs = ensemble.reads_pairs
    check_columns(columns, pairs)
    writer = Writer(form, ensemble.labels, sys.stdout, pairs)
    with open_file(file) if file else nullcontext(sys.stdin.buffer) as stream:
        if columns and file:
            given = read_table(stream, str(file), columns, counts)
        else:
            lines = (clean(line, counts) for line in texts or read_lines(stream, counts))
            given = read_pairs(lines) if pairs else lines
        classify(given, ensemble, writer, counts)
    count = counts.pop("texts", 0)
    rest = "".join(f"; {number:,} {what}" for what, number in counts.items() if number)
    models = f"{len(folders)} models" if len(folders) > 1 else "one model"
    calibrated = len(ensemble.labels) == 1 or all(temperature_of(own) != 1 for own in folders)
    hint = "" if calibrated else "; not calibrated"
    print(f"{count:,} texts, {models}{rest}{hint}", file=sys.stderr)


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", type=Path, help="folder of a model, of a run or of an experiment")
    parser.add_argument("texts", nargs="*", help="texts; without any, standard input is read")
    parser.add_argument("--also", type=Path, action="append", default=[], help="one more to vote")
    parser.add_argument("--file", type=Path, help="file of texts, one a line")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        dest="columns",
        help="the file is a table (CSV, JSONL …), and this its texts; twice for a model of pairs",
    )
    parser.add_argument("--format", dest="form", choices=("text", "csv", "jsonl"), default="text")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    chosen = parser.parse_args(words)
    if chosen.columns and not chosen.file:
        parser.error("--column needs --file")
    if chosen.file and chosen.texts:
        parser.error("give texts or --file, not both")
    chosen.model = [chosen.model, *vars(chosen).pop("also")]
    return chosen


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    try:
        main(**vars(arguments()))
    except UserError as error:
        sys.exit(f"predict: {error}")
    except BrokenPipeError:
        sys.exit(0)
