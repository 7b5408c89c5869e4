"""Texts to the numbers of their pieces, in batches: memory stays flat however long the text."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import sentencepiece

from seedwise.tokens.indexed import Batch, lists
from seedwise.tokens.vocabulary import EOS_ID, UNK_ID, read_pieces


class Encoder:
    """Cuts texts into pieces with SentencePiece and numbers them with fairseq's dictionary.

    Attributes:
        size: number of ids, those that no ``dict.txt`` lists included.
        counts: how many texts there were, how many of them were ``cut`` and how many ``empty``.
    """

    def __init__(self, model: Path, dictionary: Path, threads: int = 1) -> None:
        self._processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        self._threads = threads
        self._ids = read_pieces(dictionary)
        known = [self._processor.id_to_piece(i) for i in range(len(self._processor))]
        self._numbers = np.array([self._number(piece) for piece in known])
        # A dictionary made of encoded text may number what is unknown to SentencePiece.
        self._extra = bool(self._ids.keys() - set(known))
        self.size = UNK_ID + 1 + len(self._ids)
        self.counts = {"texts": 0, "cut": 0, "empty": 0}

    def _number(self, piece: str) -> int:
        """Return a piece's id; fairseq knows none that holds white space, where it separates."""
        return self._ids.get(piece, UNK_ID) if piece.split() == [piece] else UNK_ID

    def _numbered(self, text: str, pieces: np.ndarray) -> np.ndarray:
        if self._extra and (pieces == self._processor.unk_id()).any():
            words = self._processor.encode(text, out_type=str)
            return np.array([self._number(word) for word in words])
        return self._numbers[pieces]

    def batches(
        self, texts: Iterable[str], longest: int, keep_rest: bool = False
    ) -> Iterator[Batch]:
        """Yield the ids of the texts, in order, at most ``longest`` for each and then ``</s>``.

        Args:
            texts: the texts.
            longest: the largest number of tokens.
            keep_rest: go on as a text of its own with what is left of a longer one; otherwise it
                is cut.
        """
        for batch in lists(texts):
            encoded = self._processor.encode(batch, out_type="numpy", num_threads=self._threads)
            ids = [self._numbered(*pair) for pair in zip(batch, encoded, strict=True)]
            self.counts["texts"] += len(ids)
            self.counts["cut"] += sum(len(text) > longest for text in ids)
            self.counts["empty"] += sum(len(text) == 0 for text in ids)
            if keep_rest:
                ids = [
                    text[start : start + longest]
                    for text in ids
                    for start in range(0, max(len(text), 1), longest)
                ]
            ids = [text[:longest] for text in ids]
            sizes = np.array([len(text) for text in ids])
            yield np.insert(np.concatenate(ids), np.cumsum(sizes), EOS_ID), sizes + 1
