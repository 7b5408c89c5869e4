"""Texts to the numbers of their pieces, in batches: memory stays flat however long the text."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import sentencepiece

from seedwise.tokens.indexed import Batch, lists
from seedwise.tokens.published import TOKENIZER, PublishedTokenizer
from seedwise.tokens.vocabulary import EOS_ID, UNK_ID, read_dictionary, read_pieces


class Encoder(ABC):
    """Cuts texts into pieces and numbers them with fairseq's dictionary.

    Attributes:
        size: number of ids, those that no ``dict.txt`` lists included.
        max_positions: the longest sequence in tokens, where the tokenizer sets it.
        counts: how many texts there were, how many of them were ``cut`` and how many ``empty``.
    """

    max_positions: int | None = None

    def __init__(self, dictionary: Path, threads: int) -> None:
        self._threads = threads
        self._ids = read_pieces(dictionary)
        self.size = UNK_ID + 1 + len(self._ids)
        self.counts = {"texts": 0, "cut": 0, "empty": 0}

    @abstractmethod
    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """Return the ids of each text's pieces, shape (pieces,), without ``<s>`` and ``</s>``."""

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
            ids = self.encode(batch)
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


class SentencePieceEncoder(Encoder):
    """Cuts texts with a SentencePiece model; pieces outside the dictionary are unknown."""

    def __init__(self, model: Path, dictionary: Path, threads: int = 1) -> None:
        super().__init__(dictionary, threads)
        self._processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        known = [self._processor.id_to_piece(i) for i in range(len(self._processor))]
        self._numbers = np.array([self._number(piece) for piece in known])
        # A dictionary made of encoded text may number what is unknown to SentencePiece.
        self._extra = bool(self._ids.keys() - set(known))

    def _number(self, piece: str) -> int:
        """Return a piece's id; fairseq knows none that holds white space, where it separates."""
        return self._ids.get(piece, UNK_ID) if piece.split() == [piece] else UNK_ID

    def _numbered(self, text: str, pieces: np.ndarray) -> np.ndarray:
        if self._extra and (pieces == self._processor.unk_id()).any():
            words = self._processor.encode(text, out_type=str)
            return np.array([self._number(word) for word in words])
        return self._numbers[pieces]

    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """Do as `Encoder.encode` says."""
        encoded = self._processor.encode(texts, out_type="numpy", num_threads=self._threads)
        return [self._numbered(*pair) for pair in zip(texts, encoded, strict=True)]


class PublishedEncoder(Encoder):
    """Cuts texts with a published tokenizer, whose pieces the dictionary holds all."""

    def __init__(self, published: PublishedTokenizer, dictionary: Path, threads: int = 1) -> None:
        super().__init__(dictionary, threads)
        self._tokenizer = published.tokenizer
        self.max_positions = published.max_positions
        rows = len(read_dictionary(dictionary)) + UNK_ID + 1
        self._numbers = np.argsort(published.fairseq_order(rows))
        os.environ["RAYON_NUM_THREADS"] = str(threads)  # read when the first text is encoded

    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """Do as `Encoder.encode` says."""
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [self._numbers[np.array(text.ids, dtype=np.int64)] for text in encoded]


def encoder_of(tokenizer: Path, dictionary: Path, threads: int) -> Encoder:
    """Return the encoder of a tokenizer's file: a SentencePiece model or transformers' own."""
    if tokenizer.name == TOKENIZER:
        published = PublishedTokenizer.read(tokenizer.parent)
        return PublishedEncoder(published, dictionary, threads)
    return SentencePieceEncoder(tokenizer, dictionary, threads)
