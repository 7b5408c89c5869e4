"""Classify texts: ``python scripts/predict.py results/demo/runs/fairseq-random "A fine film."``.

Or score them, with a model of scores. Input: a model's folder, a run's, or an experiment's (all
its seeds vote), and texts as arguments, from a file or from standard input, one a line; a model of
pairs reads two texts with a tab between them. Output: a line for every line of the input.

A model that was exported as ONNX is asked so, which takes neither torch nor transformers.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, Any

from seedwise.data.compression import open_file
from seedwise.data.texts import BETWEEN
from seedwise.errors import UserError
from seedwise.exports.forms import FLOAT32, INT8, TRANSFORMERS, describe, predictions_of
from seedwise.exports.given_texts import Given, given_lines, given_table, read_lines
from seedwise.exports.saved_models import load, model_folders, temperature_of
from seedwise.exports.written_answers import Writer

WINDOW = 4096
"""Lines read, sorted by length and written together: what memory holds at once."""


def windows(texts: Iterable[Given], size: int = WINDOW) -> Iterator[list[Given]]:
    """Yield lists of at most ``size`` texts."""
    texts = iter(texts)
    while batch := list(islice(texts, size)):
        yield batch


def classify(
    texts: Iterable[Given],
    ensemble: Any,
    writer: Writer,
    counts: Counter[str],
    tell: Callable[[int], None],
) -> None:
    """Write a line for each text; one without letters or signs has neither label nor numbers.

    ``tell`` is called with the number of texts so far.
    """
    for batch in windows(texts):
        full = [n for n, given in enumerate(batch) if given.text.replace(BETWEEN, "").strip()]
        found: list[list[float] | None] = [None] * len(batch)
        if full:
            rows = ensemble.probabilities([batch[number].text for number in full]).tolist()
            for number, row in zip(full, rows, strict=True):
                found[number] = row
        for given, row in zip(batch, found, strict=True):
            writer.write(given, row)
        writer.stream.flush()
        counts["texts"] += len(batch)
        counts["empty, not classified"] += len(batch) - len(full)
        tell(counts["texts"])
    counts["longer than the model reads, cut"] = ensemble.cut
    counts["values without a column in the first record, left out"] = writer.left_out


def check_columns(columns: list[str], pairs: bool) -> None:
    """Raise a `UserError` if a model that reads ``pairs``, or not, cannot read these columns."""
    if columns and len(columns) != 1 + pairs:
        what = "pairs of texts, so two columns" if pairs else "single texts, so one column"
        raise UserError(f"the model reads {what}, each with a --column; given: {len(columns)}")


@contextmanager
def progress(stream: IO[bytes], shown: bool) -> Iterator[Callable[[int], None]]:
    """Show how far a file is read, if so wanted; yield what to call after each window."""
    if not shown:
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    size = stream.seek(0, 2)
    stream.seek(0)
    columns = (
        BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=size)
        yield lambda count: bar.update(task, completed=stream.tell(), description=f"{count:,}")


def forms_used(folders: list[Path], form: str) -> str:
    """Return how many models are asked and, where it is not transformers', in which form."""
    models = f"{len(folders)} models" if len(folders) > 1 else "one model"
    if form == TRANSFORMERS:
        return models
    about = [describe(folder) or {} for folder in folders]
    least = min(own["forms"][form]["agreement"] for own in about)
    kind = "int8 ONNX" if form == INT8 else "float32 ONNX"
    return f"{models} as {kind} ({least:.1%} of validation answers as transformers)"


def what_was_withheld(
    folders: list[Path], form: str, least: float, withheld: int, given: int
) -> str:
    """Return from how many texts it was abstained, and what the study measured for that."""
    from seedwise.exports.abstention import answered

    known = answered(
        [predictions_of(folder, form) for folder in folders],
        [temperature_of(folder) for folder in folders],
        least,
    )
    measured = known or "not measured: the study's predictions are not beside the model"
    return f"; at {least:g}, abstained from {withheld:,} of {given:,}; {measured}"


def main(
    *, model: list[Path], texts: list[str], file: Path | None, columns: list[str], form: str,
    device: str, runtime: str | None = None, abstain: float | None = None,
) -> None:  # fmt: skip
    """Read, classify, write; say on standard error what was left out."""
    counts: Counter[str] = Counter()
    if file is not None and not file.is_file():
        raise UserError(f"{file}: no such file")
    folders = [folder for path in model for folder in model_folders(path)]
    ensemble, used = load(folders, device, runtime)
    scored = len(ensemble.labels) == 1
    if scored and abstain is not None:
        raise UserError("--abstain is for labels; the model gives scores")
    check_columns(columns, ensemble.reads_pairs)
    writer = Writer(form, ensemble.labels, sys.stdout, abstain or 0)
    shown = file is not None and sys.stderr.isatty()
    with (
        open_file(file) if file else nullcontext(sys.stdin.buffer) as stream,
        progress(stream, shown) as tell,
    ):
        if columns and file:
            given = given_table(stream, str(file), columns, counts)
        else:
            given = given_lines(texts or read_lines(stream, counts), ensemble.reads_pairs, counts)
        classify(given, ensemble, writer, counts, tell)
    count = counts.pop("texts", 0)
    asked = count - counts["empty, not classified"]
    rest = "".join(f"; {number:,} {what}" for what, number in counts.items() if number)
    calibrated = scored or all(temperature_of(own) != 1 for own in folders)
    hint = "" if calibrated else "; not calibrated"
    if abstain is not None:
        hint += what_was_withheld(folders, used, abstain, writer.withheld, asked)
    print(f"{count:,} texts, {forms_used(folders, used)}{rest}{hint}", file=sys.stderr)


def probability(word: str) -> float:
    """Return a probability that is given on the command line."""
    if not 0 < (found := float(word)) <= 1:
        raise ValueError
    return found


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
        help="the file is a table (CSV, JSONL …), and this its texts; twice for a model of pairs; "
        "csv and jsonl then keep the other columns",
    )
    parser.add_argument("--format", dest="form", choices=("text", "csv", "jsonl"), default="text")
    parser.add_argument(
        "--abstain",
        type=probability,
        metavar="PROBABILITY",
        help="give no label that is less probable",
    )
    parser.add_argument(
        "--runtime",
        choices=(INT8, FLOAT32, TRANSFORMERS),
        help="ONNX in int8 or float32 (onnx), or transformers; without it the first of these that "
        "all models have",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="of transformers")
    chosen = parser.parse_args(words)
    if chosen.columns and not chosen.file:
        parser.error("--column needs --file")
    if chosen.file and chosen.texts:
        parser.error("give texts or --file, not both")
    if chosen.device != "cpu" and chosen.runtime not in (None, TRANSFORMERS):
        parser.error("ONNX runs on the processor; leave out --device or --runtime")
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
