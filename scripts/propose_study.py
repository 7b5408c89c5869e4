"""Write a study for your own data: ``python scripts/propose_study.py reviews.csv``.

Input: a table (CSV, TSV, JSON, JSON lines, Parquet), files or a folder with splits, a file of texts
and a file of labels, or a data set of the Hugging Face hub (``hub:owner/name``). Output: a
commented configuration, checked against the data, for ``make run CONFIG=…``.
"""

import argparse
import logging
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from seedwise.data.hub import fetch_snapshot, resolve_commit
from seedwise.data.own_data import Settings, describe, find_files, locate, table_settings
from seedwise.data.preparation import Prepared, prepare
from seedwise.errors import UserError
from seedwise.files import write_text
from seedwise.models.sizes import Machine, Plan, choose_sizes, this_machine
from seedwise.study.sources import source_path
from seedwise.study.validation import check_config
from seedwise.tokens import sentencepiece_model

SEEDS = [0, 1, 2]
SAMPLE = 20_000
"""Texts from which the size of the vocabulary is found."""
LEAST_PIECES, MOST_PIECES = 32, 4000
EXPERIMENTS = (("fairseq", "pretrained"), ("fairseq", "random"), ("transformers", "pretrained"))

PAGE = """\
# Written for {data}: {texts:,} labelled texts, {classes} labels.
# Change what you like; every key is described in docs/configuration.md. Then:
#   make run CONFIG={output}

study: {name}
title: {title}
# One run per experiment and seed: the spread over seeds gives the error bars.
seeds: {seeds}

datasets:
  {name}:
{dataset}
models:
  # Sizes for about {minutes:.0f} minutes on {machine}.
  small:
    architecture:
      layers: {plan.layers}
      embed_dim: {plan.embed_dim}
      ffn_dim: {plan.ffn_dim}
      attention_heads: {plan.attention_heads}
      # Longest text in tokens; {longest}
      max_positions: {plan.max_positions}
      # As many pieces as the texts give, 4,000 at most.
      vocab_size: {vocab_size}
    # The tokenizer and the pre-trained weights are made from the training texts
    # and from all unlabelled ones, never from validation or test.
    corpus: [{name}]
    pretrain:
      # A start from the words' company: few updates alone teach a model little about them.
      embeddings: cooccurrence
      updates: {plan.updates}
      batch_size: 8
      block_tokens: {plan.max_positions}
      # So few updates underfit.
      dropout: 0.0
      learning_rate: 5.0e-4
      precision: {precision}

finetune:
  epochs: {plan.epochs}
  batch_size: {plan.batch_size}
  # Try two or three, and choose by the validation accuracy, not by the test's.
  learning_rate: {learning_rate}
  precision: {precision}

# Does pre-training help, and do both engines agree?
experiments:
{experiments}"""


def fetch(repository: str) -> tuple[Settings, list[Path]]:
    """Download a data set of the hub to where the workflow will look for it.

    Returns:
        What the study says of its files, and the files.
    """
    commit = resolve_commit(repository, "main", "dataset")
    source = {"hub": repository, "revision": commit, "type": "dataset"}
    folder = Path(source_path(source))
    if not folder.exists():
        record = folder.with_name(f"{folder.name}.source.json")
        fetch_snapshot(source=source, folder=folder, record=record)
    paths = find_files(folder)
    return {"source": source, **table_settings(paths, folder)}, paths


def dataset_section(settings: Settings) -> str:
    """Return the data set's section, two levels deep, with its comments."""
    comments = {
        "text": "The columns of the text and of its label.",
        "labels": "The classes, as the data write them.",
        "splits": "Drawn at random, copies of a text never in two splits; the rest is train.",
        "balanced": "As many texts of each label as the data have; `true` draws equal numbers.",
    }
    lines = []
    for key, value in settings.items():
        if key in comments:
            lines.append(f"# {comments[key]}")
        lines.append(f"{key}: {flow(value)}")
    return "".join(f"    {line}\n" for line in lines)


def flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(
        value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10_000
    )
    return text.removesuffix("...\n").strip()


