"""Encode one split with SentencePiece: pieces for fairseq-preprocess, labels beside them.

Inputs: the split (JSONL), the data set's audit (order of the labels) and the SentencePiece
model. Outputs: ``pieces`` (pieces separated by spaces, a text a line) and ``labels`` (the index
of the label a line). A text is cut to ``max_positions`` tokens, ``<s>`` and ``</s>`` included,
here and not in the engines, so that every engine sees the same ids.
"""

import logging
from pathlib import Path

from seedwise.files import read_json, read_jsonl, write_text
from seedwise.log import log_to
from seedwise.pieces import write_pieces

logger = logging.getLogger(__name__)


def main(
    *,
    split: Path,
    audit: Path,
    sentencepiece: Path,
    max_positions: int,
    pieces: Path,
    labels: Path,
) -> None:
    """Write a line of pieces and a line with the label's index for each text."""
    texts = (record["text"] for record in read_jsonl(split))
    counts = write_pieces(texts, sentencepiece, pieces, longest=max_positions - 2)
    index = {label: str(i) for i, label in enumerate(read_json(audit)["labels"])}
    write_text(labels, "".join(f"{index[record['label']]}\n" for record in read_jsonl(split)))
    logger.info("%s: %s, longest text %d tokens", split, counts, max_positions)


if __name__ == "__main__":
    with log_to(snakemake.log[0]):
        main(
            split=Path(snakemake.input.split),
            audit=Path(snakemake.input.audit),
            sentencepiece=Path(snakemake.input.sentencepiece),
            max_positions=snakemake.params.max_positions,
            pieces=Path(snakemake.output.pieces),
            labels=Path(snakemake.output.labels),
        )
