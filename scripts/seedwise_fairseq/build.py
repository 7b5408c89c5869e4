"""fairseq's RoBERTa, built from a study's architecture alone."""

import argparse
import types
from typing import Any

from fairseq import models
from fairseq.data import Dictionary
from fairseq.models.roberta import RobertaModel

from seedwise.tokens.vocabulary import MASK
from seedwise_fairseq import launch


def model_options(architecture: dict[str, Any]) -> argparse.Namespace:
    """Return the options that build a model, as fairseq keeps them in a checkpoint."""
    options = launch.architecture_options(architecture)
    return argparse.Namespace(**{name.replace("-", "_"): value for name, value in options.items()})


def build_model(architecture: dict[str, Any]) -> RobertaModel:
    """Return a RoBERTa with random weights, as `fairseq-train` builds it."""
    dictionary = Dictionary()
    for index in range(architecture["vocab_size"] - len(dictionary) - 1):
        dictionary.add_symbol(f"piece{index}")
    dictionary.add_symbol(MASK)
    task = types.SimpleNamespace(source_dictionary=dictionary)
    return models.build_model(model_options(architecture), task)
