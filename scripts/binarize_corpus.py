"""Binarize a model's corpus with fairseq-preprocess.

Inputs: the pieces of its two parts and fairseq's ``dict.txt``. Outputs: ``{train,valid}.bin``,
``.idx`` and ``dict.txt``, for fairseq's masked-language modelling task.
"""

from pathlib import Path

from seedwise.log import log_to
from seedwise_fairseq.binarize import binarize


def main(*, train: Path, valid: Path, dictionary: Path, output: Path) -> None:
    """Binarize both parts into the folder ``output``."""
    binarize({"train": train, "valid": valid}, dictionary, output)


if __name__ == "__main__":
    with log_to(snakemake.log[0]):
        main(
            train=Path(snakemake.input.train),
            valid=Path(snakemake.input.valid),
            dictionary=Path(snakemake.input.dictionary),
            output=Path(snakemake.output[0]).parent,
        )
