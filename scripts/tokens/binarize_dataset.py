"""Binarize a data set's tokens and labels, as fairseq-preprocess does.

Inputs: tokens and label indices of the three splits, fairseq's ``dict.txt``, and the audit
(number of labels). Outputs: the folders ``input0/`` and ``label/`` of fairseq's sentence
prediction task.
"""

import tempfile
from pathlib import Path

from seedwise.files import read_json
from seedwise.step import step
from seedwise.tokens.binarized import binarize, label_batches
from seedwise.tokens.indexed import read_batches


def label_dictionary(count: int) -> str:
    """Return a ``dict.txt`` that keeps label indices in order.

    Left to itself, fairseq orders labels by frequency, and the classes change places.
    """
    return "".join(f"{index} 1\n" for index in range(count))


def main(
    *, tokens: list[Path], labels: list[Path], dictionary: Path, audit: Path, output: Path
) -> None:
    """Binarize both; the files of each list are named ``{split}.bin`` or ``{split}.label``."""
    texts = {path.stem: read_batches(path.with_suffix("")) for path in tokens}
    binarize(texts, dictionary, output / "input0")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as stream:
        stream.write(label_dictionary(len(read_json(audit)["labels"])))
        stream.flush()
        numbers = {path.stem: label_batches(path) for path in labels}
        binarize(numbers, Path(stream.name), output / "label")


if __name__ == "__main__":
    with step(snakemake):
        main(
            tokens=[Path(path) for path in snakemake.input.tokens],
            labels=[Path(path) for path in snakemake.input.labels],
            dictionary=Path(snakemake.input.dictionary),
            audit=Path(snakemake.input.audit),
            output=Path(snakemake.output.tokens[0]).parents[1],
        )
