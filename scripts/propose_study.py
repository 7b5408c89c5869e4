"""Write a study for your own data: ``python scripts/propose_study.py reviews.csv``.

Input: a table (see `dialect`), files or a folder with splits, a file of texts
and a file of labels, or a data set of the Hugging Face hub (``hub:owner/name``). Output: a
commented configuration, checked against the data, for ``make run CONFIG=…``.
"""

import argparse
import logging
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from seedwise.data.hub import fetch_repository, resolve_commit
from seedwise.data.preparation import prepare
from seedwise.data.texts import BETWEEN
from seedwise.errors import UserError
from seedwise.files import write_text
from seedwise.proposal.lengths import by_encoder, by_sentencepiece
from seedwise.proposal.named_encoders import (
    MINILM,
    NamedEncoder,
    advised,
    find_encoder,
    language_of,
)
from seedwise.proposal.own_data import Settings, describe, find_files, locate, table_settings
from seedwise.proposal.sizes import (
    Machine,
    Plan,
    Tuning,
    choose_sizes,
    choose_tuning,
    this_machine,
)
from seedwise.proposal.study_page import SEEDS, TRAININGS, render, trainable_by
from seedwise.study.validation import check_config
from seedwise.tokens import sentencepiece_model

LOG = logging.getLogger(__name__)

SAMPLE = 20_000
"""Texts from which the size of the vocabulary and the language are found."""
LEAST_PIECES, MOST_PIECES = 32, 4000


def fetch(repository: str) -> tuple[Settings, list[Path]]:
    """Download a data set of the hub to where the workflow will look for it.

    Returns:
        What the study says of its files, and the files.
    """
    commit = resolve_commit(repository, "main", "dataset")
    source = {"hub": repository, "revision": commit, "type": "dataset"}
    folder = fetch_repository(source)
    paths = find_files(folder)
    return {"source": source, **table_settings(paths, folder)}, paths


def vocabulary(texts: list[str]) -> tuple[int, bytes]:
    """Return the size of a vocabulary that SentencePiece can make of the texts, at most 4,000.

    And the model that it then makes.

    Raises:
        UserError: The texts have too few different words for any.
    """
    options = {"type": "unigram", "character_coverage": 0.9995, "sample_texts": SAMPLE}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(" ".join(text.split()) for text in texts), encoding="utf-8")
        try:
            return MOST_PIECES, sentencepiece_model.train([corpus], options, MOST_PIECES)
        except UserError as error:
            most = re.search(r"value <= (\d+)", str(error))
            # The workflow's own corpus lacks a tenth of the texts, held out to follow it.
            size = int(0.8 * int(most.group(1))) if most else 0
            if size < LEAST_PIECES:
                raise UserError("the texts have too few different words for a tokenizer") from None
            return size, sentencepiece_model.train([corpus], options, size)


def choose_encoder(encoder: str | None, language: str, machine: Machine) -> NamedEncoder | None:
    """Return the published encoder to fine-tune; None where the study shall pre-train its own.

    A GPU is worth an encoder from the hub in any language, where the hub can be reached.
    """
    if encoder == "none":
        return None
    if encoder:
        return find_encoder(encoder)
    if language == "en":
        return MINILM
    if machine.gpu:
        try:
            return find_encoder(advised(language))
        except UserError as error:
            LOG.warning("no published encoder: %s", error)
    return None


