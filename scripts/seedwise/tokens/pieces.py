"""Texts to the numbers of their pieces, in batches: memory stays flat however long the text."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sentencepiece

from seedwise.data.texts import parts
from seedwise.errors import UserError
from seedwise.tokens.indexed import Batch, lists
from seedwise.tokens.published import TOKENIZER, PublishedTokenizer
from seedwise.tokens.vocabulary import EOS_ID, UNK_ID, read_dictionary, read_pieces

BETWEEN_PAIR = 2
"""``</s>`` between the texts of a pair."""


class Encoder(ABC):
    """Cuts texts into pieces and numbers them with fairseq's dictionary.

    Attributes:
        size: number of ids, those that no ``dict.txt`` lists included.
        max_positions: the longest sequence in tokens, where the tokenizer sets it.
        pairs_as_fairseq: whether the tokenizer writes pairs as fairseq reads them.
        counts: how many texts there were, how many of them were ``cut`` and how many ``empty``;
            how many pieces they have, and how many of these were ``lost`` by cutting.
    """

    max_positions: int | None = None
    pairs_as_fairseq = True
    _odd_to_longer = False

    def __init__(self, dictionary: Path, threads: int) -> None:
        self._threads = threads
        self._ids = read_pieces(dictionary)
        self.size = UNK_ID + 1 + len(self._ids)
        self.counts = {"texts": 0, "cut": 0, "empty": 0, "pieces": 0, "lost": 0}

    @abstractmethod
    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """Return the ids of each text's pieces, shape (pieces,), without ``<s>`` and ``</s>``."""

    def batches(
        self, texts: Iterable[str], longest: int, keep_rest: bool = False
    ) -> Iterator[Batch]:
        """Yield the ids of the texts, in order, at most ``longest`` for each and then ``</s>``.

        The texts of a pair follow each other with twice ``</s>`` between them, which count: that
        is what fairseq makes of two inputs, and what RoBERTa's tokenizers write. They are cut as
        transformers cuts, the longer one first.

        Args:
            texts: the texts, or pairs (`seedwise.data.texts`).
            longest: the largest number of tokens.
            keep_rest: go on as a text of its own with what is left of a longer one; otherwise it
                is cut.

        Raises:
            UserError: There are pairs, and the tokenizer does not write them as fairseq reads them.
        """
        for batch in lists(texts):
            columns = [self.encode(column) for column in parts(batch) if column is not None]
            if len(columns) > 1 and not self.pairs_as_fairseq:
                raise UserError(
                    "the model's tokenizer tells the second text of a pair by its token type, "
                    "which fairseq's RoBERTa lacks; with pairs, give this model the engine "
                    "'transformers', or fairseq a model of RoBERTa's kind"
                )
            whole = list(zip(*columns, strict=True))
            if keep_rest:
                ids = [
                    text[start : start + longest]
                    for (text,) in whole
                    for start in range(0, max(len(text), 1), longest)
                ]
            else:
                ids = [self._cut(each, longest) for each in whole]
            pieces = np.array([sum(map(len, each)) for each in whole])
            sizes = np.array([len(text) for text in ids])
            self.counts["texts"] += len(whole)
            self.counts["empty"] += int((pieces == 0).sum())
            self.counts["pieces"] += int(pieces.sum())
            if not keep_rest:
                lost = pieces - sizes + BETWEEN_PAIR * (len(columns) - 1)
                self.counts["cut"] += int((lost > 0).sum())
                self.counts["lost"] += int(lost.sum())
            yield np.insert(np.concatenate(ids), np.cumsum(sizes), EOS_ID), sizes + 1

    def _cut(self, each: Sequence[np.ndarray], longest: int) -> np.ndarray:
        """Return the ids of a text, or of a pair as one sequence, at most ``longest``."""
        if len(each) == 1:
            return each[0][:longest]
        first, second = each
        lengths = pair_lengths(
            len(first), len(second), longest - BETWEEN_PAIR, odd_to_longer=self._odd_to_longer
        )
        ends = np.full(BETWEEN_PAIR, EOS_ID)
        return np.concatenate([first[: lengths[0]], ends, second[: lengths[1]]])


def pair_lengths(first: int, second: int, room: int, *, odd_to_longer: bool) -> tuple[int, int]:
    """Return how many pieces the texts of a pair keep in ``room``; the longer one loses first.

    As transformers' ``longest_first`` does. Where both lose, one keeps the odd piece: in the
    library tokenizers the longer one (of equals the second), in transformers' own Python the first.
    """
    if first + second <= room:
        return first, second
    half = room // 2
    if min(first, second) <= half:
        kept = min(first, second)
        return (kept, room - kept) if first <= second else (room - kept, kept)
    if first > second or not odd_to_longer:
        return room - half, half
    return half, room - half


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

    def encode(self, texts: list[str]) -> list[np.ndarray]:
        """Do as `Encoder.encode` says."""
        encoded = self._processor.encode(texts, out_type="numpy", num_threads=self._threads)
        pieces, ends = np.concatenate(encoded), np.cumsum(list(map(len, encoded)))
        ids = self._numbers[pieces]
        if self._extra:
            unknown = np.flatnonzero(pieces == self._processor.unk_id())
            rows = np.searchsorted(ends, unknown, side="right")
            again, which = np.unique(rows, return_inverse=True)
            words = self._processor.encode(
                [texts[row] for row in again], out_type=str, num_threads=self._threads
            )
            # Places are counted from the end of the text.
            ids[unknown] = [
                self._number(words[text][place])
                for text, place in zip(which, unknown - ends[rows], strict=True)
            ]
        return np.split(ids, ends[:-1])


class PublishedEncoder(Encoder):
    """Cuts texts with a published tokenizer, whose pieces the dictionary holds all."""

    _odd_to_longer = True

    def __init__(self, published: PublishedTokenizer, dictionary: Path, threads: int = 1) -> None:
        super().__init__(dictionary, threads)
        self.pairs_as_fairseq = published.pairs_as_fairseq()
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
