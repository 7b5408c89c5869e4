"""Merge a LoRA adapter into its base model and save the whole, ready for transformers.

    python scripts/merge_adapter.py --base BASE --adapter ADAPTER --output FOLDER

BASE is the base model's folder in transformers' format, ADAPTER a folder in peft's. An adapter
that was trained on 4-bit weights is merged into the full ones: what it learnt to correct of
their rounding stays in it.
"""

import argparse
import sys
from pathlib import Path

import peft

from seedwise import lora
from seedwise.errors import UserError
from seedwise.files import atomic


def merge(base: Path, adapter: Path, output: Path) -> None:
    """Write the merged model and the base's tokenizer to ``output``.

    Raises:
        UserError: The adapter cannot be loaded, or does not fit the base.
    """
    tokenizer = lora.load_tokenizer(base)
    model = lora.load_base(base, {"type": "none"}, "cpu")
    try:
        merged = peft.PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{adapter}: cannot be merged into {base}: {error}") from None
    with atomic(output) as partial:
        merged.save_pretrained(partial)
        tokenizer.save_pretrained(partial)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and merge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("base", "adapter", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        merge(options.base, options.adapter, options.output)
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
