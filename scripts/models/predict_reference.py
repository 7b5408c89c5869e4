"""Compute masked-LM logits with fairseq, for comparison with the converted model.

Inputs: a fairseq checkpoint and a binarized data set. Output: ``reference`` (NPZ), for up to
64 validation texts: ``tokens`` (texts, longest), padded; ``positions`` (masked, 2), the row and
column of each masked token; ``logits`` (masked, vocabulary).
"""

from pathlib import Path

import numpy as np
import torch

from seedwise.files import atomic
from seedwise.step import step
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import BOS_ID, PAD_ID
from seedwise_fairseq.predict import load_model

TEXTS = 64
MASK_EVERY = 7
"""About one token in seven, as in pre-training (15 %)."""


def masked_batch(texts: list[np.ndarray], mask_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Return padded tokens (texts, longest) with masks, and the masks' places (masked, 2)."""
    longest = 1 + max(len(text) for text in texts)
    tokens = np.full((len(texts), longest), PAD_ID, dtype=np.int64)
    positions = []
    for row, text in enumerate(texts):
        tokens[row, : len(text) + 1] = [BOS_ID, *text]
        masked = range(1, len(text), MASK_EVERY)  # neither <s> nor </s>
        tokens[row, list(masked)] = mask_id
        positions += [(row, column) for column in masked]
    return tokens, np.array(positions, dtype=np.int64).reshape(-1, 2)


@torch.inference_mode()
def main(*, model: Path, binarized: Path, reference: Path) -> None:
    """Mask the texts, run fairseq's model in float32, and keep the logits at the masks."""
    network, task = load_model(model, binarized, "cpu")
    texts = [text for text in read_texts(binarized / "valid") if len(text) > 1][:TEXTS]
    tokens, positions = masked_batch(texts, task.source_dictionary.index("<mask>"))
    masked = torch.zeros(tokens.shape, dtype=torch.bool)
    masked[tuple(positions.T)] = True
    logits, _ = network(torch.from_numpy(tokens), masked_tokens=masked)  # (masked, vocabulary)
    with atomic(reference) as partial, partial.open("wb") as stream:
        np.savez(stream, tokens=tokens, positions=positions, logits=logits.numpy())


if __name__ == "__main__":
    with step(snakemake):
        main(
            model=Path(snakemake.input.model),
            binarized=Path(snakemake.input.binarized[0]).parent,
            reference=Path(snakemake.output.reference),
        )
