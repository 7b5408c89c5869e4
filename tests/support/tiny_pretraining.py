"""A binarized corpus of the small texts, and the settings of a pre-training on it."""

import binarize_corpus
import encode_corpus
from support.small_texts import TEXTS
from support.tiny_chain import Chain

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
    "checkpoint_updates": 10,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "processes": 1,
}


TRAIN = [*TEXTS[:100], " ".join(TEXTS[:20]), *["the film"] * 20]


def write_corpus(chain: Chain, train: list[str] = TRAIN, name: str = "corpus") -> None:
    """Binarize a corpus beside the chain; some texts are longer than a block, some short."""
    corpus = chain.folder / name
    corpus.mkdir()
    for split, texts in (("train", train), ("valid", TEXTS[100:])):
        (corpus / f"{split}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
        encode_corpus.main(
            texts=corpus / f"{split}.txt",
            sentencepiece=chain.tokens / "sentencepiece.bpe.model",
            dictionary=chain.tokens / "dict.txt",
            block_tokens=PRETRAIN["block_tokens"],
            threads=1,
            tokens=corpus / split,
        )
    binarize_corpus.main(
        train=corpus / "train",
        valid=corpus / "valid",
        dictionary=chain.tokens / "dict.txt",
        output=corpus / "binarized",
    )
