"""The study that is written for somebody's own data: a configuration with its comments."""

import re
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

from seedwise.data.preparation import Prepared
from seedwise.proposal.lengths import Lengths
from seedwise.proposal.named_encoders import NamedEncoder
from seedwise.proposal.own_data import Settings
from seedwise.proposal.sizes import Machine, Plan, Tuning
from seedwise.study.datasets import reads_pairs

SEEDS = [0, 1, 2]
TRAININGS = (("fairseq", "pretrained"), ("fairseq", "random"), ("transformers", "pretrained"))

PAGE = """\
# Written for {data}: {texts:,} texts with {learned}.
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
{model}
finetune:
  epochs: {plan.epochs}
  batch_size: {plan.batch_size}
  # Try two or three, and choose by the validation accuracy, not by the test's.
  learning_rate: {learning_rate}

# {question}
experiments:
  # Logistic regression on TF-IDF, in seconds: what the others have to beat.
  linear: {{engine: linear, dataset: {name}}}
{trainings}"""

PUBLISHED = """\
  # {encoder.about}.
  # About {plan.minutes:.0f} minutes on {machine}.
  {encoder.name}:
    transformers_checkpoint:
{located}
    # Longest text in tokens, longer ones are cut; {longest}
    max_tokens: {plan.max_tokens}
"""
PUBLISHED_QUESTION = "Is a published encoder better than counting words, and do both engines agree?"

OWN = """\
  # Where the Hugging Face hub can be reached, a published encoder knows more of the language than
  # can be learnt here:
  #   make study DATA={data} ENCODER={advice}
  # Sizes for about {plan.minutes:.0f} minutes on {machine}.
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
"""
OWN_QUESTION = (
    "Is anything better than counting words, does pre-training help, and do both engines agree?"
)


def dataset_section(settings: Settings) -> str:
    """Return the data set's section, two levels deep, with its comments."""
    comments = {
        "text": "The columns of the text, or of the two texts of a pair, and of label or score.",
        "labels": "The classes, as the data write them.",
        "range": "The lowest and the highest score there may be.",
        "splits": "Shares of the texts; the rest is train. Texts added later move none of them.",
    }
    lines = []
    for key, value in settings.items():
        if key in comments:
            lines.append(f"# {comments[key]}")
        lines.append(f"{key}: {flow(value)}")
    return "".join(f"    {line}\n" for line in lines)


def trainable_by(encoder: NamedEncoder, settings: Settings) -> tuple[str, ...]:
    """Return the engines that can fine-tune a published encoder on a data set."""
    fairseq = encoder.fairseq_pairs if reads_pairs(settings) else encoder.fairseq
    return ("fairseq", "transformers") if fairseq else ("transformers",)


def flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(
        value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10_000
    )
    return text.removesuffix("...\n").strip()


def render(
    *,
    data: str,
    output: Path,
    name: str,
    settings: Settings,
    prepared: Prepared,
    machine: Machine,
    plan: Plan | Tuning,
    encoder: NamedEncoder | None,
    lengths: Lengths,
    **own: Any,
) -> str:
    """Return the configuration.

    Args:
        data: What the command was called with.
        output: The file it is for.
        name: Of the study and its data set.
        settings: Of the data set.
        prepared: Its texts.
        machine: Where the study is to run.
        plan: How its model is trained.
        encoder: The published one that it fine-tunes; None if it pre-trains its own.
        lengths: Of its training texts, or some of them.
        own: In that case `vocab_size`, and `advice`: a published one to try on the hub.
    """
    if encoder:
        page, question, model = PUBLISHED, PUBLISHED_QUESTION, encoder.name
        engines = trainable_by(encoder, settings)
        trainings = [(engine, "pretrained", encoder.name) for engine in engines]
        located = yaml.safe_dump(encoder.located, sort_keys=False, allow_unicode=True)
        own = {"encoder": encoder, "located": indent(located.rstrip(), 6 * " ")}
    else:
        page, question, model = OWN, OWN_QUESTION, "small"
        trainings = [(engine, init, init) for engine, init in TRAININGS]
    values = own | {
        "data": data,
        "output": output.as_posix(),
        "name": name,
        "title": flow(
            f"{'Scoring' if 'range' in settings else 'Classifying'} {name.replace('-', ' ')}"
        ),
        "texts": sum(map(len, prepared.splits.values())),
        "learned": "scores" if "range" in settings else f"{len(settings['labels'])} labels",
        "seeds": SEEDS,
        "dataset": dataset_section(settings),
        "machine": "one GPU" if machine.gpu else f"{machine.cores} processor core(s)",
        "plan": plan,
        "learning_rate": re.sub("e-0", "e-", f"{plan.learning_rate:.1e}"),
        "longest": lengths.said(plan.max_tokens if encoder else plan.max_positions),
    }
    return PAGE.format(
        **values,
        model=page.format(**values),
        question=question,
        trainings="".join(
            f"  {engine}-{kind}: "
            f"{{engine: {engine}, init: {init}, dataset: {name}, model: {model}}}\n"
            for engine, init, kind in trainings
        ),
    )
