"""How many tokens texts have, cut as the study's model will cut them, or about how many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentencepiece

from seedwise.data.texts import parts, word_count
from seedwise.proposal.named_encoders import NamedEncoder, opened
from seedwise.study.encoders import with_needed_files
from seedwise.study.sources import source_path

PIECES_PER_WORD = 1.6
_COUNTED = 100_000  # characters of a text


@dataclass(frozen=True)
class Lengths:
    """Tokens of each text, special ones included.

    Attributes:
        tokens: Shape (texts,).
        counted: Whether they were counted, not estimated from the number of words.
    """

    tokens: np.ndarray
    counted: bool

    def said(self, longest: int) -> str:
        """Return what a study says of them, beside the length at which texts are cut."""
        if not self.counted:
            return f"by their words, the texts have some {self._middle} (median) to {self._most}"
        cut = (self.tokens > longest).mean()
        return (
            f"{cut:.1%} of the training texts have more (median {self._middle}, most {self._most})"
        )

    @property
    def _middle(self) -> int:
        return int(np.median(self.tokens))

    @property
    def _most(self) -> int:
        return int(self.tokens.max())


def estimated(texts: Sequence[str]) -> Lengths:
    """Return the lengths of texts by their words alone."""
    words = np.array(list(map(word_count, texts)))
    return Lengths(PIECES_PER_WORD * words + 2, counted=False)


def _counted(texts: Sequence[str], count: Callable[[list[str]], list[int]]) -> Lengths:
    """Return the lengths that ``count`` finds; those of huge texts in proportion to a part."""
    found = np.array(count([text[:_COUNTED] for text in texts]))
    whole = np.array([max(1, len(text) / _COUNTED) for text in texts])
    return Lengths((found * whole).astype(int), counted=True)


def by_sentencepiece(model: bytes, texts: Sequence[str]) -> Lengths:
    """Return the lengths of texts, or pairs, by a SentencePiece model, as RoBERTa reads them."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)

    def count(texts: list[str]) -> list[int]:
        columns = [column for column in parts(texts) if column is not None]
        pieces = [list(map(len, processor.encode(column))) for column in columns]
        return [sum(each) + 2 * len(columns) for each in zip(*pieces, strict=True)]

    return _counted(texts, count)


def by_encoder(encoder: NamedEncoder, texts: Sequence[str]) -> Lengths:
    """Return the lengths of texts by a published encoder's tokenizer; estimated if not at hand."""
    from transformers import AutoTokenizer  # a matter of seconds

    from seedwise.models.classification import tokenize

    source = Path(source_path(with_needed_files(encoder.located)["source"]))
    if not source.exists():
        return estimated(texts)
    with opened(source, encoder.located) as folder:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)

        def count(texts: list[str]) -> list[int]:
            return list(map(len, tokenize(tokenizer, texts, verbose=False)["input_ids"]))

        return _counted(texts, count)
