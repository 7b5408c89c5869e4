"""Merge a LoRA adapter into its base model and save the whole, ready for transformers.

Inputs: ``base`` (a folder in transformers' format) and ``adapter`` (a folder in peft's). Output:
``folder``. An adapter that was trained on 4-bit weights is merged into the full ones: what it
learnt to correct of their rounding stays in it.
"""

from pathlib import Path

import peft

from seedwise.errors import UserError
from seedwise.files import atomic
from seedwise.lora.adapters import load_base, load_tokenizer
from seedwise.step import step


def main(*, base: Path, adapter: Path, folder: Path) -> None:
    """Write the merged model and the base's tokenizer to ``folder``.

    Raises:
        UserError: The adapter cannot be loaded, or does not fit the base.
    """
    tokenizer = load_tokenizer(base)
    model = load_base(base, {"type": "none"}, "cpu")
    try:
        merged = peft.PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"{adapter}: cannot be merged into {base}: {error}") from None
    with atomic(folder) as partial:
        merged.save_pretrained(partial)
        tokenizer.save_pretrained(partial)


if __name__ == "__main__":
    with step(snakemake):
        main(
            base=Path(snakemake.input.base[0]),
            adapter=Path(snakemake.input.adapter_weights).parent,
            folder=Path(snakemake.output.folder),
        )
