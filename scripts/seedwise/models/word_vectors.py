"""Vectors of pieces from the texts in which they stand together."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from seedwise.tokens.indexed import Batch
from seedwise.tokens.vocabulary import ADDED_SYMBOLS

FIRST_PIECE = ADDED_SYMBOLS - 1
"""The first id that is a piece; `<mask>`, the last id, stands in no text."""

STANDARD_DEVIATION = 0.05
"""Of the entries: above the 0.02 of RoBERTa's random start, which positions keep."""


def positive_pmi(batches: Iterable[Batch], vocab_size: int) -> sparse.csr_matrix:
    """Return the positive pointwise mutual information of two pieces in one text.

    Each pair of different pieces of a text counts as often as both stand there (Bullinaria &
    Levy 2007, "Extracting semantic representations from word co-occurrence statistics").

    Args:
        batches: token ids of the texts; special symbols are left out.
        vocab_size: number of ids.

    Returns:
        A symmetric matrix, shape (vocab_size, vocab_size).
    """
    together = sparse.csr_matrix((vocab_size, vocab_size))
    for tokens, sizes in batches:
        pieces = tokens >= FIRST_PIECE
        rows = np.repeat(np.arange(len(sizes)), sizes)[pieces]
        shape = (len(sizes), vocab_size)
        counts = sparse.csr_matrix((np.ones(len(rows)), (rows, tokens[pieces])), shape=shape)
        together += counts.T @ counts
    together = together.tocoo()
    different = together.row != together.col
    row, column, pairs = (part[different] for part in (together.row, together.col, together.data))
    marginal = np.bincount(row, weights=pairs, minlength=vocab_size)
    pmi = np.log(pairs * pairs.sum() / (marginal[row] * marginal[column]))
    return sparse.csr_matrix((np.maximum(pmi, 0.0), (row, column)), shape=together.shape)


def word_vectors(
    batches: Iterable[Batch], vocab_size: int, dimensions: int, seed: int
) -> np.ndarray:
    """Return a vector per id, shape (vocab_size, dimensions); zeros where a text holds none.

    They factorise the matrix of `positive_pmi` by a singular value decomposition, as word2vec
    does implicitly (Levy & Goldberg 2014, "Neural word embedding as implicit matrix
    factorization"), with the singular values' roots as weights.
    """
    matrix = positive_pmi(batches, vocab_size)
    decomposition = TruncatedSVD(dimensions, random_state=seed).fit(matrix)
    strengths = np.sqrt(np.maximum(decomposition.singular_values_, np.finfo(float).tiny))
    vectors = matrix @ decomposition.components_.T / strengths
    known = vectors[vectors.any(axis=1)]
    return (vectors * (STANDARD_DEVIATION / known.std())).astype(np.float32)
