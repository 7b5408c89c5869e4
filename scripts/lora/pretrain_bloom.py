"""Make a small BLOOM and its tokenizer, and pre-train it to predict the next token.

Inputs: JSONL files with a ``text`` each. Outputs: a folder in transformers' format,
``history.csv`` (epoch, split, loss in nats per token, update) and ``metrics.json``.
"""

import itertools
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.modules["peft"] = None  # type: ignore[assignment]  # a second of imports, for adapters

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    set_seed,
)

from seedwise.environment import conditions, resume_key, shared
from seedwise.errors import UserError
from seedwise.files import atomic, read_jsonl, write_json
from seedwise.lora.causal_training import train
from seedwise.machine import device as devices
from seedwise.machine.scratch import training_scratch
from seedwise.step import step

PACKAGES = ("torch", "transformers", "tokenizers")
# In the order of their ids, as in BLOOM's own tokenizer.
SPECIAL = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerBase:
    """Train a byte-level BPE on ``texts``, with BLOOM's special tokens as ids 0 to 3."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL.values()),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIAL)


def pack_blocks(
    tokenizer: PreTrainedTokenizerBase, texts: list[str], block_tokens: int
) -> list[dict[str, list[int]]]:
    """Lay the texts end to end, an end token after each, and cut them into equal blocks.

    Raises:
        UserError: The texts do not fill one block.
    """
    encoded = tokenizer(texts, add_special_tokens=False)["input_ids"]
    stream = list(itertools.chain.from_iterable([*ids, tokenizer.eos_token_id] for ids in encoded))
    blocks = [
        stream[start : start + block_tokens]
        for start in range(0, len(stream) - block_tokens + 1, block_tokens)
    ]
    if not blocks:
        raise UserError(
            f"pretrain.block_tokens: the corpus has {len(stream)} tokens, fewer than one block of "
            f"{block_tokens}"
        )
    return [{"input_ids": block, "labels": block} for block in blocks]


def build_bloom(architecture: dict[str, int], seed: int) -> BloomForCausalLM:
    """Build a BLOOM of the given sizes with random weights."""
    set_seed(seed)
    return BloomForCausalLM(
        BloomConfig(
            vocab_size=architecture["vocab_size"],
            hidden_size=architecture["hidden_size"],
            n_layer=architecture["layers"],
            n_head=architecture["attention_heads"],
            unk_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=3,
        )
    )


def main(
    *, corpus: list[Path], settings: dict[str, Any], folder: Path, history: Path, metrics: Path
) -> None:
    """Pre-train, or go on where a killed job stopped."""
    pretrain = devices.prepare(settings["pretrain"])
    pretrain["eval_updates"] = max(1, pretrain["updates"] // 20)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    common = shared("pretrain_bloom", settings, corpus, pretrain, *PACKAGES)
    texts = [record["text"] for path in corpus for record in read_jsonl(path)]
    tokenizer = train_tokenizer(texts, settings["architecture"]["vocab_size"])
    blocks = pack_blocks(tokenizer, texts, pretrain["block_tokens"])
    model = build_bloom(settings["architecture"], pretrain["seed"])
    with training_scratch(metrics.parent, resume_key(pretrain["seed"], common)) as scratch:
        rows, seconds = train(
            model,
            tokenizer,
            blocks,
            pretrain,
            seed=pretrain["seed"],
            scratch=scratch,
        )
        with atomic(folder) as partial:
            model.save_pretrained(partial)
            tokenizer.save_pretrained(partial)
        with atomic(history) as partial:
            rows.to_csv(partial, index=False)
        write_json(
            metrics,
            {
                "seed": pretrain["seed"],
                "updates": pretrain["updates"],
                "texts": len(texts),
                "tokens": len(blocks) * pretrain["block_tokens"],
                "parameters": model.num_parameters(),
                "train_loss": rows["loss"].iloc[-1],
                "train_seconds": round(seconds, 2),
                **conditions(devices.name(pretrain["device"]), common),
            },
        )


if __name__ == "__main__":
    with step(snakemake):
        main(
            corpus=[Path(path) for path in snakemake.input.corpus],
            settings=snakemake.params.settings,
            folder=Path(snakemake.output.folder),
            history=Path(snakemake.output.history),
            metrics=Path(snakemake.output.metrics),
        )
