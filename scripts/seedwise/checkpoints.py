"""Read fairseq's checkpoints without fairseq, and without running what they might carry."""

import argparse
import contextlib
from pathlib import Path
from typing import Any

import torch

from seedwise.errors import UserError


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load a fairseq checkpoint onto the processor: tensors and plain values, never code.

    Raises:
        UserError: the file carries anything else, or is no checkpoint.
    """
    try:
        # The one class that fairseq's checkpoints need; it holds plain values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        with contextlib.suppress(Exception):
            unsafe = torch.serialization.get_unsafe_globals_in_checkpoint(path)
            raise UserError(
                f"{path}: refused, because it carries code beside tensors: {', '.join(unsafe)}"
            ) from error
        raise UserError(f"{path}: not a checkpoint that torch can read ({error})") from error
    if not isinstance(checkpoint, dict) or "model" not in checkpoint:
        raise UserError(f"{path}: not a fairseq checkpoint; it has no entry 'model'")
    return checkpoint
