"""Encode one split with the model's tokenizer, as fairseq-preprocess would write its pieces.

Inputs: the split (JSONL), the tokenizer and fairseq's ``dict.txt``. Outputs: ``tokens``,
the ids of each text's pieces and ``</s>`` in fairseq's binary format, and ``counts`` (of texts,
of those that were cut or have no piece, of pieces and of those lost by cutting). A text, or a pair,
is cut to ``max_positions`` tokens, ``<s>`` and ``</s>`` included, here and not in the engines, so
that every engine sees the same ids.
"""

from pathlib import Path

from seedwise.data.texts import text_of
from seedwise.files import read_jsonl, write_json
from seedwise.step import step
from seedwise.tokens.indexed import fitting_type, write_batches
from seedwise.tokens.pieces import encoder_of


def main(
    *,
    split: Path,
    tokenizer: Path,
    dictionary: Path,
    max_positions: int | None,
    threads: int,
    tokens: Path,
    counts: Path,
) -> None:
    """Write ``tokens`` (``.bin``, ``.idx``) and what was counted.

    A published tokenizer says by itself to how many positions it cuts: ``max_positions`` is None.
    """
    encoder = encoder_of(tokenizer, dictionary, threads)
    max_positions = max_positions or encoder.max_positions
    batches = encoder.batches(map(text_of, read_jsonl(split)), longest=max_positions - 2)
    write_batches(tokens, batches, fitting_type(encoder.size))
    write_json(counts, encoder.counts | {"max_positions": max_positions})


if __name__ == "__main__":
    with step(snakemake):
        main(
            split=Path(snakemake.input.split),
            tokenizer=Path(snakemake.input.tokenizer[0]),
            dictionary=Path(snakemake.input.dictionary),
            max_positions=snakemake.params.max_positions,
            threads=snakemake.threads,
            tokens=Path(snakemake.output.tokens).with_suffix(""),
            counts=Path(snakemake.output.counts),
        )
