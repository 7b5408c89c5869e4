"""Binarize a model's corpus, as fairseq-preprocess does.

Inputs: the tokens of its two parts and fairseq's ``dict.txt``. Outputs: ``{train,valid}.bin``,
``.idx`` and ``dict.txt``, for fairseq's masked-language modelling task.
"""

from pathlib import Path

from seedwise.step import step
from seedwise.tokens.binarized import binarize
from seedwise.tokens.indexed import read_batches


def main(*, train: Path, valid: Path, dictionary: Path, output: Path) -> None:
    """Binarize both parts into the folder ``output``."""
    parts = {"train": train, "valid": valid}
    binarize({part: read_batches(path) for part, path in parts.items()}, dictionary, output)


if __name__ == "__main__":
    with step(snakemake):
        main(
            train=Path(snakemake.input.train[0]).with_suffix(""),
            valid=Path(snakemake.input.valid[0]).with_suffix(""),
            dictionary=Path(snakemake.input.dictionary),
            output=Path(snakemake.output[0]).parent,
        )
