"""Pre-train a RoBERTa with fairseq's masked-language modelling on a binarized corpus.

Inputs: the corpus in fairseq's binary format, in one folder or, sharded, in several. Outputs:
``model.pt`` (a fairseq checkpoint without optimizer), ``history.csv`` (epoch, split, loss in nats
per masked token), and ``metrics.json``.
"""

import itertools
import logging
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.environment import conditions, resume_key, shared
from seedwise.files import atomic, write_json
from seedwise.machine import device as devices
from seedwise.machine.scratch import training_scratch
from seedwise.models.checkpoints import load_checkpoint
from seedwise.models.word_vectors import word_vectors
from seedwise.step import step
from seedwise.tokens.indexed import read_batches
from seedwise_fairseq import launch

EMBEDDINGS = "embeddings.npy"

logger = logging.getLogger(__name__)


def write_embeddings(shards: list[Path], settings: dict[str, Any], path: Path) -> None:
    """Write to ``path`` (`.npy`) the vectors of the pieces of a corpus, binarized in shards."""
    architecture = settings["architecture"]
    vectors = word_vectors(
        itertools.chain.from_iterable(read_batches(shard / "train") for shard in shards),
        architecture["vocab_size"],
        architecture["embed_dim"],
        settings["pretrain"]["seed"],
    )
    with atomic(path) as partial, partial.open("wb") as stream:
        np.save(stream, vectors)


def pretraining_options(
    settings: dict[str, Any], scratch: Path
) -> dict[str, str | int | float | bool]:
    """Return fairseq-train's options for masked-language modelling.

    The ``pretrain`` of ``settings`` is what `devices.prepare` returns.
    """
    pretrain = settings["pretrain"]
    return {
        "task": "seedwise_masked_lm",
        "criterion": "seedwise_masked_lm",
        "sample-break-mode": pretrain["sample_break_mode"],
        "mask-prob": pretrain["mask_probability"],
        "tokens-per-sample": pretrain["block_tokens"],
        **launch.architecture_options(settings["architecture"]),
        "dropout": pretrain["dropout"],
        "attention-dropout": pretrain["dropout"],
        **launch.training_options(pretrain, pretrain["seed"], pretrain["updates"], scratch),
        "embeddings-from": (
            str(scratch / EMBEDDINGS) if pretrain["embeddings"] == "cooccurrence" else False
        ),
    }


def main(
    *, corpus: list[Path], settings: dict[str, Any], model: Path, history: Path, metrics: Path
) -> None:
    """Pre-train, or go on where a killed job stopped."""
    pretrain = devices.prepare(settings["pretrain"])
    shards = [path.parent for path in corpus if path.name == "dict.txt"]
    common = shared("pretrain_model", settings, corpus, pretrain, "fairseq", "torch")
    with training_scratch(model.parent, resume_key(pretrain["seed"], common)) as scratch:
        started = time.monotonic()
        if pretrain["embeddings"] == "cooccurrence":
            write_embeddings(shards, settings, scratch / EMBEDDINGS)
        launch.train(
            ":".join(map(str, shards)),
            options=pretraining_options(settings | {"pretrain": pretrain}, scratch),
            selects_best=False,
            processes=pretrain["processes"],
            minutes=pretrain["checkpoint_minutes"],
        )
        checkpoint = load_checkpoint(scratch / "checkpoint_last.pt")
        rows = pd.DataFrame(checkpoint["task_state"]["history"])
        read = min(int(rows["epoch"].max()), len(shards))  # one shard an epoch
        if read < len(shards):
            logger.warning(
                "the %d updates read %d of the corpus's %d shards; texts of all its sources are in "
                "each, but pretrain.updates would have to grow for all of them",
                pretrain["updates"],
                read,
                len(shards),
            )
        with atomic(history) as partial:
            rows.to_csv(partial, index=False)
        launch.export_model(checkpoint, model)
        loss = rows.loc[rows["split"] == "valid", "loss"].iloc[-1]
        write_json(
            metrics,
            {
                "seed": pretrain["seed"],
                "updates": pretrain["updates"],
                "valid_loss": loss,
                "valid_perplexity": math.exp(loss),
                "train_seconds": round(time.monotonic() - started, 2),
                **conditions(devices.name(pretrain["device"]), common),
            },
        )


if __name__ == "__main__":
    with step(snakemake):
        main(
            corpus=[Path(path) for path in snakemake.input.corpus],
            settings=snakemake.params.settings,
            model=Path(snakemake.output.model),
            history=Path(snakemake.output.history),
            metrics=Path(snakemake.output.metrics),
        )
