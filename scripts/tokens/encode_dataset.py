"""Encode one split with SentencePiece, labels beside it.

Inputs: the split (JSONL), the data set's audit (order of the labels), the SentencePiece model and
fairseq's ``dict.txt``. Outputs: ``tokens``, the ids of each text's pieces in fairseq's binary
format, without ``<s>`` and ``</s>``, ``labels`` (the index of the label a line) and ``counts`` (how
many texts were cut, how many have no piece). A text is cut to ``max_positions`` tokens, ``<s>`` and
``</s>`` included, here and not in the engines, so that every engine sees the same ids.
"""

from collections.abc import Iterator
from pathlib import Path

from seedwise.files import atomic, read_json, read_jsonl, write_json
from seedwise.step import step
from seedwise.tokens.indexed import fitting_type, write_batches
from seedwise.tokens.pieces import Encoder


def main(
    *,
    split: Path,
    audit: Path,
    sentencepiece: Path,
    dictionary: Path,
    max_positions: int,
    threads: int,
    tokens: Path,
    labels: Path,
    counts: Path,
) -> None:
    """Write ``tokens`` (``.bin``, ``.idx``) and a line with the label's index for each text."""
    encoder = Encoder(sentencepiece, dictionary, threads)
    index = {label: i for i, label in enumerate(read_json(audit)["labels"])}
    with atomic(labels) as partial, partial.open("w", encoding="ascii") as stream:

        def texts() -> Iterator[str]:
            for record in read_jsonl(split):
                stream.write(f"{index[record['label']]}\n")
                yield record["text"]

        write_batches(
            tokens, encoder.batches(texts(), longest=max_positions - 2), fitting_type(encoder.size)
        )
    write_json(counts, encoder.counts | {"max_positions": max_positions})


if __name__ == "__main__":
    with step(snakemake):
        main(
            split=Path(snakemake.input.split),
            audit=Path(snakemake.input.audit),
            sentencepiece=Path(snakemake.input.sentencepiece),
            dictionary=Path(snakemake.input.dictionary),
            max_positions=snakemake.params.max_positions,
            threads=snakemake.threads,
            tokens=Path(snakemake.output.tokens).with_suffix(""),
            labels=Path(snakemake.output.labels),
            counts=Path(snakemake.output.counts),
        )
