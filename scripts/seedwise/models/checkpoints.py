"""Read fairseq's checkpoints without fairseq, and without running what they might carry."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray

from seedwise.errors import UserError

PLAIN_VALUES = [
    argparse.Namespace,
    np.ndarray,
    np.dtype,
    *{type(np.dtype(code)) for code in "?" + np.typecodes["AllInteger"] + "efd"},
    *[
        (function, f"{module}.multiarray.{function.__name__}")
        for function in (multiarray.scalar, multiarray._reconstruct)
        for module in ("numpy.core", "numpy._core")  # before and since numpy 2
    ],
]
"""What fairseq's checkpoints hold beside tensors: options, and in some numpy's numbers."""


def _unsafe_classes(path: Path) -> list[str]:
    """Return the names of what the checkpoint would call; none if torch cannot tell."""
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:
        return []


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load a fairseq checkpoint onto the processor: tensors and plain values, never code.

    Raises:
        UserError: the file carries anything else, or is no checkpoint.
    """
    try:
        # Not allowed by `with safe_globals`, which would forbid them afterwards to fairseq's own
        # loader too.
        torch.serialization.add_safe_globals(PLAIN_VALUES)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if unsafe := _unsafe_classes(path):
            raise UserError(
                f"{path}: refused, because it carries code beside tensors: {', '.join(unsafe)}"
            ) from error
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{path}: not a checkpoint that torch can read ({reason})") from error
    if not isinstance(checkpoint, dict) or "model" not in checkpoint:
        raise UserError(f"{path}: not a fairseq checkpoint; it has no entry 'model'")
    return checkpoint
