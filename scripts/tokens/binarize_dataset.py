"""Complete a data set's encoded texts to what fairseq-preprocess leaves: labels and dictionaries.

Where texts have scores, these stand in place of labels as fairseq reads them, in the units in which
models learn them.

Inputs: the splits (JSONL), their encoded texts, fairseq's ``dict.txt``, and the audit (order of the
labels, range of scores). Outputs: the folder ``label/``, and ``dict.txt`` beside the texts in
``input0/``, for fairseq's sentence prediction task.
"""

import shutil
from pathlib import Path

import numpy as np

from seedwise.files import atomic, read_json, read_jsonl, write_text
from seedwise.step import step
from seedwise.study.labels import Units
from seedwise.tokens.indexed import Batch, count_texts, fitting_type, lists, write_batches
from seedwise.tokens.vocabulary import EOS_ID, UNK_ID


def label_dictionary(count: int) -> str:
    """Return a ``dict.txt`` that keeps label indices in order.

    Left to itself, fairseq orders labels by frequency, and the classes change places.
    """
    return "".join(f"{index} 1\n" for index in range(count))


def label_batch(indices: list[int]) -> Batch:
    """Return a text for each label: its number in `label_dictionary`, and ``</s>``."""
    ends = np.full(len(indices), EOS_ID)
    numbers = np.stack([np.array(indices) + UNK_ID + 1, ends], axis=1)  # (texts, 2)
    return numbers.reshape(-1), np.full(len(indices), 2)


def main(*, splits: list[Path], dictionary: Path, audit: Path, output: Path) -> None:
    """Write into ``output`` what is missing there; splits are named ``{split}.jsonl``."""
    known = read_json(audit)
    units = Units.of(known)
    index = {label: i for i, label in enumerate(known["labels"])}
    for split in splits:
        given = (record["label"] for record in read_jsonl(split))
        if units:
            scores = units.learned(given)
            labels = len(scores)
            lines = "".join(f"{score!r}\n" for score in scores)
            write_text(output / "label" / f"{split.stem}.label", lines)
        else:
            batches = map(label_batch, lists(index[label] for label in given))
            labels = write_batches(output / "label" / split.stem, batches, fitting_type(len(index)))
        texts = count_texts(output / "input0" / split.stem)
        if labels != texts:
            raise RuntimeError(f"{split}: {labels} labels, but {texts} encoded texts")
    with atomic(output / "input0" / "dict.txt") as partial:
        shutil.copyfile(dictionary, partial)
    if not units:
        write_text(output / "label" / "dict.txt", label_dictionary(len(index)))


if __name__ == "__main__":
    with step(snakemake):
        main(
            splits=[Path(path) for path in snakemake.input.splits],
            dictionary=Path(snakemake.input.dictionary),
            audit=Path(snakemake.input.audit),
            output=Path(snakemake.output.dictionary).parents[1],
        )
