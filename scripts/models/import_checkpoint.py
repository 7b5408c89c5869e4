"""Take over a published fairseq checkpoint with its dictionary and tokenizer.

Input: an archive or folder with ``model.pt``, ``dict.txt``, and either ``sentencepiece.bpe.model``
or GPT-2's ``encoder.json`` and ``vocab.bpe``. Outputs: ``model.pt``, ``dict.txt``, and either the
SentencePiece model or a tokenizer as transformers keeps it; ``dict.txt`` then holds the pieces
themselves, not GPT-2's numbers of them. ``model.pt`` is written anew: weights in float32 and the
options of the configured architecture, so that nothing else in the published file reaches a later
step. Nothing is written unless all fit each other and the architecture.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

import sentencepiece as sp
import torch

from seedwise.errors import UserError
from seedwise.files import atomic
from seedwise.models.checkpoints import load_checkpoint
from seedwise.models.published import Published, checkpoint_sizes
from seedwise.step import step
from seedwise.tokens import gpt2
from seedwise.tokens.vocabulary import MASK, read_dictionary
from seedwise_fairseq.build import build_model, model_options
from seedwise_fairseq.launch import export_model

logger = logging.getLogger(__name__)

MODEL, DICTIONARY, SENTENCEPIECE = "model.pt", "dict.txt", "sentencepiece.bpe.model"


def check_rows(dictionary: Path, rows: int) -> None:
    """Raise `UserError` if the dictionary does not fit an embedding of so many ``rows``."""
    ids = read_dictionary(dictionary)
    if max(ids.values()) + 1 != rows:
        lines = len(dictionary.read_bytes().splitlines())
        added = max(ids.values()) + 1 - lines
        raise UserError(
            f"{dictionary}: {lines:,} pieces and {added} symbols that fairseq adds make "
            f"{lines + added:,}, but the embedding in {MODEL} has {rows:,} rows"
        )


def check_sentencepiece(dictionary: Path, sentencepiece: Path) -> None:
    """Raise `UserError` if the dictionary does not fit the SentencePiece model.

    It need not hold all of SentencePiece's pieces: those outside it become ``<unk>``.
    """
    ids = read_dictionary(dictionary)
    try:
        processor = sp.SentencePieceProcessor(model_file=str(sentencepiece))
    except (RuntimeError, OSError) as error:
        raise UserError(f"{sentencepiece}: not a SentencePiece model ({error})") from error
    pieces = {processor.id_to_piece(index) for index in range(len(processor))}
    shared = pieces & ids.keys() - {MASK}
    if not shared:
        raise UserError(f"{dictionary}: no piece of it is in {sentencepiece.name}")
    logger.info(
        "%d of the dictionary's %d pieces are SentencePiece's; %d of SentencePiece's are unknown",
        len(shared),
        len(ids.keys() - {MASK}),
        len(pieces - ids.keys()),
    )


def load_weights(checkpoint: dict[str, Any], architecture: dict[str, Any], file: Path) -> Any:
    """Return fairseq's weights of the architecture, brought up to date by fairseq itself.

    Raises:
        UserError: weights are missing, too many or of other shapes.
    """
    model = build_model(architecture)
    try:
        model.load_state_dict(checkpoint["model"], strict=True)
    except (RuntimeError, KeyError) as error:
        reason = "; ".join(line.strip() for line in str(error).splitlines()[1:4]) or str(error)
        raise UserError(f"{file}: not of the configured architecture: {reason}") from error
    return model.state_dict()


def main(*, published: Published, model: Path, dictionary: Path, tokenizer: list[Path]) -> None:
    """Unpack, check, write; ``tokenizer`` is the SentencePiece model, or transformers' files."""
    architecture = published.architecture
    with_sentencepiece = [path.name for path in tokenizer] == [SENTENCEPIECE]
    with published.unpacked("fairseq_checkpoint", model) as folder:
        for file in (MODEL, DICTIONARY, *((SENTENCEPIECE,) if with_sentencepiece else gpt2.FILES)):
            if not (folder / file).is_file():
                held = ", ".join(sorted(path.name for path in folder.iterdir()))
                key = f"models.{published.model}.fairseq_checkpoint.bpe"
                kinds = (
                    f"; {key}: sentencepiece asks for {SENTENCEPIECE}, {key}: gpt2 for "
                    + " and ".join(gpt2.FILES)
                )
                raise UserError(
                    f"{folder / file}: missing{'' if file in (MODEL, DICTIONARY) else kinds}; "
                    f"the folder holds {held}"
                )
        checkpoint = load_checkpoint(folder / MODEL)
        sizes = checkpoint_sizes(checkpoint)
        check_rows(folder / DICTIONARY, sizes.get("vocab_size", architecture["vocab_size"]))
        if with_sentencepiece:
            check_sentencepiece(folder / DICTIONARY, folder / SENTENCEPIECE)
        else:
            gpt2.write_tokenizer(folder, architecture["max_positions"])
        published.check_sizes(sizes, folder / MODEL)
        weights = load_weights(checkpoint, architecture, folder / MODEL)
        options = model_options(architecture)
        options.task = options.criterion = "masked_lm"
        export_model({"model": weights, "args": options}, model)
        for target in (dictionary, *tokenizer):
            with atomic(target) as partial:
                shutil.copyfile(folder / target.name, partial)


if __name__ == "__main__":
    with step(snakemake):
        torch.set_num_threads(snakemake.threads)
        main(
            published=Published.of(snakemake),
            model=Path(snakemake.output.model),
            dictionary=Path(snakemake.output.dictionary),
            tokenizer=[Path(path) for path in snakemake.output.tokenizer],
        )
