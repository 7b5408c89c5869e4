"""Convert a pre-trained fairseq model to a transformers folder, and check that both agree.

Inputs: the fairseq checkpoint, tokenizer and dictionary, fairseq's masked-LM logits
(``reference``), and the texts and binarized tokens of every data set used with the model.
Outputs: the folder ``config.json``, ``model.safetensors`` and tokenizer files, and ``report``
(JSON: largest difference of the logits, texts whose ids were compared). Nothing is written
unless the logits agree within 1e-4 and every id is the same.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, PreTrainedTokenizer, RobertaForMaskedLM

from seedwise.data.texts import text_of
from seedwise.errors import UserError
from seedwise.files import atomic, read_jsonl, write_json
from seedwise.models.checkpoints import load_checkpoint
from seedwise.models.classification import tokenize
from seedwise.models.conversion import build_model, build_tokenizer
from seedwise.step import step
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import BOS_ID, PAD_ID

logger = logging.getLogger(__name__)

LOGIT_TOLERANCE = 1e-4
"""Both compute in float32, in another order: logits of magnitude 10 differ by some 1e-5."""


@torch.inference_mode()
def largest_logit_difference(model: RobertaForMaskedLM, reference: dict[str, np.ndarray]) -> float:
    """Return the largest absolute difference from fairseq's logits at the masked tokens."""
    tokens = torch.from_numpy(reference["tokens"])
    hidden = model.roberta(tokens, attention_mask=tokens.ne(PAD_ID).long()).last_hidden_state
    logits = model.lm_head(hidden[tuple(reference["positions"].T)])  # (masked, vocabulary)
    return float((logits - torch.from_numpy(reference["logits"])).abs().max())


def differing_ids(
    tokenizer: PreTrainedTokenizer, texts: list[str], binarized: list[np.ndarray]
) -> list[int]:
    """Return the texts, by index, for which the tokenizer does not yield fairseq's ids."""
    ids = tokenize(tokenizer, texts, truncation=True)["input_ids"]
    expected = [[BOS_ID, *text.tolist()] for text in binarized]
    return [index for index, (a, b) in enumerate(zip(ids, expected, strict=True)) if a != b]


def main(
    *,
    checkpoint: Path,
    tokenizer: Path,
    dictionary: Path,
    reference: Path,
    texts: list[Path],
    tokens: list[Path],
    architecture: dict[str, Any],
    max_tokens: int,
    folder: Path,
    report: Path,
) -> None:
    """Convert, check, write. ``texts`` (JSONL) and ``tokens`` (``.bin``) go in pairs."""
    weights = load_checkpoint(checkpoint)["model"]
    model = build_model(weights, architecture, labels=None, source=str(checkpoint))
    difference = largest_logit_difference(model, dict(np.load(reference)))
    if not difference <= LOGIT_TOLERANCE:
        raise UserError(
            f"{checkpoint}: the converted model's logits differ from fairseq's by {difference:.2g},"
            f" more than {LOGIT_TOLERANCE:g}"
        )
    with atomic(folder) as partial:
        model.save_pretrained(partial)
        build_tokenizer(tokenizer, dictionary, max_tokens).save_pretrained(partial)
        # Read back as a user will read it.
        read_back = AutoTokenizer.from_pretrained(partial)
        compared = 0
        for text_file, token_file in zip(texts, tokens, strict=True):
            split = list(map(text_of, read_jsonl(text_file)))
            differing = differing_ids(read_back, split, read_texts(token_file.with_suffix("")))
            if differing:
                raise UserError(
                    f"{text_file}: AutoTokenizer and fairseq number {len(differing)} texts "
                    f"differently, the first on line {differing[0] + 1}"
                )
            compared += len(split)
    write_json(report, {"largest_logit_difference": difference, "texts_with_equal_ids": compared})
    logger.info("logits differ by at most %.2g; equal ids for %d texts", difference, compared)


if __name__ == "__main__":
    with step(snakemake):
        main(
            checkpoint=Path(snakemake.input.checkpoint),
            tokenizer=Path(snakemake.input.tokenizer[0]),
            dictionary=Path(snakemake.input.dictionary),
            reference=Path(snakemake.input.reference),
            texts=[Path(path) for path in snakemake.input.texts],
            tokens=[Path(path) for path in snakemake.input.tokens],
            architecture=snakemake.params.architecture,
            max_tokens=snakemake.params.max_tokens,
            folder=Path(snakemake.output.folder[0]).parent,
            report=Path(snakemake.output.report),
        )