def main(
    *,
    data: list[str],
    encoder: str | None,
    text: str | None,
    label: str | None,
    limits: list[float] | None = None,
    output: Path | None,
    minutes: int,
) -> Path:
    """Write the study; return its path."""
    stem = data[0].rstrip("/").removeprefix("hub:")
    name = re.sub(r"[^a-z0-9]+", "-", Path(stem).name.split(".")[0].lower()).strip("-") or "study"
    output = output or Path(f"{name}.yaml")
    if output.exists():
        raise UserError(f"{output} exists already; remove it, or name another with --output")
    hub = len(data) == 1 and data[0].startswith("hub:")
    settings, paths = fetch(stem) if hub else locate(data)
    describe(settings, paths, text, label, limits)
    prepared = prepare(settings, f"datasets.{name}")
    machine = this_machine()
    train = [example.text for example in prepared.splits["train"]]
    language = language_of([text for each in train[:SAMPLE] for text in each.split(BETWEEN)])
    found = choose_encoder(encoder, language, machine)
    plan: Plan | Tuning
    own: dict[str, Any] = {}
    if found:
        lengths = by_encoder(found, train[:SAMPLE])
        plan = choose_tuning(
            found.sizes,
            texts=len(train),
            evaluated=(len(prepared.splits["valid"]), len(prepared.splits["test"])),
            lengths=lengths.tokens,
            runs=len(trainable_by(found, settings)) * len(SEEDS),
            machine=machine,
        )
    else:
        given = train + [example.text for example in prepared.unlabelled]
        corpus = [text for each in given for text in each.split(BETWEEN)]
        own["vocab_size"], tokenizer = vocabulary(corpus[:SAMPLE])
        lengths = by_sentencepiece(tokenizer, train[:SAMPLE])
        plan = choose_sizes(
            texts=len(train),
            corpus_texts=len(corpus),
            lengths=lengths.tokens,
            runs=len(TRAININGS) * len(SEEDS),
            machine=machine,
            minutes=minutes,
        )
        own["advice"] = advised(language)
    study = render(
        data=" ".join(data),
        output=output,
        name=name,
        settings=settings,
        prepared=prepared,
        machine=machine,
        plan=plan,
        encoder=found,
        lengths=lengths,
        **own,
    )
    check_config(yaml.safe_load(study), str(output))
    write_text(output, study)
    sizes = ", ".join(f"{len(part):,} {split}" for split, part in prepared.splits.items())
    if limits:
        learned = f"scores from {limits[0]:g} to {limits[1]:g}"
    else:
        learned = f"labels {', '.join(settings['labels'])}"
    print(f"{output}: {learned}; texts: {sizes}")
    print(f"about {plan.minutes:.0f} minutes here: make run CONFIG={output}")
    if plan.minutes > minutes:
        print(
            f"more than {minutes} minutes: a smaller encoder, a lower `max_tokens`, fewer training "
            "texts (`splits: {train: …}`) or a GPU make it shorter"
        )
    return output


def score_limits(word: str) -> list[float]:
    """Return the two numbers of ``0,5``; whole ones as such, so that the study shows them so."""
    low, _, high = word.partition(",")
    try:
        numbers = [float(low), float(high)]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is not two numbers, as 0,5 is") from None
    return [int(number) if number.is_integer() else number for number in numbers]


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="+", help="file, files of splits, folder, or hub:owner/name")
    parser.add_argument(
        "--encoder",
        help="folder, archive, package==version, hub owner/name, or none: pre-train one here",
    )
    parser.add_argument(
        "--text",
        help="column of the texts, or two of pairs: premise,hypothesis; guessed if not given",
    )
    parser.add_argument("--label", help="column of the labels, or scores; guessed if not given")
    parser.add_argument(
        "--range",
        type=score_limits,
        dest="limits",
        metavar="LOWEST,HIGHEST",
        help="texts have scores, not labels: the lowest and the highest there may be",
    )
    parser.add_argument("--output", type=Path, help="the study to write; {data}.yaml if not given")
    parser.add_argument("--minutes", type=int, default=15, help="how long it should take (15)")
    return parser.parse_args(words)


class Spoken(logging.Formatter):
    """Names options as whoever called can give them: to make, as its variables."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the message alone."""
        message = super().format(record)
        if "MAKELEVEL" not in os.environ:
            return message
        return re.sub(r"--(text|label|range) ?", lambda option: f"{option[1].upper()}=", message)


if __name__ == "__main__":
    handler = logging.StreamHandler()
    handler.setFormatter(Spoken())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        main(**vars(arguments()))
    except UserError as error:
        LOG.error("propose_study: %s", error)
        sys.exit(1)