def vocabulary(texts: list[str]) -> int:
    """Return the size of a vocabulary that SentencePiece can make of the texts, at most 4,000.

    Raises:
        UserError: The texts have too few different words for any.
    """
    options = {"type": "unigram", "character_coverage": 0.9995, "sample_texts": SAMPLE}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(" ".join(text.split()) for text in texts), encoding="utf-8")
        try:
            sentencepiece_model.train([corpus], options, MOST_PIECES)
        except UserError as error:
            most = re.search(r"value <= (\d+)", str(error))
            # The workflow's own corpus lacks a tenth of the texts, held out to follow it.
            size = int(0.8 * int(most.group(1))) if most else 0
            if size < LEAST_PIECES:
                raise UserError("the texts have too few different words for a tokenizer") from None
            return size
    return MOST_PIECES


def render(
    *,
    data: str,
    output: Path,
    name: str,
    settings: Settings,
    prepared: Prepared,
    plan: Plan,
    machine: Machine,
    vocab_size: int,
) -> str:
    """Return the configuration."""
    words = [len(e.text.split()) for e in prepared.splits["train"]]
    experiments = "".join(
        f"  {engine}-{init}: {{engine: {engine}, init: {init}, dataset: {name}, model: small}}\n"
        for engine, init in EXPERIMENTS
    )
    return PAGE.format(
        data=data,
        output=output.as_posix(),
        name=name,
        title=flow(f"Classifying {name.replace('-', ' ')}"),
        texts=sum(map(len, prepared.splits.values())),
        classes=len(settings["labels"]),
        seeds=SEEDS,
        dataset=dataset_section(settings),
        minutes=plan.minutes,
        machine="one GPU" if machine.gpu else f"{machine.cores} processor core(s)",
        plan=plan,
        learning_rate=re.sub("e-0", "e-", f"{plan.learning_rate:.1e}"),
        longest=f"the texts have {sorted(words)[len(words) // 2]} words (median) to {max(words)}.",
        vocab_size=vocab_size,
        precision="bfloat16" if machine.gpu or machine.bfloat16 else "float32",
        experiments=experiments,
    )


def main(
    *, data: list[str], text: str | None, label: str | None, output: Path | None, minutes: int
) -> Path:
    """Write the study; return its path."""
    stem = data[0].rstrip("/").removeprefix("hub:")
    name = re.sub(r"[^a-z0-9]+", "-", Path(stem).name.split(".")[0].lower()).strip("-") or "study"
    output = output or Path(f"{name}.yaml")
    if output.exists():
        raise UserError(f"{output} exists already; remove it, or name another with --output")
    hub = len(data) == 1 and data[0].startswith("hub:")
    settings, paths = fetch(stem) if hub else locate(data)
    describe(settings, paths, text, label)
    prepared = prepare(settings, f"datasets.{name}")
    machine = this_machine()
    train = [example.text for example in prepared.splits["train"]]
    corpus = train + [example.text for example in prepared.unlabelled]
    plan = choose_sizes(
        texts=len(train),
        corpus_texts=len(corpus),
        words=[len(one.split()) for one in train],
        runs=len(EXPERIMENTS) * len(SEEDS),
        machine=machine,
        minutes=minutes,
    )
    study = render(
        data=" ".join(data),
        output=output,
        name=name,
        settings=settings,
        prepared=prepared,
        plan=plan,
        machine=machine,
        vocab_size=vocabulary(corpus[:SAMPLE]),
    )
    check_config(yaml.safe_load(study), str(output))
    write_text(output, study)
    sizes = ", ".join(f"{len(part):,} {split}" for split, part in prepared.splits.items())
    print(f"{output}: labels {', '.join(settings['labels'])}; texts: {sizes}")
    print(f"about {plan.minutes:.0f} minutes here: make run CONFIG={output}")
    return output


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="+", help="file, files of splits, folder, or hub:owner/name")
    parser.add_argument("--text", help="column of the texts; guessed if not given")
    parser.add_argument("--label", help="column of the labels; guessed if not given")
    parser.add_argument("--output", type=Path, help="the study to write; {data}.yaml if not given")
    parser.add_argument("--minutes", type=int, default=15, help="how long it may take (15)")
    return parser.parse_args(words)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    try:
        main(**vars(arguments()))
    except UserError as error:
        sys.exit(f"propose_study: {error}")
