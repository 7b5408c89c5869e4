"""Binarize a data set's pieces and labels with fairseq-preprocess.

Inputs: pieces and label indices of the three splits, fairseq's ``dict.txt``, and the audit
(number of labels). Outputs: the folders ``input0/`` and ``label/`` of fairseq's sentence
prediction task.
"""

import tempfile
from pathlib import Path

from seedwise.files import read_json
from seedwise.log import log_to
from seedwise_fairseq.binarize import binarize


def label_dictionary(count: int) -> str:
    """Return a ``dict.txt`` that keeps label indices in order.

    Left to itself, fairseq orders labels by frequency, and the classes change places.
    """
    return "".join(f"{index} 1\n" for index in range(count))


def main(
    *, pieces: list[Path], labels: list[Path], dictionary: Path, audit: Path, output: Path
) -> None:
    """Binarize both; the files of each list are named ``{split}.pieces`` or ``{split}.label``."""
    binarize({path.stem: path for path in pieces}, dictionary, output / "input0")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as stream:
        stream.write(label_dictionary(len(read_json(audit)["labels"])))
        stream.flush()
        binarize({path.stem: path for path in labels}, Path(stream.name), output / "label")


if __name__ == "__main__":
    with log_to(snakemake.log[0]):
        main(
            pieces=[Path(path) for path in snakemake.input.pieces],
            labels=[Path(path) for path in snakemake.input.labels],
            dictionary=Path(snakemake.input.dictionary),
            audit=Path(snakemake.input.audit),
            output=Path(snakemake.output.pieces[0]).parents[1],
        )
