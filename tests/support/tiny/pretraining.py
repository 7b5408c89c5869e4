"""A binarized corpus of the small texts, and the settings of a pre-training on it."""

import binarize_corpus
import encode_corpus
from seedwise.files import write_text
from support.small_texts import TEXTS
from support.tiny.chain import Chain

PRETRAIN = {
    "seed": 4,
    "updates": 24,
    "batch_size": 8,
    "block_tokens": 24,
    "sample_break_mode": "complete",
    "mask_probability": 0.15,
    "embeddings": "random",
    "dropout": 0.1,
    "learning_rate": 5e-3,
    "warmup_ratio": 0.06,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
    "checkpoint_minutes": 0,
    "checkpoint_updates": 10,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "processes": 1,
}


TRAIN = [*TEXTS[:100], " ".join(TEXTS[:20]), *["the film"] * 20]


def write_corpus(chain: Chain, train: list[str] = TRAIN, name: str = "corpus") -> None:
    """Binarize a corpus beside the chain; some texts are longer than a block, some short."""
    corpus, rest = chain.folder / name, chain.folder / f"{name}-rest"
    for folder, split, texts in ((corpus, "train", train), (rest, "valid", TEXTS[100:])):
        write_text(rest / f"{split}.txt", "\n".join(texts) + "\n")
        encode_corpus.main(
            texts=rest / f"{split}.txt",
            sentencepiece=chain.tokens / "sentencepiece.bpe.model",
            dictionary=chain.tokens / "dict.txt",
            block_tokens=PRETRAIN["block_tokens"],
            threads=1,
            tokens=folder / split,
        )
    binarize_corpus.main(
        valid=[rest / "valid.bin", rest / "valid.idx"],
        dictionary=chain.tokens / "dict.txt",
        shard=corpus,
    )
