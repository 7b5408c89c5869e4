"""Untrained classifiers of transformers, with tokenizers, as runs and exports leave them."""

import torch
from transformers import RobertaForSequenceClassification

from seedwise.models.classification import mark_pairs
from seedwise.models.conversion import build_tokenizer, roberta_config
from support.tiny.chain import ARCHITECTURE

LABELS = ["negative", "neutral", "positive"]


def write_model(folder, seed, tokens, labels=LABELS, pairs=False):
    """Write a model with large weights, so that its labels differ, and its tokenizer."""
    torch.manual_seed(seed)
    model = RobertaForSequenceClassification(roberta_config(ARCHITECTURE, labels))
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    mark_pairs(model, pairs)
    model.save_pretrained(folder)
    build_tokenizer(
        tokens / "sentencepiece.bpe.model", tokens / "dict.txt", ARCHITECTURE["max_positions"]
    ).save_pretrained(folder)
